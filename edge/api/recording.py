"""Routes that say how the node is and make it record."""

from aiohttp import web

from edge.api.route import Route, body_of
from edge.node import Node
from wire.readiness import GateReport
from wire.session import NodeStatus, StartRecording


def recording_routes(node: Node) -> list[Route]:
    """What a rig needs of a node to record a match."""

    async def status(_request: web.Request) -> NodeStatus:
        return await node.status()

    async def start(request: web.Request) -> NodeStatus:
        return await node.start(await body_of(request, StartRecording))

    async def stop(_request: web.Request) -> NodeStatus:
        return await node.stop()

    return [
        Route("GET", "/api/v1/status", "what the node says of itself", status, gives=NodeStatus, open=True),
        Route(
            "POST",
            "/api/v1/record/start",
            "begin a recording",
            start,
            takes=StartRecording,
            gives=NodeStatus,
            refusals={
                400: "the order cannot be read",
                409: "recording or testing itself, a session used before, or a closed gate",
            },
            reports={409: GateReport},
        ),
        Route(
            "POST",
            "/api/v1/record/stop",
            "end the recording, answered when its last segment is safe",
            stop,
            gives=NodeStatus,
            refusals={409: "nothing is recorded"},
        ),
    ]
