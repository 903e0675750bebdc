"""Windows of panorama frames as fragmented MP4 for HLS, and the whole as one archive file."""

import io
from collections.abc import Iterable
from fractions import Fraction

import av
import numpy as np
import numpy.typing as npt

from hub.panorama.windows import FRAMES_PER_SECOND, WINDOW_FRAMES, WINDOW_NS
from wire.rigtime import SECOND

INIT = "init.mp4"
PLAYLIST = "panorama.m3u8"
_TIME_BASE = Fraction(1, FRAMES_PER_SECOND)
# frag_discont keeps the pictures' own times in each fragment, so that windows made apart join without a seam.
_FLAGS = "frag_keyframe+empty_moov+default_base_moof+frag_discont"


def window_name(window: int) -> str:
    """File name of a window."""
    return f"{window:08d}.m4s"


def encode_window(
    frames: Iterable[npt.NDArray[np.uint8]], window: int, width: int, height: int
) -> tuple[bytes, bytes, int]:
    """Initialisation part, media part and number of frames of a window of I420 frames (height * 3 / 2, width)."""
    buffer = io.BytesIO()
    count = 0
    with av.open(
        buffer, "w", format="mp4", options={"movflags": _FLAGS, "avoid_negative_ts": "disabled", "use_editlist": "0"}
    ) as container:
        stream = container.add_stream(
            "libx264", rate=FRAMES_PER_SECOND, options={"preset": "superfast", "crf": "23", "bf": "0"}
        )
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        context = stream.codec_context
        context.gop_size = WINDOW_FRAMES
        context.time_base = _TIME_BASE
        context.thread_count = 2
        context.color_range, context.colorspace, context.color_primaries, context.color_trc = 1, 1, 1, 1
        for planes in frames:
            frame = av.VideoFrame.from_ndarray(planes, format="yuv420p")
            frame.pts = window * WINDOW_FRAMES + count
            frame.time_base = _TIME_BASE
            container.mux(stream.encode(frame))
            count += 1
        container.mux(stream.encode(None))
    raw = buffer.getvalue()
    split = raw.find(b"moof") - 4
    end = raw.rfind(b"mfra") - 4
    if count == 0 or split < 0:
        return b"", b"", 0
    return raw[:split], raw[split : end if end > split else len(raw)], count


def playlist(windows: int, last_frames: int, ended: bool) -> str:
    """The HLS media playlist of the first `windows` windows, the last of which has `last_frames` frames."""
    lines = [
        "#EXTM3U",
        "#EXT-X-VERSION:7",
        f"#EXT-X-TARGETDURATION:{WINDOW_NS // SECOND}",
        f"#EXT-X-PLAYLIST-TYPE:{'VOD' if ended else 'EVENT'}",
        "#EXT-X-INDEPENDENT-SEGMENTS",
        f'#EXT-X-MAP:URI="{INIT}"',
    ]
    for window in range(windows):
        frames = last_frames if window == windows - 1 else WINDOW_FRAMES
        lines += [f"#EXTINF:{frames / FRAMES_PER_SECOND:.3f},", window_name(window)]
    if ended:
        lines.append("#EXT-X-ENDLIST")
    return "\n".join(lines) + "\n"
