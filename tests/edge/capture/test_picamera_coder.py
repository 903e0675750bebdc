"""From the board's camera to a file that plays: picamera2's encoder in the recorder's thread."""

import threading
from itertools import islice

import av
import numpy as np
import pytest
from av.video.reformatter import ColorRange, Colorspace

from edge.encode.libav import LibavCoder
from edge.errors import CoderFault
from edge.record.writer import SegmentWriter
from wire.rigtime import SECOND

FRAME_NS = 40_000_000
IDR, SPS, PPS = 5, 7, 8


def record(camera, count, keys=()):
    """Frames and the packets they became, coded one by one as they come."""
    frames, packets = [], []
    coder = camera.coder()
    try:
        for frame in islice(iter(camera), count):
            frames.append(frame)
            packets += coder.encode(frame, key=frame.index in keys)
        packets += coder.flush()
    finally:
        coder.close()
    return frames, packets


def nal_units(data):
    """Kinds of the units of an Annex B stream."""
    starts = [i + 3 for i in range(len(data) - 3) if data[i : i + 3] == b"\x00\x00\x01"]
    return [data[start] & 31 for start in starts]


def decoded(packets):
    decoder = av.CodecContext.create("h264", "r")
    return [p for packet in packets for p in decoder.decode(av.Packet(packet.data))] + decoder.decode(None)


@pytest.mark.parametrize("profile", ["320x180@25", "640x360@25", "1280x720@50"])
def test_frames_become_packets_a_file_and_pictures_again(hardware, plug, open_camera, tmp_path, profile):
    board = plug()
    with open_camera(profile=profile) as camera:
        frames, packets = record(camera, 25, keys={0, 7, 20})
        assert camera.frames_dropped == 0
    assert [packet.time_ns for packet in packets] == [frame.time_ns for frame in frames]
    assert [k for k, packet in enumerate(packets) if packet.key] == [0, 7, 20]
    assert packets[0].time_ns - board.offset_ns == 100 * SECOND + 2 * SECOND // camera.frames_per_second
    writer = SegmentWriter(tmp_path / "0.mp4", 0, "h264", camera.width, camera.height, camera.frames_per_second)
    for packet in packets:
        writer.write(packet)
    writer.finish()
    with av.open(str(tmp_path / "0.mp4")) as container:
        pictures = [(float(p.time), p.to_ndarray(format="yuv420p")) for p in container.decode(video=0)]
    assert len(pictures) == 25
    for number, (at_s, picture) in enumerate(pictures):
        assert abs(at_s - number / camera.frames_per_second) < 1e-4
        others = hardware.bars(number + 1, camera.width, camera.height)
        off, off_others = (np.abs(picture.astype(int) - planes).mean() for planes in (frames[number].planes, others))
        assert off < min(1.0, off_others / 2)


def test_packets_are_annex_b_and_a_player_can_begin_with_every_key_frame(plug, open_camera):
    plug()
    with open_camera() as camera:
        _, packets = record(camera, 9, keys={0, 4})
    for packet in packets:
        units = nal_units(packet.data)
        assert packet.codec == "h264"
        assert ({SPS, PPS, IDR} <= set(units)) == packet.key
        assert bool({SPS, PPS, IDR} & set(units)) == packet.key
    assert len(decoded(packets[4:])) == 5


