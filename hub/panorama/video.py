"""Videos as the hub reads them: what one holds, and its frames as planes, without a copy where the codec allows."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import av
import numpy as np
from av.codec.hwaccel import HWAccel
from av.video.reformatter import ColorRange

from hub.errors import HubError
from hub.picture import Picture, Plane
from wire.rigtime import SECOND

_UNKNOWN = 2
"""`unspecified` in the tables of ITU-T H.273."""
_TAIL_S = 4


class UnsuitableVideo(HubError, ValueError):
    """A video that cannot be a camera's, and why."""


class Colours(NamedTuple):
    """What a picture's numbers mean, by the tables of ITU-T H.273. What a camera leaves open is BT.709, which players
    take it for."""

    primaries: int = 1
    transfer: int = 1
    matrix: int = 1


USUAL_COLOURS = Colours()


class Shot(NamedTuple):
    """One frame of a camera: when it was captured (ns), and its planes."""

    time_ns: int
    picture: Picture


@dataclass(frozen=True)
class VideoFacts:
    """What a video file holds: pixels, frames a second, how long from the first frame to the end of the last, the first
    frame's time stamp in seconds, from which its times are counted, and its colours."""

    path: Path
    width_px: int
    height_px: int
    rate: Fraction
    duration_ns: int
    first_s: Fraction
    colours: Colours


def planes_of(frame: av.VideoFrame) -> Picture:
    """The planes of a frame in yuv420p, as they lie in its memory."""
    luma, blue, red = (_plane(plane) for plane in frame.planes)
    return Picture(luma, blue, red)


def _plane(plane: av.video.plane.VideoPlane) -> Plane:
    # The array holds on to the plane, and the plane to the frame.
    rows = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
    return np.asarray(rows[: plane.height, : plane.width])


def in_seconds(stamp: int, base: Fraction | None) -> Fraction:
    """A time stamp of a stream or frame with that time base."""
    return stamp * (base or Fraction(1))


def shot_of(frame: av.VideoFrame, time_ns: int) -> Shot:
    """A decoded frame as a shot. Planes of 8-bit 4:2:0 in video range are the decoder's own; anything else (full range,
    NV12 of a hardware decoder, 10 bit, 4:2:2) libav converts once."""
    full = frame.color_range == ColorRange.JPEG or frame.format.name.startswith("yuvj")
    if full or frame.format.name != "yuv420p":
        ranges = {"src_color_range": ColorRange.JPEG, "dst_color_range": ColorRange.MPEG} if full else {}
        frame = frame.reformat(format="yuv420p", **ranges)
    return Shot(time_ns, planes_of(frame))


def open_video(path: Path, hardware: str | None = None) -> av.container.InputContainer:
    """The file, opened; `hardware` names the device that decodes it. Raises `av.FFmpegError` or `OSError`."""
    accelerator = HWAccel(hardware, allow_software_fallback=True) if hardware else None
    container = av.open(str(path), hwaccel=accelerator)
    if container.streams.video:
        # Cameras are decoded side by side, each in one thread.
        container.streams.video[0].codec_context.thread_count = 1
    return container


def whole_frames(
    container: av.container.InputContainer, on_damage: Callable[[], None]
) -> Iterator[tuple[Fraction, av.VideoFrame]]:
    """Time stamp (s) and frame of all that can be decoded whole, from where the container stands.

    Behind a damaged place frames are left out up to the next key frame: until then they would be smeared. `on_damage`
    is called once for each such place.
    """
    stream = container.streams.video[0]
    smeared = False
    for packet in container.demux(stream):
        try:
            frames: list[av.VideoFrame | None] = list(packet.decode())
        except av.error.InvalidDataError:
            frames = [None]
        if packet.is_corrupt:
            frames.insert(0, None)
        for frame in frames:
            if frame is None or frame.is_corrupt:
                if not smeared:
                    on_damage()
                smeared = True
                continue
            smeared = smeared and not frame.key_frame
            if not smeared and frame.pts is not None:
                yield in_seconds(frame.pts, frame.time_base), frame


def video_facts(path: Path) -> VideoFacts:
    """What a file holds, by its head, its first picture and its last packets; raises `UnsuitableVideo` for one that
    cannot be a camera's."""
    if not path.is_file():
        raise UnsuitableVideo(f"there is no video at {path}")
    try:
        with open_video(path) as container:
            return _facts(path, container)
    except (av.FFmpegError, OSError) as fault:
        raise UnsuitableVideo(f"{path} cannot be read as a video") from fault


def _facts(path: Path, container: av.container.InputContainer) -> VideoFacts:
    if not container.streams.video:
        raise UnsuitableVideo(f"{path} holds no video")
    stream = container.streams.video[0]
    first = next(iter(container.decode(stream)), None)
    if first is None:
        raise UnsuitableVideo(f"{path} holds no picture that can be decoded")
    check_upright(path, first)
    rate = stream.average_rate or stream.guessed_rate
    if first.pts is None or not rate:
        raise UnsuitableVideo(f"the pictures of {path} carry no times: put it into an MP4 or MKV file first")
    if not 1 <= rate <= 240:
        raise UnsuitableVideo(f"{path} says that it has {float(rate):g} frames a second: between 1 and 240 are taken")
    first_s = in_seconds(first.pts, first.time_base)
    duration_s = max(_last_stamp(container, stream, first_s) - first_s, Fraction(0)) + 1 / rate
    tags = (first.color_primaries, first.color_trc, first.colorspace)
    colours = Colours(*(1 if tag == _UNKNOWN else int(tag) for tag in tags))
    return VideoFacts(path, first.width, first.height, rate, int(duration_s * SECOND), first_s, colours)


def _last_stamp(
    container: av.container.InputContainer, stream: av.video.stream.VideoStream, first_s: Fraction
) -> Fraction:
    """Time stamp (s) of the last frame, from the last packets alone where the container knows how long it is."""
    if stream.duration:
        stated = first_s + in_seconds(stream.duration, stream.time_base)
    else:
        stated = Fraction(container.duration or 0, av.time_base) + first_s
    seek_to(container, max(first_s, stated - _TAIL_S))
    stamps = [in_seconds(p.pts, p.time_base) for p in container.demux(stream) if p.pts is not None]
    return max(stamps, default=stated)


def seek_to(container: av.container.InputContainer, stamp_s: Fraction) -> None:
    """Let the container stand at the last key frame that is not later than that, if it knows where those are."""
    stream = container.streams.video[0]
    container.seek(int(stamp_s / (stream.time_base or 1)), stream=stream)


def check_upright(path: Path, frame: av.VideoFrame) -> None:
    """Raises `UnsuitableVideo` for a picture that players are told to turn: its pixels are not those of the rig."""
    if frame.rotation:
        raise UnsuitableVideo(
            f"{path} is marked to be shown turned by {abs(frame.rotation):g}°: record with the camera upright, or turn "
            "its pixels first (ffmpeg -i VIDEO -c:v libx264 UPRIGHT)"
        )
