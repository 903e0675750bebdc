import errno
import os

import msgspec
import numpy as np
import pytest

from edge.capture import Frame
from edge.gates.checks import FRAMES, check_board, check_camera, check_clock, check_disk
from edge.storage import Level, StorageState
from firmware.clock import WORST_UNCERTAINTY_NS, ClockReading, ClockSource
from firmware.health import Battery, HealthReading, Supply
from wire.readiness import Verdict
from wire.rigtime import MILLISECOND

PASS, WARN, FAIL = Verdict.PASS, Verdict.WARN, Verdict.FAIL


def dark(number, luma=16):
    planes = np.full((90, 64), 128, np.uint8)
    planes[:60] = luma
    return Frame(planes, number, number)


def test_a_camera_that_gives_pictures_passes(picture):
    told = check_camera(lambda count: [Frame(picture(n), n, n) for n in range(count)])
    assert (told.verdict, told.numbers["frames"]) == (PASS, FRAMES)


@pytest.mark.parametrize("given", range(FRAMES))
def test_a_camera_that_stops_after_too_few_pictures_fails(picture, given):
    told = check_camera(lambda _count: [Frame(picture(n), n, n) for n in range(given)])
    assert told.verdict is FAIL
    assert f"gave {given} of {FRAMES} pictures" in told.sentence


def test_a_black_picture_fails_whatever_its_colour_planes_say():
    told = check_camera(lambda count: [dark(n) for n in range(count)])
    assert told.verdict is FAIL
    assert "cap" in told.sentence


def test_noise_in_the_dark_is_still_black():
    noisy = dark(0)
    noisy.planes[:60] = np.random.default_rng(1).integers(14, 22, (60, 64))
    assert check_camera(lambda count: [noisy] * count).verdict is FAIL


def test_an_exposure_that_begins_in_the_dark_passes():
    assert check_camera(lambda count: [dark(n, 16 + 20 * n) for n in range(count)]).verdict is PASS


def test_a_night_match_under_floodlights_passes():
    night = dark(0)
    night.planes[20:40, 16:48] = 90
    assert check_camera(lambda count: [night] * count).verdict is PASS


ROOMY = StorageState(
    level=Level.OK,
    minutes_left=200.0,
    free_bytes=1 << 40,
    deletable_bytes=0,
    bytes_per_second=1e6,
    slowest_close_s=0.1,
    slowest_sync_s=0.1,
    sentence="the disk has room for 200 more minutes",
)
LOW = msgspec.structs.replace(ROOMY, level=Level.LOW, minutes_left=20.0, sentence="low")
FULL = msgspec.structs.replace(ROOMY, level=Level.FULL, minutes_left=0.0, sentence="full")
SLOW = msgspec.structs.replace(ROOMY, slowest_close_s=1.5)


@pytest.mark.parametrize(
    ("state", "planned", "verdict", "words"),
    [
        (ROOMY, None, PASS, "200 more minutes"),
        (ROOMY, 200, PASS, "200 more minutes"),
        (ROOMY, 201, FAIL, "200 of the 201 planned minutes"),
        (LOW, None, WARN, "low"),
        (LOW, 15, WARN, "low"),
        (FULL, None, FAIL, "full"),
        (FULL, 1, FAIL, "full"),
        (SLOW, None, WARN, "slow"),
    ],
)
def test_the_disk_has_to_last_as_long_as_is_planned(tmp_path, state, planned, verdict, words):
    told = check_disk(tmp_path, lambda: state, planned)
    assert told.verdict is verdict
    assert words in told.sentence
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_a_disk_that_cannot_make_a_file_durable_fails_with_the_reason(tmp_path, monkeypatch, call):
    def refuse(*_):
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(os, call, refuse)
    monkeypatch.setattr("pathlib.Path.replace", refuse)
    told = check_disk(tmp_path, lambda: ROOMY, None)
    assert told.verdict is FAIL
    assert "Read-only file system" in told.sentence
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_is_not_there_fails(tmp_path):
    assert check_disk(tmp_path / "gone", lambda: ROOMY, None).verdict is FAIL


def clock(source=ClockSource.CHRONY, offset_ms=0.2, bound_ms=1.0, reference="10.42.0.1"):
    offset_ns = None if offset_ms is None else round(offset_ms * MILLISECOND)
    return ClockReading(
        source=source, reference=reference, offset_ns=offset_ns, uncertainty_ns=round(bound_ms * MILLISECOND)
    )


@pytest.mark.parametrize(
    ("reading", "verdict", "words"),
    [
        (clock(), PASS, "within 1.0 ms"),
        (clock(offset_ms=0.1, bound_ms=4.99), PASS, "within 5.0 ms"),
        (clock(offset_ms=0.1, bound_ms=5), WARN, "may be 5 ms off"),
        (clock(offset_ms=-4.9, bound_ms=19.9), WARN, "may be 20 ms off"),
        (clock(offset_ms=0.1, bound_ms=20), FAIL, "may be 20 ms off"),
        (clock(offset_ms=5, bound_ms=5.5), FAIL, "is 5 ms off"),
        (clock(offset_ms=-3000, bound_ms=3001), FAIL, "is 3000 ms off"),
        (clock(ClockSource.KERNEL, None, 3), PASS, "within 3.0 ms"),
        (clock(ClockSource.KERNEL, None, WORST_UNCERTAINTY_NS / MILLISECOND), FAIL, "follows nobody"),
        (clock(ClockSource.OWN, None, WORST_UNCERTAINTY_NS / MILLISECOND), FAIL, "follows nobody"),
    ],
)
def test_the_clock_has_to_be_near_the_hubs(reading, verdict, words):
    told = check_clock(reading, hub_is_here=False)
    assert told.verdict is verdict
    assert words in told.sentence


