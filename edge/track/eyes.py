"""The node's eyes: detectors and trackers of one session, frame by frame, segment by segment."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np

from edge.detect.budget import PASSES_PER_SECOND, Attention, Budget, Scene
from edge.detect.detector import Detections, Floats, middles
from edge.detect.hailo import Chip, HailoDetector
from edge.detect.motion import MotionDetector
from edge.detect.network import NetworkDetector
from edge.detect.onnx import OnnxDetector
from edge.errors import ChipFault, EdgeError, UnknownDetector, WrongWeights
from edge.frame import Frame
from edge.pose.hailo import HailoPose
from edge.pose.near import NearTheBall
from edge.pose.onnx import OnnxPose
from edge.sight import SegmentSight
from edge.track.ball import Balls
from edge.track.ids import tracklet_ids
from edge.track.people import ACCELERATION as PERSON_ACCELERATION
from edge.track.people import MOTION_LOOK, NETWORK_LOOK, People, Tracks, box_at
from edge.track.row_loops import medians
from edge.track.shirts import ShirtsSeen
from edge.track.torso import torsos_lab
from wire.tracks import Kind, Tracklet

DETECTORS = ("onnx", "motion", "hailo")
REST_S = 30.0
"""A chip that failed is left alone for so long, four times longer after each time in a row: opening it again holds up
the whole node for a moment."""
PART_OF_SCENE = 0.5
"""Score from which on the network is believed that a ball has lain there all the time: marks look like one, too."""
WHOLE = 0.6
"""What the network finds that is smaller than this share of a person there is a part of somebody: legs and a ball make
a person, too, and then the ball would be in his shirt."""
COLOUR_FRAMES = 8
"""A person's shirt is looked at once in so many frames."""
SIZE_STEP_PX = 0.5
"""Sizes of persons' boxes are told in steps of this: what only trembles then costs no bytes."""
BALL_BEND = 0.5
"""How much a ball's smoothed path may bend, in ball diameters per frame²: a kick must stay a corner."""


