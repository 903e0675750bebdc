"""Where one segment ends and the next begins: by capture time, so that the segments of all nodes correspond."""

from wire.rigtime import SECOND

SEGMENT_NS = 2 * SECOND


def sequence_of(time_ns: int, start_ns: int) -> int:
    """The segment a frame captured at `time_ns` belongs to: k covers [2 k s, 2 (k + 1) s) after the session's zero.

    Frames from before the zero, where a node's clock is behind, belong to the first segment.
    """
    return max(0, (time_ns - start_ns) // SEGMENT_NS)
