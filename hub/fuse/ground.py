"""From boxes to the ground: every detection as a time in frames, a point on the pitch and its uncertainty."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from hub.rigs import RigHistory
from hub.spells import Seen
from wire.rig import CameraModel
from wire.rigtime import SECOND
from wire.tracks import Kind, SegmentTracks

Array = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

FRAMES_PER_SECOND = 25.0
BALL_RADIUS_M = 0.11
_SIDE_PX = 1.2
_BOTTOM_PX = 1.8
# A tall box's feet are found to a few hundredths of its height, whatever the pixel size.
_BOTTOM_SHARE = 0.02
_FLOOR_M = 0.1
_CHUNK = 200_000
# The last frame of the session may lie a little after its last whole frame.
_SLACK_NS = SECOND // 25


@dataclass(frozen=True)
class Points:
    """Detections of one kind on the ground, ordered by camera, tracklet, then time.

    `time` (m,) in frames since the session's start (25 a second, rig time); `xy` (m, 2) metres in the pitch frame;
    `cov` (m, 3) its variance xx, xy, yy in m²; `camera` index into the rig; `tracklet` an index that is unique over
    cameras; `lab` (m, 3) the torso colour that the tracklet had in that segment, NaN when unknown; `pixel` (m, 2) the
    projected picture point, `size` (m, 2) the box's width and height in pixels, `segment` the sequence number of the
    segment, `score` 0..1, and `model` (m,) which of the `RigHistory`'s cameras the camera was then.
    """

    time: Array
    xy: Array
    cov: Array
    camera: Ints
    tracklet: Ints
    lab: Array
    pixel: Array
    size: Array
    segment: Ints
    score: Array
    model: Ints

    def __len__(self) -> int:
        return len(self.time)

    def take(self, rows: npt.NDArray[np.bool_] | Ints) -> "Points":
        """The points of `rows`."""
        return Points(
            self.time[rows],
            self.xy[rows],
            self.cov[rows],
            self.camera[rows],
            self.tracklet[rows],
            self.lab[rows],
            self.pixel[rows],
            self.size[rows],
            self.segment[rows],
            self.score[rows],
            self.model[rows],
        )

    def with_colours(self, lab: Array) -> "Points":
        """The same points with other torso colours."""
        return replace(self, lab=lab)


def points(
    rigs: RigHistory, start_ns: int, window_ns: tuple[int, int], seen: Seen, margins_m: Mapping[Kind, float]
) -> dict[Kind, Points]:
    """All detections between the two rig times of `window_ns` whose ground point lies within the margin that
    `margins_m` gives its kind; times count from `start_ns`.

    People stand where the middle of the box's bottom edge meets the ground; a ball is taken to lie on it.
    """
    parts: dict[Kind, list[tuple[Array | Ints, ...]]] = {kind: [] for kind in margins_m}
    numbers: dict[Kind, dict[tuple[int, int], int]] = {kind: {} for kind in margins_m}
    for index, camera in enumerate(rigs.rig.cameras):
        first, last = (time_ns - camera.clock_offset_ns for time_ns in window_ns)
        # Only what is needed of a segment is kept, so that none of the boxes stays in memory.
        for segment in seen(camera.node, first - _SLACK_NS, last + _SLACK_NS):
            for kind, margin_m in margins_m.items():
                part = _segment_points(rigs, index, kind, start_ns, window_ns, segment, margin_m, numbers[kind])
                if part is not None:
                    parts[kind].append(part)
    return {kind: _joined(parts.pop(kind)) for kind in margins_m}


def _joined(parts: list[tuple[Array | Ints, ...]]) -> Points:
    if not parts:
        return _empty()
    joined = Points(*(np.concatenate(column) for column in zip(*parts, strict=True)))
    parts.clear()
    return joined.take(np.lexsort((joined.time, joined.tracklet)))


def _empty() -> Points:
    none, ints = np.zeros(0), np.zeros(0, np.int64)
    return Points(
        none,
        np.zeros((0, 2)),
        np.zeros((0, 3)),
        ints,
        ints,
        np.zeros((0, 3)),
        np.zeros((0, 2)),
        np.zeros((0, 2)),
        ints,
        none,
        ints,
    )


def _segment_points(
    rigs: RigHistory,
    index: int,
    kind: Kind,
    start_ns: int,
    window_ns: tuple[int, int],
    segment: SegmentTracks,
    margin_m: float,
    numbers: dict[tuple[int, int], int],
) -> tuple[Array | Ints, ...] | None:
    rig = rigs.rig
    camera = rig.cameras[index]
    known = {t.id: t for t in segment.tracklets if t.kind is kind}
    rows = np.flatnonzero(np.isin(segment.tracklet, list(known)))
    times_ns = segment.frame_times_ns[segment.frame[rows]] + camera.clock_offset_ns
    inside = (times_ns >= window_ns[0] - _SLACK_NS) & (times_ns <= window_ns[1] + _SLACK_NS)
    rows, times_ns = rows[inside], times_ns[inside]
    box = segment.box[rows]
    if kind is Kind.PERSON:
        # Feet below the picture's edge are not measured.
        whole = box[:, 3] < segment.height_px - 3
        rows, times_ns, box = rows[whole], times_ns[whole], box[whole]
    if not len(rows):
        return None
    # A segment is short beside the time in which a mast turns.
    stood = rigs.index(int(times_ns[0]))
    model = stood * len(rig.cameras) + index
    camera = rigs.cameras[model]
    scale = np.array([camera.width_px / segment.width_px, camera.height_px / segment.height_px])
    box = box * np.tile(scale, 2)
    pixel, sigma = _foot(box, camera) if kind is Kind.PERSON else _middle(box)
    xy, cov = on_ground(camera, pixel, sigma, 0.0 if kind is Kind.PERSON else BALL_RADIUS_M)
    good = np.isfinite(xy).all(axis=1) & np.isfinite(cov).all(axis=1)
    good &= np.abs(xy[:, 0]) <= rig.pitch.half_length + margin_m
    good &= np.abs(xy[:, 1]) <= rig.pitch.half_width + margin_m
    if not good.any():
        return None
    ids = segment.tracklet[rows]
    unique, back = np.unique(ids, return_inverse=True)
    number = np.array([numbers.setdefault((index, int(i)), len(numbers)) for i in unique], dtype=np.int64)
    colours = np.array([_lab(known[int(i)].torso_lab) for i in unique])
    time = (times_ns - start_ns) / SECOND * FRAMES_PER_SECOND
    out = (
        time,
        xy,
        cov,
        np.full(len(rows), index, dtype=np.int64),
        number[back],
        colours[back],
        pixel,
        box[:, 2:] - box[:, :2],
        np.full(len(rows), segment.sequence, dtype=np.int64),
        segment.score[rows],
        np.full(len(rows), model, dtype=np.int64),
    )
    return tuple(column[good] for column in out)


def _lab(lab: tuple[int, int, int] | None) -> tuple[float, float, float]:
    return (np.nan, np.nan, np.nan) if lab is None else (float(lab[0]), float(lab[1]), float(lab[2]))


def _foot(box: Array, camera: CameraModel) -> tuple[Array, Array]:
    """The middle of the bottom edge and its standard deviation (m, 2) in pixels."""
    height = box[:, 3] - box[:, 1]
    cut = (box[:, 0] < 2) | (box[:, 2] > camera.width_px - 2)
    side = np.where(cut, np.hypot(_SIDE_PX, 0.15 * height), _SIDE_PX)
    bottom = np.hypot(_BOTTOM_PX, _BOTTOM_SHARE * height)
    return np.column_stack([(box[:, 0] + box[:, 2]) / 2, box[:, 3]]), np.column_stack([side, bottom])


def _middle(box: Array) -> tuple[Array, Array]:
    centre = np.column_stack([(box[:, 0] + box[:, 2]) / 2, (box[:, 1] + box[:, 3]) / 2])
    return centre, np.full_like(centre, 1.0)


def on_ground(camera: CameraModel, pixel: Array, sigma_px: Array, height_m: float) -> tuple[Array, Array]:
    """Where pixels (m, 2) with standard deviations (m, 2) meet the plane z = `height_m`: points (m, 2) and variances
    xx, xy, yy (m, 3), projected by the derivative of the geometry; NaN above the horizon."""
    xy, cov = np.empty((len(pixel), 2)), np.empty((len(pixel), 3))
    for first in range(0, len(pixel), _CHUNK):
        part = slice(first, first + _CHUNK)
        px = pixel[part]
        at = camera.to_plane(px, height_m)
        du = (camera.to_plane(px + np.array([1.0, 0.0]), height_m) - at) * sigma_px[part, :1]
        # Downwards, towards the camera: the derivative stays finite near the horizon.
        dv = (camera.to_plane(px + np.array([0.0, 1.0]), height_m) - at) * sigma_px[part, 1:]
        xy[part] = at
        cov[part, 0] = du[:, 0] ** 2 + dv[:, 0] ** 2 + _FLOOR_M**2
        cov[part, 1] = du[:, 0] * du[:, 1] + dv[:, 0] * dv[:, 1]
        cov[part, 2] = du[:, 1] ** 2 + dv[:, 1] ** 2 + _FLOOR_M**2
    return xy, cov
