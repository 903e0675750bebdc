"""Routes for whoever watches over a node."""

from aiohttp import web

from edge.api.metrics import CONTENT_TYPE, exposition
from edge.api.route import Route
from edge.api.streams import Streams
from edge.condition import Conditions, NodeCondition
from edge.cost import NodeCost
from edge.node import Node
from firmware.log import Log
from wire.message import Message, encode

LISTENERS = 16
EVERY_S = 1.0
EVENTS = "text/event-stream"


class _News:
    """What one listener has not been told yet, as server-sent events: the status whenever it has changed, the condition
    whenever it was read anew, so that nobody hears nothing for longer than a condition stays fresh."""

    def __init__(self, node: Node, conditions: Conditions) -> None:
        self._node = node
        self._conditions = conditions
        self._told: tuple[Message, ...] = ()

    async def part(self) -> bytes:
        """The events since the last call; empty for none."""
        now = (await self._node.status(), await self._conditions.read())
        news = [message for message in now if message not in self._told]
        self._told = now
        return b"".join(b"event: %b\ndata: %b\n\n" % (each.KIND.encode(), encode(each)) for each in news)


def watching_routes(node: Node, conditions: Conditions, log: Log) -> list[Route]:
    """The node's condition, what it costs, and both as figures."""

    async def condition(_request: web.Request) -> NodeCondition:
        return await conditions.read()

    async def cost(_request: web.Request) -> NodeCost:
        return node.cost()

    async def metrics(_request: web.Request) -> bytes:
        return exposition(await node.status(), await conditions.read(), node.cost(), log.counts())

    async def events(request: web.Request) -> web.StreamResponse:
        return await listeners.serve(request, EVENTS, _News(node, conditions).part, EVERY_S)

    listeners = Streams(LISTENERS, log)
    return [
        Route(
            "GET",
            "/api/v1/events",
            "server-sent events: NodeStatus on each change, at most once a second, and NodeCondition every 5 s",
            events,
            gives=EVENTS,
            refusals={503: "sixteen listen already"},
            endless=True,
        ),
        Route("GET", "/api/v1/condition", "how disk, clock and board are", condition, gives=NodeCondition),
        Route("GET", "/api/v1/cost", "what the node's work has cost so far", cost, gives=NodeCost),
        Route("GET", "/api/v1/metrics", "the node's figures for Prometheus", metrics, gives=CONTENT_TYPE),
    ]
