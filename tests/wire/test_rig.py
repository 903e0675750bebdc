import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wire.errors import MalformedMessage
from wire.ids import node_id
from wire.rig import CameraModel, Lens, looking

lenses = st.builds(
    Lens,
    st.floats(900, 2500),
    st.floats(940, 980),
    st.floats(520, 560),
    st.floats(-0.3, 0.05),
    st.floats(-0.02, 0.08),
    st.floats(-0.002, 0.002),
    st.floats(-0.002, 0.002),
)
cameras = st.builds(
    lambda lens, yaw, pitch, roll, height: CameraModel(
        node_id("cam"), 1920, 1080, lens, looking(yaw, pitch, roll), (1.0, -40.0, height)
    ),
    lenses,
    st.floats(-60, 60),
    st.floats(-30, -8),
    st.floats(-3, 3),
    st.floats(3, 12),
)


@given(lenses, st.floats(-0.55, 0.55), st.floats(-0.35, 0.35))
def test_undistort_is_the_inverse_of_distort(lens, x, y):
    ideal = np.array([[x, y]])
    np.testing.assert_allclose(lens.undistort(lens.distort(ideal)), ideal, atol=1e-7)


@given(cameras, st.floats(-50, 50), st.floats(-30, 34), st.sampled_from([0.0, 0.11, 1.0]))
def test_a_pitch_point_seen_by_a_camera_is_found_again_on_its_plane(camera, x, y, z):
    pixels = camera.project([[x, y, z]])
    if camera.sees(pixels)[0]:
        np.testing.assert_allclose(camera.to_plane(pixels, z)[0], [x, y], atol=1e-3)


def test_a_camera_at_yaw_zero_sees_right_as_right_and_near_as_low():
    camera = CameraModel(node_id("c"), 1920, 1080, Lens(1500, 960, 540), looking(0, -15, 0), (0.0, -40.0, 7.0))
    left, right, near, far = camera.project([[-5, 0, 0], [5, 0, 0], [0, -20, 0], [0, 20, 0]])
    assert left[0] < 960 < right[0]
    assert near[1] > far[1]


def test_the_sky_meets_no_pitch_and_what_is_behind_is_not_projected():
    camera = CameraModel(node_id("c"), 1920, 1080, Lens(1500, 960, 540), looking(0, -5, 0), (0.0, -40.0, 7.0))
    assert np.isnan(camera.to_plane([[960, 1]])).all()
    assert np.isnan(camera.project([[0, -80, 0]])).all()


def test_a_matrix_that_is_no_rotation_is_refused():
    with pytest.raises(MalformedMessage, match="not a rotation"):
        CameraModel(node_id("c"), 10, 10, Lens(1, 1, 1), (2.0, 0, 0, 0, 1, 0, 0, 0, 1), (0.0, 0.0, 0.0))
