"""A match in spells of a few minutes: what is worked out after the whistle takes one at a time, so that memory depends
on the length of a spell and not on that of the match."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import pairwise

from wire.ids import NodeId
from wire.rigtime import SECOND
from wire.tracks import SegmentTracks

SPELL_S = 300
OVERLAP_S = 60
"""Seconds that two spells share, half of them on either side of their seam: whoever is out of sight for no longer than
people are followed through is seen by both."""

Seen = Callable[[NodeId, int, int], Iterable[SegmentTracks]]
"""What a node's segments tell, in order, of all frames that it captured between two times of its own clock; frames
around them may be among them."""


@dataclass(frozen=True)
class Spell:
    """The rig times from one seam, `first_ns`, to the next, `last_ns`; with what it shares with its neighbours it spans
    `from_ns` to `until_ns`."""

    first_ns: int
    last_ns: int
    from_ns: int
    until_ns: int


def spells(start_ns: int, end_ns: int) -> list[Spell]:
    """The spells, equally long, that fill the time between; the seams lie whole seconds after its start."""
    seconds = (end_ns - start_ns) / SECOND
    count = max(round(seconds / SPELL_S), 1)
    seams = [start_ns + int(seconds * k / count) * SECOND for k in range(count)] + [end_ns]
    half = OVERLAP_S * SECOND // 2
    return [
        Spell(first, last, max(first - half, start_ns), min(last + half, end_ns)) for first, last in pairwise(seams)
    ]
