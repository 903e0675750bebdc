"""Cameras: `CameraSource` opens the one that a setting names; `Camera` and `Frame` are what the node sees of it."""

from edge.capture.camera import Camera
from edge.capture.source import CameraSource
from edge.frame import Frame

__all__ = ["Camera", "CameraSource", "Frame"]
