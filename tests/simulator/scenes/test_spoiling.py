import cv2
import numpy as np
import pytest

from simulator.scenes import Spoiling, spoilt, spoilt_rig


@pytest.mark.parametrize("how", list(Spoiling))
def test_every_spoiling_leaves_pictures_that_differ_from_the_good_ones(clean, how):
    bad = spoilt(clean.pictures, how)
    assert len(bad) == 3
    assert any(a.shape != b.shape or (a != b).mean() > 0.2 for a, b in zip(bad, clean.pictures, strict=True))
    assert all(picture.dtype == np.uint8 and picture.flags.c_contiguous for picture in bad)


def test_spoilings_do_what_they_say(clean):
    left, centre, right = clean.pictures
    assert (spoilt(clean.pictures, Spoiling.SWAPPED)[0] == right).all()
    assert (spoilt(clean.pictures, Spoiling.MIRRORED)[0] == left[:, ::-1]).all()
    assert (spoilt(clean.pictures, Spoiling.UPSIDE_DOWN)[2] == right[::-1, ::-1]).all()
    assert spoilt(clean.pictures, Spoiling.ON_ITS_SIDE)[1].shape == (960, 540, 3)
    assert spoilt(clean.pictures, Spoiling.CROPPED)[1].shape == (540, 720, 3)
    assert spoilt(clean.pictures, Spoiling.BLACK)[1].max() < 5
    sharp, soft = (cv2.Laplacian(p, cv2.CV_32F).std() for p in (centre, spoilt(clean.pictures, Spoiling.BLURRED)[1]))
    assert soft < 0.2 * sharp
    hand = spoilt(clean.pictures, Spoiling.HAND)[1].astype(int)
    covered = np.abs(hand - centre).max(axis=2) > 30
    assert 0.25 < covered.mean() < 0.85
    one = spoilt(clean.pictures, Spoiling.ONE_UPSIDE_DOWN)
    assert (one[0] == left).all()
    assert (one[1] == centre[::-1, ::-1]).all()


def test_the_rig_that_is_true_of_spoilt_pictures_sees_points_where_they_have_gone(clean):
    points = [(-10.0, -20.0, 0.0), (4.0, 10.0, 0.5), (-30.0, 5.0, 0.0), (25.0, -3.0, 2.0)]
    height, width = clean.pictures[1].shape[:2]

    def moved(how, camera=1):
        before = clean.rig.cameras[camera].project(points)
        after = spoilt_rig(clean.rig, how).cameras[camera].project(points)
        there = ~np.isnan(before[:, 0])
        assert there.any()
        return before[there], after[there]

    for how in (Spoiling.UPSIDE_DOWN, Spoiling.ONE_UPSIDE_DOWN):
        before, after = moved(how)
        assert after == pytest.approx((width, height) - before, abs=1e-9)
    before, after = moved(Spoiling.ON_ITS_SIDE)
    assert after == pytest.approx(np.stack([height - before[:, 1], before[:, 0]], axis=1), abs=1e-9)
    before, after = moved(Spoiling.CROPPED)
    assert after == pytest.approx(before - (width // 8, 0), abs=1e-9)
    before, after = moved(Spoiling.HAND)
    assert (after == before).all()
    assert [how for how in Spoiling if spoilt_rig(clean.rig, how) is None] == [
        Spoiling.MIRRORED,
        Spoiling.SWAPPED,
        Spoiling.BLACK,
    ]
