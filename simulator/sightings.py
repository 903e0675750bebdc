"""What an honest node would have seen of a known match: `.tracks` made from ground truth by geometry and chance.

It stands in for pictures and detectors where only the hub's fusion is judged: people and the ball are projected into
the rig's cameras and then degraded as real detectors and trackers degrade them. Ground truth is read here and goes no
further than the boxes.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from simulator.match.truth import BALL_RADIUS_M
from wire.ids import NodeId, SessionId
from wire.pitch import Pitch
from wire.rig import CameraModel, Rig
from wire.rigtime import SECOND
from wire.tracks import Kind, SegmentTracks, Tracklet

Array = npt.NDArray[np.float64]

SEGMENT_S = 2.0
_SESSION = SessionId("0000000000-simulated")


@dataclass(frozen=True)
class Scene:
    """What there is to see, at `frames_per_second` from time zero: `people` (frames, persons, 2) metres, NaN when
    absent, their `heights_m` (persons,) and torso `colours_lab` (persons, 3) in OpenCV's 8-bit scaling, and the `ball`
    (frames, 3) metres, NaN when absent."""

    pitch: Pitch
    frames_per_second: float
    people: Array
    heights_m: Array
    colours_lab: Array
    ball: Array


@dataclass(frozen=True)
class Faults:
    """How much the sightings are degraded; the defaults are those of a fair detector on youth footage.

    Pixel noise of the boxes is part white, part slowly wandering (`wander_s`); its standard deviation on the bottom
    edge is drawn per camera from `bottom_px`. `near_feet_miss` is the share of frames in which a ball within
    `near_feet_m` of a player is not found. Clock offsets are what the rig's calibration says plus `clock_error_ms`.
    """

    bottom_px: tuple[float, float] = (1.5, 2.5)
    side_px: float = 1.2
    wander_s: float = 0.3
    person_miss: float = 0.04
    break_per_s: float = 0.05
    swap_after_occlusion: float = 0.3
    break_after_occlusion: float = 0.3
    colour_noise: float = 4.0
    false_people_per_s: float = 0.15
    spectators: int = 8
    ball_miss: float = 0.1
    near_feet_miss: float = 0.4
    near_feet_m: float = 1.2
    false_balls_per_s: float = 0.4
    spare_balls: int = 2
    clock_error_ms: float = 0.0
    smallest_person_px: float = 12.0
    smallest_ball_px: float = 2.5


@dataclass(frozen=True)
class _Ground:
    """Who and what is beside the pitch all match long: `crowd` (n, 2) with `heights_m` (n,) and `colours_lab` (n, 3),
    `spares` (m, 3)."""

    crowd: Array
    heights_m: Array
    colours_lab: Array
    spares: Array


@dataclass(frozen=True)
class _View:
    """One camera's lot: its model, its chance, how often it looks and how badly, and what stays its own all match long:
    the first exposure `phase_s` after time zero, a clock `late_ns` further off than the rig says, noise `sigma_px` of
    lower edges, an exposure `gain` and a white balance `cast`."""

    camera: CameraModel
    random: np.random.Generator
    fps: float
    faults: Faults
    phase_s: float
    late_ns: int
    sigma_px: float
    gain: float
    cast: Array


class _Recorder:
    """Collects one camera's detections and cuts them into segments; tracklets are numbered from `first_id`."""

    def __init__(self, first_id: int) -> None:
        self.frame: list[int] = []
        self.tracklet: list[int] = []
        self.box: list[Array] = []
        self.score: list[float] = []
        self.kind: dict[int, Kind] = {}
        self.who: list[int] = []
        self.next_id = first_id

    def new_id(self, kind: Kind) -> int:
        number = self.next_id
        self.next_id += 1
        self.kind[number] = kind
        return number

    def add(self, frame: int, tracklet: int, box: Array, score: float, who: int = -1) -> None:
        self.frame.append(frame)
        self.tracklet.append(tracklet)
        self.box.append(box)
        self.score.append(score)
        self.who.append(who)


