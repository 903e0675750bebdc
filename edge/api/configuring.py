"""Routes to what may be set in the field."""

import asyncio

import msgspec
from aiohttp import web

from edge.api.route import Route, body_of
from edge.config import Config, ConfigReport, NodeConfig
from edge.node import Node
from edge.offload import Bandwidth


def configuring_routes(node: Node, config: Config, running: NodeConfig, bandwidth: Bandwidth) -> list[Route]:
    """The settings of this run and of the next; that of the offload's `bandwidth` needs no new start."""

    async def read(_request: web.Request) -> ConfigReport:
        return await asyncio.to_thread(config.report, running)

    async def keep(request: web.Request) -> ConfigReport:
        nonlocal running
        # A node that is cut off goes on as it was.
        node.check_idle()
        kept = await body_of(request, NodeConfig)
        await asyncio.to_thread(config.keep, kept)
        running = msgspec.structs.replace(running, offload_mbit=kept.offload_mbit)
        bandwidth.limit(running.offload_mbit)
        return await read(request)

    async def schema(_request: web.Request) -> bytes:
        return msgspec.json.encode(msgspec.json.schema(NodeConfig))

    return [
        Route(
            "GET",
            "/api/v1/config",
            "the settings of this run and of the next",
            read,
            gives=ConfigReport,
            refusals={500: "the settings that are kept cannot be read"},
        ),
        Route(
            "PUT",
            "/api/v1/config",
            "keep settings, all of them, for the node's next start; the offload's bandwidth at once",
            keep,
            takes=NodeConfig,
            gives=ConfigReport,
            refusals={400: "settings that cannot be read", 409: "recording or testing itself"},
        ),
        Route("GET", "/api/v1/config/schema", "the settings as a JSON schema", schema, gives="application/schema+json"),
    ]
