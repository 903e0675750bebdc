import numpy as np
import pytest

from hub.errors import FramesDoNotFit
from hub.stitch import PanoramaView, Stitcher, plan_panorama, split_planes
from hub.stitch.colour import _TO_YUV
from hub.stitch.plan import StitchPlan
from wire.rig import Array, CameraModel, Rig


def bilinear(plane: np.ndarray, x: Array, y: Array) -> Array:
    """The plane read at index coordinates, in float; NaN where its samples would lie outside."""
    whole_x, whole_y = np.floor(x).astype(int), np.floor(y).astype(int)
    inside = (whole_x >= 0) & (whole_y >= 0) & (whole_x < plane.shape[1] - 1) & (whole_y < plane.shape[0] - 1)
    a, b = np.where(inside, whole_x, 0), np.where(inside, whole_y, 0)
    fx, fy = x - a, y - b
    p = plane.astype(float)
    top = p[b, a] * (1 - fx) + p[b, a + 1] * fx
    low = p[b + 1, a] * (1 - fx) + p[b + 1, a + 1] * fx
    return np.where(inside, top * (1 - fy) + low * fy, np.nan)


def exact(camera: CameraModel, frame: np.ndarray, view: PanoramaView, pixels: Array) -> Array:
    """What one camera contributes at panorama pixels: evened-out Y, Cb, Cr (n, 3), from the definitions alone."""
    seen = camera.project(view.points(pixels))
    planes = split_planes(frame, camera.width_px, camera.height_px)
    yuv = np.stack(
        [bilinear(p, seen[:, 0] / s - 0.5, seen[:, 1] / s - 0.5) for p, s in zip(planes, (1, 2, 2), strict=True)]
    )
    half = np.array([camera.width_px, camera.height_px]) / 2
    r2 = (((seen - half) / np.linalg.norm(half)) ** 2).sum(axis=1)
    v1, v2 = camera.photometry.vignette
    rgb = np.linalg.inv(_TO_YUV) @ (yuv - [[16], [128], [128]])
    lit = np.array(camera.photometry.gain)[:, None] * rgb / (1 + v1 * r2 + v2 * r2**2)
    return (_TO_YUV @ lit + [[16], [128], [128]]).T


def weight_maps(plan: StitchPlan) -> list[np.ndarray]:
    """Each camera's weight over the whole panorama."""
    out = [np.zeros((plan.view.height_px, plan.view.width_px)) for _ in plan.cameras]
    for span in plan.spans:
        if len(span.cameras) == 1:
            out[span.cameras[0]][:, span.left : span.right] = 1
        for k, weight in zip(span.cameras, span.weights, strict=False):
            out[k][:, span.left : span.right] = weight
    return out


def test_the_fast_panorama_equals_a_slow_exact_one(rig: Rig, frames):
    plan = plan_panorama(rig, 1024)
    view = plan.view
    planes = split_planes(Stitcher(plan).stitch(frames), view.width_px, view.height_px)
    u, v = np.meshgrid(np.arange(view.width_px) + 0.5, np.arange(view.height_px) + 0.5)
    pixels = np.stack([u.ravel(), v.ravel()], axis=1)
    total = np.zeros((len(pixels), 3))
    for camera, frame, weight in zip(rig.cameras, frames, weight_maps(plan), strict=True):
        share = weight.ravel()[:, None]
        total += np.where(share > 0, share * exact(camera, frame, view, pixels), 0.0)
    shape = (view.height_px, view.width_px)
    luma = np.abs(planes[0] - total[:, 0].reshape(shape))
    known = np.isfinite(luma)
    assert known.mean() > 0.8
    # Each of warp, gain and blend rounds once; what chroma adds to luma is left out on purpose.
    assert luma[known].mean() < 0.8
    assert np.percentile(luma[known], 99) < 3.0
    for k in (1, 2):
        wide = total[:, k].reshape(shape)
        mean = (wide[::2, ::2] + wide[1::2, ::2] + wide[::2, 1::2] + wide[1::2, 1::2]) / 4
        gap = np.abs(planes[k] - mean)
        assert gap[np.isfinite(gap)].mean() < 1.2
        # A vignette darkens chroma too; that is left alone.
        assert np.percentile(gap[np.isfinite(gap)], 99) < 5.0


def test_weights_are_whole_everywhere_and_seams_keep_off_the_goals(rig: Rig):
    plan = plan_panorama(rig, 1024)
    np.testing.assert_allclose(np.sum(weight_maps(plan), axis=0), 1, atol=2e-3)
    assert plan.spans[0].left == 0
    assert plan.spans[-1].right == plan.view.width_px
    for span in plan.spans:
        if len(span.cameras) > 1:
            for side in (-1, 1):
                goal = plan.view.to_pixel(side * rig.pitch.half_length, 0.0, 1.0)[0]
                assert not span.left < goal < span.right


@pytest.mark.parametrize("width", [512, 1024, 4096])
def test_the_panorama_keeps_to_its_width_and_shows_every_corner_that_a_camera_sees(rig: Rig, width):
    view = plan_panorama(rig, width).view
    assert view.width_px <= width
    assert view.width_px % 16 == 0
    assert view.height_px % 16 == 0
    for x in (-52.5, 0.0, 52.5):
        for y in (-34.0, 34.0):
            point = np.array([[x, y, 0.0]])
            if any(c.sees(np.nan_to_num(c.project(point), nan=-1.0), 5.0)[0] for c in rig.cameras):
                u, v = view.to_pixel(x, y)
                assert -1 <= u <= view.width_px + 17
                assert 0 <= v <= view.height_px + 17


def test_left_is_left_far_is_high_and_points_find_their_pixels_again(rig: Rig):
    view = plan_panorama(rig, 1024).view
    ground = np.array([[x, y, 0.4] for x in (-40.0, -3.0, 20.0) for y in (-20.0, 5.0, 33.0)])
    np.testing.assert_allclose(view.points(view.project(ground)), ground, atol=1e-6)
    left, right, near, far = view.project([[-10, 0, 0], [10, 0, 0], [0, -20, 0], [0, 20, 0]])
    assert left[0] < right[0]
    assert far[1] < near[1]


def test_a_missing_camera_leaves_a_calm_gap_that_its_neighbours_narrow(rig: Rig, frames):
    plan = plan_panorama(rig, 1024)
    stitcher = Stitcher(plan)
    whole = split_planes(stitcher.stitch(frames), plan.view.width_px, plan.view.height_px)[0]
    gone = split_planes(stitcher.stitch([frames[0], None, frames[2]]), plan.view.width_px, plan.view.height_px)[0]
    dark = (gone < 30) & (whole >= 40)
    middle = next(s for s in plan.spans if s.cameras == (1,))
    assert 0 < dark.sum() < (middle.right - middle.left) * plan.view.height_px / 2
    np.testing.assert_array_equal(gone[:, :200], whole[:, :200])
    nothing = stitcher.stitch([None, None, None])
    assert set(np.unique(nothing)) == {24, 128}
    np.testing.assert_array_equal(
        split_planes(stitcher.stitch(frames), plan.view.width_px, plan.view.height_px)[0], whole
    )


def test_frames_of_another_size_or_number_are_refused_in_words(rig: Rig, frames):
    stitcher = Stitcher(plan_panorama(rig, 512))
    with pytest.raises(FramesDoNotFit, match="2 frames for a rig of 3"):
        stitcher.stitch(frames[:2])
    with pytest.raises(FramesDoNotFit, match="camera 1 was calibrated at 480x270, but its frame is 480x268"):
        stitcher.stitch([frames[0], frames[1][:402], frames[2]])
