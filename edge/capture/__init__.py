"""Cameras: `CameraSource` opens the one that a setting names; `Camera` and `Frame` are what the node sees of it."""

from edge.capture.camera import Camera, Frame
from edge.capture.source import CameraSource

__all__ = ["Camera", "CameraSource", "Frame"]