HUB = ("10.42.0.1", "fd00::1")


@pytest.mark.parametrize(
    ("reading", "hub", "verdict", "words"),
    [
        (clock(), HUB, PASS, "within 1.0 ms"),
        (clock(reference="FD00:0:0::1"), HUB, PASS, "within 1.0 ms"),
        (clock(reference="162.159.200.1"), HUB, WARN, "follows 162.159.200.1 and not the hub (10.42.0.1, fd00::1)"),
        (clock(reference="GPS"), HUB, WARN, "follows GPS and not the hub"),
        (clock(reference="162.159.200.1", offset_ms=0.1, bound_ms=10), HUB, WARN, "and not the hub"),
        (clock(reference="162.159.200.1", offset_ms=3000, bound_ms=3001), HUB, FAIL, "is 3000 ms off"),
        (clock(ClockSource.OWN, None, WORST_UNCERTAINTY_NS / MILLISECOND, ""), HUB, FAIL, "follows nobody"),
        # The kernel does not tell whom it follows, and a hub that was never found is nobody's reference.
        (clock(ClockSource.KERNEL, None, 3, ""), HUB, PASS, "within 3.0 ms"),
        (clock(reference="162.159.200.1"), (), PASS, "within 1.0 ms"),
    ],
)
def test_a_clock_that_follows_somebody_else_than_the_hub_is_told(reading, hub, verdict, words):
    told = check_clock(reading, hub_is_here=False, hub_addresses=hub)
    assert told.verdict is verdict
    assert words in told.sentence
    assert told.numbers["bound_ms"] == pytest.approx(reading.uncertainty_ns / MILLISECOND)


def test_a_clock_shared_with_the_hub_is_right_whatever_anybody_says_of_it():
    lost = clock(ClockSource.OWN, None, WORST_UNCERTAINTY_NS / MILLISECOND)
    assert check_clock(lost, hub_is_here=True).verdict is PASS


GOOD = Supply(
    under_voltage=False,
    frequency_capped=False,
    throttled=False,
    soft_temperature_limit=False,
    under_voltage_before=False,
    throttled_before=False,
    volts=5.1,
)
WELL = HealthReading(temperature_c=55.0, supply=GOOD, battery=Battery(percent=80, discharging=True))


def board(**changes):
    return {finding.code: finding for finding in check_board(msgspec.structs.replace(WELL, **changes))}


def test_a_board_that_is_well_passes_and_tells_its_numbers():
    told = board()
    assert {finding.verdict for finding in told.values()} == {PASS}
    assert told["temperature"].numbers == {"temperature_c": 55.0}
    assert told["supply"].numbers == {"volts": 5.1}
    assert told["battery"].numbers == {"percent": 80.0}


def test_what_a_board_does_not_have_closes_no_gate():
    assert [finding.verdict for finding in check_board(HealthReading())] == [PASS] * 3


@pytest.mark.parametrize(("celsius", "verdict"), [(74.9, PASS), (75, WARN), (79.9, WARN), (80, FAIL), (95, FAIL)])
def test_a_hot_board_is_told_before_it_slows_down(celsius, verdict):
    assert board(temperature_c=celsius)["temperature"].verdict is verdict


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        ({"under_voltage": True}, FAIL),
        ({"under_voltage": True, "volts": None}, FAIL),
        ({"volts": 4.7}, WARN),
        ({"volts": 4.75}, PASS),
        ({"volts": None}, PASS),
        ({"under_voltage_before": True}, WARN),
        ({"throttled": True}, WARN),
        ({"frequency_capped": True}, WARN),
        ({"soft_temperature_limit": True}, WARN),
        ({"throttled_before": True}, PASS),
    ],
)
def test_a_weak_supply_is_told_and_one_too_weak_now_closes_the_gate(changes, verdict):
    told = board(supply=msgspec.structs.replace(GOOD, **changes))["supply"]
    assert told.verdict is verdict


def test_a_supply_that_should_answer_and_does_not_is_a_warning_with_the_reason():
    told = board(supply=None, faults=("vcgencmd get_throttled does not answer",))["supply"]
    assert told.verdict is WARN
    assert "does not answer" in told.sentence


@pytest.mark.parametrize(
    ("percent", "discharging", "verdict"),
    [(30, True, PASS), (29, True, WARN), (10, True, WARN), (9, True, FAIL), (3, False, PASS)],
)
def test_a_battery_that_is_nearly_empty_closes_the_gate_unless_it_is_being_charged(percent, discharging, verdict):
    assert board(battery=Battery(percent=percent, discharging=discharging))["battery"].verdict is verdict
