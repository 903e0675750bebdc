"""What a segment's row says of its times, whatever happens to the clock meanwhile."""

import pytest

from edge.capture import Frame
from edge.capture.clocks import boottime_ns
from edge.record.stamping import FrameClock
from wire.rigtime import SECOND

BOOTED_NS = 5_000 * SECOND


class LiveCamera:
    live = True

    def __init__(self, ahead_ns):
        self.ahead_ns = ahead_ns


@pytest.fixture
def camera(zero_ns):
    return LiveCamera(zero_ns - BOOTED_NS)


def told(clock, camera, shift_ns=0):
    return FrameClock(clock, camera, shift_ns, lambda: BOOTED_NS).read()


def test_frames_are_as_good_as_the_clock_that_stamped_them(clock, camera):
    assert told(clock, camera) == (1_000_000, 200_000)


@pytest.mark.parametrize("step_ns", [3 * SECOND, -3 * SECOND])
def test_a_clock_that_was_set_is_in_what_is_said_of_frames_that_keep_the_time_from_before(clock, camera, step_ns):
    clock.ns += step_ns
    assert told(clock, camera) == (3 * SECOND + 1_000_000, step_ns + 200_000)


def test_frames_that_were_shifted_are_off_by_as_much(clock, camera):
    assert told(clock, camera, shift_ns=7 * SECOND) == (7 * SECOND + 1_000_000, 200_000 - 7 * SECOND)


def test_nothing_is_known_of_the_offset_where_the_clock_does_not_know_its_own(clock, camera):
    clock.reading = type(clock.reading)(source="kernel", reference="", offset_ns=None, uncertainty_ns=9)
    clock.ns += SECOND
    assert told(clock, camera) == (SECOND + 9, None)


def test_a_recorded_camera_has_no_clock_that_could_be_set(clock, camera):
    camera.live = False
    clock.ns += SECOND
    assert told(clock, camera) == (1_000_000, 200_000)


def test_rows_after_a_step_tell_of_it(rig, list_camera, picture, make_eyes, clock, zero_ns, monkeypatch):
    ahead_ns = zero_ns - boottime_ns()
    step_ns = 0
    monkeypatch.setattr(clock, "now_ns", lambda: boottime_ns() + ahead_ns + step_ns)
    camera = list_camera([], live=True)
    camera.ahead_ns = ahead_ns

    def frame(number):
        nonlocal step_ns
        step_ns = 3 * SECOND if number >= 60 else 0
        return Frame(picture(number), zero_ns + number * SECOND // 25, number)

    camera.frames = map(frame, range(110))
    rig.record(camera, make_eyes(), zero_ns)
    rig.wait()
    first, *_, last = rig.offers()
    assert first.clock_uncertainty_ns >= 1_000_000
    assert last.clock_uncertainty_ns == pytest.approx(3 * SECOND + 1_000_000, abs=1_000_000)
    assert last.clock_offset_ns == pytest.approx(3 * SECOND + 200_000, abs=1_000_000)
