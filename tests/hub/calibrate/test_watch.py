import cv2
import msgspec
import numpy as np
import pytest

from hub.calibrate.watch import Standing, Watch, followed
from wire.rig import CameraModel, Rig


def turned(camera: CameraModel, degrees: float, axis: tuple[float, float, float] = (0.0, 1.0, 0.0)) -> CameraModel:
    """The camera after its mast turned by so much about an axis of the camera."""
    turn = cv2.Rodrigues(np.radians(degrees) * np.array(axis).reshape(3, 1))[0] @ camera.turn
    return msgspec.structs.replace(camera, rotation=tuple(float(v) for v in turn.ravel()))


def looked(rig: Rig, before, now):
    watch = Watch(rig)
    return watch.look(now, watch.shares(before))


def apart_deg(a: CameraModel, b: CameraModel) -> float:
    return float(np.degrees(np.linalg.norm(cv2.Rodrigues(a.turn @ b.turn.T)[0])))


@pytest.fixture
def before(small_mast: Rig, photograph) -> list[np.ndarray]:
    return [photograph(camera, small_mast.pitch) for camera in small_mast.cameras]


def test_cameras_that_have_not_moved_are_steady_and_the_rig_stays_as_it_is(small_mast: Rig, photograph, before):
    noise = np.random.default_rng(8)
    again = [np.clip(p + noise.normal(0, 2, p.shape), 0, 255).astype(np.uint8) for p in before]
    sights = looked(small_mast, before, again)
    assert [sight.standing for sight in sights] == [Standing.STEADY] * 2
    assert followed(small_mast, small_mast, sights) == small_mast


@pytest.mark.parametrize("degrees", [0.15, -0.4])
@pytest.mark.parametrize("axis", [(0.0, 1.0, 0.0), (1.0, 0.0, 0.0)])
def test_a_mast_that_turns_slowly_is_followed(small_mast: Rig, photograph, before, degrees, axis):
    now = [turned(camera, degrees, axis) for camera in small_mast.cameras]
    sights = looked(small_mast, before, [photograph(camera, small_mast.pitch) for camera in now])
    assert {sight.standing for sight in sights} == {Standing.TURNED}
    for found, true in zip(followed(small_mast, small_mast, sights).cameras, now, strict=True):
        assert apart_deg(found, true) < 0.02


def test_only_the_camera_that_turned_is_turned(small_mast: Rig, photograph, before):
    now = [small_mast.cameras[0], turned(small_mast.cameras[1], 0.3)]
    sights = looked(small_mast, before, [photograph(camera, small_mast.pitch) for camera in now])
    assert [sight.standing for sight in sights] == [Standing.STEADY, Standing.TURNED]
    assert followed(small_mast, small_mast, sights).cameras[0] == small_mast.cameras[0]


@pytest.mark.parametrize("knock", ["turned away", "covered"])
def test_a_camera_that_was_knocked_or_covered_is_lost_and_left_as_it_was(small_mast: Rig, photograph, before, knock):
    gone = turned(small_mast.cameras[1], 9.0)
    picture = photograph(gone, small_mast.pitch) if knock == "turned away" else np.full_like(before[1], 40)
    sights = looked(small_mast, before, [before[0], picture])
    assert [sight.standing for sight in sights] == [Standing.STEADY, Standing.LOST]
    assert followed(small_mast, small_mast, sights) == small_mast


def test_a_camera_that_was_followed_stays_where_it_is_while_it_is_lost_and_comes_back_when_it_does(
    small_mast: Rig, photograph, before
):
    right = turned(small_mast.cameras[1], 0.3)
    now = msgspec.structs.replace(small_mast, cameras=(small_mast.cameras[0], right))
    covered = looked(small_mast, before, [before[0], np.full_like(before[1], 40)])
    assert followed(small_mast, now, covered) == now
    assert followed(small_mast, now, looked(small_mast, before, before)) == small_mast


def test_a_camera_without_a_picture_is_passed_over(small_mast: Rig, before):
    watch = Watch(small_mast)
    assert watch.shares([None, before[1]])[0] is None
    first, second = watch.look([before[0], None], watch.shares(before))
    assert (first.standing, second) == (Standing.STEADY, None)
    assert followed(small_mast, small_mast, [first, second]) == small_mast
