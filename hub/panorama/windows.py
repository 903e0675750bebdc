"""A panorama's timeline: how many frames a second, cut into windows of about two seconds, and which segments a window
needs."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from wire.ids import NodeId
from wire.rigtime import SECOND

SEGMENT_NS = 2 * SECOND
"""What a node's segment covers."""
LONGEST_HOLD_NS = SECOND // 5
"""So far away a camera's nearest picture may be and still stand for a moment: a few lost frames freeze it, a lost
camera is filled by its neighbours."""
USUAL_RATE = Fraction(25)
_NOMINAL = (
    *(Fraction(n) for n in (24, 25, 30, 48, 50, 60, 90, 100, 120)),
    *(Fraction(n, 1001) for n in (24000, 30000, 60000)),
)
_ROUNDED_NS = 1000
_NEAR = Fraction(1, 100)
"""Lost frames and a rough clock put a counted rate so far off what the camera means."""


@dataclass(frozen=True)
class Cadence:
    """Frames a second, and what follows: all times count from the panorama's first frame."""

    rate: Fraction = USUAL_RATE

    @property
    def window_frames(self) -> int:
        """Frames of a window, so many that it lasts two seconds as nearly as whole frames can."""
        return max(1, round(2 * self.rate))

    @property
    def interval_ns(self) -> int:
        """From one frame to the next."""
        return int(SECOND / self.rate)

    def time_ns(self, frame: int) -> int:
        """Of a frame."""
        return frame * SECOND * self.rate.denominator // self.rate.numerator

    def frames_in(self, duration_ns: int) -> int:
        """How many frames are whole within that time, but for what was cut off of it by rounding."""
        return max(0, (duration_ns + _ROUNDED_NS) * self.rate.numerator // (SECOND * self.rate.denominator))

    def windows_of(self, frames: int) -> int:
        """How many windows so many frames make."""
        return -(-frames // self.window_frames)

    def window_span_ns(self, window: int) -> tuple[int, int]:
        """Times at which a window begins and ends."""
        first = window * self.window_frames
        return self.time_ns(first), self.time_ns(first + self.window_frames)


USUAL = Cadence()


def common_cadence(rates: Sequence[Fraction]) -> Cadence:
    """The cadence that suits cameras of these rates: that of most of them, of two the faster one's."""
    known = sorted(rate for rate in map(nominal_rate, rates) if rate > 0)
    return Cadence(known[len(known) // 2]) if known else Cadence()


def nominal_rate(measured: Fraction) -> Fraction:
    """The rate that a camera means whose frames were counted: a usual one if it is that near."""
    nearest = min(_NOMINAL, key=lambda usual: abs(measured - usual))
    return nearest if abs(measured - nearest) <= nearest * _NEAR else Fraction(round(measured * 100), 100)


def sequences_needed(span_ns: tuple[int, int], offset_ns: int) -> range:
    """Sequence numbers of the node's segments that frames between two times may come from.

    Segment q covers [2q, 2q + 2) s after the session's start on the node's clock; `offset_ns` is added to that clock.
    What may stand for a moment counts beyond either end.
    """
    first, last = span_ns
    return sequences_between(first - LONGEST_HOLD_NS - offset_ns, last + LONGEST_HOLD_NS - offset_ns)


def sequences_between(first_ns: int, last_ns: int) -> range:
    """Sequence numbers of a node's segments between two times after the session's start on the node's clock."""
    return range(max(first_ns // SEGMENT_NS, 0), max(last_ns // SEGMENT_NS + 1, 0))


def is_ready(
    span_ns: tuple[int, int], offsets_ns: Mapping[NodeId, int], settled: Callable[[NodeId, int], bool]
) -> bool:
    """Whether every segment that the time between needs is settled: held, or known never to come."""
    return all(
        settled(node, sequence) for node, offset in offsets_ns.items() for sequence in sequences_needed(span_ns, offset)
    )
