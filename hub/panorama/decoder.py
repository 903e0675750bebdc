"""Hardware that decodes the cameras' videos, where there is some that can be relied on."""

from collections.abc import Callable, Sequence
from pathlib import Path

import av
import numpy as np
from av.codec.hwaccel import hwdevices_available

from hub.panorama.encoder import choice
from hub.panorama.video import open_video, shot_of
from hub.picture import Picture

_PROOF_FRAMES = 5
_MOST_LEVELS = 2
"""Decoders agree to the bit; what the driver converts on the way may be rounded otherwise."""


def choose_decoder(
    video: Path, note: Callable[[str], None], devices: Callable[[], Sequence[str]] = hwdevices_available
) -> str | None:
    """The device of this machine that decodes `video` as software does, None where none proves itself; which one, and
    why not the others, is told to `note`."""
    expected: list[Picture] = []
    reasons: list[str] = []
    for device in devices():
        try:
            expected = expected or _first_pictures(video, None)
            reason = _difference(expected, _first_pictures(video, device))
        except (av.FFmpegError, ValueError, OSError, RuntimeError, NotImplementedError) as fault:
            reason = getattr(fault, "strerror", None) or str(fault)
        if reason is None:
            note(choice("decoding by", device, reasons))
            return device
        reasons.append(f"not {device}: {reason}")
    note(choice("decoding in", "software", reasons))
    return None


def _first_pictures(video: Path, device: str | None) -> list[Picture]:
    with open_video(video, device) as container:
        stream = container.streams.video[0]
        pictures = []
        for frame in container.decode(stream):
            pictures.append(shot_of(frame, 0).picture)
            if len(pictures) == _PROOF_FRAMES:
                break
        if device is not None and not stream.codec_context.is_hwaccel:
            raise NotImplementedError("it does not take this kind of video")
        return pictures


def _difference(expected: Sequence[Picture], got: Sequence[Picture]) -> str | None:
    """In words, None when there is none that matters."""
    if len(got) != len(expected):
        return f"{len(got)} pictures of {len(expected)} came out"
    for one, other in zip(expected, got, strict=True):
        for sent, plane in zip(one, other, strict=True):
            if plane.shape != sent.shape:
                return "its pictures have another size"
            worst = int(np.abs(sent.astype(np.int16) - plane).max())
            if worst > _MOST_LEVELS:
                return f"its pictures are {worst} levels off"
    return None
