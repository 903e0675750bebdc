import io
from fractions import Fraction

import av
import numpy as np
import pytest

from hub.panorama.footage import StoredSegment
from wire.ids import node_id, session_id
from wire.tracks import SegmentTracks, encode_tracks


def marked(index: int, width: int = 128, height: int = 64) -> np.ndarray:
    """An I420 frame whose luma says its index."""
    planes = np.full((height * 3 // 2, width), 128, np.uint8)
    planes[:height] = 16 + 3 * (index % 70)
    return planes


@pytest.fixture
def make_segment(tmp_path):
    """Writes segment `sequence` with frames of the given indices and capture times, as a node would."""

    def make(sequence: int, indices, times_ns) -> StoredSegment:
        buffer = io.BytesIO()
        with av.open(buffer, "w", format="mp4") as container:
            stream = container.add_stream("libx264", rate=25, options={"preset": "ultrafast", "crf": "10"})
            stream.width, stream.height, stream.pix_fmt = 128, 64, "yuv420p"
            for at, index in enumerate(indices):
                frame = av.VideoFrame.from_ndarray(marked(index), format="yuv420p")
                frame.pts, frame.time_base = at, Fraction(1, 25)
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
        video, tracks = tmp_path / f"{sequence:08d}.mp4", tmp_path / f"{sequence:08d}.tracks"
        video.write_bytes(buffer.getvalue())
        none = np.zeros(0, np.int64)
        tracks.write_bytes(
            encode_tracks(
                SegmentTracks(
                    session_id("s"),
                    node_id("left"),
                    sequence,
                    128,
                    64,
                    "motion",
                    (),
                    np.array(times_ns, np.int64),
                    none,
                    none,
                    np.zeros((0, 4)),
                    np.zeros(0),
                )
            )
        )
        return StoredSegment(sequence, video, tracks)

    return make


@pytest.fixture
def index_of():
    """Reads the index back from a decoded frame."""
    return lambda planes: round((float(np.median(planes[:64])) - 16) / 3)
