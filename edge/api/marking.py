"""Routes that bookmark a moment."""

import asyncio

from aiohttp import web

from edge.api.route import Route, body_of
from edge.marks import Marks
from edge.node import Node
from wire.ids import session_id
from wire.marks import Mark, MarkRequest


def marking_routes(node: Node, marks: Marks) -> list[Route]:
    """Marking a moment of what is being recorded, or was."""

    async def mark(request: web.Request) -> Mark:
        return await asyncio.to_thread(marks.set, await body_of(request, MarkRequest), await node.begun())

    async def listed(request: web.Request) -> list[Mark]:
        return await asyncio.to_thread(marks.of, session_id(request.match_info["session"]))

    return [
        Route(
            "POST",
            "/api/v1/mark",
            "bookmark a moment; answered when it is durable",
            mark,
            takes=MarkRequest,
            gives=Mark,
            refusals={
                400: "the order cannot be read, or the session was not recorded at that time",
                404: "this node has recorded no such session",
                409: "nothing is recorded, and no session was named",
            },
        ),
        Route(
            "GET",
            "/api/v1/sessions/{session}/marks",
            "a session's marks in the order of their time",
            listed,
            gives=list[Mark],
            refusals={400: "this is no session's id"},
        ),
    ]
