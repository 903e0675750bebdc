"""One segment's video: H.264 in fragmented MP4, of which a cut of power costs the last half second at most."""

from fractions import Fraction
from pathlib import Path

import av
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc

from edge.capture import Frame
from edge.errors import RecorderFault
from wire.rigtime import SECOND

TICKS = 90_000
"""Ticks a second of the frames' times in the file; the exact times are in `.tracks`."""

_MUXER = {"movflags": "frag_keyframe+empty_moov+default_base_moof", "frag_duration": "500000"}
# `zerolatency`: B-frames would shift every time in a fragmented MP4 by the reordering delay; doing without look-ahead
# besides takes a tenth off the CPU time and two frames off the memory at the same size (measured).
_X264 = {"preset": "superfast", "tune": "zerolatency", "crf": "23"}


class SegmentWriter:
    """Encodes one segment into `path`; the first frame has time 0 in the file. Raises `RecorderFault`."""

    def __init__(self, path: Path, sequence: int, width: int, height: int, frames_per_second: float) -> None:
        self.path = path
        self.sequence = sequence
        self.times_ns: list[int] = []
        """Capture times of the frames written so far."""
        self._width = width
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._container = av.open(str(path), "w", format="mp4", options=_MUXER)
        except (av.FFmpegError, OSError) as fault:
            raise RecorderFault(f"cannot write {path}: {fault.strerror}") from fault
        rate = Fraction(frames_per_second).limit_denominator(1001)
        # A frame at least every two seconds begins anew; the writer lives no longer than that, but for a slow clock.
        stream = self._container.add_stream("libx264", rate=rate, options={**_X264, "g": str(max(1, round(2 * rate)))})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.time_base = Fraction(1, TICKS)
        coder = stream.codec_context
        coder.time_base = Fraction(1, TICKS)
        # The other cores are the detector's.
        coder.thread_count = 1
        coder.color_range = ColorRange.MPEG
        coder.colorspace = Colorspace.ITU709
        coder.color_primaries = ColorPrimaries.BT709
        coder.color_trc = ColorTrc.BT709
        self._stream = stream

    def write(self, frame: Frame) -> None:
        """Append a frame; its planes are read in place, not copied."""
        picture = av.VideoFrame.from_numpy_buffer(frame.planes, format="yuv420p", width=self._width)
        self.times_ns.append(frame.time_ns)
        picture.pts = round((frame.time_ns - self.times_ns[0]) * TICKS / SECOND)
        picture.time_base = Fraction(1, TICKS)
        self._mux(picture)

    def finish(self) -> None:
        """Write what is still held back and close the file, which is not yet durable."""
        self._mux(None)
        try:
            self._container.close()
        except (av.FFmpegError, OSError) as fault:
            raise RecorderFault(f"cannot finish {self.path}: {fault.strerror}") from fault
        # Whoever still asks for the times must not keep the encoder: 95 MB at 3072 x 1728.
        del self._stream, self._container

    def _mux(self, picture: av.VideoFrame | None) -> None:
        try:
            for packet in self._stream.encode(picture):
                self._container.mux(packet)
        except (av.FFmpegError, OSError) as fault:
            raise RecorderFault(f"cannot write {self.path}: {fault.strerror}") from fault
