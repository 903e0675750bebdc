"""A recorded video as a camera, as fast as its frames are taken; each frame's time is its place in the file."""

import threading
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Self

import av
import numpy as np
import numpy.typing as npt
from av.video.reformatter import ColorRange

from edge.capture.clocks import real_minus_boot_ns
from edge.encode.libav import LibavCoder
from edge.errors import CameraFault
from edge.frame import Frame
from wire.rigtime import SECOND


class FileCamera:
    """Any video that FFmpeg decodes; its first frame is captured at `start_ns`, the others as they follow in the file.

    Raises `CameraFault` for a file that is missing, unreadable, without a picture, or of odd size.
    """

    live = False
    waits_s = 0.0

    def __init__(self, path: Path, start_ns: int) -> None:
        self._path = path
        self._start_ns = start_ns
        self.frames_dropped = 0
        # FFmpeg falls over when a file is closed by one thread while another decodes it.
        self._lock = threading.Lock()
        self._closed = False
        if not path.is_file():
            raise CameraFault(f"there is no video at {path}")
        try:
            self._container = av.open(str(path))
        except (av.FFmpegError, OSError):
            raise CameraFault(f"{path} cannot be read as a video") from None
        try:
            self._read_head()
        except CameraFault:
            self._container.close()
            raise

    def _read_head(self) -> None:
        if not self._container.streams.video:
            raise CameraFault(f"{self._path} holds no video")
        self._stream = self._container.streams.video[0]
        # Several nodes share a machine in a demo, and one core decodes faster than the node detects.
        self._stream.codec_context.thread_count = 1
        self.width = self._stream.codec_context.width
        self.height = self._stream.codec_context.height
        if self.width < 16 or self.height < 16 or self.width % 2 or self.height % 2:
            raise CameraFault(
                f"{self._path} holds pictures of {self.width} x {self.height}, but a recording needs an even width and "
                "height of 16 or more"
            )
        rate = self._stream.average_rate or self._stream.guessed_rate
        if not rate:
            raise CameraFault(f"{self._path} does not say how many frames a second it has")
        self.frames_per_second = float(rate)

    @cached_property
    def ahead_ns(self) -> int:
        """How far the node's clock is ahead of the time since boot."""
        return real_minus_boot_ns()

    def coder(self) -> LibavCoder:
        """x264 on one thread."""
        return LibavCoder("h264", self.width, self.height, self.frames_per_second)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        with self._lock:
            self._closed = True
            self._container.close()

    def __iter__(self) -> Iterator[Frame]:
        index = 0
        first_pts: int | None = None
        pictures = self._container.decode(self._stream)
        while True:
            try:
                with self._lock:
                    picture = None if self._closed else next(pictures, None)
                    if picture is None:
                        break
                    # A copy: the decoder may use its own again while the node is at work on this one.
                    planes, pts, time_base = self._planes(picture), picture.pts, picture.time_base
                    del picture
            except (av.FFmpegError, OSError):
                raise CameraFault(f"{self._path} is damaged after {index} frames") from None
            if pts is None or time_base is None:
                raise CameraFault(f"{self._path}: frame {index} has no time")
            first_pts = pts if first_pts is None else first_pts
            yield Frame(planes, self._start_ns + round((pts - first_pts) * time_base * SECOND), index)
            index += 1
        if not index and not self._closed:
            raise CameraFault(f"{self._path} holds no picture that can be decoded")

    def _planes(self, picture: av.VideoFrame) -> npt.NDArray[np.uint8]:
        if (picture.width, picture.height) != (self.width, self.height):
            raise CameraFault(f"{self._path} changes its picture size to {picture.width} x {picture.height}")
        if picture.color_range == ColorRange.JPEG:
            picture = picture.reformat(format="yuv420p", dst_color_range=ColorRange.MPEG)
        return np.asarray(picture.to_ndarray(format="yuv420p"), np.uint8)
