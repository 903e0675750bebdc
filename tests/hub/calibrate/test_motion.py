import numpy as np
import pytest

from hub.calibrate.motion import HEIGHT_M, Places, find_shift
from wire.rig import CameraModel, Rig


def film(camera: CameraModel, *, late_s: float, seconds: float, rate: float, people: int, seed: int = 4):
    """Times by the camera's own clock, which runs `late_s` behind, and luma of blobs that run about on the pitch."""
    rng = np.random.default_rng(seed)
    x0, y0 = rng.uniform(-12, 12, people), rng.uniform(-15, 20, people)
    ax, ay, w, phase = (rng.uniform(lo, hi, people) for lo, hi in ((2, 6), (1, 4), (0.6, 1.4), (0, 6)))
    noise = np.random.default_rng(len(camera.node) + camera.width_px)
    v, u = np.mgrid[0 : camera.height_px, 0 : camera.width_px]
    grass = 90 + 10 * np.sin(u / 9.0) * np.cos(v / 7.0)
    for k in range(int(seconds * rate)):
        now = k / rate
        luma = grass + noise.normal(0, 1.5, grass.shape)
        places = np.stack([x0 + ax * np.sin(w * now + phase), y0 + ay * np.cos(0.7 * w * now + phase)], axis=1)
        pixels = camera.project(np.c_[places, np.full(people, HEIGHT_M)])
        reach = 0.5 * camera.lens.focal_px / np.linalg.norm(places - camera.centre[:2], axis=1)
        for (x, y), r in zip(np.nan_to_num(pixels, nan=-99.0), reach, strict=True):
            box = np.s_[max(int(y - r), 0) : max(int(y + r), 0), max(int(x - r / 2), 0) : max(int(x + r / 2), 0)]
            luma[box] = 200
        yield round((now - late_s) * 1e9), luma.clip(0, 255).astype(np.uint8)


def shift(rig: Rig, late_s: float, *, rates=(25.0, 25.0), people=14, seconds=6.0):
    places = Places(*rig.cameras, 52.5, 34.0)
    records = []
    for k, camera in enumerate(rig.cameras):
        frames = film(camera, late_s=late_s if k else 0.0, seconds=seconds, rate=rates[k], people=people)
        records.append([(time_ns, places.read(luma, k)) for time_ns, luma in frames])
    return find_shift(*records)


@pytest.mark.slow
@pytest.mark.parametrize(("late", "rates"), [(0.0, (25.0, 25.0)), (0.13, (25.0, 25.0)), (-1.113, (25.0, 30.0))])
def test_the_shift_is_found_to_five_milliseconds(small_mast, late, rates):
    found = shift(small_mast, late, rates=rates)
    assert found is not None
    assert found.seconds == pytest.approx(late, abs=0.005)
    assert abs(found.seconds - late) < 4 * found.uncertainty_s


def test_where_nothing_moves_no_shift_is_claimed(small_mast):
    assert shift(small_mast, 0.2, people=0, seconds=2.0) is None


def test_a_second_of_video_is_too_little(small_mast):
    assert shift(small_mast, 0.0, seconds=0.6) is None


def test_cameras_that_share_nothing_share_no_places(small_mast):
    left, _ = small_mast.cameras
    away = type(left)(**{f: getattr(left, f) for f in left.__struct_fields__} | {"position_m": (400.0, -40.0, 7.0)})
    assert len(Places(left, away, 52.5, 34.0)) == 0
