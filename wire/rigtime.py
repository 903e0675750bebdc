"""Rig time: integer nanoseconds since the Unix epoch on the hub's clock."""

SECOND = 1_000_000_000
MILLISECOND = 1_000_000


def seconds(duration_ns: int) -> float:
    """A duration in seconds."""
    return duration_ns / SECOND


def nanoseconds(duration_s: float) -> int:
    """A duration in whole nanoseconds."""
    return round(duration_s * SECOND)
