"""The node as a process: everything put together, until a signal or a broken part ends it."""

import asyncio
import contextlib
import errno
import ipaddress
import signal
import socket
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

# Comes with zeroconf.
from ifaddr import get_adapters

from edge.api import Served, application
from edge.api.access import PIN_FILE, Access, OperatorPin
from edge.api.door import Door
from edge.capture import CameraSource
from edge.condition import Conditions
from edge.config import Config, NodeConfig
from edge.cost import Cost
from edge.errors import EdgeError, HubUnreachable, PortTaken, SegmentRefused
from edge.gates import Gates
from edge.holdings import Holdings
from edge.ledger import NAME, Ledger, SessionRow
from edge.marks import Marks
from edge.node import EyesFor, Node, software
from edge.offload import Hub, HubAddresses, Offloader, on_this_network, take_receipts
from edge.record import PATIENCE, Patience, Salvaged, Shelf, salvage
from edge.record.manifest import Manifests
from edge.selftest import SESSION, SelfTest
from edge.storage import Storage, trim_ballast
from firmware.beside import keep_at
from firmware.clock import RigClock, StepDetector
from firmware.discovery import NODE_SERVICE, Announcement, is_own
from firmware.errors import PanelFault
from firmware.health import Health
from firmware.holding import hold
from firmware.leaving import leave_within
from firmware.log import Log
from firmware.panel import DisabledPanel, Panel, PanelSource
from firmware.panel.signals import OFF, READY
from firmware.power import DisabledPower, Power
from firmware.supervision import DisabledSupervisor, Supervisor
from firmware.updates import DisabledUpdater
from wire.ids import NodeId
from wire.session import SegmentKey

_METER_EVERY_S = 1.0
_STEP_EVERY_S = 1.0
_LOCATE_EVERY_S = 30.0
_STOP_S = 4.0
_LEAVE_S = 10.0
"""After this the process ends whatever it waits for: a disk that never answers holds its threads, and the ledger."""


@dataclass(frozen=True)
class Settings:
    """What one node process is told: who it is, its camera, where it keeps its data, where it listens, its hub,
    its settings and where they are kept for the next start, what its board has, and who looks after it; `open_chip` as
    for `Gates`, and `nodes_on_disk` as `nodes` for `Storage`."""

    node: NodeId
    source: CameraSource
    data: Path
    host: str
    port: int
    hub: str | None
    token: str
    config: NodeConfig
    kept: Config
    health: Health
    panel: PanelSource
    patience: Patience = PATIENCE
    power: Power = field(default_factory=DisabledPower)
    open_chip: Callable[[], None] = lambda: None
    nodes_on_disk: int = 1
    supervisor: Supervisor = field(default_factory=DisabledSupervisor)


async def serve(settings: Settings, eyes_for: EyesFor, clock: RigClock, log: Log) -> int:
    """Run the node until SIGTERM or SIGINT (returns 0) or until it cannot do its duty (returns 1).

    Raises `EdgeError` for what keeps it from starting.
    """
    with _bound(settings) as listener, _own(settings.data):
        await asyncio.to_thread(settings.source.check)
        shelf = Shelf(settings.data)
        if trim_ballast(settings.data):
            log.event("ballast-given-up")
        ledger = Ledger(settings.data / NAME)
        panel = _panel(settings, log)
        try:
            salvaged = salvage(shelf, ledger, log, clock.now_ns())
            async with Hub(_addresses(settings, log), settings.token) as hub:
                hub.bandwidth.limit(settings.config.offload_mbit)
                return await _run(settings, listener, eyes_for, clock, log, shelf, ledger, hub, salvaged, panel)
        finally:
            panel.close()
            ledger.close()


