"""How the board is: its heat, its power, its load and its memory."""

import contextlib
import subprocess
from pathlib import Path
from typing import Protocol

import msgspec

_VCGENCMD_S = 2.0
_UNDER_VOLTAGE, _CAPPED, _THROTTLED, _SOFT_LIMIT = range(4)
_SINCE_BOOT = 16
"""Bits of `vcgencmd get_throttled`: now, and 16 higher the same since the board was switched on (Raspberry Pi
documentation, computers/os, graphics utilities)."""


class Supply(msgspec.Struct, frozen=True, kw_only=True):
    """What the board says of its power and of what it does about it; `volts` is its 5 V rail, where it can tell."""

    under_voltage: bool
    frequency_capped: bool
    throttled: bool
    soft_temperature_limit: bool
    under_voltage_before: bool
    """Since the board was switched on."""
    throttled_before: bool
    volts: float | None = None


class Battery(msgspec.Struct, frozen=True, kw_only=True):
    """A battery's charge, 0 to 100 %, and whether it is being emptied."""

    percent: int
    discharging: bool


class HealthReading(msgspec.Struct, frozen=True, kw_only=True):
    """How the board is at one moment; None for what this board cannot tell.

    `load` is the run queue's length over the last minute, to be compared with the number of `cores`. `faults` are the
    sentences of what should have answered and did not.
    """

    temperature_c: float | None = None
    supply: Supply | None = None
    battery: Battery | None = None
    load: float | None = None
    cores: int | None = None
    free_memory_bytes: int | None = None
    faults: tuple[str, ...] = ()


class Health(Protocol):
    """Whoever can tell how the board is."""

    def read(self) -> HealthReading:
        """How the board is now; never raises."""


class DisabledHealth:
    """A board that tells nothing: everything is None, and no gate can close on it."""

    def read(self) -> HealthReading:
        """Nothing is known."""
        return HealthReading()


class BoardHealth:
    """What Linux and a Raspberry Pi's firmware tell, each where it is there.

    `root` is where `/sys` and `/proc` are found, `vcgencmd` the firmware's command.
    """

    def __init__(self, root: Path = Path("/"), vcgencmd: str = "vcgencmd") -> None:
        self._root = root
        self._vcgencmd = vcgencmd

    def read(self) -> HealthReading:
        """How the board is now; never raises."""
        faults: list[str] = []
        return HealthReading(
            temperature_c=self._temperature(),
            supply=self._supply(faults),
            battery=self._battery(),
            load=self._number("proc/loadavg"),
            cores=len(list(self._root.glob("sys/devices/system/cpu/cpu[0-9]*"))) or None,
            free_memory_bytes=self._free_memory(),
            faults=tuple(faults),
        )

    def _temperature(self) -> float | None:
        """Of the zone that the device tree calls the processor's. Others are left alone: a laptop's package is at home
        at temperatures that would mean harm here."""
        for zone in sorted(self._root.glob("sys/class/thermal/thermal_zone*")):
            if _text(zone / "type") == "cpu-thermal":
                value = _number(_text(zone / "temp"))
                return None if value is None else value / 1000
        return None

    def _supply(self, faults: list[str]) -> Supply | None:
        told = self._ask("get_throttled", faults)
        if told is None:
            return None
        try:
            bits = int(told.partition("throttled=")[2], 16)
        except ValueError:
            faults.append(f"{self._vcgencmd} get_throttled answered {told!r}")
            return None

        def told_of(bit: int) -> bool:
            return bool(bits >> bit & 1)

        return Supply(
            under_voltage=told_of(_UNDER_VOLTAGE),
            frequency_capped=told_of(_CAPPED),
            throttled=told_of(_THROTTLED),
            soft_temperature_limit=told_of(_SOFT_LIMIT),
            under_voltage_before=told_of(_UNDER_VOLTAGE + _SINCE_BOOT),
            throttled_before=told_of(_THROTTLED + _SINCE_BOOT),
            volts=self._volts(),
        )

    def _volts(self) -> float | None:
        # Only a Pi 5 has this converter; an older board's refusal is no fault. `EXT5V_V volt(24)=5.15V`
        told = self._ask("pmic_read_adc EXT5V_V", [])
        return _number((told or "").rpartition("=")[2].removesuffix("V"))

    def _ask(self, words: str, faults: list[str]) -> str | None:
        try:
            run = subprocess.run(
                [self._vcgencmd, *words.split()], capture_output=True, text=True, timeout=_VCGENCMD_S, check=False
            )
        except FileNotFoundError:
            # Not a Raspberry Pi.
            return None
        except subprocess.TimeoutExpired:
            faults.append(f"{self._vcgencmd} {words} does not answer")
            return None
        except OSError as fault:
            faults.append(f"{self._vcgencmd} cannot be run: {fault.strerror}")
            return None
        if run.returncode:
            said = (run.stderr or run.stdout).strip() or f"exit status {run.returncode}"
            faults.append(f"{self._vcgencmd} {words} failed: {said}")
            return None
        return run.stdout.strip()

    def _battery(self) -> Battery | None:
        """The emptiest battery that feeds this machine; a mouse's says nothing about it (`scope` Device)."""
        found = []
        for source in sorted(self._root.glob("sys/class/power_supply/*")):
            if _text(source / "type") != "Battery" or _text(source / "scope") == "Device":
                continue
            percent = _number(_text(source / "capacity"))
            if percent is not None and _text(source / "present") != "0":
                discharging = _text(source / "status") == "Discharging"
                found.append(Battery(percent=round(percent), discharging=discharging))
        return min(found, key=lambda battery: battery.percent, default=None)

    def _free_memory(self) -> int | None:
        for line in _text(self._root / "proc/meminfo").splitlines():
            if line.startswith("MemAvailable:"):
                kilobytes = _number(line.split()[1])
                return None if kilobytes is None else int(kilobytes) * 1024
        return None

    def _number(self, path: str) -> float | None:
        return _number(_text(self._root / path).partition(" ")[0])


def _text(path: Path) -> str:
    with contextlib.suppress(OSError, UnicodeDecodeError):
        return path.read_text().strip()
    return ""


def _number(text: str) -> float | None:
    with contextlib.suppress(ValueError):
        return float(text)
    return None
