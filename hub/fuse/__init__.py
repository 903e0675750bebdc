"""Fusion of the cameras' tracklets to tracks on the pitch."""

from hub.fuse.fusion import fuse

__all__ = ["fuse"]
