"""A fake of joan2937/lg's `lgpio`: the calls gpiozero's LGPIOFactory makes, and the two ways in which opening fails.

Like the true one it makes its pipe `.lgd-nfy0` at import, in `$LG_WD` or else the current directory. `chips` holds the
numbers of the chips there are, `levels` what was written to each pin, `opened` the chips asked for.
"""

import os
from pathlib import Path

SET_ACTIVE_LOW, SET_OPEN_DRAIN, SET_OPEN_SOURCE = 4, 8, 16
SET_PULL_UP = SET_BIAS_PULL_UP = 32
SET_PULL_DOWN = SET_BIAS_PULL_DOWN = 64
SET_PULL_NONE = SET_BIAS_DISABLE = 128
RISING_EDGE, FALLING_EDGE, BOTH_EDGES = 1, 2, 3

chips = set(range(14))
opened: list[int] = []
levels: dict[int, list[int]] = {}
_modes: dict[int, int] = {}


class error(Exception):
    pass


Path(os.environ.get("LG_WD", "."), ".lgd-nfy0").touch()


def gpiochip_open(chip):
    opened.append(chip)
    if chip not in chips:
        raise error("can not open gpiochip")
    return chip << 16


def gpiochip_close(_handle):
    return 0


def gpio_claim_input(_handle, pin, _flags=0):
    _modes[pin] = 0
    return 0


def gpio_claim_output(_handle, pin, level=0, _flags=0):
    _modes[pin] = 2
    levels.setdefault(pin, []).append(level)
    return 0


def gpio_get_mode(_handle, pin):
    return _modes.get(pin, 0)


def gpio_free(_handle, pin):
    _modes.pop(pin, None)
    return 0


def gpio_read(_handle, pin):
    return levels.get(pin, [0])[-1]


def gpio_write(_handle, pin, level):
    levels.setdefault(pin, []).append(int(level))
    return 0
