"""The web process: granian inside our own event loop."""

import asyncio
import errno
import gc
import logging
import signal
import socket
from concurrent.futures import ThreadPoolExecutor

from granian.constants import Interfaces
from granian.server.embed import Server

from viewer.db import Database
from viewer.db.migrate import upgrade
from viewer.errors import BadSettings, PortTaken
from viewer.jobs.wake import Wake
from viewer.media.opening import open_store
from viewer.media.store import MediaStore
from viewer.sealing import open_seal
from viewer.settings import Settings
from viewer.web.app import build_app
from viewer.web.portal import Portal

log = logging.getLogger("viewer.web")
_GRACE_S = 3.5
"""Seconds that answers under way get to finish after SIGTERM."""
_THREADS = 4
"""Handlers at work at the same time: enough to fill the waits for the database, which is all that Python threads gain.
More only contend for the interpreter: asyncio's six on two cores cost a JSON answer 7 % more of the processor (2200 to
2460 us with 16 browsers, `bench.portal load`), and a server of many cores would get 32."""


def run_server(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT; raises `PortTaken` or `BadSettings` before anything is touched."""
    _check_port(settings.host, settings.port)
    _check_private(open_store(settings))
    settings.make_folders()
    database = Database(settings.database_url)
    upgrade(database)
    portal = Portal(settings, database, Wake(settings), open_seal(settings.data))
    asyncio.run(_serve(portal))
    database.close()
    log.info("portal stopped")


async def _serve(portal: Portal) -> None:
    settings = portal.settings
    server = Server(
        build_app(portal),
        address=settings.host,
        port=settings.port,
        interface=Interfaces.ASGI,
        log_enabled=False,
        websockets=False,
    )
    # What was built until now stays: collections need not walk through it again and again.
    gc.freeze()
    loop = asyncio.get_running_loop()
    loop.set_default_executor(ThreadPoolExecutor(_THREADS, "handler"))
    stop = asyncio.Event()
    for signum in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signum, stop.set)
    serving = asyncio.create_task(server.serve())
    stopping = asyncio.create_task(stop.wait())
    log.info("portal started url=%s data=%s", settings.url, settings.data)
    await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if not serving.done():
        server.stop()  # type: ignore[no-untyped-call]
        await asyncio.wait({serving}, timeout=_GRACE_S)
    if serving.done():
        serving.result()


def _check_private(store: MediaStore) -> None:
    try:
        public = store.open_to_anybody()
    except OSError as fault:
        # A bucket that is away for a while must not keep the portal down.
        log.warning("could not check that the media store is private: %s", fault)
        return
    if public:
        raise BadSettings(
            "the bucket gives its files to anybody who knows their names: block public access to it, then start again"
        )


def _check_port(host: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OverflowError as fault:
            raise BadSettings(f"{port} is not a port: ports go from 0 to 65535") from fault
        except OSError as fault:
            if fault.errno == errno.EADDRINUSE:
                words = f"port {port} on {host} is taken: stop what runs there or choose another --port"
                raise PortTaken(words) from fault
            raise BadSettings(f"cannot listen on {host}:{port}: {fault.strerror}") from fault
