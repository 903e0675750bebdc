"""The frames of a session's panorama in order, each with the cameras' nearest pictures."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Protocol

from hub.errors import HubError
from hub.panorama.footage import Footage, Planes, StoredSegment
from hub.panorama.windows import (
    FRAMES_PER_SECOND,
    WINDOW_FRAMES,
    WINDOW_NS,
    frame_time_ns,
    is_ready,
    sequences_needed,
    windows_in,
)
from wire.ids import NodeId, SessionId
from wire.rigtime import SECOND

TOLERANCE_NS = 3 * SECOND // (2 * FRAMES_PER_SECOND)
"""A picture up to one and a half frames away still stands for a moment: one lost frame repeats its neighbour."""


class Interrupted(HubError):
    """The hub is stopping; what is done stays, the rest is resumed at the next start."""


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
        self._waited_s = 0.0

    def notify(self) -> None:
        """A segment was confirmed."""
        with self._changed:
            self._changed.notify_all()

    def stop(self) -> None:
        """Wake every sleeper with `Interrupted`."""
        with self._changed:
            self.stopping = True
            self._changed.notify_all()

    def wait_for(self, ready: Callable[[], bool]) -> None:
        """Sleep until `ready()`; raises `Interrupted` when the hub stops."""
        began = time.perf_counter()
        with self._changed:
            self._changed.wait_for(lambda: self.stopping or ready())
            self._waited_s += time.perf_counter() - began
        if self.stopping:
            raise Interrupted("the hub is stopping")

    def waited(self) -> float:
        """Seconds that sleepers have slept, all together."""
        return self._waited_s

    def check(self) -> None:
        """Raises `Interrupted` when the hub stops."""
        if self.stopping:
            raise Interrupted("the hub is stopping")


class Timeline:
    """One session's frames by rig time: which windows are ready, and the cameras' pictures in them."""

    def __init__(
        self, shelf: Shelf, session: SessionId, start_ns: int, offsets_ns: Mapping[NodeId, int], arrivals: Arrivals
    ) -> None:
        self._shelf = shelf
        self._session = session
        self._start = start_ns
        self._offsets = dict(offsets_ns)
        self._arrivals = arrivals

    def frames_total(self) -> int | None:
        """How many frames the session has, None while a node still records.

        It ends with the camera that ends first when they all end within one window of each other; a camera lost
        earlier does not shorten the match.
        """
        if any(self._shelf.last(self._session, node) is None for node in self._offsets):
            return None
        ends = [
            end + offset for node, offset in self._offsets.items() if (end := self._shelf.end_ns(self._session, node))
        ]
        if not ends:
            return 0
        end = min(ends) if max(ends) - min(ends) < WINDOW_NS else max(ends)
        return max(0, (end - self._start) * FRAMES_PER_SECOND // SECOND)

    def windows_total(self) -> int | None:
        """How many windows the session has, None while a node still records."""
        frames = self.frames_total()
        return None if frames is None else windows_in(frames * SECOND // FRAMES_PER_SECOND)

    def pictures(
        self, first_window: int, on_gap: Callable[[HubError], None]
    ) -> Iterator[tuple[int, Sequence[Planes | None]]]:
        """Frame number and each camera's nearest planes (None where it has none), from a window on to the end.

        Sleeps until a window's segments have arrived; raises `Interrupted` when the hub stops.
        """
        cameras = [self._footage(node, first_window, on_gap) for node in self._offsets]
        window = first_window
        while True:
            self._arrivals.wait_for(lambda: self._ready(window))  # noqa: B023 - called at once
            total = self.frames_total()
            for frame in range(window * WINDOW_FRAMES, (window + 1) * WINDOW_FRAMES):
                if total is not None and frame >= total:
                    return
                self._arrivals.check()
                moment = frame_time_ns(self._start, frame)
                yield frame, [camera.nearest(moment, TOLERANCE_NS) for camera in cameras]
            window += 1

    def _footage(self, node: NodeId, window: int, on_gap: Callable[[HubError], None]) -> Footage:
        offset = self._offsets[node]
        return Footage(
            partial(self._shelf.stored, self._session, node),
            partial(self._shelf.settled, self._session, node),
            sequences_needed(window, offset).start,
            lambda: self._shelf.last(self._session, node),
            offset,
            on_gap,
        )

    def _ready(self, window: int) -> bool:
        return is_ready(window, self._offsets, partial(self._shelf.settled, self._session))
