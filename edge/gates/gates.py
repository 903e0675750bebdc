"""Which gates a node has."""

from collections.abc import Callable, Collection, Sequence
from pathlib import Path

from edge.errors import CameraFault
from edge.frame import Frame
from edge.gates.checks import check_board, check_camera, check_clock, check_disk, failed, passed
from edge.gates.gate import Gate, ask
from edge.storage import Storage
from firmware.clock import ClockReading, RigClock
from firmware.health import Health
from wire.ids import NodeId
from wire.readiness import Finding, GateReport

CAMERA_S = 20.0
"""How long an opened camera may take over its first pictures; one that is well needs a second."""
DETECTOR_S = 20.0


class Gates:
    """The gates of one node; `folder` is where it records, `hub_is_here` says that its hub is on the same machine.

    `hub_addresses` tells what is known of where it is otherwise. `open_chip` opens the accelerator that the eyes look
    through, unless it is open already; it may raise `EdgeError`.
    """

    def __init__(
        self,
        node: NodeId,
        folder: Path,
        storage: Storage,
        clock: RigClock,
        health: Health,
        *,
        hub_is_here: bool,
        hub_addresses: Callable[[], Collection[str]] = lambda: (),
        open_chip: Callable[[], None] = lambda: None,
    ) -> None:
        self._node = node
        self._folder = folder
        self._storage = storage
        self._clock = clock
        self._health = health
        self._hub_is_here = hub_is_here
        self._hub_addresses = hub_addresses
        self.open_chip = open_chip

    async def ask(
        self,
        *,
        peek: Callable[[int], Sequence[Frame]],
        waits_s: float,
        wake_eyes: Callable[[], str],
        planned_minutes: float | None,
        override: Sequence[str] = (),
    ) -> GateReport:
        """Ask every gate about a camera that is open.

        `peek` takes its next frames, the first of which may wait for its rig for `waits_s`; `wake_eyes` makes its eyes
        and returns their name. Eyes whose chip cannot be opened are made all the same: they can do without, and try it
        again.
        """
        at_ns = self._clock.now_ns()
        gates = [
            self._disk(planned_minutes),
            *self.board(),
            Gate(("detector",), lambda: [self._detector(wake_eyes())], DETECTOR_S, required=False),
        ]
        found = await ask(gates)
        # Last, and right before the recording: a live camera's pictures do not wait for the others.
        deadline_s = max(CAMERA_S, waits_s + CAMERA_S / 2)
        seen = await ask([Gate(("camera",), lambda: [check_camera(peek)], deadline_s)])
        return GateReport(node=self._node, at_ns=at_ns, gates=(*seen, *found), overridden=tuple(override))

    async def ask_without(
        self, fault: CameraFault, planned_minutes: float | None, override: Sequence[str] = ()
    ) -> GateReport:
        """Ask every gate where the camera cannot be opened, for the reason `fault` gives, which nobody can override."""
        at_ns = self._clock.now_ns()
        camera = Gate(("camera",), lambda: [failed("camera", str(fault))], overridable=False)
        found = await ask([camera, self._disk(planned_minutes), *self.board()])
        overridden = tuple(code for code in override if code != "camera")
        return GateReport(node=self._node, at_ns=at_ns, gates=found, overridden=overridden)

    def _disk(self, planned_minutes: float | None) -> Gate:
        return Gate(("disk",), lambda: [check_disk(self._folder, self._storage.state, planned_minutes)])

    def board(self) -> list[Gate]:
        """Those gates that need neither camera nor disk."""
        return [
            Gate(("clock",), lambda: [self.judge_clock(self._clock.read())]),
            Gate(("temperature", "supply", "battery"), lambda: check_board(self._health.read())),
        ]

    def judge_clock(self, reading: ClockReading) -> Finding:
        """What the clock's gate says of a reading."""
        return check_clock(reading, self._hub_is_here, self._hub_addresses())

    def _detector(self, name: str) -> Finding:
        self.open_chip()
        return passed("detector", f"the detector {name} is ready")
