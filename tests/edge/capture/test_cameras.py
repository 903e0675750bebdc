import contextlib
import json
import struct
import threading
from fractions import Fraction
from itertools import islice
from pathlib import Path

import av
import numpy as np
import pytest

from edge.capture import CameraSource, Profile, Sync
from edge.errors import CameraFault


class CameraContract:
    """What every camera keeps to; a driver's test class says how to open one that shows 125 frames."""

    @pytest.fixture
    def source(self) -> CameraSource:
        raise NotImplementedError

    def test_says_what_it_shows(self, source, zero_ns):
        with source.open(zero_ns) as camera:
            assert (camera.width, camera.height, camera.frames_per_second) == (320, 180, 25)

    def test_frames_are_contiguous_i420_numbered_from_zero(self, source, zero_ns):
        with source.open(zero_ns) as camera:
            frames = list(camera)
        assert [frame.index for frame in frames] == list(range(125))
        for frame in frames:
            assert frame.planes.shape == (270, 320)
            assert frame.planes.dtype == np.uint8
            assert frame.planes.flags.c_contiguous
        assert camera.frames_dropped == 0

    def test_times_are_exact_and_count_from_the_zero(self, source, zero_ns):
        with source.open(zero_ns) as camera:
            assert [frame.time_ns - zero_ns for frame in camera] == [n * 40_000_000 for n in range(125)]

    def test_pictures_are_the_ones_shown(self, source, zero_ns, picture):
        with source.open(zero_ns) as camera:
            for frame in camera:
                expected = picture(frame.index)
                assert np.abs(frame.planes.astype(int) - expected).mean() < 2
                assert np.abs(frame.planes.astype(int) - picture(frame.index + 1)).mean() > 2

    def test_frames_stay_as_they_are_when_later_ones_come(self, source, zero_ns):
        with source.open(zero_ns) as camera:
            frames = iter(camera)
            first = next(frames)
            before = first.planes.copy()
            for _ in range(20):
                next(frames)
            assert np.array_equal(first.planes, before)

    def test_can_be_left_before_its_end_and_opened_again(self, source, zero_ns):
        for _ in range(2):
            with source.open(zero_ns) as camera:
                assert next(iter(camera)).index == 0

    def test_may_be_closed_by_one_thread_while_another_reads_it(self, source, zero_ns):
        for _ in range(5):
            with source.open(zero_ns) as camera:
                reads = threading.Event()
                reader = threading.Thread(target=_read_on, args=(camera, reads))
                reader.start()
                reads.wait()
            reader.join(10)
            assert not reader.is_alive()


def _read_on(camera, reads):
    with contextlib.suppress(CameraFault):
        for _ in camera:
            reads.set()
    reads.set()


class TestFileCamera(CameraContract):
    @pytest.fixture
    def source(self, video) -> CameraSource:
        return CameraSource.parse(f"file:{video}")

    def test_times_follow_the_file_and_not_its_frame_numbers(self, tmp_path, zero_ns, picture):
        path = tmp_path / "uneven.mp4"
        milliseconds = [0, 40, 95, 120, 400]
        with av.open(str(path), "w") as container:
            stream = container.add_stream("libx264", rate=25, options={"bf": "0"})
            stream.width, stream.height = 320, 180
            stream.codec_context.time_base = stream.time_base = Fraction(1, 1000)
            for number, at in enumerate(milliseconds):
                shown = av.VideoFrame.from_ndarray(picture(number), format="yuv420p")
                shown.pts, shown.time_base = at, stream.time_base
                container.mux(stream.encode(shown))
            container.mux(stream.encode(None))
        with CameraSource.parse(f"file:{path}").open(zero_ns) as camera:
            assert [frame.time_ns - zero_ns for frame in camera] == [at * 1_000_000 for at in milliseconds]

    def test_full_range_pictures_come_in_video_range(self, tmp_path, zero_ns):
        path = tmp_path / "full.avi"
        with av.open(str(path), "w") as container:
            stream = container.add_stream("mjpeg", rate=25)
            stream.width, stream.height, stream.pix_fmt = 320, 180, "yuvj420p"
            white = np.full((270, 320), 128, np.uint8)
            white[:180] = 255
            container.mux(stream.encode(av.VideoFrame.from_ndarray(white, format="yuvj420p")))
            container.mux(stream.encode(None))
        with CameraSource.parse(f"file:{path}").open(zero_ns) as camera:
            assert abs(int(next(iter(camera)).planes[90, 160]) - 235) <= 1

    @pytest.mark.parametrize(
        ("name", "content", "words"),
        [
            ("missing.mp4", None, "there is no video at"),
            ("empty.mp4", b"", "cannot be read as a video"),
            ("letter.mp4", b"Dear coach, " * 100, "cannot be read as a video"),
        ],
    )
    def test_refuses_what_is_no_video_by_name(self, tmp_path, name, content, words):
        path = tmp_path / name
        if content is not None:
            path.write_bytes(content)
        with pytest.raises(CameraFault, match=words) as fault:
            CameraSource.parse(f"file:{path}").check()
        assert name in str(fault.value)

    def test_refuses_a_video_without_its_end(self, tmp_path, video):
        path = tmp_path / "cut.mp4"
        path.write_bytes(video.read_bytes()[:5000])
        with pytest.raises(CameraFault, match=r"cut\.mp4"):
            CameraSource.parse(f"file:{path}").check()

    def test_refuses_a_folder(self, tmp_path):
        with pytest.raises(CameraFault, match="no video"):
            CameraSource.parse(f"file:{tmp_path}").check()

    def test_refuses_sound_without_pictures(self, tmp_path):
        path = tmp_path / "sound.wav"
        with av.open(str(path), "w") as container:
            stream = container.add_stream("pcm_s16le", rate=8000, layout="mono")
            sound = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), format="s16", layout="mono")
            sound.sample_rate = 8000
            container.mux(stream.encode(sound))
            container.mux(stream.encode(None))
        with pytest.raises(CameraFault, match="holds no video"):
            CameraSource.parse(f"file:{path}").check()

    def test_refuses_odd_pictures_in_words(self, tmp_path):
        path = tmp_path / "odd.avi"
        with av.open(str(path), "w") as container:
            stream = container.add_stream("ffv1", rate=25)
            stream.width, stream.height, stream.pix_fmt = 321, 181, "yuv444p"
            shown = av.VideoFrame.from_ndarray(np.zeros((3, 181, 321), np.uint8), format="yuv444p")
            container.mux(stream.encode(shown))
            container.mux(stream.encode(None))
        with pytest.raises(CameraFault, match="321 x 181, but a recording needs an even width"):
            CameraSource.parse(f"file:{path}").check()


