"""The newest picture of a node's camera, for whoever wants to see one, and the order in which that camera is had."""

import asyncio
import contextlib
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator

from edge.aside import aside, tell
from edge.capture import Camera, CameraSource, Frame
from edge.capture.opening import OPEN_S, opened
from edge.errors import CameraFault
from firmware.clock import Clock
from firmware.log import Log
from wire.rigtime import seconds

PATIENCE_S = OPEN_S + 5.0
"""How long a picture is waited for: a camera may be opening, or closing for somebody before."""
_GIVE_WAY_S = 3.0
"""How long a camera that shall be let go of may still be busy with one frame."""
_AGAIN_S = 2.0
_LINGER_S = 3.0
"""How long whoever has looked still counts: many look again and again, and a camera takes a second to open."""


class Viewfinder:
    """Owns the camera of one node, in that node's event loop.

    Whoever needs the camera for himself has it inside `claimed`, and a recording from `lend` to `returned`; it shows
    what it takes. Otherwise the camera is opened when the first one looks, and closed soon after the last one has left.
    Pictures do not queue: whoever is late gets the newest, and holds nobody up. `know` is told of a camera opened here.
    """

    def __init__(self, source: CameraSource, clock: Clock, log: Log, know: Callable[[Camera], None]) -> None:
        self._source = source
        self._clock = clock
        self._log = log
        self._know = know
        self._newest: Frame | None = None
        self._fault: CameraFault | None = None
        self._lookers = 0
        self._claims = 0
        self._home = asyncio.Event()
        """Set while no recording has the camera."""
        self._home.set()
        # One at a time: a camera can be opened only once, and two starts must not race.
        self._camera = asyncio.Lock()
        self._free = asyncio.Event()
        self._free.set()
        self._news = asyncio.Event()
        self._leaving = threading.Event()
        self._turn: asyncio.Timeout | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._tending: asyncio.Task[None] | None = None

    @property
    def newest(self) -> Frame | None:
        """The newest picture, from any thread; None while there is none."""
        return self._newest

    @contextlib.asynccontextmanager
    async def claimed(self) -> AsyncIterator[None]:
        """The camera for whoever is inside, closed when he comes in; others wait for their turn, and lookers stand
        back."""
        self._claims += 1
        self._settle()
        self._give_way()
        try:
            async with self._camera:
                yield
        finally:
            self._claims -= 1
            self._settle()

    def lend(self) -> None:
        """Whoever has claimed the camera keeps it, until `returned`."""
        self._home.clear()
        self._settle()

    def returned(self) -> None:
        """The camera is free again."""
        self._home.set()
        self._newest = None
        self._settle()

    async def back(self) -> None:
        """Wait until a recording that has ended has let go of the camera, if it does so soon."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_GIVE_WAY_S):
                await self._home.wait()

    async def close(self) -> None:
        """Let nobody look any more, and close the camera if it is open here."""
        self._claims += 1
        self._settle()
        self._give_way()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_GIVE_WAY_S), self._camera:
                pass

    def show(self, frame: Frame) -> None:
        """Make `frame` the newest picture, from any thread and without ever waiting."""
        first, self._newest = self._newest is None, frame
        if first and self._loop:
            tell(self._loop, self._news.set)

    @contextlib.contextmanager
    def looking(self) -> Iterator[None]:
        """Inside, `newest` is kept new, unless the camera fails or is claimed."""
        if not self._lookers:
            self._fault = None
        self._lookers += 1
        self._loop = asyncio.get_running_loop()
        if self._tending is None or self._tending.done():
            self._tending = self._loop.create_task(self._tend(), name="viewfinder")
        try:
            yield
        finally:
            self._loop.call_later(_LINGER_S, self._left)

    def _left(self) -> None:
        self._lookers -= 1
        if not self._lookers:
            self._give_way()

    async def picture(self, within_s: float = PATIENCE_S) -> Frame:
        """The newest picture, or the first that comes; raises `CameraFault`."""
        with self.looking():
            try:
                async with asyncio.timeout(within_s):
                    while (frame := self._newest) is None:
                        if self._fault:
                            raise CameraFault(str(self._fault))
                        self._news.clear()
                        await self._news.wait()
                    return frame
            except TimeoutError:
                raise CameraFault(f"the camera has shown no picture for {within_s:g} s") from None

    async def _tend(self) -> None:
        """Keep the camera open for those who look, whenever nobody has it."""
        while self._lookers:
            await self._free.wait()
            async with self._camera:
                if self._lookers and self._free.is_set():
                    before, self._fault = self._fault, await self._watch()
                    if self._fault and str(self._fault) != str(before):
                        self._log.event("viewfinder-fault", fault=self._fault)
            if self._fault and self._lookers:
                self._news.set()
                await asyncio.sleep(_AGAIN_S)

    async def _watch(self) -> CameraFault | None:
        """Look through the camera until told to leave; what went wrong."""
        leave = self._leaving = threading.Event()
        try:
            async with opened(self._source.alone(), self._clock.now_ns(), self._log, keep=False) as camera:
                self._know(camera)
                self._fault = None
                try:
                    async with asyncio.timeout(None) as self._turn:
                        await aside(lambda: self._look(camera, leave))
                finally:
                    self._turn = None
        except TimeoutError:
            return CameraFault("the camera hangs: check its cable")
        except CameraFault as fault:
            return fault
        except Exception as fault:
            return CameraFault(f"the camera failed: {type(fault).__name__}: {fault}")
        finally:
            # A reader that hangs may come back, but not with a picture for anybody.
            leave.set()
            if self._home.is_set():
                self._newest = None
        return None

    def _look(self, camera: Camera, leave: threading.Event) -> None:
        began_s = time.monotonic()
        first_ns: int | None = None
        pictures = iter(camera)
        while not leave.is_set():
            frame = next(pictures, None)
            if frame is None:
                break
            first_ns = frame.time_ns if first_ns is None else first_ns
            if not camera.live:
                # A recorded camera is as fast as its frames are taken.
                leave.wait(began_s + seconds(frame.time_ns - first_ns) - time.monotonic())
            if not leave.is_set():
                self.show(frame)
        if leave.is_set():
            return
        if camera.live or first_ns is None:
            raise CameraFault("the camera shows no picture")
        # The last picture of a recorded one stays.
        leave.wait()

    def _give_way(self) -> None:
        self._leaving.set()
        if self._turn and not self._turn.expired():
            self._turn.reschedule(asyncio.get_running_loop().time() + _GIVE_WAY_S)

    def _settle(self) -> None:
        if self._home.is_set() and not self._claims:
            self._free.set()
        else:
            self._free.clear()
