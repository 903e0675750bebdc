import cv2
import numpy as np
import pytest

from simulator.scenes import Spoiling, spoilt


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
