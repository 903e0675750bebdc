"""What each gate looks at: pure judgements of readings, and the two that touch camera and disk.

Limits: a Raspberry Pi slows down from 80 °C on (its documentation, frequency management); its under-voltage detector
stands at 4.63 V, and USB promises 4.75 V.
"""

import contextlib
import ipaddress
import os
from collections.abc import Callable, Collection, Sequence
from pathlib import Path

import numpy as np

from edge.frame import Frame
from edge.storage import Level, StorageState
from firmware.clock import ClockReading, ClockSource
from firmware.health import Battery, HealthReading, Supply
from wire.durable import sync_folder
from wire.readiness import Finding, Verdict
from wire.rigtime import MILLISECOND

FRAMES = 3
"""How many pictures the camera has to give."""
BLACK = 24
"""Luma (16 is black, 235 white): a picture of which hardly a point is brighter shows nothing."""
CLOCK_LIMIT_NS = 5 * MILLISECOND
CLOCK_WORST_NS = 20 * MILLISECOND
"""Half a frame's time at 25 a second: beyond it nobody knows which frames of two cameras belong together."""
HOT_C, WARM_C = 80.0, 75.0
WEAK_V = 4.75
BATTERY_EMPTY, BATTERY_LOW = 10, 30
"""Percent of charge."""
_PROBE = b"touchline" * 1024


def passed(code: str, sentence: str, **numbers: float | None) -> Finding:
    """All is well; `numbers` that are None were not measured."""
    return _finding(code, Verdict.PASS, sentence, numbers)


def warned(code: str, sentence: str, **numbers: float | None) -> Finding:
    """Worth a look."""
    return _finding(code, Verdict.WARN, sentence, numbers)


def failed(code: str, sentence: str, **numbers: float | None) -> Finding:
    """Not to be recorded with."""
    return _finding(code, Verdict.FAIL, sentence, numbers)


def _finding(code: str, verdict: Verdict, sentence: str, numbers: dict[str, float | None]) -> Finding:
    measured = {name: round(float(value), 3) for name, value in numbers.items() if value is not None}
    return Finding(code=code, verdict=verdict, sentence=sentence, numbers=measured)


def check_camera(peek: Callable[[int], Sequence[Frame]]) -> Finding:
    """Whether the camera gives pictures that show something; `peek` takes so many. Sharpness is nobody's gate."""
    frames = peek(FRAMES)
    if len(frames) < FRAMES:
        return failed(
            "camera",
            f"the camera gave {len(frames)} of {FRAMES} pictures and stopped: check its cable",
            frames=len(frames),
        )
    # An automatic exposure begins in the dark: the brightest of them counts.
    bright = max(float(np.percentile(_luma(frame)[::4, ::4], 99)) for frame in frames)
    if bright <= BLACK:
        return failed("camera", "the camera's picture is black: take the cap off its lens", brightest_luma=bright)
    return passed("camera", "the camera gives pictures", frames=len(frames), brightest_luma=bright)


def _luma(frame: Frame) -> np.ndarray:
    return frame.planes[: frame.planes.shape[0] * 2 // 3]


def check_disk(folder: Path, state: Callable[[], StorageState], planned_minutes: float | None) -> Finding:
    """Whether a file can be made durable in `folder`, and whether the disk lasts as long as is planned."""
    try:
        probe(folder, _PROBE)
    except OSError as fault:
        return failed("disk", f"the disk cannot be written ({fault.strerror}): check how it is connected")
    disk = state()
    numbers = {
        "minutes_left": disk.minutes_left,
        "free_bytes": disk.free_bytes,
        "slowest_close_s": disk.slowest_close_s,
    }
    if disk.level in (Level.FULL, Level.UNKNOWN):
        return failed("disk", disk.sentence, **numbers)
    if planned_minutes is not None and disk.minutes_left < planned_minutes:
        return failed(
            "disk",
            f"the disk has room for {disk.minutes_left:.0f} of the {planned_minutes:.0f} planned minutes: let the hub "
            "take the video that waits, or make room",
            **numbers,
        )
    if disk.level is Level.LOW:
        return warned("disk", disk.sentence, **numbers)
    if disk.slow:
        return warned("disk", f"the disk is slow: a segment took {disk.slowest_close_s:.1f} s to be safe", **numbers)
    return passed("disk", disk.sentence, **numbers)


def probe(folder: Path, data: bytes) -> None:
    """Make a file durable in `folder`, its name too, and take it away again; raises `OSError`."""
    new, path = folder / "probe.new", folder / "probe"
    try:
        with new.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)
        sync_folder(folder)
    finally:
        new.unlink(missing_ok=True)
        path.unlink(missing_ok=True)


