from collections.abc import Callable

import cv2
import msgspec
import numpy as np
import pytest

from hub.picture import Picture
from hub.stitch import plan_panorama
from hub.stitch.following import LOOK_S, Exposures, LightFollower
from wire.rig import Rig

Frames = list[Picture]


@pytest.fixture(scope="module")
def scene(small_mast: Rig, photograph) -> Frames:
    """What both cameras of a mast see, exposed alike."""
    out = []
    for camera in small_mast.cameras:
        stacked = cv2.cvtColor(photograph(camera, small_mast.pitch), cv2.COLOR_BGR2YUV_I420)
        h, w = camera.height_px, camera.width_px
        quarter = stacked[h:].reshape(2, h // 2, w // 2)
        out.append(Picture(stacked[:h], quarter[0], quarter[1]))
    return out


def exposed(picture: Picture, gain: float) -> Picture:
    """The picture of a camera that exposes more."""
    luma = np.clip(16 + (picture.luma.astype(float) - 16) * gain, 16, 235)
    return picture._replace(luma=np.rint(luma).astype(np.uint8))


def run(rig: Rig, frames_at: Callable[[float], Frames], seconds: float) -> list[float]:
    """How many times as bright the left camera's picture is made as the right one's, look by look."""
    follower = LightFollower(plan_panorama(rig, 1024))
    ratios = []
    for k in range(int(seconds / LOOK_S)):
        left, right = follower.at(k * LOOK_S, frames_at(k * LOOK_S))
        ratios.append(left.luma / right.luma)
    return ratios


def test_cameras_that_expose_alike_are_left_as_they_are(small_mast, scene):
    ratios = run(small_mast, lambda _time: scene, 4.0)
    assert np.ptp(ratios) < 0.01
    assert ratios[-1] == pytest.approx(1.0, abs=0.02)


def test_a_slow_drift_is_followed(small_mast, scene):
    ratios = run(small_mast, lambda t: [scene[0], exposed(scene[1], 1 + 0.008 * t)], 20.0)
    assert ratios[-1] / ratios[0] == pytest.approx(1.16, abs=0.05)
    assert np.abs(np.diff(ratios)).max() < 0.01


def test_a_step_of_the_exposure_is_made_up_for_within_half_a_second(small_mast, scene):
    ratios = run(small_mast, lambda t: [scene[0], exposed(scene[1], 1.25 if t >= 2.0 else 1.0)], 4.0)
    before, after = ratios[int(1.8 / LOOK_S)], ratios[int(2.6 / LOOK_S)]
    assert after / before == pytest.approx(1.25, abs=0.03)


def test_a_white_shirt_that_fills_a_third_of_the_overlap_changes_nothing(small_mast, scene):
    plain = run(small_mast, lambda _time: scene, 3.0)

    def with_shirt(time_s: float) -> Frames:
        luma = scene[1].luma.copy()
        if time_s >= 1.0:
            luma[200:420, 0:60] = 225
        return [scene[0], scene[1]._replace(luma=luma)]

    ratios = run(small_mast, with_shirt, 3.0)
    assert np.abs(np.array(ratios) - plain).max() < 0.01


def test_a_cloud_over_both_changes_nothing_and_a_lost_camera_neither(small_mast, scene):
    def cloud(time_s: float) -> Frames:
        return [exposed(picture, 1 - 0.1 * min(time_s, 3.0)) for picture in scene]

    assert np.ptp(run(small_mast, cloud, 4.0)) < 0.02
    follower = LightFollower(plan_panorama(small_mast, 1024))
    first = follower.at(0.0, scene)
    assert [light.luma for light in follower.at(1.0, [scene[0], None])] == pytest.approx(
        [light.luma for light in first]
    )


def test_a_follower_that_goes_on_from_what_another_knew_gives_the_same_lights(small_mast, scene):
    plan = plan_panorama(small_mast, 1024)
    times = [k * LOOK_S for k in range(30)]

    def brighter(time_s: float) -> Frames:
        return [scene[0], exposed(scene[1], 1.2 if time_s > 2.9 else 1.0 + 0.01 * time_s)]

    one = LightFollower(plan)
    known, whole = [], []
    for time_s in times:
        known.append(one.known)
        whole.append([light.luma for light in one.at(time_s, brighter(time_s))])
    for cut in (1, 15, 16, 29):
        other = LightFollower(plan, msgspec.json.decode(msgspec.json.encode(known[cut]), type=Exposures))
        assert [[light.luma for light in other.at(t, brighter(t))] for t in times[cut:]] == whole[cut:]
