"""One wide picture from several cameras."""

from hub.stitch.choose import Stitcher
from hub.stitch.colour import Light
from hub.stitch.kernel import Kernel
from hub.stitch.plan import StitchPlan, plan_panorama
from hub.stitch.seams import Cut, Seam
from wire.panorama import PanoramaView

__all__ = ["Cut", "Kernel", "Light", "PanoramaView", "Seam", "StitchPlan", "Stitcher", "plan_panorama"]
