import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware.clock import (
    WORST_UNCERTAINTY_NS,
    ChronyClock,
    ClockReading,
    ClockSource,
    StepDetector,
    SystemClock,
    tracking,
)
from wire.rigtime import MILLISECOND, SECOND

HUB = (
    "0A2A0001,10.42.0.1,9,1790000000.123456789,0.000012000,0.000010000,0.000020000,-12.345,0.001,0.050,"
    "0.000800000,0.000300000,4.1,Normal"
)
OWN = HUB.replace("0A2A0001,10.42.0.1", "7F7F0101,")
NOBODY = "00000000,,0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,1.0,1.0,0.0,Not synchronised"
KERNEL = ClockReading(source=ClockSource.KERNEL, reference="", offset_ns=None, uncertainty_ns=77)


class System(SystemClock):
    """A system's clock of which the kernel says 77 ns; it runs as the list `steady` does, and can be set."""

    def __init__(self, steady=(0,)):
        self.set_by_ns = 0
        self._steady = steady

    def now_ns(self):
        return 10**18 + self._steady[0] + self.set_by_ns

    def read(self):
        return KERNEL


def clock(command, body, steady=(0,)):
    return ChronyClock([command("chronyc", body)], System(steady), lambda: steady[0])


def test_the_clock_counts_from_the_unix_epoch():
    for made in (SystemClock(), ChronyClock(["/nowhere/chronyc"])):
        before = time.time_ns()
        assert before <= made.now_ns() <= time.time_ns()


def test_its_uncertainty_is_a_bound_the_kernel_gives():
    assert 0 <= SystemClock().uncertainty_ns() <= WORST_UNCERTAINTY_NS
    reading = SystemClock().read()
    assert (reading.source, reading.offset_ns) == (ClockSource.KERNEL, None)


def test_chrony_is_asked_for_what_it_tracks(command):
    reading = clock(command, f'[ "$*" = "-c tracking" ] && echo "{HUB}"').read()
    assert reading == ClockReading(
        source=ClockSource.CHRONY, reference="10.42.0.1", offset_ns=12_000, uncertainty_ns=12_000 + 300_000 + 400_000
    )


def test_a_fast_clock_has_a_negative_offset_and_the_same_bound():
    reading = tracking(HUB.replace(",0.000012000,", ",-0.000012000,"))
    assert (reading.offset_ns, reading.uncertainty_ns) == (-12_000, 712_000)


def test_a_clock_that_follows_only_itself_may_be_as_far_off_as_any(command):
    reading = clock(command, f'echo "{OWN}"').read()
    assert (reading.source, reading.offset_ns, reading.uncertainty_ns) == (ClockSource.OWN, None, WORST_UNCERTAINTY_NS)


def test_a_bound_is_never_worse_than_that_of_a_clock_nobody_keeps():
    assert tracking(HUB.replace(",0.000300000,", ",9000.0,")).uncertainty_ns == WORST_UNCERTAINTY_NS


@pytest.mark.parametrize(
    "body",
    [
        f'echo "{NOBODY}"',
        f'echo "{HUB.replace("Normal", "Not synchronised")}"',
        'echo "506 Cannot talk to daemon" >&2; exit 1',
        f'echo "{HUB}"; exit 1',
        "echo",
        "echo 1,2,3",
        f'echo "{HUB.replace("0.000012000", "soon")}"',
        f'echo "{HUB.replace("0.000012000", "inf")}"',
    ],
)
def test_where_chrony_does_not_know_the_kernel_is_asked(command, body):
    assert clock(command, body).read() == KERNEL


def test_a_machine_without_chrony_has_the_kernels_word():
    made = ChronyClock(["/nowhere/chronyc"], System())
    assert made.read() == KERNEL
    assert made.offset_ns() is None
    assert SystemClock().offset_ns() is None


def test_chrony_that_hangs_is_not_waited_for(command, monkeypatch):
    monkeypatch.setattr("firmware.clock._CHRONYC_S", 0.1)
    assert clock(command, "exec sleep 30").read() == KERNEL


def test_the_bound_is_asked_anew_only_when_it_is_old(command, tmp_path):
    steady = [0]
    made = clock(command, f'echo x >> "{tmp_path}/asked"; echo "{HUB}"', steady)
    for at_s, times in ((0, 1), (9, 1), (11, 2), (20, 2)):
        steady[0] = at_s * SECOND
        assert (made.uncertainty_ns(), made.offset_ns()) == (712_000, 12_000)
        assert (tmp_path / "asked").read_text().count("x") == times


@pytest.mark.parametrize("step_ns", [3 * SECOND, -3 * SECOND])
def test_what_was_known_before_the_clock_was_set_is_not_said_of_it_afterwards(command, tmp_path, step_ns):
    (tmp_path / "told").write_text(HUB.replace(",0.000012000,", ",3.000000000,"))
    system = System()
    made = ChronyClock([command("chronyc", f'cat "{tmp_path}/told"')], system, lambda: 0)
    assert made.offset_ns() == 3 * SECOND
    (tmp_path / "told").write_text(HUB)
    assert made.offset_ns() == 3 * SECOND
    system.set_by_ns = step_ns
    assert made.offset_ns() == 12_000


@given(st.text(max_size=200))
def test_no_answer_of_chrony_is_misread_as_a_bound_that_cannot_be(text):
    reading = tracking(text)
    assert reading is None or 0 <= reading.uncertainty_ns <= WORST_UNCERTAINTY_NS


class TwoClocks:
    """A wall clock and the time since boot, which only a step drives apart; each reading takes a microsecond."""

    def __init__(self):
        self.now = 0
        self.difference = 1_790_000_000 * SECOND

    def steady(self):
        self.now += 1000
        return self.now

    def wall(self):
        self.now += 1000
        return self.now + self.difference


@pytest.fixture
def clocks():
    return TwoClocks()


@pytest.fixture
def detector(clocks):
    return StepDetector(5 * MILLISECOND, clocks.wall, clocks.steady)


@pytest.mark.parametrize("step_s", [3, -3, 0.006, -0.006])
def test_a_step_is_told_once_with_its_sign(clocks, detector, step_s):
    clocks.now += 60 * SECOND
    assert detector.stepped_ns() == 0
    clocks.difference += round(step_s * SECOND)
    assert abs(detector.stepped_ns() - round(step_s * SECOND)) < MILLISECOND
    assert detector.stepped_ns() == 0


def test_small_steps_are_no_matter_until_they_add_up(clocks, detector):
    told = []
    for _ in range(5):
        clocks.difference += 2 * MILLISECOND
        told.append(detector.stepped_ns())
    assert told[:2] == [0, 0]
    assert abs(told[2] - 6 * MILLISECOND) < MILLISECOND
    assert told[3:] == [0, 0]


def test_a_reading_that_was_interrupted_is_not_taken_for_a_step(clocks):
    pauses = iter([0, 0, 0, 40 * MILLISECOND, 0, 0])

    def wall():
        # The process sleeps between one clock and the next.
        clocks.now += next(pauses)
        return clocks.wall()

    detector = StepDetector(5 * MILLISECOND, wall, clocks.steady)
    assert detector.stepped_ns() == 0


def test_the_machines_own_clocks_do_not_step_in_a_moment():
    detector = StepDetector()
    assert detector.stepped_ns() == 0
