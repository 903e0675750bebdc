"""What passes find where they are worth most, and over uniform tiles: `python -m bench.budget`."""

import argparse
import itertools
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from edge.capture.file import FileCamera
from edge.detect.budget import Attention, Budget, Scene
from edge.detect.detector import Detections
from edge.detect.looks import Look, uniform
from edge.detect.motion import MotionDetector
from edge.detect.network import NetworkDetector, merged
from edge.detect.onnx import OnnxDetector
from edge.detect.picture import planes_of
from edge.frame import Frame
from edge.track.eyes import Eyes
from edge.track.people import SURE
from simulator.match.engine import play
from simulator.match.truth import MatchTruth
from simulator.pictures.camera import BALL_RADIUS_M, VirtualCamera
from simulator.pictures.moment import moment
from simulator.pictures.recall import MARGIN_M, MIN_VISIBLE, match
from simulator.pictures.rigs import virtual_rig
from simulator.pictures.visibility import true_boxes
from wire.pitch import default_pitch
from wire.rig import CameraModel
from wire.tracks import Kind

FAR_PX = (20.0, 40.0)
"""Heights of far players; from the second on they are near."""
WAYS = ("uniform", "budget")
NOTHING = np.zeros((0, 4))
LEAST_REACH_PX = 4.0
"""A find of the ball may be off by its diameter, and by this much in any case."""
BALL_SURE = 0.2
"""Score from which on a ball box of the network counts."""
SAME_PLACE = 0.4
"""Heights of a person, 0.7 m: a row whose foot is nearer than this to his foot follows him."""
CLIP_SIZE = (1920, 1080)
CLIP_SCALES = (0.75, 1.2)
"""Scales of the tiles that say what a recorded clip holds."""
CLIP_EVERY = 10
VERY_SURE, LIKELY = 0.6, 0.25
"""Scores of those tiles' finds that have to be found, and that may be."""
SEGMENT_S = 2.0
WARM_S = 2.0
"""Seconds at the beginning that do not count: the eyes still learn the empty scene."""

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Truth:
    """What is to be found in one picture: `box` (n, 4) of persons, of whom those `wanted` (n,) have to be found,
    `tall` (n,) px and `who` (n,); where the ball is (2,), None where it is not seen, and how far off a find may be."""

    box: Array
    tall: Array
    who: npt.NDArray[np.int64]
    wanted: npt.NDArray[np.bool_]
    ball: Array | None
    ball_reach: float
    model: CameraModel | None

    def has_ball(self, box: Array) -> bool:
        """Whether one of the boxes (n, 4) is where the ball is."""
        if self.ball is None:
            return False
        off = (box[:, :2] + box[:, 2:]) / 2 - self.ball
        return bool((np.hypot(*off.T) < self.ball_reach).any())

    def false_alarms(self, box: Array) -> int:
        """How many of these boxes (n, 4), which are nobody, stand on the pitch."""
        if self.model is None:
            return len(box)
        pitch = default_pitch(11)
        ground = self.model.to_plane(np.stack([(box[:, 0] + box[:, 2]) / 2, box[:, 3]], axis=1))
        return sum(bool(pitch.contains(float(x), float(y), MARGIN_M)) for x, y in ground)


class Turn:
    """The whole view and equal tiles that cover it, one after the other."""

    def __init__(self, width: int, height: int, detector: NetworkDetector) -> None:
        self._looks = itertools.cycle(uniform(width, height, detector.fit))

    def choose(self, _time_s: float, count: int, _scene: Scene) -> list[Look]:
        """The next so many, whatever there is to be seen."""
        return list(itertools.islice(self._looks, count))


class Logged:
    """A network that remembers what its looks at each frame found."""

    name = "onnx"

    def __init__(self, network: NetworkDetector) -> None:
        self.fit = network.fit
        self.found: dict[int, list[Detections]] = {}
        self._network = network

    def look_at(self, frame: Frame, looks: Sequence[Look]) -> list[Detections]:
        """What each look finds."""
        self.found[frame.index] = self._network.look_at(frame, looks)
        return self.found[frame.index]


