"""Keeps the view that an operator has locked, and notices during a recording that the mast was knocked."""

import asyncio
import math
from collections.abc import Callable
from pathlib import Path

from edge.framing import Knock, LockedView
from edge.viewing.viewfinder import Viewfinder
from firmware.log import Log
from wire.durable import make_folder, write_durably
from wire.message import Message

LOOK_EVERY_S = 5.0
BELIEVED = 2
"""Looks in a row that have to say the same: one alone may be a gust, or somebody before the lens."""


class ViewState(Message, frozen=True, kw_only=True):
    """Whether a view is locked, how far the camera had moved from it at the last look, and the sentence of an alarm."""

    KIND = "view-state"
    VERSION = 1

    locked: bool
    knock: Knock | None = None
    alarm: str | None = None


class Lookout:
    """Compares what the camera shows with the view in `file`.

    `told` gets the sentence of a new alarm, and None when the camera is back.
    """

    def __init__(
        self,
        file: Path,
        viewfinder: Viewfinder,
        told: Callable[[str | None], None],
        log: Log,
    ) -> None:
        self._file = file
        self._viewfinder = viewfinder
        self._told = told
        self._log = log
        self._knock: Knock | None = None
        self._alarm: str | None = None
        self._against = 0
        """Looks in a row that contradict what was told last."""
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
            await asyncio.to_thread(lambda: self._keep(LockedView.of(frame.planes)))
            self._forget()
        self._log.event("view-locked")

    async def unlock(self) -> None:
        """Let the camera look wherever it does."""
        async with self._looking:
            await asyncio.to_thread(self._file.unlink, missing_ok=True)
            self._forget()
        self._log.event("view-unlocked")

    def begin(self) -> None:
        """A recording begins: look at it from now on."""
        self._knock = self._alarm = None
        self._against = 0
        self._task = asyncio.get_running_loop().create_task(self._watch(), name="lookout")

    def end(self) -> None:
        """The recording has ended."""
        if self._task:
            self._task.cancel()

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            try:
                async with self._looking:
                    await self._compare()
            except Exception as fault:
                self._log.event("lookout-fault", fault=f"{type(fault).__name__}: {fault}")

    async def _compare(self) -> None:
        view = await asyncio.to_thread(self._locked)
        frame = self._viewfinder.newest
        if view is None or frame is None:
            return
        knock = await asyncio.to_thread(view.compare, frame.planes)
        if not knock.certain:
            # In the dark, or behind a crowd, the last word stands.
            return
        self._knock = knock
        self._against = self._against + 1 if knock.moved != (self._alarm is not None) else 0
        if self._against == BELIEVED:
            self._against = 0
            self._say(knock)

    def _say(self, knock: Knock) -> None:
        if knock.moved:
            moved = math.hypot(knock.right_px, knock.down_px)
            self._alarm = (
                f"the camera was knocked: its picture has moved by {moved:.0f} pixels since the view was locked; point "
                "it as before, or lock the new view"
            )
            self._log.event("camera-knocked", right_px=knock.right_px, down_px=knock.down_px)
        else:
            self._alarm = None
            self._log.event("camera-back")
        self._told(self._alarm)

    def _forget(self) -> None:
        self._knock = None
        self._against = 0
        if self._alarm:
            self._alarm = None
            self._told(None)

    def _keep(self, view: LockedView) -> None:
        make_folder(self._file.parent)
        write_durably(self._file, view.encode())

    def _locked(self) -> LockedView | None:
        try:
            raw = self._file.read_bytes()
        except FileNotFoundError:
            return None
        view = LockedView.decode(raw)
        if view is None:
            raise ValueError(f"{self._file} holds no view: lock it anew")
        return view
