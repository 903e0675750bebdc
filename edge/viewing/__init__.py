"""Pictures for those who stand beside the node: what the camera sees now, how to point it, whether it was knocked."""

from edge.viewing.viewfinder import Viewfinder

__all__ = ["Viewfinder"]
