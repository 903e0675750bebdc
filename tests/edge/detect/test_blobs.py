import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.detect.background import Foreground
from edge.detect.blobs import LEAST_AREA, BlobFinder

SIDES = st.tuples(st.integers(1, 40), st.integers(1, 40))
SHARES = st.sampled_from([0.0, 0.01, 0.05, 0.2, 0.4, 0.6, 0.9, 1.0])


def random_foreground(sides, share, seed):
    random = np.random.default_rng(seed)
    mask = np.where(random.random(sides) < share, 255, 0).astype(np.uint8)
    luma, behind = (random.integers(0, 256, sides, dtype=np.uint8) for _ in range(2))
    return Foreground(mask, luma, behind, 3, np.zeros(2))


def labelled(foreground):
    """The same by OpenCV's labels, pixel by pixel: box, centre, area and brightness (n, 8), sorted."""
    count, labels, stats, centres = cv2.connectedComponentsWithStats(foreground.mask, connectivity=8)
    rows = []
    for part in range(1, count):
        x, y, w, h, area = (int(v) for v in stats[part])
        if area >= LEAST_AREA:
            box = np.array([x, y, x + w, y + h]) * 3.0
            brighter = cv2.subtract(foreground.luma, foreground.behind)[labels == part].mean()
            rows.append([*box, *(centres[part] + 0.5) * 3, area * 9, brighter])
    return np.array(sorted(rows)).reshape(-1, 8)


@given(SIDES, SHARES, st.integers(0, 1000))
def test_blobs_are_the_parts_that_opencv_labels(sides, share, seed):
    foreground = random_foreground(sides, share, seed)
    blobs = BlobFinder(sides[::-1]).blobs(foreground)
    found = np.concatenate([blobs.box, blobs.centre, blobs.area[:, None], blobs.bright[:, None]], axis=1)
    expected = labelled(foreground)
    assert len(found) == len(expected)
    assert np.array(sorted(found.tolist())).reshape(-1, 8) == pytest.approx(expected)


def test_what_leaves_on_the_right_does_not_come_in_again_on_the_left():
    mask = np.zeros((6, 10), np.uint8)
    mask[1:3, 7:] = mask[2:4, :2] = 255
    blobs = BlobFinder((10, 6)).blobs(Foreground(mask, mask, mask, 1, np.zeros(2)))
    assert sorted(blobs.box.tolist()) == [[0, 2, 2, 4], [7, 1, 10, 3]]


@given(SIDES, SHARES, SHARES, st.integers(0, 1000))
def test_more_of_the_picture_than_may_be_covered_has_no_blobs(sides, share, most, seed):
    foreground = random_foreground(sides, share, seed)
    covered = np.count_nonzero(foreground.mask) > int(most * foreground.mask.size)
    assert (BlobFinder(sides[::-1]).blobs(foreground, most) is None) == covered
