from fractions import Fraction

import av
import numpy as np
import pytest
from av.video.reformatter import ColorRange

from hub.panorama.video import UnsuitableVideo, planes_of, shot_of, video_facts
from wire.rigtime import MILLISECOND, SECOND

from .conftest import marked, write_video


def test_planes_are_views_into_the_frames_own_memory():
    frame = av.VideoFrame(130, 66, "yuv420p")
    picture = planes_of(frame)
    picture.luma[:] = 50
    picture.red[:] = 60
    assert [plane.shape for plane in picture] == [(66, 130), (33, 65), (33, 65)]
    assert np.asarray(frame.to_ndarray())[:66].max() == 50
    assert np.shares_memory(planes_of(frame).luma, picture.luma)


def test_planes_outlive_their_frame():
    picture = planes_of(marked(7))
    others = [planes_of(marked(index)) for index in range(20)]
    assert len(others) == 20
    assert set(picture.luma[:, 64].tolist()) == {16 + 21}


@pytest.mark.parametrize("pixels", ["nv12", "yuv420p10le", "p010le", "yuv422p", "yuv444p"])
def test_other_pixels_are_converted_to_the_same_picture(pixels):
    frame = marked(20, pixels=pixels)
    assert abs(int(np.median(shot_of(frame, 0).picture.luma[:, 64])) - 76) <= 1


@pytest.mark.parametrize("pixels", ["yuvj420p", "yuv420p", "yuv420p10le"])
def test_full_range_is_brought_to_video_range(pixels):
    frame = av.VideoFrame(128, 64, pixels)
    white = 1023 if "10" in pixels else 255
    for index, plane in enumerate(frame.planes):
        np.frombuffer(plane, np.uint16 if "10" in pixels else np.uint8)[:] = white if index == 0 else (white + 1) // 2
    frame.color_range = ColorRange.JPEG
    picture = shot_of(frame, 0).picture
    assert abs(int(np.median(picture.luma)) - 235) <= 1
    assert abs(int(np.median(picture.blue)) - 128) <= 1


@pytest.mark.parametrize("ending", ["mp4", "mkv", "ts"])
@pytest.mark.parametrize("rate", [Fraction(25), Fraction(30000, 1001), Fraction(50)])
def test_size_rate_and_length_of_a_file_are_found(tmp_path, ending, rate):
    facts = video_facts(write_video(tmp_path / f"v.{ending}", range(75), rate=rate))
    assert (facts.width_px, facts.height_px) == (128, 64)
    assert float(facts.rate) == pytest.approx(float(rate), rel=0.01)
    assert facts.duration_ns == pytest.approx(75 * SECOND / float(rate), abs=3 * MILLISECOND)


def test_a_video_that_is_to_be_shown_turned_is_refused_in_words(tmp_path):
    path = write_video(tmp_path / "v.mp4", range(5))
    raw = path.read_bytes()
    upright = b"".join(v.to_bytes(4, "big") for v in (1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 30))
    turned = b"".join(v.to_bytes(4, "big", signed=True) for v in (0, 1 << 16, 0, -(1 << 16), 0, 0, 0, 0, 1 << 30))
    at = raw.index(b"tkhd")
    path.write_bytes(raw[:at] + raw[at:].replace(upright, turned, 1))
    with pytest.raises(UnsuitableVideo, match="marked to be shown turned by 90°"):
        video_facts(path)


def test_what_is_no_video_is_refused_in_words(tmp_path):
    with pytest.raises(UnsuitableVideo, match="there is no video at"):
        video_facts(tmp_path / "missing.mp4")
    text = tmp_path / "text.mp4"
    text.write_text("hello")
    with pytest.raises(UnsuitableVideo, match="cannot be read as a video"):
        video_facts(text)
    sound = tmp_path / "sound.mp4"
    with av.open(str(sound), "w") as container:
        stream = container.add_stream("aac", rate=48000)
        samples = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
        samples.sample_rate = 48000
        container.mux(stream.encode(samples))
        container.mux(stream.encode(None))
    with pytest.raises(UnsuitableVideo, match="holds no video"):
        video_facts(sound)
