import json
from dataclasses import replace

import cv2
import msgspec
import numpy as np
import pytest

import bench.accuracy
import bench.refusals
from bench.accuracy import Found, Tally, Way, goals, measured, short_of
from bench.against_truth import blend_columns, pitch_errors_m, seam_gaps_px
from bench.likeness import aligned, likeness, luma
from bench.refusals import refusals
from bench.samples import UHD, Case, drawn, outside
from hub.errors import PitchNotFound
from simulator.scenes.cylinder import Cylinder
from wire.rig import Quality, looking

GOOD = Found(0.3, 0.6, 0.03, 0.1, 10.0, True)


@pytest.fixture(scope="module")
def sample():
    return drawn(Case(size=(960, 540)), 11)


def turned(rig, index, yaw_deg):
    """`rig` with one camera turned to the right."""
    camera = rig.cameras[index]
    # `looking` includes the change of axes; what is left is a turn about the vertical.
    about = np.array(looking(0.0, 0.0, 0.0)).reshape(3, 3).T @ np.array(looking(yaw_deg, 0.0, 0.0)).reshape(3, 3)
    turn = camera.turn @ about
    cameras = list(rig.cameras)
    cameras[index] = msgspec.structs.replace(camera, rotation=tuple(float(v) for v in turn.ravel()))
    return msgspec.structs.replace(rig, cameras=tuple(cameras))


def moved(rig, dx_m):
    cameras = [msgspec.structs.replace(c, position_m=(c.position_m[0] + dx_m, *c.position_m[1:])) for c in rig.cameras]
    return msgspec.structs.replace(rig, cameras=tuple(cameras))


def test_the_true_rig_has_hardly_a_seam_and_misplaces_nobody(sample):
    gaps = seam_gaps_px(sample.rig, sample.rig, sample.panorama)
    assert len(gaps) > 5000
    assert np.sqrt((gaps**2).mean()) < 0.2
    assert pitch_errors_m(sample.rig, sample.rig).max() < 1e-4


