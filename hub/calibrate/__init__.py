"""Finding a rig's cameras from pictures and a few clicked points."""

from hub.calibrate.calibration import calibrate
from hub.calibrate.views import View, background

__all__ = ["View", "background", "calibrate"]
