"""The hub as a process: ingest, pipeline and API put together, until a signal or a broken part ends it."""

import asyncio
import errno
import random
import secrets
import signal
import socket
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import IO

import aiohttp
from aiohttp import web

from firmware.beside import keep_at
from firmware.clock import Clock
from firmware.discovery import HUB_SERVICE, Announcement
from firmware.holding import hold
from firmware.log import Log
from hub.api import CalibrationApi, SessionsApi, plain_errors, proof_routes
from hub.blur.orders import FILE, BlurWatch
from hub.errors import HubError
from hub.ingest import Ingest, ingest_routes
from hub.marks import MarkBook
from hub.nodes import Node, RigNodes
from hub.panorama.timeline import Arrivals
from hub.pipeline import Pipeline
from hub.portal import SignsOfLife
from hub.push import Deliveries
from hub.sessions import Sessions
from hub.watch import Watch
from hub.worker import Worker
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
    """Run the hub until SIGTERM or SIGINT; returns 0, or 1 when a part broke or its work could not be left in time.

    Raises `HubError` for what keeps it from starting.
    """
    with _own(settings.data):
        async with aiohttp.ClientSession() as http:
            return await _run(settings, clock, log, http)


async def _run(settings: Settings, clock: Clock, log: Log, http: aiohttp.ClientSession) -> int:
    arrivals = Arrivals()
    sessions = Sessions(settings.data / "sessions")
    marks = MarkBook(sessions)

    async def confirmed(key: SegmentKey, offer: SegmentOffer) -> None:
        log.event("confirmed", session=key.session, node=key.node, segment=key.sequence, last=offer.last)
        arrivals.notify()

    ingest = Ingest(settings.data, settings.token, clock.now_ns, confirmed)
    nodes = RigNodes(http, settings.nodes, settings.token)
    pipeline = Pipeline(
        sessions,
        ingest.shelf,
        arrivals,
        settings.viewer is not None,
        settings.panorama_width,
        log,
        lenses=settings.data / "lenses",
    )
    loop = asyncio.get_running_loop()
    asked, broken = asyncio.Event(), asyncio.Event()

    def break_off() -> None:
        loop.call_soon_threadsafe(broken.set)

    worker = Worker(pipeline, sessions, arrivals, log, break_off)
    api = SessionsApi(sessions, marks, nodes, settings.token, clock.now_ns, secrets.token_bytes, worker.add)
    app = web.Application(middlewares=[plain_errors(log)])
    app.add_routes(ingest_routes(ingest))
    app.add_routes(api.routes())
    app.add_routes(CalibrationApi(sessions, settings.token, worker.add).routes())
    app.add_routes(proof_routes(settings.token))
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, asked.set)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
    await runner.setup()
    # The ends that a hub's life can have; whichever comes first decides.
    ends = {
        asyncio.create_task(asked.wait(), name="signal"),
        asyncio.create_task(broken.wait(), name="pipeline"),
        asyncio.create_task(Watch(sessions, marks, ingest.shelf, nodes, arrivals, log).run(), name="watch"),
    }
    beside: list[asyncio.Task[None]] = []
    if settings.viewer is not None:
        push = Deliveries(http, settings.viewer, settings.device_key, sessions, log, random.random)
        ends.add(asyncio.create_task(push.run(), name="push"))
        blur = BlurWatch(http, settings.viewer, settings.device_key, settings.data / FILE, sessions, log, worker.add)
        ends.add(asyncio.create_task(blur.run(), name="blur"))
        life = SignsOfLife(http, settings.viewer, settings.device_key, version("touchline"), log)
        ends.add(asyncio.create_task(life.run(), name="life"))
    try:
        await _listen(runner, settings)
        worker.start()
        log.event("listening", host=settings.host, port=settings.port)
        announcing = keep_at("announcement", partial(_announce, settings, log), log)
        beside.append(asyncio.create_task(announcing, name="announcement"))
        done, _ = await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            if task.get_name() not in ("signal", "pipeline"):
                log.event("broken", part=task.get_name(), fault=repr(task.exception()))
        log.event("stopping")
        ended = await asyncio.to_thread(worker.stop, _STOP_S)
        log.event("stopped", in_time=ended)
        return 0 if ended and asked.is_set() else 1
    finally:
        for task in (*ends, *beside):
            task.cancel()
        await asyncio.gather(*ends, *beside, return_exceptions=True)
        await runner.cleanup()
        ingest.close()


async def _announce(settings: Settings, log: Log) -> None:
    name = "hub-" + socket.gethostname().partition(".")[0][:32]
    properties = {"software": f"touchline {version('touchline')}"}
    async with Announcement(HUB_SERVICE, name, settings.host, settings.port, properties, log):
        await asyncio.Event().wait()


def _own(data: Path) -> IO[str]:
    """Keep a data folder to one process: two would take the same session through the pipeline."""
    try:
        (data / "sessions").mkdir(parents=True, exist_ok=True)
        return hold(data / "lock")
    except BlockingIOError:
        raise HubError(f"another hub already keeps its data in {data}") from None
    except OSError as fault:
        raise HubError(f"the data folder {data} cannot be used: {fault.strerror}") from None


async def _listen(runner: web.AppRunner, settings: Settings) -> None:
    try:
        await web.TCPSite(runner, settings.host, settings.port).start()
    except OverflowError:
        raise HubError(f"{settings.port} is not a port: ports go from 0 to 65535") from None
    except OSError as fault:
        if fault.errno == errno.EADDRINUSE:
            raise PortTaken(
                f"port {settings.port} of {settings.host} is taken by another process: stop it or choose another port"
            ) from None
        raise HubError(f"cannot listen on {settings.host}:{settings.port}: {fault.strerror}") from None
