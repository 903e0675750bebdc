"""One camera's recorded frames by rig time, read from its segments as they arrive."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt

from hub.errors import HubError
from wire.errors import WireError
from wire.rigtime import SECOND
from wire.tracks import decode_tracks

Planes = npt.NDArray[np.uint8]


class UnreadableSegment(HubError):
    """A segment that arrived whole but cannot be decoded."""


@dataclass(frozen=True)
class StoredSegment:
    """The two files of a confirmed segment."""

    sequence: int
    video: Path
    tracks: Path


def segment_frames(segment: StoredSegment) -> Iterator[tuple[int, Planes]]:
    """Capture time (ns, node clock) and I420 planes (h * 3 / 2, w) of every frame; raises `UnreadableSegment`."""
    try:
        times = decode_tracks(segment.tracks.read_bytes()).frame_times_ns
    except (WireError, OSError) as fault:
        raise UnreadableSegment(f"{segment.tracks.name} of {segment.tracks.parent.name} cannot be read") from fault
    if not len(times):
        return
    try:
        with av.open(str(segment.video)) as container:
            stream = container.streams.video[0]
            stream.codec_context.thread_count = 1
            for time_ns, frame in zip(times, container.decode(stream), strict=False):
                yield int(time_ns), np.asarray(frame.to_ndarray(format="yuv420p"), np.uint8)
    except (av.FFmpegError, IndexError, OSError) as fault:
        raise UnreadableSegment(f"{segment.video.name} of {segment.video.parent.name} cannot be decoded") from fault


class Footage:
    """Answers "which frame was captured closest to this rig time", for rising times.

    `segment(sequence)` gives the stored segment or None, `settled(sequence)` whether it is held or will never come,
    `last` the final sequence number once it is known; `offset_ns` is added to capture times. At most two decoded
    frames are held. A segment that cannot be decoded is a gap, reported by `on_gap`, never the end.
    """

    def __init__(
        self,
        segment: Callable[[int], StoredSegment | None],
        settled: Callable[[int], bool],
        first_sequence: int,
        last_sequence: Callable[[], int | None],
        offset_ns: int,
        on_gap: Callable[[HubError], None],
    ) -> None:
        self._segment = segment
        self._settled = settled
        self._sequence = first_sequence
        self._last = last_sequence
        self._offset = offset_ns
        self._on_gap = on_gap
        self._frames: Iterator[tuple[int, Planes]] = iter(())
        self._before: tuple[int, Planes] | None = None
        self._after: tuple[int, Planes] | None = None

    def nearest(self, rig_ns: int, tolerance_ns: int) -> Planes | None:
        """The planes captured nearest to `rig_ns`, or None when that is more than `tolerance_ns` away.

        Frames are decoded only as far as needed: the segment that holds the first frame later than `rig_ns`.
        """
        while self._after is None or self._after[0] < rig_ns:
            following = self._next()
            if following is None:
                break
            self._before, self._after = self._after, following
        near = [frame for frame in (self._before, self._after) if frame is not None]
        if not near:
            return None
        time_ns, planes = min(near, key=lambda frame: abs(frame[0] - rig_ns))
        # Cameras do not begin in the same instant: the first picture stands for the moments just before it.
        opening = self._before is None and 0 <= time_ns - rig_ns <= SECOND
        return planes if opening or abs(time_ns - rig_ns) <= tolerance_ns else None

    def _next(self) -> tuple[int, Planes] | None:
        while True:
            try:
                for time_ns, planes in self._frames:
                    return time_ns + self._offset, planes
            except HubError as fault:
                self._on_gap(fault)
            last = self._last()
            if last is not None and self._sequence > last:
                return None
            stored = self._segment(self._sequence)
            if stored is None and not self._settled(self._sequence):
                return None
            self._sequence += 1
            # A segment that will never come is a gap to step over.
            self._frames = segment_frames(stored) if stored is not None else iter(())
