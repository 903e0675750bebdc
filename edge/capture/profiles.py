"""What a camera can be asked to record, and whether its sensor and the board's processor can hold it."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from edge.errors import CameraFault, ProfileRefused

PIXELS_PER_CORE = {"h264": 69_000_000, "hevc": 19_400_000}
"""Pixels a second that one core of a Raspberry Pi 5 codes.

x264: 1920 x 1080 at 30 in 0.9 of a core, the upper end of what Raspberry Pi's white paper RP-010033 is quoted with;
x265 `ultrafast`: the same in 80 % of four cores, measured (both in AlexBtlle/pi4-IA-Homekit-Camera, issue 59).
"""
RESERVED_CORES = 1.0
"""What capture, eyes, disk and hand-over need beside the coder, and what keeps the board from throttling in the sun."""
THREAD_LOAD = 0.75
"""How busy one of the coder's threads may be on average: a frame with more motion takes longer."""
LEAST_DEPTH = 10
"""Bits a pixel below which a sensor's mode is not chosen by itself: shadows break into steps."""
SYNC_HEADROOM = 1.01
"""Synchronised cameras shorten single frames to close the gap between them, so the mode must be this much faster."""
RATE_TOLERANCE = 0.999
"""A mode's rate is read from a frame duration in whole microseconds."""

_NAME = re.compile(r"([1-9][0-9]*)x([1-9][0-9]*)(?:@([1-9][0-9]*))?(-hevc)?")


@dataclass(frozen=True)
class Profile:
    """Size in pixels, frames a second (None: as many as the sensor gives at that size) and codec of a recording."""

    width: int
    height: int
    frames_per_second: int | None
    codec: str = "h264"

    @classmethod
    def parse(cls, text: str) -> "Profile":
        """The profile that `WIDTHxHEIGHT[@RATE][-hevc]` names; raises `CameraFault`."""
        parts = _NAME.fullmatch(text)
        if not parts:
            raise CameraFault(
                f"{text!r} is not a profile: write WIDTHxHEIGHT or WIDTHxHEIGHT@RATE, with -hevc for H.265"
            )
        width, height, rate, hevc = parts.groups()
        if int(width) % 2 or int(height) % 2 or int(width) < 16 or int(height) < 16:
            raise CameraFault(f"profile {text} has no even width and height of 16 or more")
        return cls(int(width), int(height), int(rate) if rate else None, "hevc" if hevc else "h264")

    def __str__(self) -> str:
        rate = f"@{self.frames_per_second}" if self.frames_per_second else ""
        return f"{self.width}x{self.height}{rate}{'-hevc' if self.codec == 'hevc' else ''}"


PROFILES = tuple(
    Profile.parse(text)
    for text in (
        "2028x1080@30",
        "1920x1080@30",
        "2304x1296@30",
        "2028x1520@30",
        "1920x1080@25-hevc",
        "4056x2160",
    )
)
"""The profiles this node is planned for: the whole width of the HQ camera; any camera; the whole view of Camera Module
3; the whole height of the HQ camera; the most that H.265 can hold; every pixel of the HQ camera's width."""


@dataclass(frozen=True)
class SensorMode:
    """One way to read a sensor: size in pixels, bits a pixel, most frames a second, and the part of the sensor's pixels
    it shows (width, height)."""

    width: int
    height: int
    bit_depth: int
    frames_per_second: float
    view: tuple[int, int]

    def seen(self, profile: Profile) -> int:
        """Sensor pixels in the picture once the view is cut to the profile's shape."""
        wide, high = self.view
        shape = profile.width / profile.height
        return round(min(wide, high * shape) * min(high, wide / shape))


@dataclass(frozen=True)
class Plan:
    """How a profile is recorded: which mode of the sensor, at how many frames a second, with how many coder threads."""

    mode: SensorMode
    frames_per_second: int
    threads: int


def default_profile(modes: Sequence[SensorMode]) -> Profile:
    """What to record when nothing was asked for: the HQ camera's whole width where the sensor has it, else 1080p30.

    Both leave most of the processor free; anything larger on this board is somebody's decision.
    """
    hq, full_hd = PROFILES[:2]
    return hq if any((m.width, m.height) == (hq.width, hq.height) for m in modes) else full_hd


def plan(profile: Profile, modes: Sequence[SensorMode], *, cores: int, cameras: int = 1, synced: bool = False) -> Plan:
    """How this sensor and this board record `profile`; raises `ProfileRefused` with the reason in words.

    The budget: a coder needs width x height x rate / `PIXELS_PER_CORE` cores, and may have what `RESERVED_CORES` leave
    of the board's `cores`, shared by its `cameras`.
    """
    mode, rate = _mode(profile, modes, SYNC_HEADROOM if synced else RATE_TOLERANCE)
    pixels = profile.width * profile.height
    need = pixels * rate / PIXELS_PER_CORE[profile.codec]
    spare = max(0.0, (cores - RESERVED_CORES) / cameras)
    if need > spare:
        most = math.floor(spare * PIXELS_PER_CORE[profile.codec] / pixels)
        sharing = f", and {cameras} cameras share them" if cameras > 1 else ""
        raise ProfileRefused(
            f"profile {profile} is too much for this board: to code {rate} frames a second as {profile.codec} takes "
            f"{need:.1f} cores, of its {cores} it can give {spare:.1f}{sharing}; at this size {most} frames a second "
            "are possible"
        )
    return Plan(mode, rate, math.ceil(need / THREAD_LOAD))


def _mode(profile: Profile, modes: Sequence[SensorMode], headroom: float) -> tuple[SensorMode, int]:
    large = [m for m in modes if m.width >= profile.width and m.height >= profile.height]
    if not large:
        most = max(modes, key=lambda m: m.width * m.height)
        raise ProfileRefused(
            f"profile {profile} is more than the sensor shows: its largest picture has {most.width} x {most.height} "
            "pixels"
        )
    if profile.frames_per_second is None:
        deep = [m for m in large if m.bit_depth >= LEAST_DEPTH] or large
        mode = max(deep, key=lambda m: (m.seen(profile), m.frames_per_second))
        return mode, max(1, math.floor(mode.frames_per_second / headroom))
    fast = [m for m in large if m.frames_per_second >= profile.frames_per_second * headroom]
    if not fast:
        most = max(large, key=lambda m: m.frames_per_second)
        why = ", and a synchronised camera needs one per cent more than it records" if headroom > 1 else ""
        raise ProfileRefused(
            f"profile {profile} is too fast for the sensor: at this size it gives {most.frames_per_second:g} frames a "
            f"second at most{why}"
        )
    # The widest view first; then the finest steps of brightness; then the least to read.
    mode = max(fast, key=lambda m: (m.seen(profile), m.bit_depth, -m.width * m.height))
    return mode, profile.frames_per_second
