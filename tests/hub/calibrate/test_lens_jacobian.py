import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.calibrate.lens_jacobian import PARAMETERS, FittedCamera, project
from hub.calibrate.overlap import Matches, match_term
from wire.ids import node_id
from wire.rig import Array, looking

SCALES = np.array([1e-6] * 3 + [1e-4] * 3 + [1e-6, 1e-3, 1e-3] + [1e-6] * 5)


def fitted(yaw: float, tilt: float = -14.0) -> FittedCamera:
    turn = np.array(looking(yaw, tilt, 1.0)).reshape(3, 3)
    place, middle = np.array([0.3, -41.0, 7.0]), np.array([955.0, 541.0])
    return FittedCamera(
        node_id("c"), 1920, 1080, turn, place, 1380.0, middle, np.array([-0.25, 0.07, 5e-4, -4e-4, -0.01])
    )


def numeric(function, parameter: int) -> Array:
    step = np.zeros(PARAMETERS)
    step[parameter] = SCALES[parameter]
    return (function(step) - function(-step)) / (2 * SCALES[parameter])


@settings(deadline=None, max_examples=40)
@given(st.floats(-40, 40), st.floats(-20, 20), st.floats(-30, 34), st.floats(0, 8))
def test_the_projection_and_its_derivatives_agree_with_the_camera_model(yaw, x, y, z):
    camera = fitted(yaw)
    point = np.array([[x, y, z]])
    here = project(camera, point)
    if not here.good[0] or np.abs(here.pixels).max() > 3000:
        return
    np.testing.assert_allclose(here.pixels, camera.camera_model().project(point), atol=1e-6)
    for k in range(PARAMETERS):
        slope = numeric(lambda step: project(camera.moved(step), point).pixels[0], k)
        np.testing.assert_allclose(here.by_parameters[0, :, k], slope, rtol=2e-3, atol=2e-2)
    for axis in range(3):
        shift = np.eye(3)[axis] * 1e-5
        slope = (project(camera, point + shift).pixels - project(camera, point - shift).pixels)[0] / 2e-5
        np.testing.assert_allclose(here.by_point[0, :, axis], slope, rtol=1e-3, atol=1e-3)


def test_a_match_is_carried_with_right_derivatives_for_both_cameras():
    cameras = [fitted(-20.0), fitted(20.0)]
    left = np.array([[1700.0, 700.0], [1750.0, 420.0], [1800.0, 150.0]])
    matches = Matches(0, 1, left, np.array([[300.0, 690.0], [310.0, 400.0], [280.0, 160.0]]))
    term = match_term(cameras, matches, np.inf)
    for which in (0, 1):
        for k in range(PARAMETERS):

            def moved(step: Array, which: int = which) -> Array:
                return match_term(
                    [c.moved(step) if i == which else c for i, c in enumerate(cameras)], matches, np.inf
                ).residuals

            slope = numeric(moved, k)
            # A far point is held at its distance from the camera by one, on its ray's cross plane by the other.
            np.testing.assert_allclose(term.jacobian[:2, :, which * PARAMETERS + k], slope[:2], rtol=5e-3, atol=0.05)
