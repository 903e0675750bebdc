"""Helps whoever points the camera: looks at its picture, says what is missing, and beeps until nothing is."""

import asyncio
import time
from collections.abc import Awaitable, Callable

import cv2

from edge.detect.picture import Plane
from edge.framing import Framing, assess, beep_pause_s
from edge.viewing.viewfinder import Viewfinder
from firmware.log import Log
from firmware.panel import Panel
from firmware.panel.signals import GAP_S, MARKED, PASSED, SHORT_S
from wire.message import Message

LENGTH_S = 300.0
"""How long it helps unless it is asked again: nobody stays at a mast for longer without touching the camera."""
LOOK_EVERY_S = 0.5


class FramingState(Message, frozen=True, kw_only=True):
    """Whether the framing assistant is at work and for how long still, and what it says of the last picture; `fault`
    is why it has none."""

    KIND = "framing-state"
    VERSION = 1

    running: bool
    left_s: float
    framing: Framing | None = None
    fault: str | None = None


class Guide:
    """The framing assistant of one node, in its event loop.

    `now_s` is a clock that never steps; `sleep` waits so many seconds.
    """

    def __init__(
        self,
        viewfinder: Viewfinder,
        panel: Panel,
        log: Log,
        *,
        now_s: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._viewfinder = viewfinder
        self._panel = panel
        self._log = log
        self._now_s = now_s
        self._sleep = sleep
        self._until_s = 0.0
        self._framing: Framing | None = None
        self._drawn: Plane | None = None
        self._fault: str | None = None
        self._task: asyncio.Task[None] | None = None

    def begin(self) -> None:
        """Help from now on, for `LENGTH_S`."""
        self._until_s = self._now_s() + LENGTH_S
        if self._task is None or self._task.cancelling():
            self._log.event("framing-begins")
            self._task = asyncio.get_running_loop().create_task(self._guide(), name="framing")

    def end(self) -> None:
        """Leave the camera as it is."""
        if self._task:
            self._task.cancel()

    def state(self) -> FramingState:
        """What is to be done now."""
        running = self._task is not None
        return FramingState(
            running=running,
            left_s=round(max(0.0, self._until_s - self._now_s()), 1) if running else 0.0,
            framing=self._framing,
            fault=self._fault,
        )

    async def drawn(self) -> bytes | None:
        """The last picture as JPEG, with what was found in it; None before the first."""
        drawn = self._drawn
        return None if drawn is None else await asyncio.to_thread(_jpeg, drawn)

    async def _guide(self) -> None:
        try:
            with self._viewfinder.looking():
                async with asyncio.TaskGroup() as both:
                    beeping = both.create_task(self._beep())
                    await self._look()
                    beeping.cancel()
        finally:
            # Unless it was begun again meanwhile.
            if self._task is asyncio.current_task():
                self._task = self._framing = self._drawn = self._fault = None
            self._log.event("framing-ends")

    async def _look(self) -> None:
        while self._now_s() < self._until_s:
            try:
                frame = await self._viewfinder.picture()
                self._framing, self._drawn = await asyncio.to_thread(assess, frame.planes)
                self._fault = None
            except Exception as fault:
                self._framing = self._drawn = None
                self._fault = str(fault)
            await self._sleep(LOOK_EVERY_S)

    async def _beep(self) -> None:
        good = False
        while True:
            framing = self._framing
            if framing is None or framing.good:
                if framing and not good:
                    self._panel.beep(PASSED)
                good = framing is not None
                await self._sleep(LOOK_EVERY_S)
                continue
            good = False
            self._panel.beep(MARKED)
            await self._sleep(SHORT_S + GAP_S + beep_pause_s(framing.score))


def _jpeg(picture: Plane) -> bytes:
    _, coded = cv2.imencode(".jpg", picture)
    return bytes(coded)