async def _run(
    settings: Settings,
    listener: socket.socket,
    eyes_for: EyesFor,
    clock: RigClock,
    log: Log,
    shelf: Shelf,
    ledger: Ledger,
    hub: Hub,
    salvaged: Salvaged,
    panel: Panel,
) -> int:
    cost = Cost()
    storage = Storage(
        shelf, ledger, log, delete_confirmed=settings.config.delete_confirmed, nodes=settings.nodes_on_disk
    )
    storage.sweep()
    manifests = Manifests(shelf, ledger, clock, log, software())
    manifests.mend()
    gates = Gates(
        settings.node,
        settings.data,
        storage,
        clock,
        settings.health,
        hub_is_here=on_this_machine(settings.hub),
        hub_addresses=lambda: elsewhere(hub),
        open_chip=settings.open_chip,
    )
    self_test = SelfTest(
        node=settings.node,
        source=settings.source,
        eyes_for=eyes_for,
        root=settings.data,
        gates=gates,
        clock=clock,
        log=log,
        hub_answers=lambda: _knock(hub, settings.node),
        sound=settings.config.sound,
    )
    self_test.sweep()
    offloader = Offloader(
        hub,
        ledger,
        shelf,
        cost,
        log,
        carried=partial(take_receipts, settings.data, ledger, settings.token, log),
    )
    node = Node(
        node=settings.node,
        source=settings.source,
        eyes_for=eyes_for,
        detector=settings.config.detector,
        shelf=shelf,
        ledger=ledger,
        clock=clock,
        cost=cost,
        log=log,
        gates=gates,
        storage=storage,
        manifests=manifests,
        self_test=self_test,
        panel=panel,
        segment_closed=offloader.wake,
        health=settings.health,
        sound=settings.config.sound,
        sync=settings.source.sync,
        patience=settings.patience,
    )
    asked = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, asked.set)
    access = Access(settings.token, OperatorPin(settings.data / PIN_FILE), time.monotonic)
    api = application(
        Served(
            node=node,
            holdings=Holdings(ledger, storage, settings.token, log),
            marks=Marks(settings.node, ledger, node.now_ns, panel, log),
            conditions=Conditions(
                settings.node, storage, clock, settings.health, ledger, gates.judge_clock, time.monotonic
            ),
            config=settings.kept,
            running=settings.config,
            bandwidth=hub.bandwidth,
            power=settings.power,
            updater=DisabledUpdater(),
            access=access,
            log=log,
        )
    )
    door = Door(api, log)
    await door.open(listener)
    port = listener.getsockname()[1]
    log.event("listening", host=settings.host, port=port)
    settings.supervisor.ready()
    panel.light(READY)
    if salvaged.broken_off:
        node.tell_broken_off(*salvaged.broken_off)
    steps = StepDetector(wall_ns=clock.now_ns)
    # The ends that a node's life can have; whichever comes first decides.
    ends = {
        asyncio.create_task(asked.wait(), name="signal"),
        asyncio.create_task(node.broken.wait(), name="recorder"),
        asyncio.create_task(offloader.run(), name="offload"),
        asyncio.create_task(storage.run(node.storage_told), name="storage"),
        asyncio.create_task(_meter(cost), name="meter"),
        asyncio.create_task(notice_steps(steps.stepped_ns, node.clock_stepped), name="clock"),
        asyncio.create_task(settings.supervisor.feed(node.gets_on), name="watchdog"),
    }
    beside = {
        asyncio.create_task(keep_at("announcement", partial(_announce, settings, port, log), log), name="announcement"),
        asyncio.create_task(keep_at("hub-search", partial(locate, hub), log), name="hub-search"),
    }
    if salvaged.running:
        ends.add(asyncio.create_task(_go_on(node, salvaged.running), name="resume"))
    try:
        done, _ = await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            if task.get_name() != "signal":
                log.event("broken", part=task.get_name(), fault=task.exception() or "it cannot go on")
        log.event("stopping")
        settings.supervisor.stopping()
        leave_within(_LEAVE_S, 1)
        # First of all whoever looks on is let go: a look may open the camera again.
        await api.shutdown()
        await asyncio.wait_for(node.leave(), _STOP_S)
        return 0 if asked.is_set() and not node.broken.is_set() else 1
    except TimeoutError:
        log.event("stop-timeout", fault="the last segment could not be closed in time; the next start will salvage it")
        return 1
    finally:
        for task in (*ends, *beside):
            task.cancel()
        await asyncio.gather(*ends, *beside, return_exceptions=True)
        await door.close()
        panel.light(OFF)
        log.event("stopped")


