"""Software synchronisation (libcamera's `rpi.sync`): one camera tells by multicast when it exposes, others follow."""

from typing import Any

from wire.session import Sync

SYNC_FRAMES = 100
"""Frames after which the server calls everybody ready: the fewest it takes, 3.3 s at 30 a second."""
_SYNC_MARGIN_S = 4.0
"""How much later than its clients a server may begin."""


def can_sync(picamera2: Any, model: str) -> bool:
    """Whether the tuning that libcamera loads for this sensor knows `rpi.sync`; the control is offered either way."""
    try:
        picamera2.find_tuning_algo(picamera2.load_tuning_file(f"{model}.json"), "rpi.sync")
    except (RuntimeError, KeyError, StopIteration):
        return False
    return True


def sync_patience_s(frames_per_second: float) -> float:
    """How long a rig may take to get in step, in seconds."""
    return SYNC_FRAMES / frames_per_second + _SYNC_MARGIN_S


def sync_controls(sync: Sync, modes: Any) -> dict[str, Any]:
    """The controls of that part; `modes` is libcamera's enum of them."""
    if sync is Sync.SERVER:
        return {"SyncMode": modes.Server, "SyncFrames": SYNC_FRAMES}
    if sync is Sync.CLIENT:
        return {"SyncMode": modes.Client}
    return {}
