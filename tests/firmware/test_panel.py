import importlib
import itertools
import sys
import threading
import time
from pathlib import Path

import pytest

from firmware.errors import PanelFault
from firmware.panel import BEEPS, LIGHTS, DisabledPanel, FakePanel, GpioPanel, PanelSource
from firmware.panel.opening import header_chip
from firmware.panel.signals import ALARM, FAULT, LONG_S, MARKED, OFF, RECORDING, SHORT_S, STARTED, STOPPED

FAKES = Path(__file__).parents[1] / "fakes"
LIGHT, BEEPER = 17, 27


@pytest.mark.parametrize("beep", list(BEEPS.values()), ids=list(BEEPS))
def test_a_rhythm_is_short_enough_to_wait_for_and_says_what_it_means(beep):
    assert set(beep.rhythm) <= {".", "-", " "}
    assert beep.rhythm.strip() == beep.rhythm != ""
    assert beep.meaning
    assert sum(on_s + off_s for on_s, off_s in beep.steps()) < 5


@pytest.mark.parametrize(("one", "other"), list(itertools.combinations(BEEPS.values(), 2)))
def test_any_two_rhythms_differ_in_something_a_person_hears(one, other):
    """In where the long ones are, or in a group's number of beeps while no group has more than three of a kind."""
    assert one.rhythm != other.rhythm
    assert one.rhythm.replace(" ", "") != other.rhythm.replace(" ", "")
    for beep in (one, other):
        runs = [len(list(run)) for mark, run in itertools.groupby(beep.rhythm) if mark != " "]
        assert max(runs) <= 3
    assert LONG_S / SHORT_S >= 4


def test_good_news_begins_short_and_bad_news_long():
    good = {"marked", "passed", "started", "stopped", "warning"}
    assert {name for name, beep in BEEPS.items() if beep.rhythm.startswith(".")} == good


def test_a_pause_lengthens_the_silence_before_it():
    (_, first), (_, second), (_, third) = BEEPS["disk"].steps()
    assert first > 3 * second == 3 * third


def test_lights_are_told_apart_by_their_blinking():
    assert len({(light.on_s, light.off_s) for light in LIGHTS.values()}) == len(LIGHTS)


class Ears:
    """Waits for no time at all, and remembers for how long it should have."""

    def __init__(self):
        self.heard = []

    def wait(self, _closed, seconds):
        self.heard.append(seconds)


@pytest.fixture
def pins():
    from gpiozero.pins.mock import MockFactory

    made = MockFactory()
    yield made
    made.reset()


@pytest.fixture
def ears():
    return Ears()


@pytest.fixture(params=["gpio", "disabled", "fake"])
def panel(request, pins, ears, log):
    makers = {
        "gpio": lambda: GpioPanel(LIGHT, BEEPER, pins, log, wait=ears.wait),
        "disabled": DisabledPanel,
        "fake": FakePanel,
    }
    made = makers[request.param]()
    yield made
    made.close()


def test_every_panel_takes_every_signal_at_once_and_may_be_closed_twice(panel):
    for beep in BEEPS.values():
        panel.beep(beep)
    for light in LIGHTS.values():
        panel.light(light)
    panel.close()
    panel.close()


def reached(condition, limit_s=10):
    end = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.002)


def test_the_beeper_sounds_the_rhythm_and_falls_silent(pins, ears, log):
    panel = GpioPanel(LIGHT, BEEPER, pins, log, wait=ears.wait)
    pin = pins.pin(BEEPER)
    pin.clear_states()
    panel.beep(STARTED)
    reached(lambda: len(ears.heard) == 6)
    panel.close()
    assert [round(seconds, 3) for seconds in ears.heard] == [0.12, 0.15, 0.12, 0.15, 0.6, 0.15]
    assert [state for _, state in pin.states] == [False, True, False, True, False, True, False]


def test_of_the_beeps_that_wait_the_newest_two_are_kept(pins, log):
    release, heard = threading.Event(), []

    def wait(_closed, seconds):
        heard.append(seconds)
        release.wait(10)

    panel = GpioPanel(LIGHT, BEEPER, pins, log, wait=wait)
    panel.beep(MARKED)
    reached(lambda: heard)
    for beep in (STARTED, STOPPED, ALARM):
        panel.beep(beep)
    release.set()
    expected = [part for beep in (MARKED, STOPPED, ALARM) for step in beep.steps() for part in step]
    reached(lambda: len(heard) == len(expected))
    assert heard == expected
    panel.close()


def test_the_light_is_steady_blinks_or_is_dark(pins, ears, log):
    panel = GpioPanel(LIGHT, BEEPER, pins, log, wait=ears.wait)
    pin = pins.pin(LIGHT)
    panel.light(RECORDING)
    assert pin.state
    panel.light(FAULT)
    pin.clear_states()
    reached(lambda: len(pin.states) > 4)
    panel.light(OFF)
    assert not pin.state
    panel.close()


