from dataclasses import replace

import cv2
import numpy as np
import pytest

from simulator.match.truth import Pose
from simulator.pictures.body import Posture
from simulator.pictures.camera import posture_of
from simulator.pictures.moment import moment
from simulator.pictures.visibility import true_boxes
from wire.pitch_tracks import TeamSide


def luma(i420):
    return i420[: i420.shape[0] * 2 // 3].astype(float)


def test_the_same_time_gives_the_same_picture_and_another_time_another(cameras):
    camera = cameras[1]
    first = camera.frame(1.0).copy()
    other = camera.frame(1.5).copy()
    assert (camera.frame(1.0) == first).all()
    assert (first != other).any()


def test_noise_has_the_sigma_of_the_camera_and_no_bias(cameras, true_rig):
    camera = cameras[0]
    a, b = luma(camera.frame(0.5).copy()), luma(camera.frame(0.51).copy())
    difference = (a - b)[400:, 100:500]
    assert abs(np.std(difference) / np.sqrt(2) - true_rig.faults[0].noise_sigma) < 0.35
    assert abs(difference.mean()) < 0.05


@pytest.mark.parametrize("time_s", [0.3, 2.2])
def test_people_change_the_picture_where_the_truth_says_they_are(cameras, truth, time_s):
    empty_truth = replace(truth, xy=truth.xy + 500.0, ball=truth.ball + 500.0)
    for index, camera in enumerate(cameras):
        boxes = [b for b in true_boxes(camera.camera, truth, time_s) if b.visible > 0.9 and b.height_px > 25]
        picture = luma(camera.frame(time_s).copy())
        kept, camera.truth = camera.truth, empty_truth
        empty = luma(camera.frame(time_s).copy())
        camera.truth = kept
        changed = np.abs(cv2.GaussianBlur(picture - empty, (5, 5), 0)) > 6
        outside = np.ones_like(changed)
        for box in true_boxes(camera.camera, truth, time_s):
            x0, y0, x1, y1 = (int(v) for v in box.box)
            tall = y1 - y0
            outside[max(0, y0 - 4) : y1 + tall // 4 + 6, max(0, x0 - tall // 2) : x1 + tall // 2] = False
        for box in boxes:
            x0, y0, x1, y1 = (int(v) for v in box.box)
            assert changed[y0:y1, x0:x1].mean() > 0.15, (index, box)
        assert changed[outside].mean() < 0.002


def test_shirts_have_the_teams_colours(cameras, truth):
    reds = {TeamSide.HOME: [], TeamSide.AWAY: []}
    people = {person.id: person for person in truth.people}
    for camera in cameras:
        bgr = cv2.cvtColor(camera.frame(2.0), cv2.COLOR_YUV2BGR_I420).astype(float)
        for box in true_boxes(camera.camera, truth, 2.0):
            person = people[box.id]
            if person.team in reds and not person.keeper and box.visible > 0.95 and box.height_px > 20:
                x0, y0, x1, y1 = box.box
                u, v = int((x0 + x1) / 2), int(y0 + 0.32 * (y1 - y0))
                patch = bgr[v - 1 : v + 2, u - 1 : u + 2].mean(axis=(0, 1))
                reds[person.team].append(patch[2] - patch[0])
    assert np.median(reds[TeamSide.HOME]) > 40
    assert np.median(reds[TeamSide.AWAY]) < -40


def test_the_ball_is_drawn_bright_where_it_is(cameras, truth):
    seen = 0
    for time_s in np.arange(0.2, 3.8, 0.2):
        ball = moment(truth, time_s).ball
        for camera in cameras:
            pixel = camera.camera.project([ball])
            boxes = true_boxes(camera.camera, truth, time_s)
            u, v = pixel[0]
            near = any(b.box[0] - 6 < u < b.box[2] + 6 and b.box[1] - 6 < v < b.box[3] + 6 for b in boxes)
            if not camera.camera.sees(pixel, 10.0).all() or near:
                continue
            away = np.linalg.norm(ball - camera.camera.centre)
            reach = int(0.11 * camera.camera.lens.focal_px / away) + 1
            picture = luma(camera.frame(time_s).copy())
            kept, camera.truth = camera.truth, replace(truth, ball=truth.ball + 500.0)
            without = luma(camera.frame(time_s).copy())
            camera.truth = kept
            brighter = np.clip(picture - without - 8, 0, None)
            rows, columns = np.nonzero(brighter)
            assert brighter.max() > 40
            assert abs(np.average(columns + 0.5, weights=brighter[rows, columns]) - u) < reach
            assert abs(np.average(rows + 0.5, weights=brighter[rows, columns]) - v) < reach
            seen += 1
    assert seen >= 3


@pytest.mark.parametrize("side", [-1, 1])
def test_somebody_in_a_goal_leaves_the_net_around_him_as_it_is(cameras, truth, side):
    xy = truth.xy - (0.0, 500.0)  # behind the mast
    empty = replace(truth, xy=xy, ball=truth.ball - (0.0, 500.0, 0.0))
    inside = xy.copy()
    inside[:, 0] = (side * (truth.pitch.half_length + 0.9), 0.0)
    camera = next(c for c in cameras if c.camera.sees(c.camera.project([(*inside[0, 0], 1.0)]), 40.0).all())
    kept = camera.truth
    pictures = []
    for camera.truth in (empty, replace(empty, xy=inside)):
        pictures.append(luma(camera.frame(1.0).copy()))
    box = next(b.box for b in true_boxes(camera.camera, camera.truth, 1.0) if b.id == truth.people[0].id)
    camera.truth = kept
    x0, y0, x1, y1 = (int(v) for v in box)
    tall = y1 - y0
    outside = np.ones(pictures[0].shape, bool)
    outside[y0 - tall // 2 : y1 + tall // 2, x0 - tall : x1 + tall] = False
    goal = camera._goals[side]
    u0, v0, u1, v1 = goal.box
    net = np.zeros_like(outside)
    net[v0:v1, u0:u1] = goal.layer[..., 3] > 0.1
    assert (net & outside).sum() > 100
    assert (pictures[0] == pictures[1])[outside].all()
    assert np.abs(pictures[0] - pictures[1])[~outside].max() > 25


def test_neighbouring_cameras_show_the_overlap_alike_but_not_equally_bright(cameras, true_rig):
    pictures = [luma(camera.frame(1.0).copy()) for camera in cameras]
    x = np.linspace(-12, 0, 30)
    ground = np.stack(np.meshgrid(x, np.linspace(-5, 12, 30), [0.0]), axis=-1).reshape(-1, 3)
    left, centre = (camera.camera for camera in cameras[:2])
    a, b = left.project(ground), centre.project(ground)
    both = left.sees(a, 5) & centre.sees(b, 5)
    assert both.sum() > 30
    va, vb = (
        cv2.GaussianBlur(p, (7, 7), 2)[px[both, 1].astype(int), px[both, 0].astype(int)]
        for p, px in zip(pictures[:2], (a, b), strict=True)
    )
    assert np.corrcoef(va, vb)[0, 1] > 0.5
    gains = [fault.gain for fault in true_rig.faults[:2]]
    assert gains[0] != gains[1]


def test_a_camera_between_two_truth_frames_sees_people_between_their_places(truth):
    now = moment(truth, 1.02)
    assert np.allclose(now.xy, (truth.xy[25] + truth.xy[26]) / 2, atol=1e-4)
    assert np.allclose(moment(truth, 999.0).ball, truth.ball[-1])


def test_headings_turn_the_short_way_round(truth):
    heading = truth.heading.copy()
    heading[0], heading[1] = 3.1, -3.1
    between = moment(replace(truth, heading=heading), 0.02).heading
    assert np.allclose(np.abs(np.angle(np.exp(1j * between))), np.pi, atol=0.01)


def test_postures_follow_pose_and_speed():
    assert posture_of(Pose.RUN, 6.0, False) is Posture.RUN
    assert posture_of(Pose.RUN, 1.2, False) is Posture.WALK
    assert posture_of(Pose.STAND, 0.0, True) is Posture.READY
    assert posture_of(Pose.DIVE, 4.0, True) is Posture.DIVE
    assert posture_of(Pose.KICK, 2.0, False) is Posture.KICK


def test_i420_pictures_are_whole_and_in_range(cameras):
    for camera in cameras:
        picture = camera.frame(0.0)
        assert picture.shape == (810, 960)
        assert picture.dtype == np.uint8
        assert 40 < luma(picture).mean() < 160
