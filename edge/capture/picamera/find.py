"""Which of the board's cameras is meant."""

from collections.abc import Callable, Sequence
from typing import Any

from edge.errors import CameraFault

LOOK_EVERY_S = 0.5


def find(
    wanted: str,
    look: Callable[[], Sequence[dict[str, Any]]],
    *,
    patience_s: float,
    sleep: Callable[[float], None],
) -> tuple[int, dict[str, Any]]:
    """The place in picamera2's list, and what that list says, of the camera with this libcamera Id or Num.

    Its place is what picamera2 opens by; the Num it lists there is libcamera's own and another one. A board that has
    just started lists its cameras late: there is no event to wait for, so this looks again for `patience_s`. Raises
    `CameraFault` that names the cameras there are.
    """
    tries = max(1, round(patience_s / LOOK_EVERY_S))
    for left in reversed(range(tries)):
        cameras = look()
        for place, camera in enumerate(cameras):
            if wanted in (camera["Id"], str(camera["Num"])):
                return place, camera
        if left:
            sleep(LOOK_EVERY_S)
    there = ", ".join(f"{camera['Num']} = {camera['Id']} ({camera['Model']})" for camera in cameras)
    raise CameraFault(f"this board has no camera {wanted}; it has {there or 'none: look at cable and connector'}")