class Eyes:
    """Follows persons and ball candidates through one session of one camera (`edge.sight.Eyes`).

    The motion detector sees every frame; a network, where there is one, takes the looks that its `budget` allows.
    `poses`, where there is one, says where persons near the ball stand. Between two sightings of a person no further
    apart than `joined_s` he has a row in every frame, else only where he was measured. While a chip is out of order the
    motion detector carries on alone, and `note` is told why. Everything is counted in frames, so the same frames always
    give the same rows.
    """

    def __init__(
        self,
        motion: MotionDetector,
        budget: Budget | None,
        width: int,
        height: int,
        frames_per_second: float,
        first_segment: int = 0,
        note: Callable[[EdgeError], None] = lambda _: None,
        poses: NearTheBall | None = None,
        joined_s: float = 0.0,
    ) -> None:
        self.name = budget.name if budget else motion.name
        self._motion = motion
        self._budget = budget
        self._note = note
        self._poses = poses
        self._rate = frames_per_second
        self._rest_s = REST_S
        self._resting_until = 0.0
        self._frame = 0
        self._segment_first = 0
        self._joined = max(1, round(joined_s * frames_per_second))
        self._passes_spent = 0
        self.impaired: str | None = None
        """Why the network is left alone, while it is (`edge.sight.Eyes`)."""
        self.found: Detections | None = None
        """What the detector found in the last frame, where it is in that picture; None where no look was due."""
        ids = tracklet_ids(first_segment)
        self.people = People(ids, frames_per_second)
        self.balls = Balls(ids, frames_per_second, motion.stature)
        self._shirts = ShirtsSeen()
        self._size = (width, height)
        self._pace = 25.0 / frames_per_second

    def look(self, frame: Frame) -> None:
        """Take in the next frame."""
        at = self._frame
        self._frame += 1
        self.found = None
        self.people.advance(at)
        self.balls.advance(at)
        before = self._motion.luma
        self._motion.alone = self._budget is None or at < self._resting_until
        if self._budget is None or self._motion.alone:
            seen = self._motion.detect(frame)
            self.found = replace(seen, box=seen.box + np.tile(self._motion.sway, 2))
            moving = seen.of(Kind.BALL)
            self.people.see(seen.of(Kind.PERSON), MOTION_LOOK)
        else:
            self._motion.watch(frame)
            moving = self._motion.balls()
            self._spend(self._budget, frame, at)
        if self._budget is not None:
            self.people.refine(self._motion.blobs)
        self.people.carry(before, self._motion.luma, self._motion.background.factor)
        persons_now = self.people.boxes
        self.balls.see(moving, persons_now, seen_by_network=False)
        self.balls.search(self._motion.front(frame), persons_now)
        if self._poses and at >= self._resting_until:
            self._look_at_poses(self._poses, frame, at)
        if at % COLOUR_FRAMES == 0:
            self._look_at_shirts(frame, persons_now)
        if self._motion.background.learns:
            self._motion.kept = np.concatenate([persons_now[self.people.believed], self.balls.boxes])

    def _spend(self, budget: Budget, frame: Frame, at: int) -> None:
        """Take the looks that are due."""
        try:
            spent = budget.spend(at / self._rate, frame, self._scene)
        except (ChipFault, WrongWeights) as fault:
            self._rest(fault, at)
            return
        if spent is None:
            return
        self._rest_s, self.impaired = REST_S, None
        found, looks = spent
        self._passes_spent += len(looks)
        self.found = found
        sway = self._motion.sway
        if sway.any():
            found = replace(found, box=found.box - np.tile(sway, 2))
            looks = [look.moved(-sway) for look in looks]
        persons = found.of(Kind.PERSON)
        stature = self._motion.stature
        stature.learn(persons.box[persons.score > 0.45])
        if stature.known:
            tall = persons.box[:, 3] - persons.box[:, 1]
            persons = persons.where(tall > WHOLE * stature.at(persons.box[:, 3]))
        self.people.see(persons, NETWORK_LOOK, looks, partial(self._shirts_in, frame))
        balls = found.of(Kind.BALL)
        there = self._motion.differs(balls.box) | (balls.score > PART_OF_SCENE)
        self.balls.see(balls.where(there), self.people.boxes, seen_by_network=True)

    def _scene(self) -> Scene:
        return Scene(self._motion.moving, *self.balls.chances, middles(self.people.boxes))

    def _look_at_poses(self, poses: NearTheBall, frame: Frame, at: int) -> None:
        people = self.people
        try:
            sway = np.tile(self._motion.sway, 2)
            asked = poses.ask(frame, people.tracks["id"].tolist(), people.boxes + sway, self.balls.boxes + sway)
        except (ChipFault, WrongWeights) as fault:
            self._rest(fault, at)
            return
        standing = [(row, pose.stance) for row, pose in asked if pose.stance is not None]
        if standing:
            rows, stances = zip(*standing, strict=True)
            people.stand(np.array(rows), np.array(stances) - self._motion.sway)

    def _rest(self, fault: EdgeError, at: int) -> None:
        self._note(fault)
        self.impaired = f"{fault}: until it works again, people are followed by their motion alone"
        self._resting_until = at + self._rest_s * self._rate
        self._rest_s *= 4

    def close_segment(self, sequence: int) -> SegmentSight:
        """The rows since the last call, smoothed within what was measured."""
        first, self._segment_first = self._segment_first, self._frame
        passes, self._passes_spent = self._passes_spent, 0
        people, balls = _handed_over(self.people), _handed_over(self.balls)
        person_bend = PERSON_ACCELERATION * self._pace**2 * people["size"][:, 1]
        ball_bend = BALL_BEND * np.maximum(2.0, balls["diameter"])
        persons = self.people.measured.series().since(first, people["number"], person_bend, self._joined)
        candidates = self.balls.measured.series().since(first, balls["number"], ball_bend)
        for who in (self.people, self.balls):
            who.over = who.over[:0]
            who.measured.forget_before(self._frame)
        shirts = self._shirts.close(self.people.tracks["number"])
        ids, numbers = people["id"].tolist(), people["number"].tolist()
        tracklets = [Tracklet(one, Kind.PERSON, shirts.get(number)) for one, number in zip(ids, numbers, strict=True)]
        tracklets += [Tracklet(one, Kind.BALL) for one in balls["id"].tolist()]
        boxes = _person_boxes(persons.place, persons.size), _ball_boxes(candidates.place, candidates.size)
        count = np.concatenate([persons.count, candidates.count])
        told = np.flatnonzero(count)
        score = np.concatenate([persons.score, candidates.score])
        return SegmentSight(
            tuple(tracklets[nth] for nth in told.tolist()),
            np.concatenate([persons.frame, candidates.frame]) - first,
            np.repeat(np.concatenate([people["id"], balls["id"]]), count),
            np.clip(np.concatenate(boxes), 0, np.tile(self._size, 2)),
            np.repeat(medians(score[:, None], count[told])[:, 0], count[told]),
            passes,
        )

    def _look_at_shirts(self, frame: Frame, boxes: Floats) -> None:
        rows = self.people.measured_now
        colours = self._shirts_in(frame, boxes[rows])
        self.people.wear(rows, colours)
        self._shirts.add(self.people.tracks["number"][rows], colours)

    def _shirts_in(self, frame: Frame, boxes: Floats) -> Floats:
        return torsos_lab(frame.planes, boxes + np.tile(self._motion.sway, 2))


