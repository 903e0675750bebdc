"""How far a long piece of work is, for whoever waits for it."""

import time
from collections.abc import Callable, Mapping
from typing import TextIO

from hub.messages import StageCost

_EVERY_S = 5.0
"""Between two lines where they cannot be written over."""


class Progress:
    """Tells on a stream which share of so many frames is done, how fast, and how long the rest will take.

    On a terminal it is one line that is written over; elsewhere a line every few seconds. `done` frames were there
    before.
    """

    def __init__(self, out: TextIO, total: int, done: int = 0, clock: Callable[[], float] = time.monotonic) -> None:
        self._out = out
        self._total = total
        self._before = done
        self._clock = clock
        self._began = clock()
        self._told: float | None = None
        self._open = False

    def at(self, done: int) -> None:
        """So many frames are done, those from before among them."""
        now = self._clock()
        live = self._out.isatty()
        if not live and self._told is not None and now - self._told < _EVERY_S and done < self._total:
            return
        self._told = now
        rate = (done - self._before) / max(now - self._began, 1e-6)
        left = (self._total - done) / rate if rate > 0 else 0.0
        words = (
            f"{done / self._total:4.0%}  {done} of {self._total} frames, {rate:.1f} frames/s, {clock_words(left)} left"
        )
        self._out.write(f"\r{words}\x1b[K" if live else f"{words}\n")
        self._out.flush()
        self._open = live

    def tell(self, words: str) -> None:
        """One line of its own."""
        self.end()
        self._out.write(f"{words}\n")
        self._out.flush()

    def end(self) -> None:
        """Leave the line as it is."""
        if self._open:
            self._out.write("\n")
            self._open = False


def step_teller(out: TextIO) -> Callable[[str, float], None]:
    """Tells on a stream each step once, with the share that is done."""
    last = ""

    def tell(step: str, share: float) -> None:
        nonlocal last
        if step != last:
            out.write(f"{share:4.0%}  {step}\n")
            out.flush()
            last = step

    return tell


def clock_words(seconds: float) -> str:
    """A length of time as people read it: 1:05:09, 12:07, 48 s."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    hours, minutes = divmod(whole // 60, 60)
    return f"{hours}:{minutes:02d}:{whole % 60:02d}" if hours else f"{minutes}:{whole % 60:02d}"


def cost_table(costs: Mapping[str, StageCost]) -> str:
    """What each stage cost, and how full the belt behind it was: full before the slowest stage, empty behind it."""
    rows = [f"{'stage':<16}{'items':>8}{'CPU s':>9}{'wall s':>9}{'CPU ms each':>13}{'belt full':>11}"]
    for stage, cost in costs.items():
        each = f"{1e3 * cost.cpu_s / cost.items:.2f}" if cost.items else ""
        fill = "" if cost.fill is None else f"{cost.fill:.0%}"
        rows.append(f"{stage:<16}{cost.items:>8}{cost.cpu_s:>9.2f}{cost.wall_s:>9.2f}{each:>13}{fill:>11}")
    return "\n".join(rows)