def sightings(
    scene: Scene, rig: Rig, seed: int, start_ns: int, faults: Faults | None = None
) -> dict[NodeId, list[SegmentTracks]]:
    """The segments' tracks of every camera of `rig`, as its nodes would have written them; the scene's time zero is
    rig time `start_ns`. Equal arguments give equal sightings."""
    out: dict[NodeId, list[SegmentTracks]] = {camera.node: [] for camera in rig.cameras}
    for part in sightings_in_parts([scene], rig, seed, start_ns, faults):
        out[part.node].append(part)
    return out


def sightings_in_parts(
    scenes: Iterable[Scene], rig: Rig, seed: int, start_ns: int, faults: Faults | None = None
) -> Iterator[SegmentTracks]:
    """The same of a match too long to be held at once, camera by camera of each part.

    The scenes follow one another with the same people; all but the last are whole segments long and one frame more,
    which is the next one's first. Tracklets end with their part.
    """
    faults = faults or Faults()
    random = np.random.default_rng(seed)
    views: list[_View] = []
    ground: _Ground | None = None
    next_id = dict.fromkeys((camera.node for camera in rig.cameras), 1)
    first = 0
    for scene in scenes:
        if ground is None:
            ground = _beside(scene, faults, random)
            views = [
                _view(camera, scene, faults, np.random.default_rng(random.integers(1 << 60))) for camera in rig.cameras
            ]
        for view in views:
            seen = _Recorder(next_id[view.camera.node])
            times = _see(seen, scene, ground, view)
            next_id[view.camera.node] = seen.next_id
            began = start_ns - view.camera.clock_offset_ns - view.late_ns + round(first / view.fps * SECOND)
            yield from _cut(seen, began + times, np.concatenate([scene.colours_lab, ground.colours_lab]), view, first)
        first += len(scene.people) - 1


def _beside(scene: Scene, faults: Faults, random: np.random.Generator) -> _Ground:
    count = faults.spectators
    return _Ground(
        crowd=_spectators(scene, count, random),
        spares=_spare_balls(scene, faults.spare_balls, random),
        heights_m=random.uniform(1.5, 1.85, count),
        colours_lab=random.uniform((40, 100, 100), (220, 156, 156), (count, 3)),
    )


def _view(camera: CameraModel, scene: Scene, faults: Faults, random: np.random.Generator) -> _View:
    return _View(
        camera=camera,
        random=random,
        fps=scene.frames_per_second,
        faults=faults,
        phase_s=random.uniform(0, 1 / scene.frames_per_second),
        late_ns=round(random.normal(0, faults.clock_error_ms) * 1e6),
        sigma_px=random.uniform(*faults.bottom_px),
        gain=random.normal(1.0, 0.08),
        cast=random.normal(0, (5.0, 3.0, 3.0)),
    )


def person_boxes(camera: CameraModel, feet_m: Array, heights_m: Array) -> Array:
    """The boxes (n, 4) of people standing at `feet_m` (n, 2), NaN where the camera cannot see them."""
    n = len(feet_m)
    bottom = camera.project(np.column_stack([feet_m, np.zeros(n)]))
    top = camera.project(np.column_stack([feet_m, heights_m]))
    width = 0.36 * np.abs(bottom[:, 1] - top[:, 1])
    centre = (bottom[:, 0] + top[:, 0]) / 2
    return np.column_stack([centre - width / 2, top[:, 1], centre + width / 2, bottom[:, 1]])


def _spectators(scene: Scene, count: int, random: np.random.Generator) -> Array:
    """Places (count, 2) just beyond the touchlines, three of them as near as a linesman or a coach."""
    side = random.choice([-1.0, 1.0], count)
    beyond = np.where(np.arange(count) < 3, random.uniform(0.7, 1.5, count), random.uniform(3.0, 6.0, count))
    along = random.uniform(-0.9, 0.9, count) * scene.pitch.half_length
    return np.column_stack([along, side * (scene.pitch.half_width + beyond)])


