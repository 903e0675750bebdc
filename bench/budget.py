"""What passes find where they are worth most, and over uniform tiles: `python -m bench.budget`."""

import argparse
import itertools
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import get_args

import cv2
import numpy as np
import numpy.typing as npt

from edge.capture.file import FileCamera
from edge.commands.track import JOINED_S
from edge.detect.budget import Attention, Budget, Scene
from edge.detect.detector import Detections, middles
from edge.detect.looks import Look, uniform
from edge.detect.motion import MotionDetector
from edge.detect.network import NetworkDetector, merged
from edge.detect.onnx import OnnxDetector
from edge.detect.picture import planes_of
from edge.frame import Frame
from edge.track.eyes import Eyes
from edge.track.people import SURE
from simulator.match.engine import play
from simulator.match.truth import BALL_RADIUS_M, MatchTruth
from simulator.pictures.camera import VirtualCamera
from simulator.pictures.moment import moment
from simulator.pictures.recall import MARGIN_M, MIN_VISIBLE, match
from simulator.pictures.rigs import RigKind, virtual_rig
from simulator.pictures.scenery import spare_balls
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
CLIP_EVERY = 2
VERY_SURE, LIKELY = 0.6, 0.25
"""Scores of those tiles' finds that have to be found, and that may be."""
LIES_S = 0.9
"""A ball that is where one is so much later, too, lies there: a spare one beside the pitch."""
SEGMENT_S = 2.0
MORE_FAR, MORE_BALLS = 1.2, 1.5
"""At least so many times as often as uniform tiles the budget's looks find far players, and the ball …"""
NEARLY_ALL = 0.9
"""… or nearly always, and …"""
FEWER_ROWS = 0.03
"""… its rows follow them in hardly fewer of the pictures, as far as a few seconds tell …"""
MORE_FALSE_PERSONS, MORE_FALSE_BALLS = 1.5, 1.5
"""… with at most so many more false ones a picture: who is seen more closely is often somebody beside the pitch."""
WARM_S = 2.0
"""Seconds at the beginning that do not count: the eyes still learn the empty scene."""

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Truth:
    """What is to be found in one picture: `box` (n, 4) of persons, of whom those `wanted` (n,) have to be found,
    `tall` (n,) px and `who` (n,); where the ball is (2,), None where it is not seen, and how far off a find may be;
    where `spares` (k, 2) lie, other balls."""

    box: Array
    tall: Array
    who: npt.NDArray[np.int64]
    wanted: npt.NDArray[np.bool_]
    ball: Array | None
    ball_reach: float
    spares: Array
    model: CameraModel | None

    def has_ball(self, box: Array) -> bool:
        """Whether one of the boxes (n, 4) is where the ball is."""
        if self.ball is None:
            return False
        off = (box[:, :2] + box[:, 2:]) / 2 - self.ball
        return bool((np.hypot(*off.T) < self.ball_reach).any())

    def false_balls(self, box: Array) -> int:
        """How many of these boxes (n, 4) are where no ball is; of several that are where the ball is all but one."""
        off = middles(box)[:, None] - self.spares[None]
        stray = box[~(np.hypot(off[..., 0], off[..., 1]) < self.ball_reach).any(axis=1)]
        return len(stray) - self.has_ball(stray)

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

    Persons and the ball are wanted a picture at a time (`seen`: a look at it found him; `followed`: he had a row, as
    `touchline-edge track` tells them), persons also a second at a time (`seen_once`: a look of that second found him).
    """

    pictures: int = 0
    wanted: Counter[str] = field(default_factory=Counter)
    seen: Counter[str] = field(default_factory=Counter)
    followed: Counter[str] = field(default_factory=Counter)
    wanted_seconds: Counter[str] = field(default_factory=Counter)
    seen_once: Counter[str] = field(default_factory=Counter)
    false_alarms: int = 0
    false_balls: int = 0

    def add(self, other: "Score") -> None:
        """Count another camera's in."""
        self.pictures += other.pictures
        self.false_alarms += other.false_alarms
        self.false_balls += other.false_balls
        for name in ("wanted", "seen", "followed", "wanted_seconds", "seen_once"):
            getattr(self, name).update(getattr(other, name))

    def share(self, found: Counter[str], who: str) -> float:
        """In how many of the pictures in which they are wanted these are found."""
        return found[who] / max(1, self.wanted[who])

    @property
    def false_persons_each(self) -> float:
        """False persons a picture."""
        return self.false_alarms / max(1, self.pictures)

    @property
    def false_balls_each(self) -> float:
        """False balls a picture."""
        return self.false_balls / max(1, self.pictures)

    def line(self) -> str:
        """The shares, as a row of the table."""
        shares = [
            f"{100 * found[who] / wanted[who]:5.1f}" if wanted[who] else "    -"
            for found, wanted, whom in (
                (self.seen, self.wanted, ("far", "near", "ball")),
                (self.seen_once, self.wanted_seconds, ("far", "near")),
                (self.followed, self.wanted, ("far", "near", "ball")),
            )
            for who in whom
        ]
        return "  ".join(shares) + f"  {self.false_persons_each:7.2f}  {self.false_balls_each:5.2f}"


