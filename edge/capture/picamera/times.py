"""What the times of frames tell."""


def lost_between(last_ns: int, now_ns: int, frame_ns: int) -> int:
    """Frames missing between two SensorTimestamps; synchronised cameras stretch and shorten single frames."""
    steps = (now_ns - last_ns) / frame_ns
    return round(steps) - 1 if steps > 1.5 else 0
