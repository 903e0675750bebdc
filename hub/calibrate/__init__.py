"""Finding a rig's cameras and clocks from pictures, a few clicked points, and people seen twice."""

from hub.calibrate.calibration import calibrate
from hub.calibrate.clock import ClockEstimate, estimate_clock_offsets, estimate_clocks, with_clock_offsets
from hub.calibrate.views import View, background

__all__ = [
    "ClockEstimate",
    "View",
    "background",
    "calibrate",
    "estimate_clock_offsets",
    "estimate_clocks",
    "with_clock_offsets",
]
