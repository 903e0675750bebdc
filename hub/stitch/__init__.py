"""One wide picture from several cameras."""

from hub.stitch.kernel import Stitcher, split_planes
from hub.stitch.plan import StitchPlan, plan_panorama
from wire.panorama import PanoramaView

__all__ = ["PanoramaView", "StitchPlan", "Stitcher", "plan_panorama", "split_planes"]
