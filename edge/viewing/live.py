"""The live picture: a small film of what the camera sees, made while somebody watches and nothing suffers from it."""

import asyncio
import os
import threading
import time
from collections.abc import Callable

import cv2
import numpy as np

from edge.aside import aside, tell
from edge.cost import Cost
from edge.detect.picture import planes_of
from edge.encode.libav import LibavCoder
from edge.errors import LiveOff
from edge.frame import Frame
from edge.viewing.film import Film
from edge.viewing.load import Load, Pressure
from edge.viewing.viewfinder import Viewfinder
from firmware.log import Log
from wire.message import Message
from wire.rigtime import SECOND

WIDTH = 1280
FRAMES_PER_SECOND = 10
MOST_BITS_PER_SECOND = 1_000_000
SEGMENT_NS = SECOND
WATCHED_S = 10.0
"""Who has asked for nothing for so long does not watch any more."""
REST_S = 60.0
"""How long it stays off after it has been too much: a board does not cool in less."""
_CHECK_EVERY_S = 2.0
_FIRST_S = 8.0
"""How long the first segment may take: a camera has to open first."""
_NICE = 10
"""Of its thread: whatever else wants the processor has it first."""


class LiveState(Message, frozen=True, kw_only=True):
    """Whether the live picture runs, and why it is off although somebody might want it."""

    KIND = "live-state"
    VERSION = 1

    running: bool
    off: str | None = None


class Live:
    """The live picture of one node, in its event loop; its work is done by a thread of low priority.

    `read` tells what the node has to bear, and may take its time. `now_s` is a clock that never steps.
    """

    def __init__(
        self,
        viewfinder: Viewfinder,
        read: Callable[[], Load],
        cost: Cost,
        log: Log,
        *,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._viewfinder = viewfinder
        self._read = read
        self._cost = cost
        self._log = log
        self._now_s = now_s
        self._asked_s = 0.0
        self._rest_until_s = 0.0
        self._why = ""
        self._films = 0
        self._film: Film | None = None
        self._begun = asyncio.Event()
        """Set when there is something to see, or will not be."""
        self._task: asyncio.Task[None] | None = None

    def state(self) -> LiveState:
        """How it stands."""
        return LiveState(running=self._task is not None, off=self._why if self._rests else None)

    async def playlist(self, folder: str) -> str:
        """The HLS playlist, whose parts lie in `folder`; whoever asks watches. Raises `LiveOff`."""
        self._asked_s = self._now_s()
        if self._rests:
            raise LiveOff(f"{self._why}: the live picture is off, and tries again by itself")
        if self._task is None:
            self._begun.clear()
            self._task = asyncio.get_running_loop().create_task(self._run(), name="live")
        try:
            async with asyncio.timeout(_FIRST_S):
                await self._begun.wait()
        except TimeoutError:
            raise LiveOff("the camera shows no picture yet: try again in a moment") from None
        if self._film is None:
            raise LiveOff(f"{self._why or 'nobody watched any more'}: the live picture is off")
        return self._film.playlist(folder)

    def part(self, name: str) -> bytes | None:
        """A part of the playlist; None when there is none of this name any more. Whoever asks watches."""
        self._asked_s = self._now_s()
        return self._film.part(name) if self._film else None

    @property
    def _rests(self) -> bool:
        return self._now_s() < self._rest_until_s

    async def _run(self) -> None:
        leave = threading.Event()
        self._why = ""
        self._log.event("live-begins")
        try:
            with self._viewfinder.looking():
                await self._film_while_watched(leave)
        except Exception as fault:
            self._why = f"the live picture failed: {fault}"
        finally:
            leave.set()
            self._film = self._task = None
            self._begun.set()
            if self._why:
                self._rest_until_s = self._now_s() + REST_S
            self._log.event("live-ends", why=self._why or "nobody watches")

    async def _film_while_watched(self, leave: threading.Event) -> None:
        loop = asyncio.get_running_loop()
        pressure = Pressure()
        filming: asyncio.Task[None] | None = None
        while self._now_s() - self._asked_s < WATCHED_S:
            if why := pressure.too_much(await asyncio.to_thread(self._read)):
                self._why = why
                return
            if filming is None:
                filming = loop.create_task(aside(lambda: self._shoot(leave, loop)))
            await asyncio.wait({filming}, timeout=_CHECK_EVERY_S)
            if filming.done():
                filming.result()

    def _shoot(self, leave: threading.Event, loop: asyncio.AbstractEventLoop) -> None:
        """Code the newest picture again and again, in a thread of its own."""
        # Linux keeps a niceness for each thread.
        os.nice(_NICE)
        meter = self._cost.meter("live")
        coder: LibavCoder | None = None
        film: Film | None = None
        last: Frame | None = None
        key_ns = 0
        try:
            while not leave.wait(1 / FRAMES_PER_SECOND):
                meter.begin()
                frame = self._viewfinder.newest
                if frame is None or frame is last:
                    continue
                # Counted by this node's steady clock: the camera's times begin anew with every recording.
                last, now_ns = frame, time.monotonic_ns()
                small = _small(frame, now_ns)
                if coder is None or film is None:
                    height, width = small.planes.shape[0] * 2 // 3, small.planes.shape[1]
                    coder = LibavCoder(
                        "h264", width, height, FRAMES_PER_SECOND, most_bits_per_second=MOST_BITS_PER_SECOND
                    )
                    film = self._new_film(width, height)
                key = now_ns - key_ns >= SEGMENT_NS
                key_ns = now_ns if key else key_ns
                for packet in coder.encode(small, key=key):
                    film.add(packet)
                if film.begun and not leave.is_set() and self._film is None:
                    self._film = film
                    tell(loop, self._begun.set)
                meter.read()
        finally:
            if coder:
                coder.close()
            if film:
                film.close()

    def _new_film(self, width: int, height: int) -> Film:
        self._films += 1
        return Film(str(self._films), width, height, FRAMES_PER_SECOND)


def _small(frame: Frame, time_ns: int) -> Frame:
    """The picture at most `WIDTH` wide, taken at `time_ns`."""
    rows, width = frame.planes.shape
    if width <= WIDTH:
        return Frame(frame.planes, time_ns, frame.index)
    height = round(rows * 2 / 3 * WIDTH / width / 2) * 2
    small = np.empty((height * 3 // 2, WIDTH), np.uint8)
    for full, part in zip(planes_of(frame.planes), planes_of(small), strict=True):
        plane = full
        # Halves by their mean, then between the pixels: a tenth of the work of a mean over 2.4 pixels, and no rougher.
        while plane.shape[1] >= 2 * part.shape[1]:
            size = (plane.shape[1] // 2, plane.shape[0] // 2)
            plane = np.asarray(cv2.resize(plane, size, interpolation=cv2.INTER_AREA), np.uint8)
        cv2.resize(plane, part.shape[::-1], dst=part, interpolation=cv2.INTER_LINEAR)
    return Frame(small, time_ns, frame.index)