class TestVirtualCamera(CameraContract):
    @pytest.fixture
    def source(self, virtual_camera) -> CameraSource:
        return CameraSource.parse(f"virtual:{virtual_camera().path}")

    def test_tells_the_camera_the_sessions_zero(self, virtual_camera, zero_ns):
        server = virtual_camera(1)
        with CameraSource.parse(f"virtual:{server.path}").open(zero_ns) as camera:
            list(camera)
        assert server.zeros == [zero_ns]

    def test_refuses_a_socket_that_nobody_serves(self, tmp_path):
        with pytest.raises(CameraFault, match=r"no virtual camera answers at .*nobody\.sock"):
            CameraSource("virtual", tmp_path / "nobody.sock").open(0)

    def test_is_not_opened_by_a_check(self, tmp_path):
        CameraSource("virtual", tmp_path / "later.sock").check()

    @pytest.mark.parametrize(
        ("head", "words"),
        [
            (b"HTTP/1.1 400 Bad Request\r\n", "is not a virtual camera"),
            (b"TLvc" + struct.pack("<I", 1 << 30), "is not a virtual camera"),
            (b"TLvc" + struct.pack("<I", 2) + b"{}", "does not say what it shows"),
            (b"TLvc\x05", "not a virtual camera|hung up"),
        ],
    )
    def test_refuses_what_is_no_camera(self, virtual_camera, head, words):
        with pytest.raises(CameraFault, match=words):
            CameraSource("virtual", virtual_camera(0, head=head).path).open(0)

    @pytest.mark.parametrize(("width", "height", "rate"), [(321, 180, 25.0), (0, 0, 25.0), (320, 180, 0.0)])
    def test_refuses_pictures_that_cannot_be_recorded(self, virtual_camera, width, height, rate):
        told = json.dumps({"width": width, "height": height, "frames_per_second": rate}).encode()
        head = b"TLvc" + struct.pack("<I", len(told)) + told
        with pytest.raises(CameraFault, match="even size and a rate above 0"):
            CameraSource("virtual", virtual_camera(0, head=head).path).open(0)

    def test_notices_a_picture_of_the_wrong_size(self, virtual_camera):
        with (
            CameraSource("virtual", virtual_camera(1, payload=12).path).open(0) as camera,
            pytest.raises(CameraFault, match="frame 0 with 12 of 86400 bytes"),
        ):
            list(camera)


class First:
    """The first frames of a camera that never ends by itself."""

    def __init__(self, camera, count):
        self._camera, self._left = camera, count

    def __getattr__(self, name):
        return getattr(self._camera, name)

    def __enter__(self):
        self._camera.__enter__()
        return self

    def __exit__(self, *exc):
        self._camera.__exit__(*exc)

    def __iter__(self):
        for frame in islice(iter(self._camera), self._left):
            self._left -= 1
            yield frame


class TestPicamera(CameraContract):
    @pytest.fixture
    def source(self, hardware, plug, open_camera, small_modes):
        sensor = hardware.Sensor("toy", modes=small_modes)
        sensor.startup_frames = 0
        board = plug(sensor)

        class Source:
            def open(self, start_ns):
                board.offset_ns = start_ns - board.boottime_ns()
                return First(open_camera(), 125)

        return Source()


@pytest.mark.parametrize("text", ["", "file:", "left.mp4", "usb:0", "virtual", "picamera:"])
def test_a_source_names_a_known_driver_and_a_place(text):
    with pytest.raises(CameraFault, match="write file:PATH or virtual:SOCKET"):
        CameraSource.parse(text)


@pytest.mark.parametrize(
    "asked", [(Profile.parse("1920x1080@30"), Sync.OFF), (None, Sync.CLIENT), (None, Sync.OFF, "6 mm")]
)
def test_what_records_as_it_comes_takes_neither_profile_nor_synchronisation_nor_lens(asked):
    with pytest.raises(CameraFault, match=r"are for picamera:ID; file:a\.mp4 records as it comes"):
        CameraSource.parse("file:a.mp4", *asked)
    assert CameraSource.parse("picamera:0", *asked).driver == "picamera"


def test_a_path_may_hold_a_colon():
    assert CameraSource.parse("file:/a:b.mp4").path == Path("/a:b.mp4")
