"""The stage that looks at frames, and may fail without the recording."""

import threading
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edge.cost import Cost
from edge.errors import EdgeError
from edge.frame import Frame
from edge.record.cut import sequence_of
from edge.record.faults import Faults
from edge.record.feed import Feed
from edge.record.pulse import Pulse
from edge.sight import Eyes, SegmentSight

_DEPTH = 2
_SEEN = 16
"""Segments whose sight may wait for their video: more than may fail before the recorder gives up."""
_GRACE_S = 2.5
"""How long a stopped recording waits for eyes that do not answer: a node stops within 5 s."""
_LOOK_AROUND_S = 0.1


@dataclass(frozen=True)
class _Seen:
    sequence: int
    times_ns: list[int]
    sight: SegmentSight


class Looking:
    """Shows `frames` to the eyes; `sight_of` a segment is what they saw of it.

    Eyes that fail or are given up see nothing for the rest of the session.
    """

    def __init__(self, eyes: Eyes, start_ns: int, faults: Faults) -> None:
        self.frames: Feed[Frame] = Feed(_DEPTH)
        self.pulse = Pulse()
        self.ended = threading.Event()
        self.name = eyes.name
        self._eyes = eyes
        self._start_ns = start_ns
        self._faults = faults
        self._seen: Feed[_Seen] = Feed(_SEEN)
        self._held: _Seen | None = None
        """Taken from the eyes, but of a later segment than the one that was asked for."""

    @property
    def impaired(self) -> str | None:
        """Why the eyes see less than they could, while they do and are not given up."""
        return None if self.ended.is_set() else self._eyes.impaired

    def run(self, cost: Cost) -> None:
        """Look until `frames` ends."""
        meter = cost.meter("look")
        looking: int | None = None
        times_ns: list[int] = []
        try:
            for frame in self.frames:
                meter.begin()
                sequence = sequence_of(frame.time_ns, self._start_ns)
                if looking is not None and looking != sequence:
                    self._tell(looking, times_ns)
                    times_ns = []
                looking = sequence
                times_ns.append(frame.time_ns)
                with self.pulse.working():
                    self._eyes.look(frame)
                meter.read()
            meter.begin()
            if looking is not None:
                self._tell(looking, times_ns)
        except Exception as fault:
            self._faults.note(fault, "eyes-fault")
        finally:
            self.end()
            meter.read()

    def _tell(self, sequence: int, times_ns: list[int]) -> None:
        with self.pulse.working():
            sight = self._eyes.close_segment(sequence)
        self._seen.put(_Seen(sequence, times_ns, sight))

    def end(self) -> None:
        """The eyes see nothing for the rest of the session."""
        self.ended.set()
        self.frames.close()
        self._seen.close()

    def give_up(self, patience_s: float) -> None:
        """End eyes that hang."""
        fault = f"the eyes hang: no answer for {patience_s:g} s, the recording goes on without them"
        try:
            self._faults.note(EdgeError(fault), "eyes-fault")
        finally:
            self.end()

    def sight_of(self, sequence: int, times_ns: list[int], stopping: threading.Event) -> SegmentSight:
        """What was seen of the frames of a segment; nothing when the eyes have ended, fail, or answer too late."""
        seen = self._wait_for(sequence, stopping)
        if seen is None:
            return SegmentSight.empty()
        if not _sensible(seen.sight, len(seen.times_ns)):
            self._faults.note(EdgeError(f"the eyes saw what cannot be in segment {sequence}"), "eyes-fault")
            return SegmentSight.empty()
        return _fitted(seen.sight, np.asarray(seen.times_ns, np.int64), np.asarray(times_ns, np.int64))

    def _wait_for(self, sequence: int, stopping: threading.Event) -> _Seen | None:
        patience_s = _GRACE_S
        while self._held or not self._seen.drained:
            seen, self._held = self._held or self._seen.take(_LOOK_AROUND_S), None
            if seen and seen.sequence == sequence:
                return seen
            if seen and seen.sequence > sequence:
                self._held = seen
                return None
            if not seen and stopping.is_set():
                patience_s -= _LOOK_AROUND_S
                if patience_s <= 0:
                    self.end()
                    self._faults.note(EdgeError("the eyes did not answer in time"), "eyes-fault")
                    return None
        return None


def _sensible(sight: SegmentSight, frames: int) -> bool:
    rows = len(sight.frame)
    if not rows:
        return len(sight.tracklet) == len(sight.box) == len(sight.score) == 0
    return (
        sight.tracklet.shape == sight.score.shape == (rows,)
        and sight.box.shape == (rows, 4)
        and bool(np.isfinite(sight.box).all() and np.isfinite(sight.score).all())
        and int(sight.frame.min()) >= 0
        and int(sight.frame.max()) < frames
        and {t.id for t in sight.tracklets} >= set(sight.tracklet.tolist())
    )


def _fitted(sight: SegmentSight, looked: npt.NDArray[np.int64], recorded: npt.NDArray[np.int64]) -> SegmentSight:
    """The same sight with frames counted as the video has them: what a fault kept out of the file is left out."""
    if np.array_equal(looked, recorded):
        return sight
    at = np.searchsorted(recorded, looked)
    there = at < len(recorded)
    there[there] = recorded[at[there]] == looked[there]
    rows = there[sight.frame]
    left = set(sight.tracklet[rows].tolist())
    return SegmentSight(
        tuple(t for t in sight.tracklets if t.id in left),
        at[sight.frame[rows]],
        sight.tracklet[rows],
        sight.box[rows],
        sight.score[rows],
        sight.passes,
    )
