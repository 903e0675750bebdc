"""The locked view: a knock is seen, people, clouds and noise are not."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.framing import LockedView


@pytest.fixture(scope="module")
def scene():
    """A textured place larger than the picture; `shot` is what a camera sees that is moved by px of the main
    stream, and leans to the right by degrees."""
    random = np.random.default_rng(5)
    place = np.zeros((900, 1500), np.float32)
    for size, weight in ((4, 18), (24, 30), (120, 30)):
        coarse = random.normal(0, 1, (900 // size + 2, 1500 // size + 2)).astype(np.float32)
        place += weight * cv2.resize(coarse, (1500, 900), interpolation=cv2.INTER_CUBIC)
    for _ in range(40):
        x, y, w, h = (int(v) for v in random.integers((0, 0, 10, 10), (1400, 850, 140, 60)))
        cv2.rectangle(place, (x, y), (x + w, y + h), float(random.normal(0, 60)), -1)

    def shot(right=0.0, down=0.0, light=1.0, people=0, noise=0.0, seed=1, lean=0.0):
        # A camera that leans to its right sees everything lean to the left.
        rolling = cv2.getRotationMatrix2D((640, 360), lean, 1.0)
        matrix = np.float32(
            (np.vstack([rolling, [0, 0, 1]]) @ [[1, 0, -110 - right], [0, 1, -90 - down], [0, 0, 1]])[:2]
        )
        luma = cv2.warpAffine(place, matrix, (1280, 720), flags=cv2.INTER_LINEAR)
        luma = (luma + 110) * light
        spread = np.random.default_rng(seed)
        for _ in range(people):
            x, y = (int(v) for v in spread.integers((0, 100), (1240, 640)))
            cv2.rectangle(luma, (x, y), (x + 24, y + 60), float(spread.uniform(20, 230)), -1)
        luma += spread.normal(0, noise, luma.shape) if noise else 0
        planes = np.full((1080, 1280), 128, np.uint8)
        planes[:720] = np.clip(luma, 16, 235)
        return planes

    return shot


def test_an_untouched_camera_has_not_moved(scene):
    knock = LockedView.of(scene()).compare(scene(noise=3.0, seed=2))
    assert knock.certain
    assert not knock.moved
    assert abs(knock.right_px) + abs(knock.down_px) < 1.0


@settings(max_examples=25, deadline=None)
@given(right=st.floats(-90, 90), down=st.floats(-60, 60))
def test_a_knock_is_measured_to_a_pixel(scene, right, down):
    knock = LockedView.of(scene()).compare(scene(right, down, noise=2.0))
    assert knock.certain
    # What is seen moves against the camera.
    assert knock.right_px == pytest.approx(-right, abs=1.5)
    assert knock.down_px == pytest.approx(-down, abs=1.5)
    size = float(np.hypot(right, down))
    if abs(size - 5.1) > 2:
        assert knock.moved == (size > 5.1)


@settings(max_examples=15, deadline=None)
@given(
    lean=st.floats(0.3, 12).flatmap(lambda size: st.sampled_from((size, -size))),
    right=st.floats(-40, 40),
    seed=st.integers(2, 99),
)
def test_a_mast_that_leans_is_knocked_however_far_and_whoever_is_there(scene, lean, right, seed):
    knock = LockedView.of(scene()).compare(scene(right, lean=lean, noise=2.0, people=12, seed=seed))
    assert knock.certain
    assert knock.roll_deg == pytest.approx(-lean, abs=0.2)
    far = np.radians(abs(lean)) * 500
    if far > 10:
        assert knock.moved
        assert knock.by_px > far / 2


@settings(max_examples=15, deadline=None)
@given(light=st.floats(0.6, 1.3), people=st.integers(0, 40), noise=st.floats(0, 4), seed=st.integers(2, 9999))
def test_weather_and_people_never_are_a_knock(scene, light, people, noise, seed):
    knock = LockedView.of(scene()).compare(scene(light=light, people=people, noise=noise, seed=seed))
    assert knock.certain
    assert not knock.moved


@pytest.mark.parametrize("light", [0.5, 0.75, 1.4])
def test_a_cloud_is_no_knock(scene, light):
    knock = LockedView.of(scene()).compare(scene(light=light, noise=2.0))
    assert knock.certain
    assert not knock.moved


def test_people_are_no_knock_and_hide_none(scene):
    view = LockedView.of(scene(people=30, seed=3))
    assert not view.compare(scene(people=30, seed=4)).moved
    assert view.compare(scene(right=14, people=30, seed=4)).moved


def test_in_the_dark_nothing_is_said(scene):
    dark = np.full((1080, 1280), 128, np.uint8)
    dark[:720] = 17
    knock = LockedView.of(scene()).compare(dark)
    assert not knock.certain
    assert not knock.moved


def test_another_place_is_no_small_knock(scene):
    other = scene()[:, ::-1].copy()
    knock = LockedView.of(scene()).compare(other)
    assert not knock.certain or knock.moved


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 9999))
def test_a_place_that_is_another_one_is_not_taken_for_the_view_that_moved(scene, seed):
    random = np.random.default_rng(seed)
    planes = np.full((1080, 1280), 128, np.uint8)
    place = sum(
        weight * cv2.resize(random.normal(0, 1, (720 // size, 1280 // size)).astype(np.float32), (1280, 720))
        for size, weight in ((4, 18), (24, 30), (120, 30))
    )
    planes[:720] = np.clip(place + 110, 16, 235)
    assert LockedView.of(planes).compare(planes).certain
    assert not LockedView.of(scene()).compare(planes).certain


def test_a_view_survives_being_stored(scene):
    again = LockedView.decode(LockedView.of(scene()).encode())
    assert not again.compare(scene(noise=2.0)).moved
    assert again.compare(scene(right=20)).moved
    assert LockedView.decode(b"") is None
    assert LockedView.decode(b"\x00\x05\x00\x00no picture") is None