def check_clock(reading: ClockReading, hub_is_here: bool, hub_addresses: Collection[str] = ()) -> Finding:
    """Whether this node's clock is near enough to the hub's; `hub_is_here` when they are one machine and share it.

    `hub_addresses` are those IP addresses of the hub's that are known: a clock that follows somebody else may be right
    and still not be the hub's. That is no more than a warning, because the hub may have other addresses, or follow the
    same clock, and it measures in the end how far its nodes' clocks are apart.
    """
    if hub_is_here:
        return passed("clock", "hub and node are one machine and share its clock", offset_ms=0)
    found = _nearness(reading)
    strange = reading.source is ClockSource.CHRONY and hub_addresses and _spelt(reading.reference) not in hub_addresses
    if strange and found.verdict is not Verdict.FAIL:
        sentence = (
            f"the clock follows {reading.reference} and not the hub ({', '.join(sorted(hub_addresses))}), which may be "
            "seconds off: let this node's chrony have the hub as its only server"
        )
        return warned("clock", sentence, **found.numbers)
    return found


def _spelt(address: str) -> str:
    """An IP address as everybody here writes it; a clock of the node's own, like GPS, has a name instead."""
    with contextlib.suppress(ValueError):
        return str(ipaddress.ip_address(address))
    return address


def _nearness(reading: ClockReading) -> Finding:
    bound_ms, offset_ns = reading.uncertainty_ns / MILLISECOND, reading.offset_ns
    numbers = {"bound_ms": bound_ms, "offset_ms": None if offset_ns is None else offset_ns / MILLISECOND}
    if reading.uncertainty_ns < CLOCK_LIMIT_NS:
        return passed("clock", f"the clock is right within {bound_ms:.1f} ms", **numbers)
    if reading.source is ClockSource.OWN or offset_ns is None:
        return failed("clock", "the clock follows nobody: wait until the node has found the hub's time", **numbers)
    if abs(offset_ns) >= CLOCK_LIMIT_NS:
        sentence = f"the clock is {abs(offset_ns) / MILLISECOND:.0f} ms off: wait a minute until it has come right"
        return failed("clock", sentence, **numbers)
    if reading.uncertainty_ns >= CLOCK_WORST_NS:
        sentence = f"the clock may be {bound_ms:.0f} ms off: look whether node and hub reach each other well"
        return failed("clock", sentence, **numbers)
    return warned("clock", f"the clock seems right, but may be {bound_ms:.0f} ms off", **numbers)


def check_board(reading: HealthReading) -> tuple[Finding, Finding, Finding]:
    """Heat, supply and battery, each passed where this board does not have it."""
    return _temperature(reading.temperature_c), _supply(reading.supply, reading.faults), _battery(reading.battery)


def _temperature(celsius: float | None) -> Finding:
    if celsius is None:
        return passed("temperature", "this board does not tell its temperature")
    if celsius >= HOT_C:
        return failed(
            "temperature", f"the board is {celsius:.0f} °C hot: shade it and let it cool", temperature_c=celsius
        )
    if celsius >= WARM_C:
        return warned("temperature", f"the board is {celsius:.0f} °C warm: shade it", temperature_c=celsius)
    return passed("temperature", f"the board has {celsius:.0f} °C", temperature_c=celsius)


def _supply(supply: Supply | None, faults: tuple[str, ...]) -> Finding:
    if supply is None:
        if faults:
            return warned("supply", f"the power supply cannot be judged: {'; '.join(faults)}")
        return passed("supply", "this board does not tell how it is supplied")
    volts = supply.volts
    if supply.under_voltage:
        sentence = "the power supply is too weak now: use one that gives 5 V and 5 A, and a short cable"
        return failed("supply", sentence, volts=volts)
    if volts is not None and volts < WEAK_V:
        return warned("supply", f"the supply gives only {volts:.2f} V: use a shorter cable", volts=volts)
    if supply.under_voltage_before:
        return warned("supply", "the power supply was too weak since the node was switched on", volts=volts)
    if supply.throttled or supply.frequency_capped or supply.soft_temperature_limit:
        return warned("supply", "the board holds itself back because of heat or power", volts=volts)
    return passed("supply", "the power supply is good", volts=volts)


def _battery(battery: Battery | None) -> Finding:
    if battery is None:
        return passed("battery", "there is no battery")
    percent = battery.percent
    if not battery.discharging:
        return passed("battery", f"the battery is at {percent} % and not being emptied", percent=percent)
    if percent < BATTERY_EMPTY:
        return failed("battery", f"the battery is at {percent} %: change or charge it", percent=percent)
    if percent < BATTERY_LOW:
        return warned("battery", f"the battery is at {percent} %: it may not last", percent=percent)
    return passed("battery", f"the battery is at {percent} %", percent=percent)
