"""Which of a camera's frames stands for a moment of the panorama, and what is to be told about it."""

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from hub.panorama.video import Shot
from hub.panorama.windows import LONGEST_HOLD_NS, Cadence
from hub.picture import Picture
from wire.rigtime import SECOND

_JUDGED_S = 10
"""After which a camera's own rate is known well enough to be told."""
_SLOW = 5e-4
"""Off the panorama's rate by more than this a camera's frames are repeated or left out every minute or so."""


class Moment(NamedTuple):
    """One frame of the panorama to be made: its number, and each camera's picture (None: it has none)."""

    frame: int
    pictures: Sequence[Picture | None]


class Footage:
    """Answers "which frame was captured closest to this rig time", for rising times.

    `shots` come in order of time; `offset_ns` is added to their times. `opens` says that no frame of the camera lies
    before its first one here. What is odd about the camera is told to `tell`, once each, with figures. At most two
    frames are held.
    """

    def __init__(
        self,
        name: str,
        shots: Iterable[Shot],
        offset_ns: int,
        cadence: Cadence,
        tell: Callable[[str], None],
        opens: bool = True,
    ) -> None:
        self._name = name
        self._shots = iter(shots)
        self._offset = offset_ns
        self._cadence = cadence
        self._tell = tell
        self._opens = opens
        self._before: Shot | None = None
        self._after: Shot | None = None
        self._taken = 0
        self._shown: int | None = None
        self._pace = _Pace()
        self._rate_told = False
        self._repeated = self._left_out = self._filled = 0

    def nearest(self, rig_ns: int, at_s: float) -> Shot | None:
        """The frame captured nearest to `rig_ns`, which is `at_s` seconds of the panorama; None when none is near
        enough to stand for it. Frames are taken only as far as needed: up to the first one not before `rig_ns`."""
        while self._after is None or self._after.time_ns < rig_ns:
            following = next(self._shots, None)
            if following is None:
                break
            self._pace.add(following.time_ns)
            self._taken += 1
            self._before, self._after = self._after, following._replace(time_ns=following.time_ns + self._offset)
        self._judge_rate(_JUDGED_S)
        near = [(self._before, self._taken - 1), (self._after, self._taken)]
        away = [(abs(shot.time_ns - rig_ns), number, shot) for shot, number in near if shot is not None]
        if away:
            _, number, shot = min(away, key=lambda item: item[0])
            if self._stands_for(shot.time_ns - rig_ns):
                self._note(number)
                return shot
        if not self._filled:
            self._tell(f"camera {self._name} has no picture at {at_s:.1f} s: its neighbours fill in as far as they see")
        self._filled += 1
        self._shown = None
        return None

    def _stands_for(self, later_ns: int) -> bool:
        if self._before is None and self._opens and 0 <= later_ns <= SECOND:
            # Cameras do not begin in the same instant: the first picture stands for the moments just before it.
            return True
        return abs(later_ns) <= max(LONGEST_HOLD_NS, 3 * self._pace.interval_ns // 2)

    def _note(self, number: int) -> None:
        """The camera's frame of that number is shown."""
        if self._shown is not None:
            self._repeated += number == self._shown
            self._left_out += max(0, number - self._shown - 1)
        self._shown = number

    def _judge_rate(self, least_s: int) -> None:
        if self._rate_told or self._pace.watched_ns < least_s * SECOND:
            return
        self._rate_told = True
        rate, wanted = self._pace.rate, float(self._cadence.rate)
        if abs(rate / wanted - 1) > _SLOW:
            fate = "repeated" if rate < wanted else "left out"
            self._tell(
                f"camera {self._name} runs at {rate:.2f} frames a second while the panorama has {wanted:g}: "
                f"some of its pictures are {fate}"
            )

    def finish(self) -> None:
        """Tell what has come together until the panorama's end."""
        self._judge_rate(1)
        told = []
        if self._repeated:
            told.append(f"repeated {_times(self._repeated, 'picture')} of camera {self._name}")
        if self._left_out:
            told.append(f"left out {_times(self._left_out, 'picture')} of camera {self._name}")
        if self._filled:
            gap_s = self._filled / float(self._cadence.rate)
            told.append(f"for {gap_s:.1f} s neighbours stood in for camera {self._name}")
        for words in told:
            self._tell(words)


class _Pace:
    """A camera's own rate, by the steps between its frames; steps over lost frames do not count."""

    def __init__(self) -> None:
        self._last: int | None = None
        self._steps = 0
        self.watched_ns = 0

    def add(self, time_ns: int) -> None:
        """The next frame came at that time."""
        step = time_ns - self._last if self._last is not None else 0
        self._last = time_ns
        if step <= 0:
            return
        if self._steps < 3 or step < 1.5 * self.interval_ns:
            self._steps += 1
            self.watched_ns += step

    @property
    def interval_ns(self) -> int:
        """From one frame to the next, 0 while unknown."""
        return self.watched_ns // self._steps if self._steps else 0

    @property
    def rate(self) -> float:
        """Frames a second, 0 while unknown."""
        return SECOND * self._steps / self.watched_ns if self._steps else 0.0


def _times(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"