@dataclass
class Score:
    """What one way to spend one budget found, as counts.

    Persons are wanted a second at a time (`seen`: a look of that second found the person) and a picture at a time
    (`followed`: the person had a row); the ball a picture at a time, by a look or by a row.
    """

    pictures: int = 0
    wanted_seconds: Counter[str] = field(default_factory=Counter)
    seen: Counter[str] = field(default_factory=Counter)
    wanted: Counter[str] = field(default_factory=Counter)
    followed: Counter[str] = field(default_factory=Counter)
    false_alarms: int = 0
    false_balls: int = 0

    def add(self, other: "Score") -> None:
        """Count another camera's in."""
        self.pictures += other.pictures
        self.false_alarms += other.false_alarms
        self.false_balls += other.false_balls
        for name in ("wanted_seconds", "seen", "wanted", "followed"):
            getattr(self, name).update(getattr(other, name))

    def line(self) -> str:
        """The shares, as a row of the table."""
        shares = [
            f"{100 * found[who] / wanted[who]:5.1f}" if wanted[who] else "    -"
            for found, wanted in ((self.seen, self.wanted_seconds), (self.followed, self.wanted))
            for who in ("far", "near", "ball")
        ]
        return (
            "  ".join(shares)
            + f"  {self.false_alarms / max(1, self.pictures):5.2f}  {self.false_balls / max(1, self.pictures):5.2f}"
        )


class Watch:
    """Eyes that spend their passes in one way, and what they are worth."""

    def __init__(self, network: NetworkDetector, way: str, passes: float, width: int, height: int, rate: float) -> None:
        self.network = Logged(network)
        motion = MotionDetector(width, height, rate)
        chooser = (
            Attention(width, height, network.fit, motion.stature) if way == "budget" else Turn(width, height, network)
        )
        self.eyes = Eyes(motion, Budget(self.network, passes, rate, chooser), width, height, rate)
        self.rows: dict[int, tuple[Array, npt.NDArray[np.bool_]]] = {}
        self._first = self._next = 0

    def look(self, frame: Frame, segment: int) -> None:
        """Take in the next frame; close the segment after each `segment` frames."""
        self.eyes.look(frame)
        self._next = frame.index + 1
        if self._next - self._first == segment:
            self.close()

    def close(self) -> None:
        """Close the segment as far as it goes."""
        first, self._first = self._first, self._next
        sight = self.eyes.close_segment(0)
        balls = np.isin(sight.tracklet, [t.id for t in sight.tracklets if t.kind is Kind.BALL])
        for number in range(first, self._first):
            now = sight.frame == number - first
            self.rows[number] = (sight.box[now], balls[now])


