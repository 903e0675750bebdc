"""Numbers of tracklets: unique within a session, shared by every tracker of the node."""

from collections.abc import Iterator
from itertools import count

TrackletIds = Iterator[int]


def tracklet_ids() -> TrackletIds:
    """Numbers from 1 on."""
    return count(1)
