"""A session's rig over time: as it was calibrated, and as its cameras stood later."""

from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass

from wire.rig import CameraModel, Rig


@dataclass(frozen=True)
class RigHistory:
    """The rig of a session, and from which rig times (ns, rising) on its cameras stood otherwise. Where they stand is
    all that changes: clock offsets are those of `rig`."""

    rig: Rig
    later: tuple[tuple[int, Rig], ...] = ()

    def index(self, time_ns: int) -> int:
        """Which rig holds at a rig time: 0 the first one, k the k-th later one."""
        return bisect_right([since for since, _ in self.later], time_ns)

    def at(self, time_ns: int) -> Rig:
        """The rig that holds at a rig time."""
        index = self.index(time_ns)
        return self.later[index - 1][1] if index else self.rig

    @property
    def cameras(self) -> tuple[CameraModel, ...]:
        """All cameras of the first rig from the left, then those of the later ones."""
        return sum((rig.cameras for _, rig in self.later), self.rig.cameras)

    def changed(self, how: Callable[[Rig], Rig]) -> "RigHistory":
        """The same history of rigs that were all changed alike."""
        return RigHistory(how(self.rig), tuple((since, how(rig)) for since, rig in self.later))
