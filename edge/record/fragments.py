"""What is whole in a fragmented MP4 that was never finished."""

import io
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt


def complete_bytes(raw: bytes) -> int:
    """How many bytes of a fragmented MP4 are whole: its head and its fragments (`moof` and `mdat`); 0 without any.

    Box layout: ISO/IEC 14496-12, 4.2.
    """
    at = whole = 0
    kind = b""
    while at + 8 <= len(raw):
        size = int.from_bytes(raw[at : at + 4], "big")
        before, kind = kind, raw[at + 4 : at + 8]
        if size == 1 and at + 16 <= len(raw):
            size = int.from_bytes(raw[at + 8 : at + 16], "big")
        at += size
        if size < 8 or at > len(raw):
            break
        if before == b"moof" and kind == b"mdat":
            whole = at
    return whole


def cut_to_fragments(video: Path) -> npt.NDArray[np.int64]:
    """Cut an unfinished file back to its complete fragments; the times (n,) of the frames left in it, in its ticks.

    Empty when there is no file, or nothing in it that can be played; raises `OSError` where the disk does not give it.
    """
    nothing = np.zeros(0, np.int64)
    if not video.exists():
        return nothing
    raw = video.read_bytes()
    whole = complete_bytes(raw)
    if not whole:
        return nothing
    try:
        # Read once: what FFmpeg says of these bytes is said of the video, and never of the disk.
        with av.open(io.BytesIO(raw[:whole]), "r") as container:
            ticks = [packet.pts for packet in container.demux(video=0) if packet.pts is not None]
    except av.FFmpegError:
        return nothing
    with video.open("r+b") as file:
        file.truncate(whole)
    return np.asarray(ticks, np.int64)
