"""The frames of a session's panorama in order, each with the cameras' nearest pictures."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import count
from typing import Protocol

from hub.errors import HubError, Interrupted
from hub.panorama.cameras import CameraSource, reading
from hub.panorama.conveyor import CostBook
from hub.panorama.footage import StoredSegment, stored_frames
from hub.panorama.making import Moments
from hub.panorama.matching import Moment
from hub.panorama.windows import SEGMENT_NS, Cadence, is_ready, sequences_needed
from wire.ids import NodeId, SessionId
from wire.rig import CameraModel
from wire.rigtime import SECOND


class Shelf(Protocol):
    """Where the confirmed segments stand."""

    def held(self, session: SessionId, node: NodeId) -> frozenset[int]:
        """Sequence numbers of the confirmed segments."""

    def stored(self, session: SessionId, node: NodeId, sequence: int) -> StoredSegment | None:
        """The files of a confirmed segment, None when it is not held."""

    def settled(self, session: SessionId, node: NodeId, sequence: int) -> bool:
        """Whether the segment is confirmed, or will never come: its node has finished, or went on to later ones."""

    def last(self, session: SessionId, node: NodeId) -> int | None:
        """The sequence number of the node's final segment, -1 when it has none, None while that is not known."""

    def end_ns(self, session: SessionId, node: NodeId) -> int:
        """End of the node's latest held segment on the node's clock, 0 when none is held."""


class Arrivals:
    """Lets the pipeline sleep until a segment arrives or the hub stops."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self.stopping = False

    def notify(self) -> None:
        """A segment was confirmed."""
        with self._changed:
            self._changed.notify_all()

    def stop(self) -> None:
        """Wake every sleeper with `Interrupted`."""
        with self._changed:
            self.stopping = True
            self._changed.notify_all()

    def wait_for(self, ready: Callable[[], bool]) -> float:
        """Sleep until `ready()`, and return for how many seconds; raises `Interrupted` when the hub stops."""
        began = time.perf_counter()
        with self._changed:
            self._changed.wait_for(lambda: self.stopping or ready())
        if self.stopping:
            raise Interrupted("the hub is stopping")
        return time.perf_counter() - began

    def check(self) -> None:
        """Raises `Interrupted` when the hub stops."""
        if self.stopping:
            raise Interrupted("the hub is stopping")


class Timeline:
    """One session's frames by rig time: which windows are ready, and the cameras' pictures in them.

    What is missing is told to `on_gap`, what is odd about a camera to `tell`.
    """

    def __init__(
        self,
        shelf: Shelf,
        session: SessionId,
        start_ns: int,
        cameras: Sequence[CameraModel],
        arrivals: Arrivals,
        cadence: Cadence,
        costs: CostBook,
        on_gap: Callable[[HubError], None],
        tell: Callable[[str], None],
        hardware: str | None = None,
    ) -> None:
        self._shelf = shelf
        self._session = session
        self._start = start_ns
        self._cameras = cameras
        self._offsets = {camera.node: camera.clock_offset_ns for camera in cameras}
        self._arrivals = arrivals
        self._cadence = cadence
        self._costs = costs
        self._on_gap = on_gap
        self._tell = tell
        self._hardware = hardware
        self._left = False
        self._matching_waited_s = 0.0

    def frames_total(self) -> int | None:
        """How many frames the session has, None while a node still records.

        It ends with the camera that ends first when they all end within two seconds of each other; a camera lost
        earlier does not shorten the match.
        """
        if any(self._shelf.last(self._session, node) is None for node in self._offsets):
            return None
        ends = [
            end + offset for node, offset in self._offsets.items() if (end := self._shelf.end_ns(self._session, node))
        ]
        return self._cadence.frames_in(common_end(ends) - self._start) if ends else 0

    def windows_total(self) -> int | None:
        """How many windows the session has, None while a node still records."""
        frames = self.frames_total()
        return None if frames is None else self._cadence.windows_of(frames)

    def from_window(self, first: int) -> Moments:
        """The session's moments from a window on to the end, as its segments arrive."""
        return Moments(self._moments(first), lambda: self._matching_waited_s, self._leave)

    def _leave(self) -> None:
        self._left = True
        self._arrivals.notify()

    def _wait_for(self, ready: Callable[[], bool]) -> float:
        waited = self._arrivals.wait_for(lambda: self._left or ready())
        if self._left:
            raise Interrupted("nobody wants the pictures any more")
        return waited

    def _moments(self, first_window: int) -> Iterator[Moment]:
        """Raises `Interrupted` when the hub stops."""
        cadence, frames = self._cadence, self._cadence.window_frames
        sources = [self._source(camera, first_window) for camera in self._cameras]
        total: int | None = None
        slept = 0.0
        with reading(sources, cadence, self._costs, self._tell, self._leave) as cameras:
            for frame in count(first_window * frames):
                if frame % frames == 0:
                    span = cadence.window_span_ns(frame // frames)
                    slept += self._wait_for(partial(self._ready, span))
                    total = self.frames_total()
                if total is not None and frame >= total:
                    cameras.finish()
                    return
                self._arrivals.check()
                time_ns = cadence.time_ns(frame)
                pictures = cameras.at(self._start + time_ns, time_ns / SECOND)
                self._matching_waited_s = slept + cameras.waited()
                yield Moment(frame, pictures)

    def _source(self, camera: CameraModel, window: int) -> CameraSource:
        node, offset = camera.node, camera.clock_offset_ns
        first = sequences_needed(self._cadence.window_span_ns(window), offset).start
        slept = [0.0]

        def wait_settled(sequence: int) -> bool:
            slept[0] += self._wait_for(lambda: self._shelf.settled(self._session, node, sequence))
            last = self._shelf.last(self._session, node)
            return last is None or sequence <= last

        shots = stored_frames(
            first,
            partial(self._shelf.stored, self._session, node),
            wait_settled,
            (camera.width_px, camera.height_px),
            self._on_gap,
            self._hardware,
        )
        opens = all(sequence >= first for sequence in self._shelf.held(self._session, node))
        return CameraSource(node, shots, offset, opens, lambda: slept[0])

    def _ready(self, span_ns: tuple[int, int]) -> bool:
        return is_ready(span_ns, self._offsets, partial(self._shelf.settled, self._session))


def common_end(ends_ns: Sequence[int]) -> int:
    """When a panorama ends whose cameras end then: with the first if they end at nearly the same time, else with the
    last."""
    return min(ends_ns) if max(ends_ns) - min(ends_ns) < SEGMENT_NS else max(ends_ns)


def common_start(starts_ns: Sequence[int]) -> int:
    """When a panorama begins whose cameras begin then: with the last if they begin at nearly the same time, else the
    first."""
    return max(starts_ns) if max(starts_ns) - min(starts_ns) < SEGMENT_NS else min(starts_ns)
