"""x264 and x265 through PyAV: the coder of every camera that brings none of its own."""

from fractions import Fraction
from typing import cast

import av
from av.video.frame import PictureType
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc

from edge.encode.coder import Packet
from edge.errors import CoderFault
from edge.frame import Frame

_NEVER = "1000000"
"""Frames between key frames that nobody asked for: those that begin a segment are enough."""
# `zerolatency`: B-frames would shift every time in a fragmented MP4 by the reordering delay; doing without look-ahead
# besides takes a tenth off the CPU time and two frames off the memory at the same size (measured).
_ENCODERS = {
    "h264": ("libx264", {"preset": "superfast", "tune": "zerolatency", "crf": "23", "g": _NEVER, "sc_threshold": "0"}),
    "hevc": (
        "libx265",
        {
            "preset": "ultrafast",
            "tune": "zerolatency",
            "crf": "25",
            "g": _NEVER,
            "forced-idr": "1",
            "x265-params": "log-level=none:scenecut=0:repeat-headers=1:frame-threads=1",
        },
    ),
}
CODECS = tuple(_ENCODERS)
_CHEAP = {"preset": "ultrafast", "crf": "26"}
"""Of a picture that is looked at once: as little work as x264 can do."""
_MICROSECOND = Fraction(1, 1_000_000)


class LibavCoder:
    """Codes I420 planes of one size with `codec`, on one thread unless told otherwise: other cores are the detector's.

    With `most_bits_per_second` it codes H.264 as cheaply as it can, in at most so many. Raises `CoderFault`.
    """

    def __init__(
        self,
        codec: str,
        width: int,
        height: int,
        frames_per_second: float,
        threads: int = 1,
        *,
        most_bits_per_second: int | None = None,
    ) -> None:
        self._codec = codec
        self._width = width
        name, options = _ENCODERS[codec]
        coder = cast(av.VideoCodecContext, av.CodecContext.create(name, "w"))
        coder.width, coder.height, coder.pix_fmt = width, height, "yuv420p"
        coder.framerate = Fraction(frames_per_second).limit_denominator(1001)
        coder.time_base = _MICROSECOND
        coder.thread_count = threads
        coder.options = dict(options)
        if most_bits_per_second:
            # A second's worth may come at once: a key frame does.
            limit = str(most_bits_per_second)
            coder.options.update(_CHEAP | {"maxrate": limit, "bufsize": limit})
        if codec == "hevc":
            coder.options["x265-params"] += f":pools={threads}"
        coder.color_range = ColorRange.MPEG
        coder.colorspace = Colorspace.ITU709
        coder.color_primaries = ColorPrimaries.BT709
        coder.color_trc = ColorTrc.BT709
        try:
            coder.open()
        except (av.FFmpegError, OSError) as fault:
            raise CoderFault(f"the {codec} coder does not open at {width} x {height}: {fault.strerror}") from fault
        self._coder: av.VideoCodecContext | None = coder
        self._first_ns: int | None = None
        self._times_ns: dict[int, int] = {}

    def encode(self, frame: Frame, *, key: bool) -> list[Packet]:
        """Take in the next frame, read in place and not copied; the packets that are ready."""
        if self._first_ns is None:
            self._first_ns = frame.time_ns
        picture = av.VideoFrame.from_numpy_buffer(frame.planes, format="yuv420p", width=self._width)
        picture.pts = (frame.time_ns - self._first_ns) // 1000
        picture.time_base = _MICROSECOND
        if key:
            picture.pict_type = PictureType.I
        # The codec counts microseconds; what it gives back is named by the exact time.
        self._times_ns[picture.pts] = frame.time_ns
        return self._feed(picture)

    def flush(self) -> list[Packet]:
        """What is still held back."""
        return self._feed(None)

    def close(self) -> None:
        """Free the codec."""
        self._coder = None

    def _feed(self, picture: av.VideoFrame | None) -> list[Packet]:
        if self._coder is None:
            raise CoderFault(f"the {self._codec} coder is closed")
        try:
            coded = self._coder.encode(picture)
        except (av.FFmpegError, OSError) as fault:
            raise CoderFault(f"the {self._codec} coder failed: {fault.strerror}") from fault
        return [Packet(self._codec, bytes(p), self._times_ns.pop(int(p.pts or 0)), bool(p.is_keyframe)) for p in coded]
