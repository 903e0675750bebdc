"""An opened Picamera2, which is closed when the last who needs its memory has left."""

import threading
from collections.abc import Callable
from typing import Any

from edge.errors import CameraFault, CameraStuck


class Device:
    """Used by the camera that opened it, and by a coder that still reads its pictures after the camera was left;
    `give_back` is called before it closes.

    picamera2 can hang for ever when a stream that broke down is stopped, so each step gets `stop_s` seconds: then
    `CameraStuck` is raised, and only a new process can use the camera again.
    """

    def __init__(self, picam2: Any, name: str, stop_s: float, give_back: Callable[[], None]) -> None:
        self.picam2 = picam2
        self.name = name
        self._stop_s = stop_s
        self._give_back = give_back
        self._users = 1
        self._stuck = False
        self._lock = threading.Lock()

    def stop(self) -> None:
        """End the stream; raises `CameraStuck` or `CameraFault`."""
        self._within_time(self.picam2.stop, "stop")

    def join(self) -> bool:
        """One more needs the pictures' memory; False when it is closed already."""
        with self._lock:
            if not self._users:
                return False
            self._users += 1
            return True

    def leave(self) -> None:
        """One needs it no longer; the last one closes it. Raises `CameraStuck` or `CameraFault`."""
        with self._lock:
            self._users -= 1
            last, stuck = not self._users, self._stuck
        if last:
            self._give_back()
        if last and not stuck:
            self._within_time(self.picam2.close, "close")

    def _within_time(self, work: Callable[[], object], name: str) -> None:
        faults: list[Exception] = []

        def run() -> None:
            try:
                work()
            except Exception as fault:
                faults.append(fault)

        thread = threading.Thread(target=run, name=f"camera {name}", daemon=True)
        thread.start()
        thread.join(self._stop_s)
        if thread.is_alive():
            with self._lock:
                self._stuck = True
            raise CameraStuck(
                f"camera {self.name} did not {name} within {self._stop_s:g} s: only a new process can open it again"
            )
        if faults:
            raise CameraFault(f"camera {self.name} failed to {name}: {faults[0]}") from faults[0]
