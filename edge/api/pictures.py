"""Routes that show what the camera sees."""

from aiohttp import web

from edge.api.route import Route
from edge.node import Node


def picture_routes(node: Node) -> list[Route]:
    """The camera's picture, for whoever points it."""

    async def preview(_request: web.Request) -> bytes:
        return await node.preview()

    return [
        Route(
            "GET",
            "/api/v1/preview.jpg",
            "the latest picture, or one taken for the purpose",
            preview,
            gives="image/jpeg",
            refusals={503: "the camera cannot be opened"},
        ),
    ]
