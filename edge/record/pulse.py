"""Whether the threads of a recording get on with their work."""

import contextlib
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

_GLANCES = 20
"""Times the watch looks at a pulse before it gives it up: a process that slept as a whole has missed only one."""

_SLOW = 2
"""Glances that find it in the same piece of work before somebody is told: a tenth of the patience."""


class Pulse:
    """Told by one thread when it begins and ends a piece of work, so that another can see that it hangs in one."""

    def __init__(self) -> None:
        self.step = 0
        """Odd while at work; each piece of work counts it on by two."""

    @contextlib.contextmanager
    def working(self) -> Iterator[None]:
        """A piece of work, from which the thread comes back soon or not at all."""
        self.step += 1
        try:
            yield
        finally:
            self.step += 1


@dataclass
class Watched:
    """A pulse that may rest as long as it likes but take only `patience_s` over one piece of work.

    `hangs` is called once, from the watching thread, when it takes longer; `slows` each time that it becomes `slow`.
    """

    pulse: Pulse
    patience_s: float
    hangs: Callable[[], None]
    slows: Callable[[], None] = lambda: None
    step: int = 0
    glances: int = 0
    over: bool = False

    @property
    def slow(self) -> bool:
        """Whether it has been at this piece of work for long."""
        return self.glances >= _SLOW

    def glance(self) -> None:
        """Look whether it got on since the last glance."""
        now = self.pulse.step
        if now != self.step:
            self.step, self.glances = now, 0
        elif now % 2 and not self.over:
            self.glances += 1
            if self.glances == _SLOW:
                self.slows()
        if self.glances == _GLANCES and not self.over:
            self.over = True
            self.hangs()


def watch(watched: Sequence[Watched], ended: threading.Event, watching: Pulse) -> None:
    """Glance at every pulse until `ended`, which `watching` tells of; run it in a thread of its own."""
    due = [each.patience_s / _GLANCES for each in watched]
    left = list(due)
    while not ended.wait(step := min(left)):
        with watching.working():
            for k, each in enumerate(watched):
                left[k] -= step
                if left[k] <= 1e-9:
                    left[k] = due[k]
                    each.glance()
