"""Where a session's cameras saw people while a window lasted, from the tracks of their segments."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from hub.panorama.timeline import Shelf
from hub.panorama.windows import Cadence, sequences_needed
from wire.errors import WireError
from wire.ids import SessionId
from wire.rig import Array, CameraModel
from wire.rigtime import SECOND
from wire.tracks import Kind, SegmentTracks, decode_tracks

Ints = npt.NDArray[np.int64]

_STEP_NS = SECOND // 5
_LONGEST_GAP_NS = SECOND
"""Over longer gaps nobody knows the way that a person took."""


class SeenPeople:
    """The boxes (n, 4) of people in each camera's pictures, in pixels as it was calibrated, at every fifth of a second
    of a window; between the frames in which they were measured they move evenly."""

    def __init__(
        self, shelf: Shelf, session: SessionId, start_ns: int, cameras: Sequence[CameraModel], cadence: Cadence
    ) -> None:
        self._shelf = shelf
        self._session = session
        self._start_ns = start_ns
        self._cameras = cameras
        self._cadence = cadence

    def __call__(self, window: int) -> list[Array]:
        """Of each camera from the left."""
        return [self._of(camera, self._cadence.window_span_ns(window)) for camera in self._cameras]

    def _of(self, camera: CameraModel, span_ns: tuple[int, int]) -> Array:
        boxes, times, names = [np.zeros((0, 4))], [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
        for sequence in sequences_needed(span_ns, camera.clock_offset_ns):
            segment = self._segment(camera, sequence)
            if segment is None:
                continue
            people = [tracklet.id for tracklet in segment.tracklets if tracklet.kind is Kind.PERSON]
            whole = segment.frame < len(segment.frame_times_ns)
            rows = np.flatnonzero(np.isin(segment.tracklet, people) & whole)
            scale = (camera.width_px / segment.width_px, camera.height_px / segment.height_px)
            boxes.append(segment.box[rows] * np.tile(scale, 2))
            times.append(segment.frame_times_ns[segment.frame[rows]] + camera.clock_offset_ns - self._start_ns)
            names.append(segment.tracklet[rows])
        at = np.arange(span_ns[0], span_ns[1] + 1, _STEP_NS, dtype=np.int64)
        return _evenly(np.concatenate(boxes), np.concatenate(times), np.concatenate(names), at)

    def _segment(self, camera: CameraModel, sequence: int) -> SegmentTracks | None:
        stored = self._shelf.stored(self._session, camera.node, sequence)
        if stored is None:
            return None
        try:
            return decode_tracks(stored.tracks.read_bytes())
        except (WireError, OSError):
            # Whoever reads its pictures tells of it.
            return None


def _evenly(boxes: Array, times: Ints, names: Ints, at: Ints) -> Array:
    """The boxes (m, 4) that people, told apart by `names` (n,), have at some times, from those that they had."""
    out = [np.zeros((0, 4))]
    for name in np.unique(names):
        mine = np.flatnonzero(names == name)
        mine = mine[np.argsort(times[mine], kind="stable")]
        here = times[mine]
        if len(here) == 1:
            # Seen once: there he was, around that time.
            out.append(boxes[mine] if np.abs(at - here[0]).min() <= _STEP_NS else boxes[:0])
            continue
        after = np.clip(np.searchsorted(here, at), 1, len(here) - 1)
        gap = here[after] - here[after - 1]
        known = (at >= here[0]) & (at <= here[-1]) & (gap <= _LONGEST_GAP_NS)
        part = ((at - here[after - 1]) / np.maximum(gap, 1))[known, None]
        out.append((1 - part) * boxes[mine[after[known] - 1]] + part * boxes[mine[after[known]]])
    return np.concatenate(out)