def _handed_over(who: People | Balls) -> Tracks:
    """Those whom a segment may tell of."""
    return np.concatenate([who.over, who.tracks[who.believed]])


def _person_boxes(foot: Floats, size: Floats) -> Floats:
    return box_at(foot, np.round(size / SIZE_STEP_PX) * SIZE_STEP_PX)


def _ball_boxes(centre: Floats, size: Floats) -> Floats:
    return np.concatenate([centre - size / 2, centre + size / 2], axis=1)


def open_eyes(
    detector: str,
    passes_per_second: float | None,
    width: int,
    height: int,
    frames_per_second: float,
    first_segment: int = 0,
    *,
    poses_per_second: float = 0.0,
    chip: Chip | None = None,
    note: Callable[[EdgeError], None] = lambda _: None,
    joined_s: float = 0.0,
) -> Eyes:
    """The eyes of a camera of this size and rate, which open at a session's segment `first_segment`; `detector` is one
    of `DETECTORS`.

    `onnx` looks through the network so many times a second (None: as `PASSES_PER_SECOND` says), `hailo` through `chip`,
    `motion` never does; so many persons a second are asked for their pose, on the chip where there is one. `note` is
    told of faults that the eyes get over, a chip that cannot be used among them; `joined_s` as for `Eyes`. Raises
    `UnknownDetector` or `WrongWeights`.
    """
    if detector not in DETECTORS:
        raise UnknownDetector(f"there is no detector {detector!r}: choose one of {', '.join(DETECTORS)}")
    chip = chip or Chip()
    passes: NetworkDetector | None = None
    if passes_per_second is None:
        passes_per_second = PASSES_PER_SECOND[detector]
    if detector != "motion" and passes_per_second > 0:
        passes = HailoDetector(width, height, chip) if detector == "hailo" else OnnxDetector(width, height)
    poses = None
    if poses_per_second > 0:
        pose = HailoPose(chip) if detector == "hailo" else OnnxPose()
        poses = NearTheBall(pose, poses_per_second, frames_per_second)
    motion = MotionDetector(width, height, frames_per_second)
    budget = None
    if passes:
        attention = Attention(width, height, passes.fit, motion.stature)
        budget = Budget(passes, passes_per_second, frames_per_second, attention)
    return Eyes(motion, budget, width, height, frames_per_second, first_segment, note, poses, joined_s)
