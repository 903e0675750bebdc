"""Windows of pictures coded as fragmented MP4, by whatever on this machine can do it."""

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import av
import numpy as np
from av.video.reformatter import ColorRange

from hub.panorama.proving import choice, in_time
from hub.panorama.video import USUAL_COLOURS, Colours, planes_of
from hub.panorama.windows import Cadence

# frag_discont keeps the pictures' own times in each fragment, so that windows made apart join without a seam.
_FLAGS = "frag_keyframe+empty_moov+default_base_moof+frag_discont"
_PROOF_FRAMES = 6
_PROOF_LEVELS = 12.0
"""How far, on average, a coded picture may be from what was coded; a black or shifted one is much further."""


@dataclass(frozen=True)
class Encoder:
    """One of libav's H.264 encoders: its options for the quality wanted here, the pixels that it takes, its threads."""

    codec: str
    options: Mapping[str, str] = field(default_factory=dict)
    pixels: str = "yuv420p"
    threads: int = 1
    bits_per_pixel: float | None = None
    """For those that know no constant quality."""


def software(preset: str = "superfast", threads: int = 2, crf: int = 23) -> Encoder:
    """x264, which every machine has."""
    return Encoder("libx264", {"preset": preset, "crf": str(crf), "bf": "0"}, threads=threads)


HARDWARE = (
    Encoder("h264_nvenc", {"preset": "p4", "rc": "vbr", "cq": "24", "bf": "0"}),
    Encoder("h264_qsv", {"preset": "veryfast", "global_quality": "23", "bf": "0"}, "nv12"),
    Encoder("h264_amf", {"usage": "transcoding", "rc": "cqp", "qp_i": "22", "qp_p": "24"}, "nv12"),
    Encoder("h264_v4l2m2m", {}, "yuv420p", bits_per_pixel=0.1),
)
"""What may stand in for x264, best first."""


class Coded(NamedTuple):
    """A window's initialisation part and media part, and its frames; empty of a window without any."""

    init: bytes
    media: bytes
    frames: int


class WindowCoder:
    """Codes one window. Windows are coded apart, each from its own key frame, so one that is made again is the same."""

    def __init__(
        self, encoder: Encoder, size: tuple[int, int], cadence: Cadence, window: int, colours: Colours = USUAL_COLOURS
    ) -> None:
        self._encoder = encoder
        self._time_base = 1 / cadence.rate
        self._first = window * cadence.window_frames
        self._count = 0
        self._buffer = io.BytesIO()
        options = {"movflags": _FLAGS, "avoid_negative_ts": "disabled", "use_editlist": "0"}
        self._container = av.open(self._buffer, "w", format="mp4", options=options)
        stream = self._container.add_stream(encoder.codec, rate=cadence.rate, options=dict(encoder.options))
        if not isinstance(stream, av.VideoStream):
            raise ValueError(f"{encoder.codec} codes no video")
        self._stream = stream
        stream.width, stream.height = size
        stream.pix_fmt = encoder.pixels
        context = stream.codec_context
        context.gop_size = cadence.window_frames
        context.time_base = self._time_base
        context.thread_count = encoder.threads
        context.color_range = ColorRange.MPEG
        context.color_primaries, context.color_trc, context.colorspace = colours
        if encoder.bits_per_pixel is not None:
            context.bit_rate = int(encoder.bits_per_pixel * size[0] * size[1] * cadence.rate)

    def add(self, frame: av.VideoFrame) -> None:
        """The window's next frame, in yuv420p."""
        if frame.format.name != self._encoder.pixels:
            frame = frame.reformat(format=self._encoder.pixels)
        frame.pts, frame.time_base = self._first + self._count, self._time_base
        self._container.mux(self._stream.encode(frame))
        self._count += 1

    def close(self) -> Coded:
        """All of it, to be called once."""
        if self._count:
            self._container.mux(self._stream.encode(None))
        self._container.close()
        raw = self._buffer.getvalue()
        split = raw.find(b"moof") - 4
        end = raw.rfind(b"mfra") - 4
        if split < 0:
            return Coded(b"", b"", 0)
        return Coded(raw[:split], raw[split : end if end > split else len(raw)], self._count)


def choose_encoder(
    size: tuple[int, int],
    cadence: Cadence,
    otherwise: Encoder,
    note: Callable[[str], None],
    candidates: tuple[Encoder, ...] = HARDWARE,
) -> Encoder:
    """The first of `candidates` that proves itself on pictures of this size, or `otherwise`; which one, and why not
    those before it, is told to `note`."""
    reasons: list[str] = []
    for encoder in candidates:
        reason = unfit(encoder, size, cadence)
        if reason is None:
            note(choice("encoding by", encoder.codec, reasons))
            return encoder
        reasons.append(f"not {encoder.codec}: {reason}")
    note(choice("encoding by", otherwise.codec, reasons))
    return otherwise


def unfit(encoder: Encoder, size: tuple[int, int], cadence: Cadence) -> str | None:
    """Why an encoder is of no use for pictures of this size, None when a few of them come out of it as they went in."""
    pictures = [_proof(size, index) for index in range(_PROOF_FRAMES)]

    def there_and_back() -> list[av.VideoFrame]:
        coder = WindowCoder(encoder, size, cadence, 0)
        for picture in pictures:
            coder.add(picture)
        coded = coder.close()
        with av.open(io.BytesIO(coded.init + coded.media), "r") as container:
            return list(container.decode(video=0))

    try:
        back = in_time(there_and_back)
    except (av.FFmpegError, ValueError, OSError, RuntimeError) as fault:
        return getattr(fault, "strerror", None) or str(fault)
    if len(back) != len(pictures) or not back[0].key_frame:
        return f"of {len(pictures)} pictures {len(back)} came back"
    worst = max(_apart(sent, got) for sent, got in zip(pictures, back, strict=True))
    return None if worst <= _PROOF_LEVELS else f"its pictures are {worst:.0f} levels off"


def _proof(size: tuple[int, int], index: int) -> av.VideoFrame:
    """A picture that says where its pixels are, and which one of several it is."""
    frame = av.VideoFrame(*size, "yuv420p")
    for number, plane in enumerate(planes_of(frame)):
        v, u = np.ogrid[: plane.shape[0], : plane.shape[1]]
        plane[:] = 40 + (u * 160 // plane.shape[1] + v * 40 // plane.shape[0] + 8 * index + 30 * number) % 176
    return frame


def _apart(sent: av.VideoFrame, got: av.VideoFrame) -> float:
    """Mean difference of the planes in levels."""
    pairs = zip(planes_of(sent), planes_of(got.reformat(format="yuv420p")), strict=True)
    return max(float(np.abs(a[::4, ::4].astype(np.int16) - b[::4, ::4]).mean()) for a, b in pairs)
