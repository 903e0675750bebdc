"""How well a detector finds the simulated people: the number that says whether the pictures are good enough."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edge.detect.looks import STEP, Look
from edge.detect.onnx import OnnxDetector
from edge.frame import Frame
from simulator.match.truth import MatchTruth
from simulator.pictures.camera import VirtualCamera
from simulator.pictures.rigs import TrueRig
from simulator.pictures.visibility import TrueBox, true_boxes
from wire.tracks import Kind

Boxes = npt.NDArray[np.float64]
Detect = Callable[[npt.NDArray[np.uint8]], tuple[Boxes, Boxes]]
"""An I420 picture (3h/2, w) to the boxes (n, 4) x0, y0, x1, y1 in pixels and scores (n,) of the people in it."""

MIN_HEIGHT_PX = 40.0
MIN_VISIBLE = 0.6
MIN_IOU = 0.4
MARGIN_M = 1.0
"""A detection whose foot point lies further than this outside the pitch is nobody's concern."""


@dataclass(frozen=True)
class Recall:
    """What was counted: people that had to be found, those that were, false alarms, pictures; and, per missed person,
    (frame, camera, true box)."""

    wanted: int
    found: int
    false_alarms: int
    pictures: int
    missed: tuple[tuple[int, int, TrueBox], ...] = ()

    @property
    def recall(self) -> float:
        """The share of the wanted people that was found."""
        return self.found / max(self.wanted, 1)

    @property
    def false_alarms_per_picture(self) -> float:
        """Detections on the pitch where nobody is, per picture."""
        return self.false_alarms / max(self.pictures, 1)


def pooled(found: Sequence[Recall]) -> Recall:
    """What was counted over all of these."""
    return Recall(
        sum(one.wanted for one in found),
        sum(one.found for one in found),
        sum(one.false_alarms for one in found),
        sum(one.pictures for one in found),
        tuple(missed for one in found for missed in one.missed),
    )


def measure_recall(
    detect: Detect, true_rig: TrueRig, truth: MatchTruth, frames: Iterable[int], seed: int, min_scores: Sequence[float]
) -> list[Recall]:
    """Run `detect` on the truth's `frames` as all cameras of the rig see them; one result per score in `min_scores`.

    People of at least 40 px of whom 60 % can be seen must be found at an IoU of 0.4; finding others is neither counted
    nor a false alarm.
    """
    frames = list(frames)
    counts = [_Count() for _ in min_scores]
    for index, model in enumerate(true_rig.rig.cameras):
        camera = VirtualCamera(true_rig, index, truth, seed)
        for frame in frames:
            time_s = frame / truth.frames_per_second
            boxes, scores = detect(camera.frame(time_s))
            on_pitch = _stands_on_pitch(true_rig, index, boxes)
            people = true_boxes(model, truth, time_s)
            for count, least in zip(counts, min_scores, strict=True):
                sure = scores >= least
                count.add((frame, index), boxes[sure], on_pitch[sure], people)
    pictures = len(frames) * len(true_rig.rig.cameras)
    return [Recall(c.wanted, c.found, c.false_alarms, pictures, tuple(c.missed)) for c in counts]


class _Count:
    """The running counts at one score threshold."""

    def __init__(self) -> None:
        self.wanted = self.found = self.false_alarms = 0
        self.missed: list[tuple[int, int, TrueBox]] = []

    def add(self, where: tuple[int, int], boxes: Boxes, on_pitch: npt.NDArray[np.bool_], people: list[TrueBox]) -> None:
        pairs = match(boxes, np.array([person.box for person in people]).reshape(-1, 4))
        hit = {j for _, j in pairs}
        for j, person in enumerate(people):
            if person.height_px >= MIN_HEIGHT_PX and person.visible >= MIN_VISIBLE:
                self.wanted += 1
                self.found += j in hit
                if j not in hit:
                    self.missed.append((*where, person))
        used = {i for i, _ in pairs}
        self.false_alarms += sum(1 for i in range(len(boxes)) if on_pitch[i] and i not in used)


def shipped_detector(width_px: int, height_px: int, scale: float) -> Detect:
    """The node's `onnx` detector looking at the whole picture at `scale` network pixels per pixel."""
    detector = OnnxDetector(width_px, height_px)
    sides = (max(STEP, round(side * scale / STEP) * STEP) for side in (width_px, height_px))
    look = Look((0, 0, width_px, height_px), *sides)

    def detect(i420: npt.NDArray[np.uint8]) -> tuple[Boxes, Boxes]:
        [found] = detector.look_at(Frame(i420, 0, 0), [look])
        people = found.of(Kind.PERSON)
        return people.box, people.score

    return detect


def match(boxes: Boxes, truths: Boxes, min_iou: float = MIN_IOU) -> list[tuple[int, int]]:
    """Pairs (row of `boxes`, row of `truths`) of best overlap first, each row at most once, IoU at least `min_iou`."""
    if not len(boxes) or not len(truths):
        return []
    low = np.maximum(boxes[:, None, :2], truths[None, :, :2])
    high = np.minimum(boxes[:, None, 2:], truths[None, :, 2:])
    common = np.prod(np.clip(high - low, 0, None), axis=2)
    areas = [np.prod(b[:, 2:] - b[:, :2], axis=1) for b in (boxes, truths)]
    iou = common / np.maximum(areas[0][:, None] + areas[1][None, :] - common, 1e-9)
    pairs: list[tuple[int, int]] = []
    while iou.max() >= min_iou:
        i, j = (int(v) for v in np.unravel_index(np.argmax(iou), iou.shape))
        pairs.append((i, j))
        iou[i, :] = -1
        iou[:, j] = -1
    return pairs


def _stands_on_pitch(true_rig: TrueRig, index: int, boxes: Boxes) -> npt.NDArray[np.bool_]:
    pitch = true_rig.rig.pitch
    foot = np.stack([(boxes[:, 0] + boxes[:, 2]) / 2, boxes[:, 3]], axis=1).reshape(-1, 2)
    ground = true_rig.rig.cameras[index].to_plane(foot)
    return np.array([bool(pitch.contains(float(x), float(y), MARGIN_M)) for x, y in ground], dtype=np.bool_)
