"""The overshoot along edges that a camera's processor adds."""

import cv2
import numpy as np
import pytest

from simulator.pictures.frame import PEDESTAL, Canvas, sharpened


def test_an_even_surface_stays_as_it_is_and_an_edge_gets_a_rim_on_both_sides():
    luma = np.full((32, 64), 80.0, np.float32)
    assert sharpened(luma) == pytest.approx(luma)
    luma[:, 32:] = 120.0
    row = sharpened(luma)[16]
    assert row[31] < 75
    assert row[32] > 125
    assert row[[4, 60]] == pytest.approx([80, 120])


def test_a_layer_laid_over_the_picture_looks_as_if_the_whole_picture_had_been_sharpened():
    ground, shirt = 90.0, 170.0
    canvas = Canvas(64, 64)
    canvas.y[...], canvas.u[...], canvas.v[...] = ground - PEDESTAL, 128, 128
    layer = np.zeros((24, 16, 4), np.float32)
    layer[2:22, 2:14] = [shirt - 16, 0, 0, 1]
    canvas.blend(layer, np.array([[1.0, 0, 24], [0, 1.0, 20]]))
    whole = np.full((64, 64), ground, np.float32)
    cv2.rectangle(whole, (26, 22), (37, 41), shirt, cv2.FILLED)
    assert np.abs(canvas.y.astype(int) + PEDESTAL - sharpened(whole)).max() <= 1.0
