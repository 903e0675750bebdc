"""The session's timeline cut into windows of two seconds, and which segments a window needs."""

from collections.abc import Callable, Mapping

from wire.ids import NodeId
from wire.rigtime import SECOND

FRAMES_PER_SECOND = 25
WINDOW_NS = 2 * SECOND
WINDOW_FRAMES = FRAMES_PER_SECOND * 2


def frame_time_ns(start_ns: int, frame: int) -> int:
    """Rig time of panorama frame `frame`."""
    return start_ns + frame * SECOND // FRAMES_PER_SECOND


def sequences_needed(window: int, offset_ns: int) -> range:
    """Sequence numbers of the node's segments that a window may take frames from.

    Segment q covers [2q, 2q + 2) s after the session's start on the node's clock; `offset_ns` is added to that clock.
    Half a frame beyond either end counts, because the nearest frame may lie there.
    """
    margin = SECOND // FRAMES_PER_SECOND
    return sequences_between(window * WINDOW_NS - margin - offset_ns, (window + 1) * WINDOW_NS + margin - offset_ns)


def sequences_between(first_ns: int, last_ns: int) -> range:
    """Sequence numbers of a node's segments between two times after the session's start on the node's clock."""
    return range(max(first_ns // WINDOW_NS, 0), max(last_ns // WINDOW_NS + 1, 0))


def is_ready(window: int, offsets_ns: Mapping[NodeId, int], settled: Callable[[NodeId, int], bool]) -> bool:
    """Whether every segment that the window needs is settled: held, or known never to come."""
    return all(
        settled(node, sequence) for node, offset in offsets_ns.items() for sequence in sequences_needed(window, offset)
    )


def windows_in(duration_ns: int) -> int:
    """How many windows a session of that length has."""
    return -(-duration_ns // WINDOW_NS)