def _spare_balls(scene: Scene, count: int, random: np.random.Generator) -> Array:
    """Places (count, 3) of balls that lie beside the pitch."""
    side = random.choice([-1.0, 1.0], count)
    along = random.uniform(-0.9, 0.9, count) * scene.pitch.half_length
    away = scene.pitch.half_width + random.uniform(1.0, 4.0, count)
    return np.column_stack([along, side * away, np.full(count, BALL_RADIUS_M)])


def _wander(shape: tuple[int, ...], time_constant: float, random: np.random.Generator) -> Array:
    """Noise of unit variance along axis 0: half white, half a first-order process of `time_constant` frames."""
    keep = np.exp(-1.0 / max(time_constant, 1e-6))
    drive = random.standard_normal(shape) * np.sqrt(1 - keep**2)
    slow = np.empty(shape)
    slow[0] = random.standard_normal(shape[1:])
    for k in range(1, shape[0]):
        slow[k] = keep * slow[k - 1] + drive[k]
    return (slow + random.standard_normal(shape)) / np.sqrt(2)


def _see(seen: _Recorder, scene: Scene, ground: _Ground, view: _View) -> npt.NDArray[np.int64]:
    """Records what one camera sees of the scene; the capture times (n,) of its frames, ns after the scene's first."""
    frames = len(scene.people)
    # A node's own frames fall between the scene's: sample the truth there.
    at = np.clip(np.arange(frames - 1) + view.phase_s * view.fps, 0, frames - 1)
    low = np.floor(at).astype(int)
    part = at - low
    high = np.minimum(low + 1, frames - 1)
    people = scene.people[low] * (1 - part)[:, None, None] + scene.people[high] * part[:, None, None]
    ball = scene.ball[low] * (1 - part)[:, None] + scene.ball[high] * part[:, None]
    count = len(at)
    everyone = np.concatenate([people, np.broadcast_to(ground.crowd, (count, *ground.crowd.shape))], axis=1)
    _see_people(seen, everyone, np.concatenate([scene.heights_m, ground.heights_m]), view)
    _see_balls(seen, ball, people, ground.spares, view)
    _see_ghosts(seen, count, view)
    return np.round((np.arange(count) / view.fps + view.phase_s) * SECOND).astype(np.int64)


def _see_people(
    seen: _Recorder,
    everyone: Array,
    tall: Array,
    view: _View,
) -> None:
    camera, random, fps, faults = view.camera, view.random, view.fps, view.faults
    count, persons = everyone.shape[:2]
    boxes = person_boxes(camera, everyone.reshape(-1, 2), np.tile(tall, count)).reshape(count, persons, 4)
    height = boxes[..., 3] - boxes[..., 1]
    middle = (boxes[..., 0] + boxes[..., 2]) / 2
    visible = (height >= faults.smallest_person_px) & (middle > 2) & (middle < camera.width_px - 2)
    visible &= (boxes[..., 3] > 5) & (boxes[..., 1] < camera.height_px - 0.6 * height)
    noise = _wander((count, persons, 4), faults.wander_s * fps, random)
    # A tall box's feet are found to a few hundredths of its height at best.
    vertical = np.hypot(view.sigma_px, 0.015 * np.nan_to_num(height))
    side = np.full_like(vertical, faults.side_px)
    noise *= np.stack([side, vertical, side, vertical], -1)
    measured = boxes + noise
    measured[..., [0, 2]] = np.clip(measured[..., [0, 2]], 0, camera.width_px)
    measured[..., [1, 3]] = np.clip(measured[..., [1, 3]], 0, camera.height_px)
    missed = random.random((count, persons)) < faults.person_miss
    breaks = random.random((count, persons)) < faults.break_per_s / fps
    ids = [-1] * persons
    last_seen = [-1000] * persons
    together: dict[tuple[int, int], int] = {}
    for k in range(count):
        who = np.flatnonzero(visible[k])
        hidden, pairs = _hidden(boxes[k], who)
        for pair in pairs:
            together[pair] = k
        for (front, back), when in list(together.items()):
            if when == k:
                continue
            del together[(front, back)]
            chance = random.random()
            if chance < faults.swap_after_occlusion and ids[front] >= 0 and ids[back] >= 0:
                ids[front], ids[back] = ids[back], ids[front]
            elif chance < faults.swap_after_occlusion + faults.break_after_occlusion:
                ids[back] = -1
        for i in who:
            if hidden[i] or missed[k, i]:
                continue
            if ids[i] < 0 or breaks[k, i] or k - last_seen[i] > fps:
                ids[i] = seen.new_id(Kind.PERSON)
            last_seen[i] = k
            seen.add(k, ids[i], measured[k, i], float(np.clip(random.normal(0.7, 0.12), 0.3, 0.99)), int(i))


