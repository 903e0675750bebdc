import pytest

from edge.record.losses import Losses

FRAME_NS = 40_000_000


class Camera:
    """Shows frames to losses, 25 a second, and loses those that it is told."""

    def __init__(self):
        self.losses = Losses(25)
        self.ns = self.lost = 0

    def show(self, frames, lose=0):
        """So many frames, before the first of which `lose` are missing; whether it was much at any of them."""
        self.lost += lose
        self.ns += lose * FRAME_NS
        much = []
        for _ in range(frames):
            self.losses.count(self.ns, self.lost)
            self.ns += FRAME_NS
            much.append(self.losses.much)
        return any(much)


@pytest.fixture
def camera():
    return Camera()


def test_a_camera_that_loses_nothing_is_well(camera):
    assert not camera.show(1000)


def test_a_stray_frame_is_not_much_even_in_the_first_second(camera):
    assert not camera.show(5, lose=1)
    assert not any(camera.show(100, lose=1) for _ in range(20))


def test_one_frame_in_fifty_is_borne_and_more_is_not(camera):
    assert not any(camera.show(49, lose=1) for _ in range(20))
    assert any(camera.show(39, lose=1) for _ in range(7))


def test_every_third_frame_is_told_within_the_first_second(camera):
    assert any(camera.show(2, lose=1) for _ in range(8))


def test_it_is_over_ten_seconds_after_the_last_loss(camera):
    camera.show(250, lose=50)
    assert camera.losses.much
    assert not camera.show(1)


def test_between_much_and_little_nothing_changes(camera):
    while not camera.losses.much:
        camera.show(30, lose=1)
    # Three in two hundred.
    for _ in range(20):
        camera.show(66, lose=1)
        assert camera.losses.much
    # One in two hundred.
    for _ in range(3):
        camera.show(199, lose=1)
    assert not camera.losses.much


def test_frames_that_are_counted_anew_are_no_loss(camera):
    camera.show(10, lose=5)
    camera.lost = 0
    assert not camera.show(1000)
