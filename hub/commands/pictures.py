"""What `calibrate` looks at: a picture or a video file per camera."""

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from hub.calibrate.views import Picture as Still
from hub.calibrate.views import background
from hub.errors import HubError
from hub.panorama.footage import file_frames
from hub.panorama.video import Shot, video_facts
from hub.picture import Picture
from wire.rigtime import SECOND

PICTURES = (".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp")
_SMALLEST_PX = 320
_LOOKED_AT_NS = 12 * SECOND
_FRAMES = 15


class UnreadablePicture(HubError, ValueError):
    """A file that is no picture that can be read, or one in which nothing could be found."""


def is_video(path: Path) -> bool:
    """Whether a file is taken for a video, by its name."""
    return path.suffix.lower() not in PICTURES


def read_still(path: Path) -> Still:
    """A camera's picture (h, w, 3) BGR; of a video what stays when people move, from its first 12 s.

    Raises `UnreadablePicture` or `UnsuitableVideo`.
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
    # A short video has its frames closer together.
    spacing_ns = min(video_facts(path).duration_ns, _LOOKED_AT_NS) // _FRAMES
    frames: list[Picture] = []
    for shot in first_frames(path):
        if shot.time_ns >= len(frames) * spacing_ns:
            frames.append(shot.picture)
        if len(frames) == _FRAMES:
            break
    return background(frames)


def first_frames(path: Path) -> Iterator[Shot]:
    """The frames of a video's first 12 s; raises `UnsuitableVideo`."""
    for shot in file_frames(video_facts(path), 0, _let_be):
        if shot.time_ns >= _LOOKED_AT_NS:
            return
        yield shot


def _let_be(_fault: HubError) -> None:
    """A damaged place costs some frames of many."""