def test_a_change_of_scene_is_no_key_frame_unless_asked_for(hardware, plug, open_camera, small_modes):
    def flashing(number, width, height):
        seed = number // 5
        return np.random.default_rng(seed).integers(16, 235, (height * 3 // 2, width), dtype=np.uint8)

    plug(hardware.Sensor("toy", modes=small_modes, scene=flashing))
    with open_camera() as camera:
        _, packets = record(camera, 30, keys={0, 12})
    assert [k for k, packet in enumerate(packets) if packet.key] == [0, 12]


def test_the_first_frame_is_a_key_frame_even_when_nobody_asks(plug, open_camera):
    plug()
    with open_camera() as camera:
        _, packets = record(camera, 4)
    assert [packet.key for packet in packets] == [True, False, False, False]


def test_recordings_say_how_their_colours_are_meant(plug, open_camera):
    plug()
    with open_camera() as camera:
        _, packets = record(camera, 3)
    [first, *_] = decoded(packets)
    assert (first.color_range, first.colorspace) == (ColorRange.MPEG, Colorspace.ITU709)


def test_times_survive_lost_frames_and_a_step_of_the_clock(plug, open_camera):
    board = plug()
    board.sensors[0].lost = {4, 9, 10}
    board.sensors[0].before = {7: lambda: board.step_clock(-3 * SECOND)}
    with open_camera() as camera:
        frames, packets = record(camera, 20)
        assert camera.frames_dropped == 3
    assert [packet.time_ns for packet in packets] == [frame.time_ns for frame in frames]
    assert packets[-1].time_ns - packets[0].time_ns == 22 * FRAME_NS


def test_coding_happens_in_the_thread_that_asks_for_it(plug, open_camera, monkeypatch):
    plug()
    from picamera2.encoders import LibavH264Encoder

    seen = []
    coded = LibavH264Encoder._encode
    monkeypatch.setattr(
        LibavH264Encoder,
        "_encode",
        lambda self, *rest: (seen.append(threading.current_thread()), coded(self, *rest)),
    )
    with open_camera() as camera:
        record(camera, 5)
    assert set(seen) == {threading.current_thread()}


def test_what_was_captured_is_coded_after_the_camera_was_left(plug, open_camera):
    board = plug()
    with open_camera() as camera:
        coder = camera.coder()
        frames = list(islice(iter(camera), 3))
    assert board.opened[-1].is_open
    packets = [packet for frame in frames for packet in coder.encode(frame, key=False)] + coder.flush()
    coder.close()
    assert [packet.time_ns for packet in packets] == [frame.time_ns for frame in frames]
    assert not board.opened[-1].is_open


def test_frames_that_nobody_codes_hold_up_nothing(plug, open_camera):
    board = plug()
    with open_camera() as camera:
        coder = camera.coder()
        frames = list(islice(iter(camera), 20))
        with pytest.raises(CoderFault, match="no longer holds frame 0"):
            coder.encode(frames[0], key=True)
        assert coder.encode(frames[-1], key=True) + coder.flush()
        coder.close()
        coder.close()
    assert not board.opened[-1].is_open


def test_what_is_left_when_the_camera_is_closed_is_coded_from_its_planes(plug, open_camera):
    plug()
    with open_camera() as camera:
        frames = list(islice(iter(camera), 2))
    coder = camera.coder()
    packets = [packet for frame in frames for packet in coder.encode(frame, key=False)] + coder.flush()
    coder.close()
    assert [packet.time_ns for packet in packets] == [frame.time_ns for frame in frames]


def test_hevc_is_coded_from_the_planes(plug, open_camera):
    plug()
    with open_camera(profile="320x180@25-hevc") as camera:
        coder = camera.coder()
        assert isinstance(coder, LibavCoder)
        coder.close()
        _, packets = record(camera, 3, keys={0})
    assert {packet.codec for packet in packets} == {"hevc"}


def test_when_a_coder_fails_the_next_one_goes_on_with_the_same_frame(plug, open_camera, monkeypatch):
    board = plug()
    from edge.capture.picamera import coder as module

    def fails(self, picture=None):
        raise av.error.ExternalError(-542398533, "Generic error in an external library")

    with open_camera() as camera:
        coder = camera.coder()
        frames = list(islice(iter(camera), 3))
        packets = coder.encode(frames[0], key=True)
        with monkeypatch.context() as broken:
            broken.setattr(module._KeyedStream, "encode", fails)
            with pytest.raises(CoderFault, match=r"failed: .*Generic error in an external library"):
                coder.encode(frames[1], key=False)
            with pytest.raises(CoderFault, match="failed at its end"):
                coder.flush()
        coder.close()
        coder = camera.coder()
        packets += coder.encode(frames[1], key=True) + coder.encode(frames[2], key=False) + coder.flush()
        coder.close()
        assert len(list(islice(iter(camera), 20))) == 20
    assert [packet.time_ns for packet in packets] == [frame.time_ns for frame in frames][-len(packets) :]
    assert [packet.key for packet in packets][-2:] == [True, False]
    assert not board.opened[-1].is_open


def test_an_encoder_that_loses_a_frame_is_found_out(plug, open_camera, monkeypatch):
    plug()
    from edge.capture.picamera import coder as module

    coded = module._KeyedStream.encode

    def forgets(self, picture=None):
        packets = coded(self, picture)
        return [packet for packet in packets if packet.pts != 2 * 40_000]

    monkeypatch.setattr(module._KeyedStream, "encode", forgets)
    with open_camera() as camera, pytest.raises(CoderFault, match="confuses its frames"):
        record(camera, 6)


def test_an_encoder_that_does_not_start_is_a_fault(plug, open_camera, monkeypatch):
    plug()
    from picamera2.encoders import LibavH264Encoder

    def start(self, quality=None):
        raise RuntimeError("Profile high not recognised")

    monkeypatch.setattr(LibavH264Encoder, "start", start)
    with open_camera() as camera, pytest.raises(CoderFault, match="does not start: Profile high not recognised"):
        camera.coder()


def test_picamera2s_own_key_frames_do_not_work_with_todays_pyav(plug, open_camera):
    """Why the driver brings its own: since version 14 PyAV takes no letter for the type of a picture."""
    plug()
    from picamera2.encoders import LibavH264Encoder

    with open_camera() as camera:
        [frame] = islice(iter(camera), 1)
        encoder = LibavH264Encoder()
        encoder.size, encoder.format = (320, 180), "YUV420"
        encoder.start()
        encoder.force_key_frame()
        with pytest.raises(TypeError, match="an integer is required"):
            encoder.encode("main", camera._loans.kept(frame.index).request)
        encoder.stop()
