"""What is whole in a fragmented MP4 that was never finished."""

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

    Empty when there is no file, or nothing in it that can be played.
    """
    nothing = np.zeros(0, np.int64)
    if not video.exists():
        return nothing
    whole = complete_bytes(video.read_bytes())
    if not whole:
        return nothing
    with video.open("r+b") as file:
        file.truncate(whole)
    try:
        with av.open(str(video)) as container:
            ticks = [packet.pts for packet in container.demux(video=0) if packet.pts is not None]
    except av.FFmpegError:
        return nothing
    return np.asarray(ticks, np.int64)
