"""The hub as a process: ingest, pipeline and API put together, until a signal or a broken part ends it."""

import asyncio
import errno
import random
import secrets
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import aiohttp
from aiohttp import web

from firmware.clock import Clock
from firmware.log import Log
from hub.api import SessionsApi, plain_errors
from hub.errors import HubError
from hub.ingest import Ingest, ingest_routes
from hub.nodes import Node, RigNodes
from hub.panorama.timeline import Arrivals
from hub.pipeline import Pipeline
from hub.push import Push
from hub.sessions import Sessions
from hub.worker import Worker
from wire.ids import SessionId
from wire.session import SegmentKey, SegmentOffer

_STOP_S = 4.0


class PortTaken(HubError):
    """Another program listens where the hub should."""


@dataclass(frozen=True)
class Settings:
    """What a hub process is told: its data, where it listens, its nodes from the left, its token, its viewer."""

    data: Path
    host: str
    port: int
    nodes: tuple[Node, ...]
    token: str
    viewer: str | None
    device_key: str
    panorama_width: int


async def serve(settings: Settings, clock: Clock, log: Log) -> int:
    """Run the hub until SIGTERM or SIGINT; returns 0, or 1 when its work could not be left in time.

    Raises `HubError` for what keeps it from starting.
    """
    try:
        settings.data.mkdir(parents=True, exist_ok=True)
    except OSError as fault:
        raise HubError(f"the data folder {settings.data} cannot be made: {fault.strerror}") from None
    async with aiohttp.ClientSession() as http:
        return await _run(settings, clock, log, http)


async def _run(settings: Settings, clock: Clock, log: Log, http: aiohttp.ClientSession) -> int:
    arrivals = Arrivals()
    sessions = Sessions(settings.data / "sessions")

    async def confirmed(key: SegmentKey, offer: SegmentOffer) -> None:
        log.event("confirmed", session=key.session, node=key.node, segment=key.sequence, last=offer.last)
        arrivals.notify()

    ingest = Ingest(settings.data, settings.token, clock.now_ns, confirmed)
    nodes = RigNodes(http, settings.nodes, settings.token)
    deliver = _deliverer(settings, arrivals, log, http)
    pipeline = Pipeline(sessions, ingest.shelf, arrivals, deliver, settings.panorama_width, log)
    worker = Worker(pipeline, sessions, arrivals, log)
    api = SessionsApi(sessions, nodes, settings.token, clock.now_ns, secrets.token_bytes, worker.add)

    app = web.Application(middlewares=[plain_errors])
    app.add_routes(ingest_routes(ingest))
    app.add_routes(api.routes())
    asked = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, asked.set)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, settings.host, settings.port).start()
        except OSError as fault:
            if fault.errno == errno.EADDRINUSE:
                raise PortTaken(
                    f"port {settings.port} of {settings.host} is taken by another process: "
                    "stop it or choose another port"
                ) from None
            raise HubError(f"cannot listen on {settings.host}:{settings.port}: {fault.strerror}") from None
        worker.start()
        log.event("listening", host=settings.host, port=settings.port)
        await asked.wait()
        log.event("stopping")
        ended = await asyncio.to_thread(worker.stop, _STOP_S)
        log.event("stopped", in_time=ended)
        return 0 if ended else 1
    finally:
        await runner.cleanup()
        ingest.close()


def _deliverer(
    settings: Settings, arrivals: Arrivals, log: Log, http: aiohttp.ClientSession
) -> Callable[[SessionId, Path], None] | None:
    """How the pipeline's thread hands a package to the viewer: on the event loop, waiting for its end."""
    if settings.viewer is None:
        return None
    push = Push(http, settings.viewer, settings.device_key, random.random, log)
    loop = asyncio.get_running_loop()

    def deliver(session: SessionId, package: Path) -> None:
        asyncio.run_coroutine_threadsafe(push.deliver(session, package, arrivals), loop).result()

    return deliver
