"""Pictures for those who stand beside the node: what the camera sees now, how to point it, whether it was knocked."""

from edge.viewing.guide import FramingState, Guide
from edge.viewing.live import Live, LiveState
from edge.viewing.load import Load
from edge.viewing.lookout import Lookout, ViewState
from edge.viewing.viewfinder import Viewfinder

__all__ = ["FramingState", "Guide", "Live", "LiveState", "Load", "Lookout", "ViewState", "Viewfinder"]