def test_closing_cuts_a_beep_short_and_frees_the_pins(pins, log):
    panel = GpioPanel(LIGHT, BEEPER, pins, log)
    panel.beep(ALARM)
    reached(lambda: pins.pin(BEEPER).state)
    panel.close()
    assert not pins.pin(BEEPER).state
    GpioPanel(LIGHT, BEEPER, pins, log).close()


def test_a_beeper_that_fails_is_logged_and_the_next_beep_still_tried(pins, ears, log, log_text, monkeypatch):
    panel = GpioPanel(LIGHT, BEEPER, pins, log, wait=ears.wait)
    broken = iter([OSError(121, "Remote I/O error")])
    honest = panel._beeper.on
    monkeypatch.setattr(panel._beeper, "on", lambda: next((_raise(fault) for fault in broken), None) or honest())
    panel.beep(MARKED)
    reached(lambda: "event=panel-fault" in log_text.getvalue())
    panel.beep(MARKED)
    reached(lambda: len(ears.heard) == 2)
    panel.close()


def _raise(fault):
    raise fault


def test_pins_that_somebody_else_holds_are_a_fault_in_words(pins, log):
    from gpiozero import LED

    holder = LED(LIGHT, pin_factory=pins)
    with pytest.raises(PanelFault, match="pins 17 and 27 cannot be used"):
        GpioPanel(LIGHT, BEEPER, pins, log)
    holder.close()


@pytest.mark.parametrize("setting", ["", "gpio", "gpio:17", "gpio:17,17", "gpio:a,b", "gpio:17,27,", "lights"])
def test_a_setting_that_names_no_panel_is_refused(setting):
    with pytest.raises(PanelFault, match="is not a panel"):
        PanelSource.parse(setting)


def test_a_board_without_a_panel_gets_the_disabled_one(log, tmp_path):
    assert isinstance(PanelSource.parse("disabled").open(log, tmp_path), DisabledPanel)


@pytest.fixture
def lgpio(monkeypatch, tmp_path):
    """The fake `lgpio` in place of the board's, and gpiozero's factory made anew upon it."""
    monkeypatch.syspath_prepend(str(FAKES))
    for name in ("lgpio", "gpiozero.pins.lgpio"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    # Set and taken out again, so that what is set later is taken back when the test ends.
    monkeypatch.setenv("LG_WD", "")
    monkeypatch.delenv("LG_WD")
    (tmp_path / "work").mkdir()
    monkeypatch.setattr("gpiozero.pins.local.get_pi_revision", lambda: 0xC04170)
    yield lambda: importlib.import_module("lgpio")
    for name in ("lgpio", "gpiozero.pins.lgpio"):
        sys.modules.pop(name, None)


def header(board, chip):
    """A Pi 5: the processor's own pins as chip 10, the header's as `chip`."""
    return board(
        {
            f"sys/bus/gpio/devices/gpiochip{chip}/of_node/compatible": b"raspberrypi,rp1-gpio\0",
            "sys/bus/gpio/devices/gpiochip10/of_node/compatible": b"brcm,brcmstb-gpio\0",
        }
    )


@pytest.mark.parametrize("chip", [0, 4])
def test_on_a_board_the_panel_is_on_lgpio_and_the_chip_of_the_header(lgpio, board, log, tmp_path, chip):
    root = header(board, chip)
    work = tmp_path / "work"
    panel = PanelSource.parse("gpio:17,27").open(log, work, root=root)
    panel.light(RECORDING)
    panel.close()
    assert lgpio().opened == [chip]
    assert 1 in lgpio().levels[17]
    assert (work / ".lgd-nfy0").exists()


def test_a_chip_that_cannot_be_opened_is_a_fault_in_words(lgpio, board, log, tmp_path, monkeypatch):
    root = header(board, 4)
    monkeypatch.setenv("LG_WD", str(tmp_path / "work"))
    lgpio().chips = {0}
    with pytest.raises(PanelFault, match="pins cannot be opened: can not open gpiochip"):
        PanelSource.parse("gpio:17,27").open(log, tmp_path / "work", root=root)


def test_without_the_boards_packages_the_fault_names_them(log, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "lgpio", None)
    monkeypatch.delitem(sys.modules, "gpiozero.pins.lgpio", raising=False)
    monkeypatch.setenv("LG_WD", str(tmp_path))
    with pytest.raises(PanelFault, match="python3-gpiozero and python3-lgpio"):
        PanelSource.parse("gpio:17,27").open(log, tmp_path)


def test_a_board_whose_chips_say_nothing_leaves_the_choice_to_gpiozero(board):
    assert header_chip(board({})) is None
    assert header_chip(board({"sys/bus/gpio/devices/gpiochip0/of_node/compatible": b"brcm,bcm2711-gpio\0"})) is None
