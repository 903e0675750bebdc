"""Keeps the view that an operator has locked, and notices during a recording that the mast was knocked."""

import asyncio
from collections.abc import Callable
from pathlib import Path

from edge.detect.picture import Plane
from edge.framing import Knock, LockedView
from edge.viewing.viewfinder import Viewfinder
from firmware.log import Log
from wire.durable import make_folder, write_durably
from wire.message import Message

LOOK_EVERY_S = 5.0
BELIEVED = 2
"""Looks in a row that have to say the same: one alone may be a gust, or somebody before the lens."""

LOST_LOOKS = 12
"""Looks in a row, a minute of them, that show something else than the view before that is told: a bus, a crowd or an
umbrella before the lens has gone by then."""

_TOLD_DEG = 0.3
"""A lean that nobody at the mast would see need not be looked for there."""


class ViewState(Message, frozen=True, kw_only=True):
    """Whether a view is locked, how far the camera had moved at the last look from what its recording is compared with,
    and the sentence of an alarm."""

    KIND = "view-state"
    VERSION = 1

    locked: bool
    knock: Knock | None = None
    alarm: str | None = None


class Lookout:
    """Compares what the camera shows with the view that was locked, or with the recording's own first picture, in
    which something stands out, where none was.

    Both are kept in `folder`: a recording that is gone on with has the picture that it began with. `told` gets the
    sentence of a new alarm, and None when the camera is back.
    """

    def __init__(
        self,
        folder: Path,
        viewfinder: Viewfinder,
        told: Callable[[str | None], None],
        log: Log,
    ) -> None:
        self._file = folder / "locked-view"
        self._own = folder / "recording-view"
        self._viewfinder = viewfinder
        self._told = told
        self._log = log
        self._knock: Knock | None = None
        self._alarm: str | None = None
        self._settled = False
        """It is decided which of the two this recording is compared with."""
        self._against = 0
        """Looks in a row that contradict what was told last."""
        self._lost = False
        """The alarm is that the view is not recognised."""
        self._strange = 0
        """Looks since the view was recognised in which something stood out, but not that view."""
        self._before: LockedView | None = None
        """What the last look showed, if there was nothing to compare it with or it was not recognised."""
        # A look that began before another view was locked must not judge it.
        self._looking = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None

    def state(self) -> ViewState:
        """How the camera stands to its locked view."""
        return ViewState(locked=self._file.exists(), knock=self._knock, alarm=self._alarm)

    async def lock(self) -> None:
        """Make what the camera sees now the view that it shall keep; raises `CameraFault`."""
        frame = await self._viewfinder.picture()
        async with self._looking:
            await asyncio.to_thread(lambda: self._keep(self._file, LockedView.of(frame.planes)))
            await self._forget()
        self._log.event("view-locked")

    async def unlock(self) -> None:
        """Let the camera look wherever it does."""
        async with self._looking:
            await asyncio.to_thread(self._file.unlink, missing_ok=True)
            await self._forget()
        self._log.event("view-unlocked")

    def begin(self, *, resumed: bool = False) -> None:
        """A recording begins, or is `resumed`: look at it from now on."""
        self._start_over(settled=False)
        self._task = asyncio.get_running_loop().create_task(self._watch(resumed), name="lookout")

    def end(self) -> None:
        """The recording has ended."""
        if self._task:
            self._task.cancel()

    async def _watch(self, resumed: bool) -> None:
        if not resumed:
            await asyncio.to_thread(self._own.unlink, missing_ok=True)
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            try:
                async with self._looking:
                    await self._compare()
            except Exception as fault:
                self._log.event("lookout-fault", fault=f"{type(fault).__name__}: {fault}")

    async def _compare(self) -> None:
        frame = self._viewfinder.newest
        if frame is None:
            return
        view = await asyncio.to_thread(self._reference, frame.planes)
        if view is None:
            return
        knock = await asyncio.to_thread(view.compare, frame.planes)
        if not knock.certain:
            # In the dark the last word stands.
            if await asyncio.to_thread(self._stands_out, frame.planes):
                self._not_recognise()
            return
        self._strange, self._before = 0, None
        self._knock = knock
        differs = self._lost or knock.moved != (self._alarm is not None)
        self._against = self._against + 1 if differs else 0
        if self._against == BELIEVED:
            self._against = 0
            self._say(knock)

    @property
    def _since(self) -> str:
        return "the recording began" if self._own.exists() else "the view was locked"

    def _not_recognise(self) -> None:
        self._strange += 1
        self._against = 0
        if self._strange != LOST_LOOKS:
            return
        self._knock = None
        self._lost = True
        self._alarm = (
            f"the camera does not show any more what it showed when {self._since}: see whether it was turned away or "
            "something covers its lens; point it as before, or lock the new view"
        )
        self._log.event("view-lost")
        self._told(self._alarm)

    def _say(self, knock: Knock) -> None:
        self._lost = False
        if knock.moved:
            leans = f" and leans by {abs(knock.roll_deg):.1f}°" if abs(knock.roll_deg) >= _TOLD_DEG else ""
            self._alarm = (
                f"the camera was knocked: its picture has moved by {knock.by_px:.0f} pixels{leans} since "
                f"{self._since}; point it as before, or lock the new view"
            )
            self._log.event("camera-knocked", right_px=knock.right_px, down_px=knock.down_px, roll_deg=knock.roll_deg)
        else:
            self._alarm = None
            self._log.event("camera-back")
        self._told(self._alarm)

    async def _forget(self) -> None:
        """Begin anew with what the operator wants: the recording's own picture is of no use then."""
        await asyncio.to_thread(self._own.unlink, missing_ok=True)
        alarm = self._alarm
        self._start_over(settled=True)
        if alarm:
            self._told(None)

    def _start_over(self, *, settled: bool) -> None:
        self._knock = self._alarm = self._before = None
        self._settled, self._lost = settled, False
        self._against = self._strange = 0

    def _reference(self, planes: Plane) -> LockedView | None:
        """What the recording is compared with; its own is the first picture in which enough stands out."""
        if own := _read(self._own):
            return own
        locked = _read(self._file)
        if locked or self._settled or not self._stands_out(planes):
            return locked
        self._settled = True
        here = LockedView.of(planes)
        self._before = None
        self._keep(self._own, here)
        self._log.event("view-taken")
        return here

    def _stands_out(self, planes: Plane) -> bool:
        """Whether there is enough in a picture to know it again, and it is known again from the look before: noise in
        the dark has as much in it, but each time another."""
        before, self._before = self._before, LockedView.of(planes)
        return before is not None and before.compare(planes).certain

    def _keep(self, file: Path, view: LockedView) -> None:
        make_folder(file.parent)
        write_durably(file, view.encode())


def _read(file: Path) -> LockedView | None:
    try:
        raw = file.read_bytes()
    except FileNotFoundError:
        return None
    view = LockedView.decode(raw)
    if view is None:
        raise ValueError(f"{file} holds no view: lock it anew")
    return view
