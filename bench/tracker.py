"""How well each camera's tracklets follow the simulated people and the ball: `python -m bench.tracker`."""

import argparse
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import get_args

import numpy as np
import numpy.typing as npt

from bench.linking import Compared, LinkScore, score
from edge.commands.track import JOINED_S
from edge.detect.detector import overlap
from edge.frame import Frame
from edge.sight import Eyes, SegmentSight
from edge.track.eyes import open_eyes
from simulator.match.engine import play
from simulator.match.truth import BALL_RADIUS_M, MatchTruth
from simulator.pictures.camera import VirtualCamera
from simulator.pictures.recall import MARGIN_M, match
from simulator.pictures.rigs import NAMES, RigKind, TrueRig, virtual_rig
from simulator.pictures.visibility import TrueBox, true_boxes
from wire.pitch import Pitch, default_pitch
from wire.rig import CameraModel
from wire.tracks import Kind

LEAST_HEIGHT_PX = 20.0
LEAST_VISIBLE = 0.25
"""Who is smaller or better hidden need not be found; finding him is neither right nor wrong."""
SAME_IOU = 0.5
NEAR_BALL_PX = 3.0
"""A hypothesis is the ball when its centre is so near, or within the ball's own diameter."""
SEGMENT_FRAMES = 50
PASSES_PER_SECOND = 4.0

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Truth:
    """What can be seen in one frame: people, and the ball's centre (2,) and diameter, where it is in the picture."""

    people: list[TrueBox]
    ball: Array | None
    ball_px: float


@dataclass(frozen=True)
class Seen:
    """What the eyes said of one frame: tracklet ids and boxes of people, and the same of the ball's hypotheses."""

    ids: npt.NDArray[np.int64]
    boxes: Array
    ball_ids: npt.NDArray[np.int64]
    ball_boxes: Array


@dataclass(frozen=True)
class BallScore:
    """Share of the frames with the ball in the picture in which a hypothesis is at it (NaN without such), how
    many tracklets took part in that, and hypotheses elsewhere per frame."""

    found: float
    tracklets: int
    elsewhere: float


def truths(model: CameraModel, truth: MatchTruth, frames: Iterable[int]) -> Iterator[Truth]:
    """What the camera can see in these frames of a match."""
    for number in frames:
        ball = truth.ball[number].astype(np.float64)
        sight = ball[:2] - model.centre[:2]
        aside = np.array([sight[1], -sight[0], 0.0]) / float(np.linalg.norm(sight)) * BALL_RADIUS_M
        pixels = model.project([ball, ball + aside])
        inside = bool(model.sees(pixels[:1])[0])
        diameter = 2 * float(np.linalg.norm(pixels[1] - pixels[0]))
        people = true_boxes(model, truth, number / truth.frames_per_second)
        yield Truth(people, pixels[0] if inside else None, diameter)


