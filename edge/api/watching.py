"""Routes for whoever watches over a node."""

from aiohttp import web

from edge.api.metrics import CONTENT_TYPE, exposition
from edge.api.route import Route
from edge.condition import Conditions, NodeCondition
from edge.cost import NodeCost
from edge.node import Node
from firmware.log import Log


def watching_routes(node: Node, conditions: Conditions, log: Log) -> list[Route]:
    """The node's condition, what it costs, and both as figures."""

    async def condition(_request: web.Request) -> NodeCondition:
        return await conditions.read()

    async def cost(_request: web.Request) -> NodeCost:
        return node.cost()

    async def metrics(_request: web.Request) -> bytes:
        return exposition(await node.status(), await conditions.read(), node.cost(), log.counts())

    return [
        Route("GET", "/api/v1/condition", "how disk, clock and board are", condition, gives=NodeCondition),
        Route("GET", "/api/v1/cost", "what the node's work has cost so far", cost, gives=NodeCost),
        Route("GET", "/api/v1/metrics", "the node's figures for Prometheus", metrics, gives=CONTENT_TYPE),
    ]