def _addresses(settings: Settings, log: Log) -> HubAddresses:
    # A node that nobody reaches over the network does not look there for its hub unasked.
    if _is_loopback(settings.host) and settings.hub:
        return HubAddresses(settings.hub, settings.token)
    return HubAddresses(settings.hub, settings.token, elsewhere=on_this_network, log=log)


def on_this_machine(hub: str | None) -> bool:
    """Whether a hub's address is this machine's own: node and hub share its clock then."""
    return hub is not None and _is_loopback(urlsplit(hub).hostname or "")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _panel(settings: Settings, log: Log) -> Panel:
    try:
        return settings.panel.open(log, settings.data)
    except PanelFault as fault:
        # A match without beeps is better than none.
        log.event("panel-fault", fault=fault)
        return DisabledPanel()


def elsewhere(hub: Hub) -> Collection[str]:
    """The hub's addresses; none where it was found on this machine, whose clock they share."""
    adapters = list(get_adapters())
    return () if any(is_own(address, adapters) for address in hub.addresses) else hub.addresses


async def locate(hub: Hub) -> None:
    """Look for the hub until it is found, before there is anything to hand over: its gate wants to know where it is."""
    while True:
        with contextlib.suppress(HubUnreachable):
            return await hub.locate()
        await asyncio.sleep(_LOCATE_EVERY_S)


async def _knock(hub: Hub, node: NodeId) -> None:
    """Ask the hub for something it has never had; raises `HubUnreachable` when it does not even say so."""
    with contextlib.suppress(SegmentRefused):
        await hub.receipt(SegmentKey(SESSION, node, 0))


def _bound(settings: Settings) -> socket.socket:
    where = f"{settings.host}:{settings.port}"
    try:
        found = socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, _, _, _, address = found[0]
        return socket.create_server(address[:2], family=family)
    except OSError as fault:
        if fault.errno == errno.EADDRINUSE:
            raise PortTaken(
                f"port {settings.port} of {settings.host} is taken by another process: stop it or choose another port"
            ) from None
        raise EdgeError(f"cannot listen on {where}: {fault.strerror}") from None
    except OverflowError:
        raise EdgeError(f"cannot listen on {where}: a port is 0 to 65535") from None


def _own(data: Path) -> IO[str]:
    """Keep a data folder to one process: another one would salvage what this one is still writing."""
    try:
        data.mkdir(parents=True, exist_ok=True)
        return hold(data / "lock")
    except BlockingIOError:
        raise EdgeError(f"another node already keeps its data in {data}") from None
    except OSError as fault:
        raise EdgeError(f"the data folder {data} cannot be written: {fault.strerror}") from None


async def _go_on(node: Node, session: SessionRow) -> None:
    """Take up a session again; for ever afterwards, since only a fault ends a node."""
    await node.resume(session)
    await asyncio.Event().wait()


async def _meter(cost: Cost) -> None:
    meter = cost.meter("serve")
    while True:
        meter.read()
        await asyncio.sleep(_METER_EVERY_S)
        # An event loop's wall time says nothing: it waits for everybody at once.
        meter.begin()


async def notice_steps(stepped_ns: Callable[[], int], told: Callable[[int], None]) -> None:
    """Tell for ever of every step of the clock."""
    while True:
        await asyncio.sleep(_STEP_EVERY_S)
        if step_ns := stepped_ns():
            told(step_ns)


async def _announce(settings: Settings, port: int, log: Log) -> None:
    properties = {"node": settings.node, "software": software()}
    async with Announcement(NODE_SERVICE, settings.node, settings.host, port, properties, log):
        await asyncio.Event().wait()
