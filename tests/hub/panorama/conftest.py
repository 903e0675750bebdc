import io
from fractions import Fraction

import av
import numpy as np
import pytest

from hub.panorama.conveyor import CostBook
from hub.panorama.footage import StoredSegment
from hub.panorama.video import planes_of
from wire.ids import node_id, session_id
from wire.pitch import Pitch
from wire.rig import CameraModel, Lens, Rig, looking
from wire.tracks import SegmentTracks, encode_tracks

WIDTH, HEIGHT = 128, 64


def marked(index: int, size=(WIDTH, HEIGHT), pixels="yuv420p", glow=0) -> av.VideoFrame:
    """A frame whose luma says its index, but where neighbours see the same: a camera that is brighter there is taken to
    expose more."""
    frame = av.VideoFrame(*size, "yuv420p")
    luma, *chroma = planes_of(frame)
    luma[:] = 120 + glow
    luma[:, int(0.28 * size[0]) : int(0.72 * size[0])] = 16 + 3 * (index % 70)
    for plane in chroma:
        plane[:] = 128
    return frame if pixels == "yuv420p" else frame.reformat(format=pixels)


def write_video(
    path,
    indices,
    rate=Fraction(25),
    stamps=None,
    size=(WIDTH, HEIGHT),
    codec="libx264",
    gop=12,
    pixels="yuv420p",
    glow=0,
):
    """A video of marked frames; `stamps` are their times in frames of the rate, where they do not simply follow."""
    options = {"preset": "ultrafast", "crf": "10"} if codec == "libx264" else {}
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate, options=options)
        stream.width, stream.height, stream.pix_fmt = *size, pixels
        stream.codec_context.gop_size = gop
        stream.codec_context.time_base = 1 / Fraction(rate) / 100
        for at, index in enumerate(indices):
            frame = marked(index, size, pixels, glow)
            stamp = at if stamps is None else stamps[at]
            frame.pts, frame.time_base = round(100 * stamp), 1 / Fraction(rate) / 100
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


@pytest.fixture
def make_segment(tmp_path):
    """Writes segment `sequence` with frames of the given indices and capture times, as a node would."""

    def make(sequence: int, indices, times_ns, size=(WIDTH, HEIGHT)) -> StoredSegment:
        folder = tmp_path / "left"
        folder.mkdir(exist_ok=True)
        video, tracks = folder / f"{sequence:08d}.mp4", folder / f"{sequence:08d}.tracks"
        write_video(video, indices, size=size)
        none = np.zeros(0, np.int64)
        times = np.array(times_ns, np.int64)
        boxes = np.zeros((0, 4))
        tracks.write_bytes(
            encode_tracks(
                SegmentTracks(
                    session_id("s"),
                    node_id("left"),
                    sequence,
                    *size,
                    "motion",
                    (),
                    times,
                    none,
                    none,
                    boxes,
                    none * 0.0,
                )
            )
        )
        return StoredSegment(sequence, video, tracks)

    return make


@pytest.fixture
def index_of():
    """Reads the index back from a picture."""
    return lambda picture: round((float(np.median(picture.luma[:, picture.width_px // 2])) - 16) / 3)


@pytest.fixture
def costs():
    return CostBook()


@pytest.fixture(scope="session")
def small_rig() -> Rig:
    """Two cameras of 480 x 270 on one pole, the right one's clock three frames behind."""
    lens = Lens(348.0, 239.0, 136.0, -0.255, 0.075)
    return Rig(
        pitch=Pitch(),
        cameras=tuple(
            CameraModel(
                node_id(name), 480, 270, lens, looking(yaw, -16.0, 0.0), (0.05 * i, -40.0, 7.0), clock_offset_ns=offset
            )
            for i, (name, yaw, offset) in enumerate([("left", -26.0, 0), ("right", 26.0, 120_000_000)])
        ),
    )


@pytest.fixture(scope="session")
def read_frames():
    """The luma indices that `marked` wrote, of every frame of a video, at a column (share of the width)."""

    def read(path, share=0.5):
        with av.open(str(path)) as video:
            pictures = [planes_of(frame.reformat(format="yuv420p")).luma for frame in video.decode(video=0)]
        return [round((float(np.median(luma[:, int(share * luma.shape[1])])) - 16) / 3) for luma in pictures]

    return read


def coded_bytes(frames, coder) -> bytes:
    for frame in frames:
        coder.add(frame)
    coded = coder.close()
    return io.BytesIO(coded.init + coded.media)
