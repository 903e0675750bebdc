from dataclasses import replace

import numpy as np
import pytest

from edge.detect.budget import Attention, Budget
from edge.detect.detector import Detections
from edge.detect.hailo import Chip
from edge.detect.looks import Look
from edge.detect.motion import MotionDetector
from edge.detect.onnx import OnnxDetector
from edge.errors import ChipStalled, UnknownDetector
from edge.frame import Frame
from edge.pose.near import NearTheBall
from edge.pose.pose import POINTS, SOLE, Pose
from edge.track.eyes import REST_S, Eyes, open_eyes
from edge.track.torso import torsos_lab
from wire.tracks import Kind, SegmentTracks, decode_tracks, encode_tracks

RED, BLUE = (40, 40, 200), (200, 60, 40)
SEGMENT, FRAMES = 25, 75


def people_at(k):
    return [(150 + 5 * k, 330, 80, RED), (800 - 5 * k, 440, 100, BLUE)]


def ball_at(k):
    return (900 - 10 * (k - 30), 250 + (k - 30), 4.0)


@pytest.fixture(scope="module", params=["onnx", "motion", "hailo"])
def sights(request, stage):
    """What the eyes saw in three segments: two who walk from the first frame on, a ball from frame 30 on.

    The Hailo chip is a fake one."""
    chip = Chip(request.getfixturevalue("hailo_platform").models, deadline_s=20)
    eyes = open_eyes(request.param, 4.0, stage.width, stage.height, 25.0, chip=chip)
    out = []
    for k in range(FRAMES):
        eyes.look(Frame(stage.picture(people_at(k), [ball_at(k)] if k >= 30 else []), k * 40_000_000, k))
        if k % SEGMENT == SEGMENT - 1:
            out.append(eyes.close_segment(k // SEGMENT))
    yield out
    chip.close()


def test_passes_are_counted_where_they_were_spent(sights, request):
    asked = 0 if "motion" in request.node.callspec.id else 4
    # 75 frames are three seconds, and the first look is due at once.
    assert [sight.passes for sight in sights] == [asked] * 3


def rows_near(sight, kind, frame, point, reach):
    """Tracklet ids of this kind whose anchor in this frame is near the point."""
    kinds = {t.id: t.kind for t in sight.tracklets}
    rows = [r for r in np.flatnonzero(sight.frame == frame) if kinds[int(sight.tracklet[r])] == kind]
    x = (sight.box[rows, 0] + sight.box[rows, 2]) / 2
    y = sight.box[rows, 3] if kind == Kind.PERSON else (sight.box[rows, 1] + sight.box[rows, 3]) / 2
    return {int(sight.tracklet[rows[k]]) for k in np.flatnonzero(np.hypot(x - point[0], y - point[1]) < reach)}


def test_walkers_are_followed_over_segments_under_the_same_ids(sights):
    for who in (0, 1):
        ids = []
        for k in range(55, FRAMES):
            x, foot, tall, _ = people_at(k)[who]
            ids.append(rows_near(sights[k // SEGMENT], Kind.PERSON, k % SEGMENT, (x, foot), 0.12 * tall))
        assert np.mean([len(i) == 1 for i in ids]) > 0.9
        assert len(set.union(*ids)) == 1


def test_the_ball_is_followed_in_most_frames(sights):
    hits = [bool(rows_near(sights[k // SEGMENT], Kind.BALL, k % SEGMENT, ball_at(k)[:2], 4.0)) for k in range(35, 75)]
    assert np.mean(hits) > 0.85


def test_shirts_have_the_colours_that_were_painted(sights):
    (x, foot, *_), (far_x, far_foot, *_) = people_at(60)
    colours = {t.id: t.torso_lab for t in sights[2].tracklets}
    (red,) = rows_near(sights[2], Kind.PERSON, 10, (x, foot), 10)
    (blue,) = rows_near(sights[2], Kind.PERSON, 10, (far_x, far_foot), 12)
    assert colours[red][1] > 160
    assert colours[red][2] > 145
    assert colours[blue][2] < 100


def coded(sequence, sight, frames):
    times = np.arange(frames, dtype=np.int64) * 40_000_000
    columns = (sight.frame, sight.tracklet, sight.box, sight.score)
    return encode_tracks(SegmentTracks("s", "n", sequence, 960, 544, "onnx", sight.tracklets, times, *columns))


def test_rows_are_what_the_wire_wants(sights):
    rows = 0
    for sequence, sight in enumerate(sights):
        listed = {t.id for t in sight.tracklets}
        assert set(sight.tracklet.tolist()) == listed
        assert ((sight.frame >= 0) & (sight.frame < SEGMENT)).all()
        pairs = set(zip(sight.tracklet.tolist(), sight.frame.tolist(), strict=True))
        assert len(pairs) == len(sight.frame)
        assert len(decode_tracks(coded(sequence, sight, SEGMENT)).frame) == len(sight.frame)
        rows += len(sight.frame)
    assert rows > 100


def test_a_segments_rows_are_small(sights):
    # A segment of the node is two seconds. The head of a file, 300 bytes, does not get smaller with its second.
    first, second = sights[1:]
    both = replace(
        first,
        tracklets=tuple({t.id: t for t in (*first.tracklets, *second.tracklets)}.values()),
        frame=np.concatenate([first.frame, second.frame + SEGMENT]),
        tracklet=np.concatenate([first.tracklet, second.tracklet]),
        box=np.concatenate([first.box, second.box]),
        score=np.concatenate([first.score, second.score]),
    )
    rows = len(both.frame)
    assert rows > 80
    assert len(coded(1, both, 2 * SEGMENT)) <= 6 * rows


def test_persons_keep_their_sizes_on_the_way_to_the_hub(stage):
    eyes = open_eyes("motion", None, stage.width, stage.height, 25.0)
    for k in range(FRAMES):
        eyes.look(Frame(stage.picture(people_at(k)), k * 40_000_000, k))
    rows = [row for row in eyes.people.measured_now if eyes.people.believed[row]]
    sizes = dict(zip(eyes.people.tracks["id"][rows].tolist(), eyes.people.sizes[rows], strict=True))
    back = decode_tracks(coded(0, eyes.close_segment(0), FRAMES))
    now = back.frame == FRAMES - 1
    assert len(sizes) == 2
    for number, box in zip(back.tracklet[now].tolist(), back.box[now], strict=True):
        assert box[2:] - box[:2] == pytest.approx(sizes[number], abs=0.5)


def test_eyes_that_saw_nothing_hand_over_nothing(stage):
    eyes = open_eyes("motion", 4.0, stage.width, stage.height, 25.0)
    for k in range(5):
        eyes.look(Frame(stage.picture(), k, k))
    assert eyes.close_segment(0).tracklets == ()


def test_an_unknown_detector_is_refused_in_words(stage):
    with pytest.raises(UnknownDetector, match="onnx"):
        open_eyes("guess", 4.0, 640, 352, 25.0)


def test_grass_alone_has_no_shirt(stage):
    assert np.isnan(torsos_lab(stage.picture(), np.array([[100.0, 100, 140, 200]]))).all()


class Flickering:
    """A detector that only answers in the frames it is told to."""

    name = "hailo"

    def __init__(self, answers):
        self.answers = answers
        self.asked = []

    def fit(self, region):
        return Look(region, 320, 192)

    def look_at(self, frame, looks):
        self.asked.append(frame.index)
        if not self.answers(frame.index):
            raise ChipStalled("no answer")
        none = np.zeros(0)
        return [Detections(np.zeros((0, 4)), none, none.astype(np.int64), look.region) for look in looks]


def eyes_of(detector, passes_per_second, width, height, rate, **more):
    """Eyes whose network is this detector."""
    motion = MotionDetector(width, height, rate)
    attention = Attention(width, height, detector.fit, motion.stature)
    return Eyes(motion, Budget(detector, passes_per_second, rate, attention), width, height, rate, **more)


def watched(detector, frames, rate=5.0):
    told = []
    eyes = eyes_of(detector, rate, 320, 192, rate, note=told.append)
    grass = np.full((288, 320), 90, np.uint8)
    for k in range(frames):
        eyes.look(Frame(grass, k, k))
    return [str(fault) for fault in told]


def test_a_chip_that_fails_is_left_alone_ever_longer_and_asked_again():
    chip = Flickering(lambda _: False)
    assert watched(chip, 2000) == ["no answer"] * 3
    assert chip.asked == [0, 5 * REST_S, 5 * 5 * REST_S]


def test_a_chip_that_is_back_is_asked_as_often_as_before():
    chip = Flickering(lambda frame: frame != 3)
    watched(chip, 200)
    assert chip.asked == [0, 1, 2, 3, *range(3 + round(5 * REST_S), 200)]


def test_eyes_say_why_they_see_less_until_their_chip_is_back():
    eyes = eyes_of(Flickering(lambda frame: frame != 3), 5.0, 320, 192, 5.0)
    said = []
    for k in range(200):
        eyes.look(Frame(np.full((288, 320), 90, np.uint8), k, k))
        said.append(eyes.impaired)
    rests = range(3, 3 + round(5 * REST_S))
    assert [k for k, why in enumerate(said) if why] == list(rests)
    assert "no answer: until it works again" in said[3]


class Crowd(Flickering):
    """A network that sees six people of 24 px in every picture, and from frame 12 on the legs of one more."""

    def __init__(self):
        super().__init__(lambda _: True)

    def look_at(self, frame, looks):
        boxes = [(20.0 + 40 * k, 96.0, 28.0 + 40 * k, 120.0) for k in range(6)]
        if frame.index >= 12:
            boxes.append((270.0, 108.0, 278.0, 120.0))
        kind = np.full(len(boxes), int(Kind.PERSON))
        return [Detections(np.array(boxes), np.full(len(boxes), 0.8), kind, look.region) for look in looks]


def test_legs_alone_are_nobody_once_it_is_known_how_tall_people_look():
    eyes = eyes_of(Crowd(), 5.0, 320, 192, 5.0)
    for k in range(30):
        eyes.look(Frame(np.full((288, 320), 90, np.uint8), k * 200_000_000, k))
    assert eyes.people.believed.sum() == len(eyes.people.boxes) == 6


class Standing:
    """A pose driver to whom everybody stands three pixels lower than his box."""

    name = "standing"
    at_once = 1

    def __init__(self):
        self.asked = 0

    def poses(self, _frame, boxes):
        self.asked += len(boxes)
        return [self._pose(box) for box in boxes]

    def _pose(self, box):
        point = np.zeros((POINTS, 2))
        point[:] = (box[0] + box[2]) / 2, box[3] + 3 - SOLE * (box[3] - box[1])
        return Pose(point, np.full(POINTS, 0.9), box)


def seen_with(poses, stage):
    """Eyes that watched one who walks beside the ball and another far from it."""
    near = NearTheBall(poses, 8.0, 25.0) if poses else None
    eyes = eyes_of(OnnxDetector(stage.width, stage.height), 4.0, stage.width, stage.height, 25.0, poses=near)
    for k in range(45):
        people = [(150 + 5 * k, 330, 80, RED), (900 - 2 * k, 440, 100, BLUE)]
        eyes.look(Frame(stage.picture(people, [(200 + 5 * k, 326, 4.0)]), k * 40_000_000, k))
    return eyes


def test_poses_are_asked_near_the_ball_only_and_draw_the_feet(stage):
    def feet(poses):
        sight = seen_with(poses, stage).close_segment(0)
        rows = [rows_near(sight, Kind.PERSON, 44, place, 15) for place in ((370, 330), (812, 440))]
        return [float(sight.box[np.isin(sight.tracklet, list(ids)), 3].mean()) for ids in rows]

    poses = Standing()
    beside, far = np.array(feet(poses)) - feet(None)
    assert 0 < poses.asked <= 8 * 45 / 25 + 4
    assert beside > 0.5
    assert abs(far) < 0.3


def test_a_chip_that_fails_at_a_pose_rests_too(stage):
    class Failing(Standing):
        def poses(self, _frame, boxes):
            self.asked += 1
            raise ChipStalled("no answer")

    failing = Failing()
    eyes = seen_with(failing, stage)
    assert failing.asked == 1
    assert len(eyes.people.tracks) >= 2


def test_while_the_chip_is_out_of_order_walkers_are_still_followed(stage):
    eyes = eyes_of(Flickering(lambda _: False), 4.0, stage.width, stage.height, 25.0)
    for k in range(60):
        eyes.look(Frame(stage.picture(people_at(k)), k * 40_000_000, k))
    (x, foot, tall, _), _ = people_at(59)
    assert rows_near(eyes.close_segment(0), Kind.PERSON, 59, (x, foot), 0.15 * tall)


def test_a_node_without_its_chip_watches_by_motion_and_says_why(hailo_platform, board, stage):
    board.chip = None
    told = []
    chip = Chip(hailo_platform.models)
    eyes = open_eyes("hailo", 4.0, stage.width, stage.height, 25.0, chip=chip, note=told.append)
    for k in range(60):
        eyes.look(Frame(stage.picture(people_at(k)), k * 40_000_000, k))
    (x, foot, tall, _), _ = people_at(59)
    assert rows_near(eyes.close_segment(0), Kind.PERSON, 59, (x, foot), 0.15 * tall)
    [fault] = told
    assert "no Hailo chip" in str(fault)
