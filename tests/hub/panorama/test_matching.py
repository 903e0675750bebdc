import pytest

from hub.panorama.matching import Footage
from hub.panorama.video import Shot
from hub.panorama.windows import Cadence
from wire.rigtime import MILLISECOND, SECOND

STEP = 40 * MILLISECOND


def footage(times, told=None, offset=0, opens=True):
    """Of a camera that captured at these times; the picture is the frame's number."""
    shots = (Shot(time, number) for number, time in enumerate(times))
    tell = (told if told is not None else []).append
    return Footage("right", shots, offset, Cadence(), tell, opens)


def shown(camera, moments):
    """The number of the frame at each moment (ns), None where there is none."""
    found = [camera.nearest(moment, moment / SECOND) for moment in moments]
    return [None if shot is None else shot.picture for shot in found]


def test_the_frame_nearest_in_time_is_given_not_the_one_of_that_number():
    camera = footage([i * STEP + 11 * MILLISECOND for i in range(10)])
    assert shown(camera, [3 * STEP, 4 * STEP + 32 * MILLISECOND]) == [3, 5]


def test_the_clock_offset_is_added_to_capture_times():
    assert shown(footage([i * STEP for i in range(10)], offset=2 * STEP), [5 * STEP]) == [3]


def test_some_lost_frames_repeat_their_neighbours_and_that_is_told_once_with_figures():
    told = []
    lost = {30, 60, 61, 62}
    camera = footage([i * STEP for i in range(100) if i not in lost], told)
    numbers = shown(camera, [i * STEP for i in range(100)])
    camera.finish()
    assert None not in numbers
    assert told == ["repeated 4 pictures of camera right"]


def test_a_lost_camera_is_none_until_it_is_back_and_that_is_told_at_once_and_summed_up():
    told = []
    camera = footage([i * STEP for i in range(100) if not 25 <= i < 75], told)
    numbers = shown(camera, [i * STEP for i in range(60)])
    assert numbers[:25] == list(range(25))
    assert set(numbers[32:60]) == {None}
    assert told == ["camera right has no picture at 1.2 s: its neighbours fill in as far as they see"]
    assert shown(camera, [i * STEP for i in range(60, 100)])[-25:] == list(range(25, 50))
    camera.finish()
    assert told[-1] == "for 1.6 s neighbours stood in for camera right"


def test_a_camera_that_begins_late_shows_its_first_picture_for_a_second_at_most():
    times = [2 * SECOND + i * STEP for i in range(3)]
    assert shown(footage(times), [0, SECOND - STEP, SECOND + STEP]) == [None, None, 0]


def test_a_camera_that_was_cut_off_before_does_not_begin_again():
    times = [2 * SECOND + i * STEP for i in range(3)]
    assert shown(footage(times, opens=False), [SECOND + STEP]) == [None]


def test_a_camera_that_ends_early_is_none_from_then_on():
    numbers = shown(footage([i * STEP for i in range(50)]), [i * STEP for i in range(100)])
    assert numbers[49] == 49
    assert numbers[55:] == [None] * 45


def test_another_frame_rate_is_told_once_with_both_figures():
    told = []
    camera = footage([round(i * SECOND / 24) for i in range(24 * 30)], told)
    numbers = shown(camera, [i * STEP for i in range(25 * 30 - 5)])
    camera.finish()
    assert [n for n in numbers if n is None] == []
    assert told[0] == (
        "camera right runs at 24.00 frames a second while the panorama has 25: some of its pictures are repeated"
    )
    assert told[1] == "repeated 30 pictures of camera right"
    assert len(told) == 2


def test_a_faster_camera_loses_frames_and_says_so():
    told = []
    camera = footage([round(i * SECOND / 30) for i in range(30 * 20)], told)
    shown(camera, [i * STEP for i in range(25 * 20)])
    camera.finish()
    assert "runs at 30.00" in told[0]
    assert "left out" in told[0]
    assert told[1] == "left out 100 pictures of camera right"


def test_a_slow_drift_of_a_clock_is_followed_by_time_and_told():
    told = []
    drift = 1.002
    camera = footage([round(i * STEP * drift) for i in range(2500)], told)
    moments = [i * STEP for i in range(2495)]
    for moment, number in zip(moments, shown(camera, moments), strict=True):
        assert abs(number * STEP * drift - moment) <= STEP * drift / 2 + 1
    camera.finish()
    assert "runs at 24.95 frames a second while the panorama has 25" in told[0]


def test_lost_frames_do_not_make_a_camera_slow():
    told = []
    camera = footage([i * STEP for i in range(1000) if i % 25], told)
    shown(camera, [i * STEP for i in range(1000)])
    camera.finish()
    assert told == ["repeated 40 pictures of camera right"]


@pytest.mark.parametrize("rate", [2, 5, 10])
def test_a_very_slow_camera_is_not_taken_for_a_lost_one(rate):
    numbers = shown(footage([i * SECOND // rate for i in range(5 * rate)]), [i * STEP for i in range(100)])
    assert None not in numbers
