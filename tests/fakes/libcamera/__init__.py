"""A stand-in for libcamera's Python bindings: the names that picamera2 and its users meet; `hardware` is the board."""

from enum import Enum

from libcamera import controls

__all__ = ["ColorSpace", "FrameMetadata", "Request", "Transform", "controls"]


class Transform:
    def __init__(self, hflip=0, vflip=0, transpose=0):
        self.hflip, self.vflip, self.transpose = hflip, vflip, transpose


class ColorSpace:
    def __init__(self, name):
        self.name = name

    @classmethod
    def Rec709(cls):
        return cls("Rec709")

    @classmethod
    def Smpte170m(cls):
        return cls("SMPTE170M")

    @classmethod
    def Sycc(cls):
        return cls("sYCC")


class FrameMetadata:
    class Status(Enum):
        Success = 0
        Error = 1
        Cancelled = 2
        Startup = 3


class Request:
    """One set of buffers on its way between the application and the camera."""

    class Status(Enum):
        Pending = 0
        Complete = 1
        Cancelled = 2

    def __init__(self, buffers):
        self.buffers = buffers
        """Per stream name its memory, flat uint8, and what came of it."""
        self.metadata = {}
        self.status = self.Status.Pending

    def reuse(self):
        self.metadata, self.status = {}, self.Status.Pending


class Buffer:
    def __init__(self, memory):
        self.memory = memory
        self.status = FrameMetadata.Status.Success
