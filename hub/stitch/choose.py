"""Which kernel stitches."""

from collections.abc import Sequence

from hub.picture import Picture
from hub.stitch.colour import Light
from hub.stitch.kernels.reference import ReferenceKernel
from hub.stitch.plan import StitchPlan
from hub.stitch.seams import Cut


class Stitcher:
    """Makes panoramas after one plan. For one thread at a time."""

    def __init__(self, plan: StitchPlan) -> None:
        self.plan = plan
        self.kernel = ReferenceKernel(plan)

    def stitch(
        self,
        frames: Sequence[Picture | None],
        into: Picture,
        cuts: Sequence[Cut] | None = None,
        lights: Sequence[Light] | None = None,
    ) -> None:
        """See `Kernel`."""
        self.kernel.stitch(frames, into, cuts, lights)