def _hidden(boxes: Array, who: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.bool_], list[tuple[int, int]]]:
    """Which persons are covered by one nearer to the camera, and the (front, back) pairs whose boxes overlap."""
    hidden = np.zeros(len(boxes), bool)
    b = boxes[who]
    width = np.minimum(b[:, None, 2], b[None, :, 2]) - np.maximum(b[:, None, 0], b[None, :, 0])
    height = np.minimum(b[:, None, 3], b[None, :, 3]) - np.maximum(b[:, None, 1], b[None, :, 1])
    area = (b[:, 2] - b[:, 0]) * (b[:, 3] - b[:, 1])
    cover = np.maximum(width, 0) * np.maximum(height, 0) / area[None, :]
    behind = b[None, :, 3] < b[:, None, 3]
    front, back = np.nonzero((cover > 0.3) & behind)
    hidden[who[back[cover[front, back] > 0.5]]] = True
    return hidden, [(int(who[i]), int(who[j])) for i, j in zip(front, back, strict=True)]


def _see_balls(
    seen: _Recorder,
    ball: Array,
    people: Array,
    spares: Array,
    view: _View,
) -> None:
    random, fps, faults = view.random, view.fps, view.faults
    count = len(ball)
    gap = np.hypot(*np.moveaxis(people - ball[:, None, :2], -1, 0))
    near = np.nanmin(np.where(np.isnan(gap), np.inf, gap), axis=1) < faults.near_feet_m
    near &= ball[:, 2] < 1.5
    # Feet hide the ball for a few frames at a time, not frame by frame.
    calm = _wander((count,), 4.0, random)
    hidden = near & (calm < np.quantile(calm, faults.near_feet_miss))
    chance = np.where(hidden, 1.0, faults.ball_miss)
    _see_one_ball(seen, ball, random.random(count) < chance, view, (0.55, 0.15))
    for spare in spares:
        places = np.broadcast_to(spare, (count, 3))
        _see_one_ball(seen, places, random.random(count) < 0.4, view, (0.5, 0.15))
    for _ in range(random.poisson(faults.false_balls_per_s * count / fps)):
        start, length = int(random.integers(count)), int(random.integers(2, 15))
        person = int(random.integers(people.shape[1]))
        beside = random.normal(0, 0.4, 2)
        stop = min(start + length, count)
        places = np.full((count, 3), np.nan)
        places[start:stop, :2] = people[start:stop, person] + beside
        places[start:stop, 2] = BALL_RADIUS_M
        _see_one_ball(seen, places, random.random(count) < 0.3, view, (0.4, 0.12))


