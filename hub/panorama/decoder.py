"""Hardware that decodes the cameras' videos, where there is some that can be relied on."""

import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import av
import numpy as np
from av.codec.hwaccel import hwdevices_available

from hub.panorama.proving import choice, in_time
from hub.panorama.video import open_video, shot_of
from hub.picture import Picture

_COMPARED = 5
"""Frames that have to be those of software."""
_TIMED = 50
"""Frames that may not take more of the processor than software takes: those of a segment, since each is opened anew."""
_MOST_LEVELS = 2
"""Decoders agree to the bit; what the driver converts on the way may be rounded otherwise."""


class Tried(NamedTuple):
    """What came of a video's beginning: its first pictures, and the CPU seconds that a segment's worth of it took."""

    pictures: Sequence[Picture]
    cpu_s: float


def choose_decoder(
    video: Path, note: Callable[[str], None], devices: Callable[[], Sequence[str]] = hwdevices_available
) -> str | None:
    """The device of this machine that decodes `video` as software does and spares the processor by it, None where there
    is none; which one, and why not the others, is told to `note`."""
    software: Tried | None = None
    reasons: list[str] = []
    for device in devices():
        try:
            software = software or try_decoding(video, None)
            reason = _unfit(software, in_time(partial(try_decoding, video, device)))
        except (av.FFmpegError, ValueError, OSError, RuntimeError, NotImplementedError) as fault:
            reason = getattr(fault, "strerror", None) or str(fault)
        if reason is None:
            note(choice("decoding by", device, reasons))
            return device
        reasons.append(f"not {device}: {reason}")
    note(choice("decoding in", "software", reasons))
    return None


def try_decoding(video: Path, device: str | None) -> Tried:
    """Decode the beginning of a video by a device, or software; raises what libav does, or `NotImplementedError` where
    the device leaves the work to software."""
    began = time.process_time()
    with open_video(video, device) as container:
        stream = container.streams.video[0]
        pictures = []
        for number, frame in enumerate(container.decode(stream)):
            shot = shot_of(frame, 0)
            if number < _COMPARED:
                pictures.append(shot.picture)
            if number == _TIMED - 1:
                break
        if device is not None and not stream.codec_context.is_hwaccel:
            raise NotImplementedError("it does not take this kind of video")
    return Tried(pictures, time.process_time() - began)


def _unfit(expected: Tried, got: Tried) -> str | None:
    """Why a device is of no use, in words; None when it is."""
    if len(got.pictures) != len(expected.pictures):
        return f"{len(got.pictures)} pictures of {len(expected.pictures)} came out"
    for one, other in zip(expected.pictures, got.pictures, strict=True):
        for sent, plane in zip(one, other, strict=True):
            if plane.shape != sent.shape:
                return "its pictures have another size"
            worst = int(np.abs(sent.astype(np.int16) - plane).max())
            if worst > _MOST_LEVELS:
                return f"its pictures are {worst} levels off"
    if got.cpu_s > expected.cpu_s:
        return f"it takes {got.cpu_s / max(expected.cpu_s, 1e-3):.1f} times the CPU time of software"
    return None
