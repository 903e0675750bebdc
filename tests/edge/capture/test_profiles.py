"""What a node may be asked to record, on sensors whose modes were read from real boards (hardware facts 1.3)."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.capture.profiles import PIXELS_PER_CORE, PROFILES, Profile, SensorMode, default_profile, plan
from edge.errors import CameraFault, ProfileRefused

FULL = (4056, 3040)
HQ = [
    SensorMode(1332, 990, 10, 120.5, (2664, 1980)),
    SensorMode(2028, 1080, 10, 74.7, (4056, 2160)),
    SensorMode(2028, 1520, 10, 53.8, FULL),
    SensorMode(4056, 2160, 10, 19.6, (4056, 2160)),
    SensorMode(4056, 3040, 10, 14.0, FULL),
    SensorMode(2028, 1080, 12, 62.8, (4056, 2160)),
    SensorMode(2028, 1520, 12, 45.2, FULL),
    SensorMode(4056, 2160, 12, 16.4, (4056, 2160)),
    SensorMode(4056, 2160, 8, 24.8, (4056, 2160)),
]
CM3 = [
    SensorMode(1536, 864, 10, 120.13, (3072, 1728)),
    SensorMode(2304, 1296, 10, 56.03, (4608, 2592)),
    SensorMode(4608, 2592, 10, 14.35, (4608, 2592)),
]


def planned(text, modes, **board):
    return plan(Profile.parse(text), modes, **{"cores": 4, **board})


@pytest.mark.parametrize(
    ("text", "modes", "size", "bits", "rate"),
    [
        ("2028x1080@30", HQ, (2028, 1080), 12, 30),
        ("2028x1080@70", HQ, (2028, 1080), 10, 70),
        ("2304x1296@30", CM3, (2304, 1296), 10, 30),
        ("1920x1080@30", CM3, (2304, 1296), 10, 30),
        ("2028x1520@30", HQ, (2028, 1520), 12, 30),
        ("4056x2160", HQ, (4056, 2160), 10, 19),
        ("4056x2160@16", HQ, (4056, 2160), 12, 16),
        ("4056x2160@23", HQ, (4056, 2160), 8, 23),
        ("1920x1080@25-hevc", CM3, (2304, 1296), 10, 25),
    ],
)
def test_a_profile_finds_the_mode_with_the_widest_view_and_the_finest_steps(text, modes, size, bits, rate):
    found = planned(text, modes)
    assert (found.mode.width, found.mode.height) == size
    assert (found.mode.bit_depth, found.frames_per_second) == (bits, rate)


def test_a_cropping_mode_is_not_taken_where_a_whole_view_is_fast_enough():
    assert planned("1280x720@50", CM3).mode.view == (4608, 2592)
    assert planned("1280x720@60", CM3).mode.view == (3072, 1728)


def test_a_picture_of_another_shape_is_cut_from_the_mode_that_shows_more():
    assert planned("1920x1080@30", HQ).mode.view == FULL


@pytest.mark.parametrize(
    ("text", "modes", "board", "words"),
    [
        ("4608x2592@10", HQ, {}, "its largest picture has 4056 x 3040 pixels"),
        ("4056x2160@30", HQ, {}, "too fast for the sensor: at this size it gives 24.8 frames a second"),
        ("2304x1296@30-hevc", CM3, {}, r"as hevc takes 4\.6 cores, of its 4 it can give 3\.0; .* 19 frames a second"),
        ("1920x1080@30-hevc", CM3, {}, r"takes 3\.2 cores"),
        ("4056x2160", HQ, {"cameras": 2}, r"can give 1\.5, and 2 cameras share them"),
        ("2028x1080@30", HQ, {"cores": 1}, "0 frames a second are possible"),
        ("2304x1296@56", CM3, {"synced": True}, "one per cent more than it records"),
    ],
)
def test_what_the_hardware_cannot_hold_is_refused_with_the_reason(text, modes, board, words):
    with pytest.raises(ProfileRefused, match=words):
        planned(text, modes, **board)


def test_a_sensor_with_a_raised_link_clock_is_held_back_by_the_coder():
    fast = [SensorMode(4056, 2160, 10, 39.3, (4056, 2160))]
    with pytest.raises(ProfileRefused, match="to code 39 frames a second as h264"):
        planned("4056x2160", fast)
    assert planned("4056x2160@20", fast).threads == 4


def test_two_cameras_on_a_board_have_room_for_every_safe_profile():
    for text in ("2028x1080@30", "1920x1080@30", "2028x1520@30"):
        assert planned(text, HQ, cameras=2)
    assert planned("2304x1296@30", CM3, cameras=2)


def test_a_synchronised_camera_leaves_the_mode_some_room():
    assert planned("2304x1296@55", CM3, synced=True).frames_per_second == 55
    assert planned("2304x1296@56", CM3).frames_per_second == 56


@given(st.sampled_from(sorted(PIXELS_PER_CORE)), st.integers(8, 2000), st.integers(8, 1500), st.integers(1, 120))
def test_no_plan_exceeds_the_board(codec, half_width, half_height, rate):
    profile = Profile(2 * half_width, 2 * half_height, rate, codec)
    assert Profile.parse(str(profile)) == profile
    if found := _plan(profile, HQ):
        assert profile.width * profile.height * found.frames_per_second <= 3 * PIXELS_PER_CORE[codec]
        assert found.mode.frames_per_second * 1.001 >= found.frames_per_second == rate
        assert found.mode.width >= profile.width
        assert found.mode.height >= profile.height


def test_unasked_a_camera_records_what_leaves_the_processor_free():
    assert str(default_profile(HQ)) == "2028x1080@30"
    assert str(default_profile(CM3)) == "1920x1080@30"


def test_every_profile_planned_for_fits_a_board_with_one_of_its_cameras():
    assert all(_plan(profile, HQ) or _plan(profile, CM3) for profile in PROFILES)


def _plan(profile, modes):
    with contextlib.suppress(ProfileRefused):
        return plan(profile, modes, cores=4)


@pytest.mark.parametrize("text", ["", "1080p", "1920x1080@", "1920x1080@0", "1920x1080-h265", "1920X1080", "1٣x16"])
def test_what_is_no_profile_is_refused(text):
    with pytest.raises(CameraFault, match="is not a profile"):
        Profile.parse(text)


@pytest.mark.parametrize("text", ["1921x1080", "1920x1081@30", "8x8"])
def test_an_odd_picture_is_refused(text):
    with pytest.raises(CameraFault, match="even width and height of 16 or more"):
        Profile.parse(text)
