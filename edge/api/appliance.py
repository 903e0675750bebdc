"""Routes to the board under the node: its log, its software, its switch."""

import asyncio
from typing import Annotated

import msgspec
from aiohttp import web

from edge.api.route import Parameter, Route
from edge.node import Node
from firmware.log import KEPT, Log
from firmware.power import Power
from firmware.updates import UpdateNews, Updater

_USUAL_LINES = 200
_LINES = Parameter(
    "lines", Annotated[int, msgspec.Meta(ge=1, le=KEPT)], f"a number from 1 to {KEPT}", f"how many ({_USUAL_LINES})"
)


def appliance_routes(node: Node, log: Log, power: Power, updater: Updater) -> list[Route]:
    """What whoever looks after the node needs; nothing of it cuts off a recording."""

    async def logs(request: web.Request) -> bytes:
        return "".join(f"{line}\n" for line in log.recent(_LINES.of(request) or _USUAL_LINES)).encode()

    async def shutdown(_request: web.Request) -> None:
        node.check_idle()
        log.event("shutdown-asked")
        await asyncio.to_thread(power.power_off)

    async def check(_request: web.Request) -> UpdateNews:
        # Looking for software asks the network, which a recording's video needs.
        node.check_idle()
        return await asyncio.to_thread(updater.check)

    async def apply(_request: web.Request) -> None:
        node.check_idle()
        log.event("update-asked")
        await asyncio.to_thread(updater.apply)

    return [
        Route(
            "GET",
            "/api/v1/logs",
            "the newest lines of the node's log, oldest first",
            logs,
            gives="text/plain; charset=utf-8",
            query=(_LINES,),
            refusals={400: "this is no number of lines"},
        ),
        Route(
            "POST",
            "/api/v1/shutdown",
            "switch the board off",
            shutdown,
            refusals={409: "recording or testing itself", 501: "not set up on this machine"},
        ),
        Route(
            "GET",
            "/api/v1/update",
            "whether there is newer software",
            check,
            gives=UpdateNews,
            refusals={409: "recording or testing itself"},
        ),
        Route(
            "POST",
            "/api/v1/update",
            "put the newer software on the board, which starts anew with it",
            apply,
            refusals={409: "recording or testing itself", 501: "not set up on this machine"},
        ),
    ]