def _see_one_ball(
    seen: _Recorder,
    places: Array,
    missed: npt.NDArray[np.bool_],
    view: _View,
    score: tuple[float, float],
) -> None:
    camera, random, fps, faults = view.camera, view.random, view.fps, view.faults
    count = len(places)
    pixels = camera.project(places)
    beyond = camera.project(places + np.array([0.0, 0.0, BALL_RADIUS_M]))
    radius = np.abs(beyond[:, 1] - pixels[:, 1])
    seen_now = camera.sees(pixels, 2.0) & (2 * radius >= faults.smallest_ball_px) & ~missed
    centre = pixels + random.normal(0, 0.8, (count, 2))
    number, last = -1, -1000
    for k in np.flatnonzero(seen_now):
        if number < 0 or k - last > 0.4 * fps:
            number = seen.new_id(Kind.BALL)
        last = int(k)
        r = max(radius[k] * random.uniform(0.85, 1.2), 1.0)
        box = np.array([centre[k, 0] - r, centre[k, 1] - r, centre[k, 0] + r, centre[k, 1] + r])
        seen.add(int(k), number, box, float(np.clip(random.normal(*score), 0.1, 0.99)))


def _see_ghosts(seen: _Recorder, count: int, view: _View) -> None:
    """People who are not there: boxes that stand still for a moment anywhere on the ground."""
    camera, random, fps, faults = view.camera, view.random, view.fps, view.faults
    for _ in range(random.poisson(faults.false_people_per_s * count / fps)):
        start, length = int(random.integers(count)), int(random.integers(4, 30))
        pixel = np.array([[random.uniform(0, camera.width_px), random.uniform(0.3, 0.95) * camera.height_px]])
        foot = camera.to_plane(pixel)
        box = person_boxes(camera, foot, np.array([1.5]))[0]
        if not np.isfinite(box).all():
            continue
        number = seen.new_id(Kind.PERSON)
        for k in range(start, min(start + length, count)):
            seen.add(k, number, box + random.normal(0, 1.5, 4), float(np.clip(random.normal(0.4, 0.1), 0.2, 0.9)))


def _cut(
    seen: _Recorder,
    times: npt.NDArray[np.int64],
    colours: Array,
    view: _View,
    first_frame: int,
) -> list[SegmentTracks]:
    camera, random, fps, faults = view.camera, view.random, view.fps, view.faults
    frame = np.array(seen.frame, dtype=np.int64)
    tracklet = np.array(seen.tracklet, dtype=np.int64)
    box = np.array(seen.box).reshape(-1, 4)
    score = np.array(seen.score)
    owner = np.array(seen.who, dtype=np.int64)
    per = round(SEGMENT_S * fps)
    out = []
    for number, first in enumerate(range(0, len(times), per), first_frame // per):
        rows = np.flatnonzero((frame >= first) & (frame < first + per))
        rows = rows[np.lexsort((frame[rows], tracklet[rows]))]
        known = []
        for identity in np.unique(tracklet[rows]):
            kind = seen.kind[int(identity)]
            # A tracklet that swapped people wears the shirt of the one it followed longer in this segment.
            who = int(np.bincount(owner[rows[tracklet[rows] == identity]] + 1).argmax()) - 1
            lab = None
            if kind is Kind.PERSON:
                base = colours[who] if who >= 0 else random.uniform((40, 100, 100), (220, 156, 156))
                noisy = base * (view.gain, 1, 1) + (base - 128) * (0, view.gain - 1, view.gain - 1) + view.cast
                noisy = np.clip(np.round(noisy + random.normal(0, faults.colour_noise, 3)), 0, 255).astype(int)
                lab = (int(noisy[0]), int(noisy[1]), int(noisy[2]))
            known.append(Tracklet(int(identity), kind, lab))
        out.append(
            SegmentTracks(
                session=_SESSION,
                node=camera.node,
                sequence=number,
                width_px=camera.width_px,
                height_px=camera.height_px,
                detector="simulated",
                tracklets=tuple(known),
                frame_times_ns=times[first : first + per],
                frame=frame[rows] - first,
                tracklet=tracklet[rows],
                box=box[rows],
                score=score[rows],
            )
        )
    return out
