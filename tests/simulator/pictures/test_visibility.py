import numpy as np

from simulator.match.truth import MatchTruth, Person
from simulator.pictures.recall import match, measure_recall
from simulator.pictures.visibility import true_boxes
from wire.pitch_tracks import Role, TeamSide


def standing(truth, places):
    """A truth in which people stand still at `places` (x, y) metres."""
    people = tuple(Person(k, Role.PLAYER, TeamSide.HOME, False, k + 1, 1.75) for k in range(len(places)))
    shape = (3, len(places))
    return MatchTruth(
        pitch=truth.pitch,
        people=people,
        xy=np.broadcast_to(np.array(places, np.float32), (3, len(places), 2)).copy(),
        heading=np.zeros(shape, np.float32),
        speed=np.zeros(shape, np.float32),
        stride=np.zeros(shape, np.float32),
        pose=np.zeros(shape, np.uint8),
        ball=np.zeros((3, 3), np.float32),
        events=(),
    )


def test_a_box_spans_feet_to_head(truth, true_rig):
    camera = true_rig.rig.cameras[1]
    (seen,) = true_boxes(camera, standing(truth, [(2.0, 4.0)]), 0.0)
    foot, head = camera.project([[2.0, 4.0, 0.0], [2.0, 4.0, 1.75]])
    assert abs(seen.box[3] - foot[1]) < 0.08 * seen.height_px
    assert abs(seen.box[1] - head[1]) < 0.08 * seen.height_px
    assert seen.box[0] < foot[0] < seen.box[2]
    assert seen.visible == 1.0


def test_somebody_behind_another_is_hidden_and_the_nearer_is_not(truth, true_rig):
    camera = true_rig.rig.cameras[1]
    x, y = camera.centre[:2]
    near = np.array([1.0, 0.0])
    behind = near + 0.5 * (near - (x, y)) / np.linalg.norm(near - (x, y))
    boxes = {b.id: b for b in true_boxes(camera, standing(truth, [tuple(behind), tuple(near)]), 0.0)}
    assert boxes[1].visible == 1.0
    assert boxes[0].visible < 0.5


def test_somebody_outside_every_picture_has_no_box(truth, true_rig):
    assert all(not true_boxes(camera, standing(truth, [(0.0, -300.0)]), 0.0) for camera in true_rig.rig.cameras)


def test_matching_takes_the_best_overlap_first_and_each_box_once():
    truths = np.array([[0, 0, 10, 20], [6, 0, 16, 20]], float)
    boxes = np.array([[5, 0, 15, 20], [0, 0, 10, 19], [100, 0, 110, 20]], float)
    assert sorted(match(boxes, truths)) == [(0, 1), (1, 0)]


def test_a_perfect_detector_has_full_recall_and_a_dreamer_false_alarms(truth, true_rig):
    times = iter([(c, f) for c in range(3) for f in (10, 60)])

    def perfect(_picture):
        index, frame = next(times)
        boxes = true_boxes(true_rig.rig.cameras[index], truth, frame / 25)
        rows = np.array([b.box for b in boxes]).reshape(-1, 4)
        dream = np.array([[480.0, 300.0, 483.0, 304.0]])
        return np.concatenate([rows, dream]), np.append(np.ones(len(rows)), 0.4)

    sure, all_of_it = measure_recall(perfect, true_rig, truth, (10, 60), 11, (0.5, 0.3))
    assert sure.recall == 1.0
    assert sure.wanted > 0
    assert sure.false_alarms == 0
    assert all_of_it.false_alarms_per_picture == 1.0


def test_a_blind_detector_finds_nobody(truth, true_rig):
    (result,) = measure_recall(lambda _: (np.zeros((0, 4)), np.zeros(0)), true_rig, truth, (10,), 11, (0.3,))
    assert result.recall == 0.0
    assert len(result.missed) == result.wanted > 0
