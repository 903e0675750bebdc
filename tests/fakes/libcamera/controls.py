"""Control ids, and the enums that the node sets."""

from enum import IntEnum


class ControlId:
    def __init__(self, name):
        self.name = name

    def __repr__(self):
        return f"libcamera.controls.{self.name}"


SensorTimestamp = ControlId("SensorTimestamp")
FrameWallClock = ControlId("FrameWallClock")
FrameDuration = ControlId("FrameDuration")
ExposureTime = ControlId("ExposureTime")


class AfModeEnum(IntEnum):
    Manual = 0
    Auto = 1
    Continuous = 2


class draft:
    class NoiseReductionModeEnum(IntEnum):
        Off = 0
        Fast = 1
        HighQuality = 2
        Minimal = 3


class rpi:
    SyncReady = ControlId("SyncReady")
    SyncTimer = ControlId("SyncTimer")

    class SyncModeEnum(IntEnum):
        Off = 0
        Server = 1
        Client = 2
