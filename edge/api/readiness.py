"""Routes that say whether the node is fit to record."""

import asyncio
from http import HTTPStatus

from aiohttp import web

from edge.api.route import Parameter, Route
from edge.node import Node
from wire.message import Message
from wire.readiness import GateReport, SelfTestReport
from wire.session import PlannedMinutes

_PLANNED = Parameter(
    "planned_minutes", PlannedMinutes, "a number above 0 and up to 1440", "how long shall be recorded, for the disk"
)


class SelfTestState(Message, frozen=True, kw_only=True):
    """Whether the node tests itself now, and what its last self-test found since it started; `fault` is why that one
    could not be made."""

    KIND = "self-test-state"
    VERSION = 1

    running: bool
    report: SelfTestReport | None = None
    fault: str | None = None


class _SelfTests:
    """Runs one self-test at a time, which nobody has to wait for on an open line."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._task: asyncio.Task[None] | None = None
        self._last = SelfTestState(running=False)

    async def start(self, _request: web.Request) -> SelfTestState:
        self._node.check_idle()
        self._last = SelfTestState(running=True)
        self._task = asyncio.create_task(self._run())
        return self._last

    async def state(self, _request: web.Request) -> SelfTestState:
        return self._last

    async def _run(self) -> None:
        try:
            self._last = SelfTestState(running=False, report=await self._node.self_test())
        except Exception as fault:
            self._last = SelfTestState(running=False, fault=str(fault) or type(fault).__name__)


def readiness_routes(node: Node) -> list[Route]:
    """The gates, asked before a start, and the self-test."""

    async def gates(request: web.Request) -> GateReport:
        return await node.gates(_PLANNED.of(request))

    tests = _SelfTests(node)
    return [
        Route(
            "GET",
            "/api/v1/gates",
            "what the gates would say of a start now; this opens the camera",
            gates,
            gives=GateReport,
            query=(_PLANNED,),
            refusals={400: "these are no minutes", 409: "recording or testing itself"},
        ),
        Route(
            "POST",
            "/api/v1/self-test",
            "begin a self-test: ten seconds of recording for nobody",
            tests.start,
            gives=SelfTestState,
            accepted=HTTPStatus.ACCEPTED,
            refusals={409: "recording or testing itself"},
        ),
        Route(
            "GET",
            "/api/v1/self-test",
            "whether a self-test runs, and what the last one found",
            tests.state,
            gives=SelfTestState,
        ),
    ]