def scored(watch: Watch, truths: dict[int, Truth], rate: float) -> Score:
    """What one watch found of the truths, by frame."""
    score = Score()
    seconds: dict[tuple[int, int], list[tuple[float, bool]]] = defaultdict(list)
    for number, truth in truths.items():
        score.pictures += 1
        box, balls = watch.rows[number]
        pairs = feet_together(box[~balls], truth)
        hit = {j for _, j in pairs}
        for j in np.flatnonzero(truth.wanted):
            who = "far" if truth.tall[j] < FAR_PX[1] else "near"
            score.wanted[who] += 1
            score.followed[who] += j in hit
        stray = np.delete(box[~balls], [i for i, _ in pairs], axis=0)
        score.false_alarms += truth.false_alarms(stray)
        score.false_balls += int(balls.sum()) - truth.has_ball(box[balls])
        looks = watch.network.found.get(number, [])
        persons, ball = (
            np.concatenate([NOTHING, *(part.box[(part.kind == kind) & (part.score >= sure)] for part in looks)])
            for kind, sure in ((Kind.PERSON, SURE), (Kind.BALL, BALL_SURE))
        )
        hit = {j for _, j in match(persons, truth.box)}
        for j in np.flatnonzero(truth.wanted):
            seconds[int(number // rate), int(truth.who[j])].append((truth.tall[j], j in hit))
        if truth.ball is not None:
            score.wanted["ball"] += 1
            score.wanted_seconds["ball"] += 1
            score.followed["ball"] += truth.has_ball(box[balls])
            score.seen["ball"] += truth.has_ball(ball)
    for had in seconds.values():
        who = "far" if np.median([tall for tall, _ in had]) < FAR_PX[1] else "near"
        if len(had) > rate / 2:
            score.wanted_seconds[who] += 1
            score.seen[who] += any(found for _, found in had)
    return score


def feet_together(box: Array, truth: Truth) -> list[tuple[int, int]]:
    """Pairs (row of `box`, row of the truth) that stand in the same place, nearest first, each at most once."""
    foot, true = (np.stack([(b[:, 0] + b[:, 2]) / 2, b[:, 3]], axis=1) for b in (box, truth.box))
    off = np.linalg.norm(foot[:, None] - true[None], axis=2) / truth.tall
    pairs = []
    for at in np.argsort(off, axis=None):
        i, j = divmod(int(at), off.shape[1])
        if off[i, j] > SAME_PLACE:
            break
        if all(i != a and j != b for a, b in pairs):
            pairs.append((i, j))
    return pairs


def measured(
    pictures: Iterable[Frame], truths: dict[int, Truth], size: tuple[int, int], rate: float, passes: Sequence[float]
) -> dict[tuple[str, float], Score]:
    """The score of each way at each number of passes a second, over the same pictures."""
    network = OnnxDetector(*size)
    watches = {(way, n): Watch(network, way, n, *size, rate) for way in WAYS for n in passes}
    for frame in pictures:
        for watch in watches.values():
            watch.look(frame, round(SEGMENT_S * rate))
    for watch in watches.values():
        watch.close()
    return {key: scored(watch, truths, rate) for key, watch in watches.items()}


def simulated(rig: str, seed: int, seconds: float, passes: Sequence[float]) -> dict[tuple[str, float], Score]:
    """The score over what one camera sees of a simulated match: the one with most far players and most of the ball."""
    pitch = default_pitch(11)
    true_rig, played = virtual_rig(rig, pitch, seed), play(pitch, WARM_S + seconds, seed)
    index = int(np.argmax([_worth_watching(model, played) for model in true_rig.rig.cameras]))
    model, rate = true_rig.rig.cameras[index], played.frames_per_second
    lens = VirtualCamera(true_rig, index, played, seed)
    count = round((WARM_S + seconds) * rate)
    truths = {k: true_at(model, played, k / rate) for k in range(round(WARM_S * rate), count)}
    pictures = (Frame(lens.frame(k / rate).copy(), round(k / rate * 1e9), k) for k in range(count))
    return measured(pictures, truths, (model.width_px, model.height_px), rate, passes)


def _worth_watching(model: CameraModel, played: MatchTruth) -> float:
    """The share of the match in which the camera sees the ball, and of everybody as far players."""
    ball = float(model.sees(model.project(played.ball)).mean())
    people = true_boxes(model, played, played.frames / played.frames_per_second / 2)
    return ball + sum(FAR_PX[0] <= person.height_px < FAR_PX[1] for person in people) / len(played.people)


def recorded(path: Path, passes: Sequence[float]) -> dict[tuple[str, float], Score]:
    """The score over a recorded clip, made smaller to `CLIP_SIZE`, against what all tiles at full size show in some of
    its pictures: whom the network is very sure of is wanted, and who is likely is no false alarm."""
    with FileCamera(path, 0) as camera:
        network, full = OnnxDetector(camera.width, camera.height), (camera.width, camera.height)
        times = full[0] / CLIP_SIZE[0]
        looks = [look for near in CLIP_SCALES for look in uniform(*full, network.fit, near)]
        pictures, truths = [], {}
        for frame in camera:
            number = frame.index
            pictures.append(Frame(shrunk(frame.planes, CLIP_SIZE), frame.time_ns, number))
            if number / camera.frames_per_second >= WARM_S and number % CLIP_EVERY == 0:
                truths[number] = _reference(merged(network.look_at(frame, looks)), times)
        return measured(pictures, truths, CLIP_SIZE, camera.frames_per_second, passes)


def _reference(found: Detections, times: float) -> Truth:
    """What is taken for true in a picture `times` smaller than the one that was looked at."""
    persons, balls = found.of(Kind.PERSON), found.of(Kind.BALL)
    persons = persons.where(persons.score >= LIKELY)
    box = persons.box / times
    tall = box[:, 3] - box[:, 1]
    ball = balls.box[:1] / times if len(balls.score) and balls.score[0] >= VERY_SURE else None
    return Truth(
        box,
        tall,
        np.arange(len(box)),
        (persons.score >= VERY_SURE) & (tall >= FAR_PX[0]),
        None if ball is None else (ball[0, :2] + ball[0, 2:]) / 2,
        2 * LEAST_REACH_PX,
        None,
    )


def shrunk(i420: npt.NDArray[np.uint8], size: tuple[int, int]) -> npt.NDArray[np.uint8]:
    """The planes of a picture made smaller."""
    width, height = size
    small = np.empty((height * 3 // 2, width), np.uint8)
    for plane, part in zip(planes_of(i420), planes_of(small), strict=True):
        cv2.resize(plane, part.shape[::-1], dst=part, interpolation=cv2.INTER_AREA)
    return small


def true_at(model: CameraModel, played: MatchTruth, time_s: float) -> Truth:
    """What a camera could find at a moment of a simulated match."""
    people = true_boxes(model, played, time_s)
    tall = np.array([person.height_px for person in people])
    ball = moment(played, time_s).ball
    [spot] = model.project(ball[None])
    shown = not np.isnan(spot).any() and 0 <= spot[0] < model.width_px and 0 <= spot[1] < model.height_px
    diameter = 2 * BALL_RADIUS_M * model.lens.focal_px / float(np.linalg.norm(ball - model.centre))
    return Truth(
        np.array([person.box for person in people]).reshape(-1, 4),
        tall,
        np.array([person.id for person in people], np.int64),
        np.array([person.visible >= MIN_VISIBLE for person in people], bool) & (tall >= FAR_PX[0]),
        spot if shown else None,
        max(diameter, LEAST_REACH_PX),
        model,
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m bench.budget", description=__doc__.partition(":")[0])
    parser.add_argument("--seeds", type=int, nargs="+", default=[201, 202, 203, 204])
    parser.add_argument("--rigs", nargs="+", choices=["mast", "sideline"], default=["mast", "sideline"])
    parser.add_argument("--seconds", type=float, default=4.0, help="of each camera that count (%(default)g)")
    parser.add_argument("--passes-per-second", type=float, nargs="+", default=[4.0, 8.0, 16.0, 32.0])
    parser.add_argument("--footage", type=Path, help="instead: a folder of recorded clips of still cameras")
    given = parser.parse_args(arguments)
    if given.footage:
        total = defaultdict(Score)
        for path in sorted(given.footage.glob("*.mp4")):
            for key, score in recorded(path, given.passes_per_second).items():
                total[key].add(score)
        print(f"{given.footage.name}, against what tiles of the full pictures show")
        print_table(total)
        return 0
    for rig in given.rigs:
        total = defaultdict(Score)
        for seed in given.seeds:
            for key, score in simulated(rig, seed, given.seconds, given.passes_per_second).items():
                total[key].add(score)
        print(f"{rig}, seeds {given.seeds}")
        print_table(total)
    return 0


def print_table(scores: dict[tuple[str, float], Score]) -> None:
    """One line per budget and way."""
    print("                      found by looks (%)    followed by rows (%)   false a picture")
    print("  passes/s               far   near   ball    far   near   ball   persons  balls")
    for n in sorted({n for _, n in scores}):
        for way in WAYS:
            print(f"  {n:8g}  {way:8s}  {scores[way, n].line()}")


if __name__ == "__main__":
    sys.exit(main())
