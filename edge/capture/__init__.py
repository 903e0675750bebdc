"""Cameras: `CameraSource` opens the one that a setting names; `Camera` and `Frame` are what the node sees of it."""

from edge.capture.camera import Camera
from edge.capture.profiles import PROFILES, Profile
from edge.capture.source import CameraSource
from edge.frame import Frame
from wire.session import Sync

__all__ = ["PROFILES", "Camera", "CameraSource", "Frame", "Profile", "Sync"]