class Watch:
    """Eyes that spend their passes in one way, and what they are worth."""

    def __init__(self, network: NetworkDetector, way: str, passes: float, width: int, height: int, rate: float) -> None:
        self.network = Logged(network)
        motion = MotionDetector(width, height, rate)
        chooser = (
            Attention(width, height, network.fit, motion.stature) if way == "budget" else Turn(width, height, network)
        )
        budget = Budget(self.network, passes, rate, chooser)
        self.eyes = Eyes(motion, budget, width, height, rate, joined_s=JOINED_S)
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
        followed = {j for _, j in pairs}
        stray = np.delete(box[~balls], [i for i, _ in pairs], axis=0)
        score.false_alarms += truth.false_alarms(stray)
        score.false_balls += truth.false_balls(box[balls])
        looks = watch.network.found.get(number, [])
        persons, ball = (
            np.concatenate([NOTHING, *(part.box[(part.kind == kind) & (part.score >= sure)] for part in looks)])
            for kind, sure in ((Kind.PERSON, SURE), (Kind.BALL, BALL_SURE))
        )
        seen = {j for _, j in match(persons, truth.box)}
        for j in np.flatnonzero(truth.wanted):
            who = "far" if truth.tall[j] < FAR_PX[1] else "near"
            score.wanted[who] += 1
            score.followed[who] += j in followed
            score.seen[who] += j in seen
            seconds[int(number // rate), int(truth.who[j])].append((truth.tall[j], j in seen))
        if truth.ball is not None:
            score.wanted["ball"] += 1
            score.followed["ball"] += truth.has_ball(box[balls])
            score.seen["ball"] += truth.has_ball(ball)
    for had in seconds.values():
        who = "far" if np.median([tall for tall, _ in had]) < FAR_PX[1] else "near"
        if len(had) > rate / 2:
            score.wanted_seconds[who] += 1
            score.seen_once[who] += any(found for _, found in had)
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


def simulated(rig: RigKind, seed: int, seconds: float, passes: Sequence[float]) -> dict[tuple[str, float], Score]:
    """The score over what one camera sees of a simulated match: the one with most far players and most of the ball."""
    pitch = default_pitch(11)
    true_rig, played = virtual_rig(rig, pitch, seed), play(pitch, WARM_S + seconds, seed)
    index = int(np.argmax([_worth_watching(model, played) for model in true_rig.rig.cameras]))
    model, rate = true_rig.rig.cameras[index], played.frames_per_second
    lens = VirtualCamera(true_rig, index, played, seed)
    count = round((WARM_S + seconds) * rate)
    truths = {k: true_at(model, played, seed, k / rate) for k in range(round(WARM_S * rate), count)}
    pictures = (Frame(lens.frame(k / rate).copy(), round(k / rate * 1e9), k) for k in range(count))
    return measured(pictures, truths, (model.width_px, model.height_px), rate, passes)


def _worth_watching(model: CameraModel, played: MatchTruth) -> float:
    """The share of the match in which the camera sees the ball, and of everybody as far players."""
    ball = float(model.sees(model.project(played.ball)).mean())
    people = true_boxes(model, played, played.frames / played.frames_per_second / 2)
    return ball + sum(FAR_PX[0] <= person.height_px < FAR_PX[1] for person in people) / len(played.people)


def recorded(path: Path, passes: Sequence[float]) -> dict[tuple[str, float], Score]:
    """The score over a recorded clip, made smaller to `CLIP_SIZE`, against what all tiles at full size show in some of
    its pictures: whom the network is very sure of is wanted, and who is likely is no false alarm. The ball is the
    surest one that does not lie in its place."""
    with FileCamera(path, 0) as camera:
        network, full = OnnxDetector(camera.width, camera.height), (camera.width, camera.height)
        times = full[0] / CLIP_SIZE[0]
        looks = [look for near in CLIP_SCALES for look in uniform(*full, network.fit, near)]
        pictures, shown = [], {}
        for frame in camera:
            number = frame.index
            pictures.append(Frame(shrunk(frame.planes, CLIP_SIZE), frame.time_ns, number))
            if number / camera.frames_per_second >= WARM_S and number % CLIP_EVERY == 0:
                shown[number] = merged(network.look_at(frame, looks))
        truths = reference(shown, times, camera.frames_per_second)
        return measured(pictures, truths, CLIP_SIZE, camera.frames_per_second, passes)


def reference(shown: dict[int, Detections], times: float, rate: float) -> dict[int, Truth]:
    """What is taken for true in pictures `times` smaller than those in which all this was `shown`, by frame."""
    reach = 2 * LEAST_REACH_PX
    balls = {number: found.of(Kind.BALL) for number, found in shown.items()}
    places = {number: middles(found.box) / times for number, found in balls.items()}
    truths = {}
    for number, found in shown.items():
        later = [NOTHING[:, :2], *(at for other, at in places.items() if abs(other - number) > LIES_S * rate)]
        off = places[number][:, None] - np.concatenate(later)[None]
        moves = ~(np.hypot(off[..., 0], off[..., 1]) < reach).any(axis=1)
        sure = np.flatnonzero(moves & (balls[number].score >= VERY_SURE))[:1]
        spares = np.delete(places[number], [*sure, *np.flatnonzero(balls[number].score < LIKELY)], axis=0)
        persons = found.of(Kind.PERSON)
        persons = persons.where(persons.score >= LIKELY)
        box = persons.box / times
        tall = box[:, 3] - box[:, 1]
        truths[number] = Truth(
            box,
            tall,
            np.arange(len(box)),
            (persons.score >= VERY_SURE) & (tall >= FAR_PX[0]),
            places[number][sure[0]] if len(sure) else None,
            reach,
            spares,
            None,
        )
    return truths


def shrunk(i420: npt.NDArray[np.uint8], size: tuple[int, int]) -> npt.NDArray[np.uint8]:
    """The planes of a picture made smaller."""
    width, height = size
    small = np.empty((height * 3 // 2, width), np.uint8)
    for plane, part in zip(planes_of(i420), planes_of(small), strict=True):
        cv2.resize(plane, part.shape[::-1], dst=part, interpolation=cv2.INTER_AREA)
    return small


def true_at(model: CameraModel, played: MatchTruth, seed: int, time_s: float) -> Truth:
    """What a camera could find at a moment of a simulated match, in a scene of this `seed`."""
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
        model.project(spare_balls(played.pitch, seed)),
        model,
    )


def failings(uniform: Score, budget: Score) -> Iterator[str]:
    """Where the budget was not clearly better than uniform tiles with as many passes, in sentences."""
    if not budget.wanted:
        yield "nothing was there to be found"
    for who, times, whom in (("far", MORE_FAR, "far players"), ("ball", MORE_BALLS, "the ball")):
        if not budget.wanted[who]:
            continue
        tiles, found = uniform.share(uniform.seen, who), budget.share(budget.seen, who)
        if found < NEARLY_ALL and (found == 0 or found < times * tiles):
            yield (
                f"its looks found {whom} in {found:.1%} of the pictures, uniform tiles in {tiles:.1%}: it should be "
                f"{times:g} times as often"
            )
        tiles, found = uniform.share(uniform.followed, who), budget.share(budget.followed, who)
        if found < tiles - FEWER_ROWS:
            yield f"its rows followed {whom} in {found:.1%} of the pictures, with uniform tiles in {tiles:.1%}"
    for false, tiles, more, what in (
        (budget.false_persons_each, uniform.false_persons_each, MORE_FALSE_PERSONS, "persons"),
        (budget.false_balls_each, uniform.false_balls_each, MORE_FALSE_BALLS, "balls"),
    ):
        if false > tiles + more:
            yield f"there are {false:.2f} false {what} a picture, {tiles:.2f} with uniform tiles: at most {more:g} more"


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table; 1 where the budget is not clearly better."""
    parser = argparse.ArgumentParser(prog="python -m bench.budget", description=__doc__.partition(":")[0])
    parser.add_argument("--seeds", type=int, nargs="+", default=[201, 202, 203, 204])
    parser.add_argument("--rigs", nargs="+", choices=get_args(RigKind), default=list(get_args(RigKind)))
    parser.add_argument("--seconds", type=float, default=3.0, help="of each camera that count (%(default)g)")
    parser.add_argument("--passes-per-second", type=float, nargs="+", default=[4.0, 8.0, 16.0, 32.0])
    parser.add_argument("--footage", type=Path, help="instead: a folder of recorded clips of still cameras")
    given = parser.parse_args(arguments)
    passes = given.passes_per_second
    if given.footage:
        clips = sorted(given.footage.glob("*.mp4"))
        if not clips:
            parser.error(f"there are no clips (*.mp4) in {given.footage}")
        name = f"{given.footage.name}, against what tiles of the full pictures show"
        return judged(name, (recorded(path, passes) for path in clips))
    return max(
        judged(f"{rig}, seeds {given.seeds}", (simulated(rig, seed, given.seconds, passes) for seed in given.seeds))
        for rig in given.rigs
    )


def judged(name: str, parts: Iterable[dict[tuple[str, float], Score]]) -> int:
    """Print the table over all parts, and what is not good enough in it; 1 where there is such."""
    total: dict[tuple[str, float], Score] = defaultdict(Score)
    for scores in parts:
        for key, score in scores.items():
            total[key].add(score)
    print(name)
    print_table(total)
    found = [
        f"At {n:g} passes a second {failing}"
        for n in sorted({n for _, n in total})
        for failing in failings(total["uniform", n], total["budget", n])
    ]
    print("\n".join(found), flush=True)
    return 1 if found else 0


def print_table(scores: dict[tuple[str, float], Score]) -> None:
    """One line per budget and way."""
    print("                      found by looks at a picture, in a second,   followed by rows (%)   false a picture")
    print("  passes/s               far   near   ball    far   near    far   near   ball  persons  balls")
    for n in sorted({n for _, n in scores}):
        for way in WAYS:
            print(f"  {n:8g}  {way:8s}  {scores[way, n].line()}")


if __name__ == "__main__":
    sys.exit(main())
