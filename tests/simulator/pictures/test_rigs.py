import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.pictures.clicks import clicks
from simulator.pictures.rigs import coverage, focal_of_hfov, nominal_hfov_deg, virtual_rig
from wire.pitch import Pitch, default_pitch
from wire.rig import Lens

PITCHES = [default_pitch(11), default_pitch(9), default_pitch(7)]


@pytest.mark.parametrize("kind", ["mast", "sideline"])
@pytest.mark.parametrize("pitch", PITCHES, ids=lambda p: f"{p.length_m:g}x{p.width_m:g}")
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_three_cameras_cover_99_percent_of_the_pitch(kind, pitch, seed):
    true_rig = virtual_rig(kind, pitch, seed)
    assert [camera.node for camera in true_rig.rig.cameras] == ["left", "centre", "right"]
    assert coverage(true_rig.rig.cameras, pitch) >= 0.99


@pytest.mark.parametrize("pitch", PITCHES, ids=lambda p: f"{p.length_m:g}x{p.width_m:g}")
def test_the_outer_mast_cameras_see_the_near_corners_and_neighbours_overlap(pitch):
    cameras = virtual_rig("mast", pitch, 4).rig.cameras
    for camera, side in ((cameras[0], -1), (cameras[2], 1)):
        corner = camera.project([[side * pitch.half_length, -pitch.half_width, 0.0]])
        assert camera.sees(corner).all()
    for a, b in ((cameras[0], cameras[1]), (cameras[1], cameras[2])):
        right_edge = a.rays([[a.width_px, a.height_px / 2]])[0]
        left_edge = b.rays([[0.0, b.height_px / 2]])[0]
        overlap = np.degrees(np.arctan2(right_edge[0], right_edge[1]) - np.arctan2(left_edge[0], left_edge[1]))
        assert 6 < overlap < 14


@settings(max_examples=5, deadline=None)
@given(st.floats(60, 110), st.floats(45, 75), st.integers(0, 1000))
def test_a_pitch_of_any_size_is_in_view_of_its_mast(length, width, seed):
    pitch = Pitch(length, width, 11)
    cameras = virtual_rig("mast", pitch, seed).rig.cameras
    assert coverage(cameras, pitch, 1.0) >= 0.975
    bar = [[s * pitch.half_length, y, pitch.form.goal_height] for s in (-1, 1) for y in (-3.66, 3.66)]
    assert np.any([camera.sees(camera.project(bar)) for camera in cameras], axis=0).all()


def test_the_same_seed_gives_the_same_rig_and_another_seed_another():
    pitch = default_pitch(9)
    assert virtual_rig("mast", pitch, 7) == virtual_rig("mast", pitch, 7)
    assert virtual_rig("mast", pitch, 7) != virtual_rig("mast", pitch, 8)


def test_clocks_are_off_by_no_more_than_promised():
    for seed in range(20):
        left, centre, right = virtual_rig("mast", default_pitch(11), seed).rig.cameras
        assert abs(centre.clock_offset_ns) <= 8_000_000
        assert max(abs(left.clock_offset_ns), abs(right.clock_offset_ns)) <= 60_000_000


def test_the_nominal_field_of_view_is_near_the_true_lens_but_not_the_truth():
    pitch = default_pitch(11)
    hfov = nominal_hfov_deg("mast", pitch)
    for camera in virtual_rig("mast", pitch, 5).rig.cameras:
        assert abs(camera.lens.focal_px / focal_of_hfov(hfov, camera.width_px) - 1) < 0.01
        assert camera.lens != Lens(focal_of_hfov(hfov, camera.width_px), 960, 540)


@pytest.mark.parametrize("kind", ["mast", "sideline"])
def test_four_points_per_camera_are_clicked_about_four_pixels_off(kind):
    pitch = default_pitch(11)
    true_rig = virtual_rig(kind, pitch, 2)
    errors = []
    for seed in range(30):
        made = clicks(true_rig, pitch, seed)
        assert [click.camera for click in made] == [0] * 4 + [1] * 4 + [2] * 4
        for click in made:
            truth = true_rig.rig.cameras[click.camera].project([[click.x_m, click.y_m, 0.0]])[0]
            errors += [click.u_px - truth[0], click.v_px - truth[1]]
    assert 3.6 < np.std(errors) < 4.4