def watched(eyes: Eyes, frames: Iterable[Frame]) -> list[Seen]:
    """What the eyes say of each of these frames, asked segment by segment as a node asks."""
    out: list[Seen] = []
    pending = 0
    for frame in frames:
        eyes.look(frame)
        pending += 1
        if pending == SEGMENT_FRAMES:
            out += _rows(eyes.close_segment(len(out) // SEGMENT_FRAMES), pending)
            pending = 0
    return out + _rows(eyes.close_segment(len(out) // SEGMENT_FRAMES), pending)


def _rows(sight: SegmentSight, frames: int) -> list[Seen]:
    balls = [tracklet.id for tracklet in sight.tracklets if tracklet.kind is Kind.BALL]
    ball = np.isin(sight.tracklet, balls)
    out = []
    for number in range(frames):
        people, candidates = ((sight.frame == number) & kind for kind in (~ball, ball))
        out.append(Seen(sight.tracklet[people], sight.box[people], sight.tracklet[candidates], sight.box[candidates]))
    return out


def compared(model: CameraModel, pitch: Pitch, truth: Truth, seen: Seen) -> Compared:
    """People of one frame side by side. Who follows somebody who need not be found, or nobody beside the pitch, is left
    out."""
    boxes = np.array([person.box for person in truth.people]).reshape(-1, 4)
    needed = np.array([p.height_px >= LEAST_HEIGHT_PX and p.visible >= LEAST_VISIBLE for p in truth.people], bool)
    partner = dict(match(seen.boxes, boxes, SAME_IOU))
    foot = np.stack([(seen.boxes[:, 0] + seen.boxes[:, 2]) / 2, seen.boxes[:, 3]], axis=1)
    at = model.to_plane(foot) if len(foot) else foot
    counts = [
        needed[partner[row]] if row in partner else pitch.contains(float(x), float(y), MARGIN_M)
        for row, (x, y) in enumerate(at)
    ]
    rows = np.array(counts, bool)
    ids = np.array([person.id for person in truth.people], np.int64)[needed]
    return Compared(ids, seen.ids[rows], overlap(boxes[needed], seen.boxes[rows]))


def ball_score(truth: Sequence[Truth], seen: Sequence[Seen]) -> BallScore:
    """How the ball was followed."""
    there = found = elsewhere = 0
    ids: set[int] = set()
    for true, now in zip(truth, seen, strict=True):
        if true.ball is None:
            elsewhere += len(now.ball_ids)
            continue
        centre = (now.ball_boxes[:, :2] + now.ball_boxes[:, 2:]) / 2
        near = np.linalg.norm(centre - true.ball, axis=1) < max(NEAR_BALL_PX, true.ball_px)
        there += 1
        found += bool(near.any())
        ids.update(now.ball_ids[near].tolist())
        elsewhere += int((~near).sum())
    return BallScore(found / there if there else float("nan"), len(ids), elsewhere / max(1, len(truth)))


def measured(
    true_rig: TrueRig, index: int, truth: MatchTruth, seed: int, detector: str, joined_s: float
) -> tuple[LinkScore, BallScore]:
    """The scores of one camera over the whole match, its first frames included, in which the eyes know nothing yet."""
    model, rate = true_rig.rig.cameras[index], truth.frames_per_second
    lens = VirtualCamera(true_rig, index, truth, seed)
    eyes = open_eyes(detector, PASSES_PER_SECOND, model.width_px, model.height_px, rate, joined_s=joined_s)
    numbers = range(truth.frames)
    seen = watched(eyes, (Frame(lens.frame(k / rate).copy(), round(k / rate * 1e9), k) for k in numbers))
    true = list(truths(model, truth, numbers))
    people = [compared(model, truth.pitch, t, s) for t, s in zip(true, seen, strict=True)]
    return score(people), ball_score(true, seen)


def line(name: str, people: LinkScore, ball: BallScore) -> str:
    """One camera's scores in one line."""
    return (
        f"{name:22s} HOTA {people.hota:.3f} (Det {people.det_a:.3f}, Ass {people.ass_a:.3f})  IDF1 {people.idf1:.3f}  "
        f"MOTA {people.mota:.3f}  switches {people.switches:3d}  fragments {people.fragments:4d}  "
        f"ball in {ball.found:.3f} of its frames by {ball.tracklets:2d} tracklets, {ball.elsewhere:.2f} elsewhere"
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the scores of every camera of both rigs, and their means."""
    parser = argparse.ArgumentParser(prog="python -m bench.tracker", description=__doc__.partition(":")[0])
    parser.add_argument("--rig", choices=get_args(RigKind), nargs="+", default=list(get_args(RigKind)))
    parser.add_argument("--seeds", type=int, nargs="+", default=[201, 202])
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--detector", choices=["onnx", "motion"], default="onnx")
    parser.add_argument(
        "--only-measured",
        action="store_true",
        help="only what a node sends its hub: without the rows between sightings",
    )
    given = parser.parse_args(arguments)
    joined_s = 0.0 if given.only_measured else JOINED_S
    pitch = default_pitch(11)
    print(f"People of {LEAST_HEIGHT_PX:g} px and more in the picture, {PASSES_PER_SECOND:g} passes a second")
    for rig in given.rig:
        found = []
        for seed in given.seeds:
            true_rig, truth = virtual_rig(rig, pitch, seed), play(pitch, given.seconds, seed)
            for index, name in enumerate(NAMES):
                found.append(measured(true_rig, index, truth, seed, given.detector, joined_s))
                print(line(f"{rig} {seed} {name}", *found[-1]), flush=True)
        hota, idf1, ball = (
            np.nanmean(values)
            for values in ([p.hota for p, _ in found], [p.idf1 for p, _ in found], [b.found for _, b in found])
        )
        switches, fragments = sum(p.switches for p, _ in found), sum(p.fragments for p, _ in found)
        print(
            f"{rig} over all: HOTA {hota:.3f}, IDF1 {idf1:.3f}, {switches} switches, {fragments} fragments, "
            f"ball {ball:.3f}\n"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