def test_a_camera_turned_by_a_tenth_of_a_degree_shows_as_a_seam_of_as_many_pixels(sample):
    off = turned(sample.rig, 0, 0.1)
    gaps = seam_gaps_px(off, sample.rig, sample.panorama)
    focal = sample.rig.cameras[0].lens.focal_px
    left = gaps[: len(gaps) // 2]
    assert np.median(left) == pytest.approx(focal * np.radians(0.1), rel=0.3)


def test_a_rig_thought_to_stand_half_a_metre_aside_misplaces_everybody_by_that_but_has_no_seam(sample):
    off = moved(sample.rig, 0.5)
    assert pitch_errors_m(off, sample.rig) == pytest.approx(0.5, abs=1e-6)


def test_the_blend_lies_where_neighbours_overlap(sample):
    view = sample.panorama.view
    for k, (low, high) in enumerate(blend_columns(sample.rig, sample.panorama)):
        assert high - low == pytest.approx(view.width_px / 16, abs=2)
        at = view.points([[(low + high) / 2, 0.5 * view.height_px]])
        for camera in sample.rig.cameras[k : k + 2]:
            assert camera.sees(camera.project(at)).all()


def test_cameras_along_the_sideline_are_asked_only_about_the_plane_on_which_they_agree():
    apart = drawn(Case(kind="sideline", size=(480, 270)), 11)
    gaps = seam_gaps_px(apart.rig, apart.rig, apart.panorama)
    assert len(gaps) > 500
    assert gaps.max() < 1e-6
    assert seam_gaps_px(turned(apart.rig, 0, 0.2), apart.rig, apart.panorama).max() > 0.4


def test_a_calibration_that_falls_over_is_a_fault(monkeypatch, sample):
    def fall(*_):
        raise ZeroDivisionError("oh")

    monkeypatch.setattr(bench.accuracy, "calibrate", fall)
    found, rig = measured(sample, Way(4))
    assert rig is None
    assert "ZeroDivisionError" in found.refused
    assert "FAULT: crashed" in Tally().take(sample, Way(4), found)


def test_a_calibration_that_is_refused_is_told_with_its_reason(monkeypatch, sample):
    def refuse(*_):
        raise PitchNotFound("camera 2 shows no pitch")

    monkeypatch.setattr(bench.accuracy, "calibrate", refuse)
    found, rig = measured(sample, Way(0))
    assert rig is None
    assert found.refused == "camera 2 shows no pitch"
    assert short_of(found, goals(sample)) == ["refused"]


def test_four_clicks_are_measured_against_the_goals(sample):
    found, rig = measured(sample, Way(4))
    assert rig is not None
    assert not found.refused
    assert found.seam_rms_px < 2
    assert found.pitch_median_m < 0.3
    assert found.cpu_s > 0


@pytest.mark.parametrize(
    ("worse", "name"),
    [
        ({"seam_rms_px": 0.41}, "seam_rms_px"),
        ({"seam_p95_px": float("nan")}, "seam_p95_px"),
        ({"pitch_median_m": 0.05}, "pitch_median_m"),
        ({"cpu_s": 16.0}, "cpu_s"),
    ],
)
def test_each_goal_can_be_missed(sample, worse, name):
    wanted = {**goals(sample), "seam_rms_px": 0.40, "seam_p95_px": 0.80}
    assert short_of(GOOD, wanted) == []
    assert short_of(replace(GOOD, **worse), wanted) == [name]


def test_goals_suit_the_rig(sample):
    def wanted(case):
        return goals(replace(sample, case=case))

    assert wanted(Case())["seam_rms_px"] == 0.40
    assert wanted(Case(size=UHD))["seam_rms_px"] == 0.75
    assert "seam_rms_px" not in wanted(Case(apart_m=0.1))
    assert "seam_rms_px" not in wanted(Case(players=7))
    assert wanted(Case(kind="sideline")) == {"pitch_median_m": 0.10, "cpu_s": 15.0}


def test_zero_clicks_may_fail_once_in_ten_but_never_in_silence(sample):
    tally = Tally()
    for _ in range(9):
        assert tally.take(sample, Way(0), GOOD) == "PASS"
    assert "refused" in tally.take(sample, Way(0), Found(refused="no line was found"))
    assert not tally.missed
    lost = Found(40.0, 60.0, 5.0, 9.0, 3.0, trusted=False)
    assert "FAULT" not in tally.take(sample, Way(0), lost)
    assert tally.missed
    assert "FAULT" in Tally().take(sample, Way(0), Found(40.0, 60.0, 5.0, 9.0, 3.0, trusted=True))


def test_a_missed_goal_of_four_clicks_is_counted_and_of_eight_only_told(sample):
    tally = Tally()
    slow = Found(0.3, 0.6, 0.03, 0.1, 99.0, True)
    assert tally.take(sample, Way(8), slow) == "PASS"
    assert not tally.missed
    assert tally.take(sample, Way(4), slow) == "short: cpu_s"
    assert tally.missed


def test_scenes_of_an_outside_generator_are_read_into_our_frames(sample, tmp_path):
    """Its world has y from the near touchline on, its pixel centres are at whole numbers."""
    pano, half = sample.panorama, sample.rig.pitch.half_width
    view = pano.view
    cameras = []
    for camera in sample.rig.cameras:
        lens = camera.lens
        x, y, z = camera.position_m
        cameras.append(
            {
                "width": camera.width_px,
                "height": camera.height_px,
                "K": [[lens.focal_px, 0, lens.cx_px - 0.5], [0, lens.focal_px, lens.cy_px - 0.5], [0, 0, 1]],
                "dist": [lens.k1, lens.k2, lens.p1, lens.p2, lens.k3],
                "R": camera.turn.tolist(),
                "C": [x, y + half, z],
            }
        )
    cx, cy, cz = view.centre_m
    truth = {
        "cameras": cameras,
        "field": {"length": 105.0, "width": 68.0},
        "args": {"hfov": 75.0, "seed": 4},
        "pano": {
            "width": view.width_px,
            "height": view.height_px,
            "F": view.focal_px,
            "cx": -view.left_rad * view.focal_px - 0.5,
            "cy": view.top_rise * view.focal_px - 0.5,
            "C": [cx, cy + half, cz],
        },
    }
    folder = tmp_path / "one"
    folder.mkdir()
    (folder / "calib.json").write_text(json.dumps(truth))
    for k, picture in enumerate(sample.pictures):
        cv2.imwrite(str(folder / f"cam{k}.png"), picture)
    cv2.imwrite(str(folder / "pano.png"), pano.picture)
    np.save(folder / "pano_depth.npy", pano.reach_m)
    (read,) = outside(tmp_path)
    assert read.name == "one"
    assert read.nominal_fov_deg == 75.0
    assert (read.pictures[1] == sample.pictures[1]).all()
    assert pitch_errors_m(read.rig, sample.rig).max() < 1e-4
    assert read.panorama.points() == pytest.approx(pano.points(), abs=1e-3)


def test_a_picture_is_like_itself_and_less_so_when_moved_but_not_when_brighter(sample):
    true = luma(sample.panorama.picture)
    valid = sample.panorama.seen(sample.rig)
    seams = blend_columns(sample.rig, sample.panorama)
    same = likeness(true * np.float32(0.9), np.ones_like(valid), true, valid, seams)
    off = likeness(np.roll(true, 1, axis=1), np.ones_like(valid), true, valid, seams)
    assert same.psnr > 60
    assert same.ssim > 0.999
    assert off.psnr < 40
    assert off.seam_psnr < 40
    assert same.covered == off.covered > 0.9
    half = np.ones_like(valid)
    half[:, : half.shape[1] // 2] = False
    assert likeness(true, half, true, valid, seams).covered == pytest.approx(0.5, abs=0.05)


def test_a_panorama_on_a_sphere_in_another_direction_is_brought_into_our_view(sample):
    pano = sample.panorama
    height, width = 720, 1800
    azimuth, rise = np.meshgrid((np.arange(width) - 850) / 620.0, (150 - np.arange(height)) / 620.0)
    rays = np.stack([np.sin(azimuth) * np.cos(rise), np.cos(azimuth) * np.cos(rise), np.sin(rise)], axis=-1)
    tilt = np.radians(-6.0)
    turn = np.array([[1, 0, 0], [0, np.cos(tilt), -np.sin(tilt)], [0, np.sin(tilt), np.cos(tilt)]])
    at = pano.view.project((rays @ turn.T).reshape(-1, 3) + Cylinder(pano.view).centre).astype(np.float32) - 0.5
    at = at.reshape(height, width, 2)
    foreign = cv2.remap(pano.picture, at[..., 0], at[..., 1], cv2.INTER_CUBIC, borderValue=(0, 0, 0))
    found = aligned(foreign, pano, "sphere")
    assert found is not None
    shown, there = found
    true = luma(pano.picture)
    assert there.mean() > 0.6
    inner = cv2.erode(there.astype(np.uint8), np.ones((15, 15))) > 0
    soft, soft_true = (cv2.GaussianBlur(x, (0, 0), 2.0) for x in (shown, true))
    moved_px = cv2.phaseCorrelate((soft * inner).astype(np.float64), (soft_true * inner).astype(np.float64))[0]
    assert np.hypot(*moved_px) < 0.3
    assert np.abs(soft - soft_true)[inner].mean() < 1.0


def test_a_bad_picture_that_is_trusted_is_a_fault_and_one_that_is_refused_is_none(monkeypatch, capsys, sample):
    monkeypatch.setattr(bench.refusals, "_SIZE", (480, 270))

    def refuse(*_):
        raise PitchNotFound("camera 0 shows no pitch")

    monkeypatch.setattr(bench.refusals, "calibrate", refuse)
    assert refusals(3) == 0
    assert "refused: camera 0 shows no pitch" in capsys.readouterr().out
    monkeypatch.setattr(bench.refusals, "calibrate", lambda *_: 1 / 0)
    assert refusals(3) == 28
    trusted = msgspec.structs.replace(sample.rig, quality=Quality(trusted=True))
    monkeypatch.setattr(bench.refusals, "calibrate", lambda *_: trusted)
    assert refusals(3) == 28
    assert "FAULT" in capsys.readouterr().out
