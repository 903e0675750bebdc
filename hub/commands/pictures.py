"""What `calibrate` looks at: a picture or a video file per camera."""

from collections.abc import Iterator
from pathlib import Path

import av
import cv2
import numpy as np

from hub.calibrate.views import Picture as Still
from hub.calibrate.views import background
from hub.errors import HubError
from hub.panorama.video import shot_of
from hub.picture import Picture, Plane
from wire.rigtime import SECOND

PICTURES = (".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp")
_SMALLEST_PX = 320
_LOOKED_AT_S = 12.0
_FRAMES = 15
_PLANAR = ("yuv420p", "yuvj420p", "yuv422p", "yuvj422p", "nv12", "gray")
"""Formats whose first plane is luma of 8 bits."""


class UnreadablePicture(HubError, ValueError):
    """A file that is no picture and no video that can be read."""


def is_video(path: Path) -> bool:
    """Whether a file is taken for a video, by its name."""
    return path.suffix.lower() not in PICTURES


def read_still(path: Path) -> Still:
    """A camera's picture (h, w, 3) BGR; of a video what stays when people move, from its first 12 s.

    Raises `UnreadablePicture`.
    """
    if not path.is_file():
        raise UnreadablePicture(f"there is no picture or video at {path}")
    still = _of_video(path) if is_video(path) else _of_picture(path)
    if min(still.shape[:2]) < _SMALLEST_PX:
        raise UnreadablePicture(f"{path} is {still.shape[1]}x{still.shape[0]}: too small to find lines in")
    return still


def _of_picture(path: Path) -> Still:
    raw = np.fromfile(path, np.uint8)
    # As it is stored: a picture that has to be turned to be upright is not one of a fixed camera.
    flags = cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION
    found = cv2.imdecode(raw, flags) if raw.size else None
    if found is None:
        raise UnreadablePicture(f"{path} cannot be read as a picture")
    return np.asarray(found, np.uint8)


def _of_video(path: Path) -> Still:
    frames: list[Picture] = []
    # A short video has its frames closer together.
    spacing_s = min(_duration_s(path), _LOOKED_AT_S) / _FRAMES
    for time_ns, frame in _frames(path):
        if len(frames) == _FRAMES:
            break
        if time_ns / SECOND >= len(frames) * spacing_s:
            frames.append(shot_of(frame, time_ns).picture)
    if not frames:
        raise UnreadablePicture(f"{path} has no picture in it")
    return background(frames)


def lumas(path: Path, longest_s: float = _LOOKED_AT_S) -> Iterator[tuple[int, Plane]]:
    """Time (ns from the video's first frame) and luma plane (h, w) of its frames; raises `UnreadablePicture`."""
    for time_ns, frame in _frames(path):
        if time_ns / SECOND >= longest_s:
            return
        plane = (frame if frame.format.name in _PLANAR else frame.reformat(format="gray")).planes[0]
        rows = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
        yield time_ns, rows[: frame.height, : frame.width]


def _duration_s(path: Path) -> float:
    try:
        with av.open(str(path)) as container:
            return (container.duration or 0) / av.time_base or _LOOKED_AT_S
    except (av.FFmpegError, OSError) as fault:
        raise UnreadablePicture(f"{path} cannot be read as a video ({fault.strerror})") from None


def _frames(path: Path) -> Iterator[tuple[int, av.VideoFrame]]:
    try:
        with av.open(str(path)) as container:
            if not container.streams.video:
                raise UnreadablePicture(f"{path} has no picture in it")
            first = None
            for frame in container.decode(video=0):
                if frame.pts is None or frame.time_base is None:
                    continue
                at = int(frame.pts * frame.time_base * SECOND)
                first = at if first is None else first
                yield at - first, frame
    except (av.FFmpegError, OSError) as fault:
        raise UnreadablePicture(f"{path} cannot be read as a video ({fault.strerror})") from None
