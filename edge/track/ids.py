"""Numbers of tracklets: unique within a session, shared by every tracker of the node."""

from collections.abc import Iterator
from itertools import count

TrackletIds = Iterator[int]


PER_SEGMENT = 1 << 12
"""More tracklets than any segment begins: who begins in the segment k may count from k times this on."""


def tracklet_ids(first_segment: int = 0) -> TrackletIds:
    """Numbers from 1 on, or from where no eyes that ended before `first_segment` can have come."""
    return count(1 + PER_SEGMENT * first_segment)
