"""What is known of the times that a recording's frames bear."""

from collections.abc import Callable

from edge.capture import Camera
from edge.capture.clocks import boottime_ns, real_minus_boot_ns
from edge.ledger import Stamping
from firmware.clock import Clock


class FrameClock:
    """The clock by which a recording stamps its frames: the node's as it stood when the camera was opened, moved by
    `shift_ns`. A clock that is set later moves no frame, but tells how far off the frames are."""

    def __init__(
        self, clock: Clock, camera: Camera, shift_ns: int, boottime_ns: Callable[[], int] = boottime_ns
    ) -> None:
        self._clock = clock
        self._camera = camera
        self._shift_ns = shift_ns
        self._boottime_ns = boottime_ns

    def now_ns(self) -> int:
        """The time that a frame bears which is taken now."""
        return unshifted_ns(self._clock, self._camera, self._boottime_ns) + self._shift_ns

    def read(self) -> Stamping:
        """How far the frames' times may be off, by what is known of the node's clock now."""
        behind_ns = self._behind_ns()
        offset_ns = self._clock.offset_ns()
        return Stamping(
            self._clock.uncertainty_ns() + abs(behind_ns), None if offset_ns is None else offset_ns + behind_ns
        )

    def _behind_ns(self) -> int:
        """How far the frames' clock is behind the node's."""
        if not self._camera.live:
            # A recorded camera counts from the session's zero, by no clock at all.
            return 0
        now_ahead_ns = real_minus_boot_ns(self._boottime_ns, self._clock.now_ns)
        return now_ahead_ns - self._camera.ahead_ns - self._shift_ns


def unshifted_ns(clock: Clock, camera: Camera, boottime_ns: Callable[[], int] = boottime_ns) -> int:
    """The time that a frame of this camera bears which is taken now, before anything is added: by the node's clock as
    it stood when the camera was opened, or as it stands for a recorded one, which has none."""
    return boottime_ns() + camera.ahead_ns if camera.live else clock.now_ns()
