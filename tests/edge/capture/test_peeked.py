import numpy as np
import pytest

from edge.capture import CameraSource
from edge.capture.details import CameraDetails
from edge.capture.peeked import PeekedCamera
from edge.errors import CameraFault


@pytest.fixture(params=["file", "virtual"])
def source(request, video, virtual_camera):
    paths = {"file": lambda: video, "virtual": lambda: virtual_camera(125).path}
    return CameraSource(request.param, paths[request.param]())


@pytest.mark.parametrize("count", [0, 1, 3])
def test_what_was_peeked_at_is_recorded_all_the_same(source, zero_ns, count):
    with source.open(zero_ns) as plain:
        expected = list(plain)
    with PeekedCamera(source.open(zero_ns)) as camera:
        assert len(camera.peek(count)) == count
        frames = list(camera)
    assert [(f.time_ns, f.index) for f in frames] == [(f.time_ns, f.index) for f in expected]
    assert all(np.array_equal(a.planes, b.planes) for a, b in zip(frames, expected, strict=True))


def test_peeking_twice_shows_the_same_frames(source, zero_ns):
    with PeekedCamera(source.open(zero_ns)) as camera:
        assert camera.peek(2) == camera.peek(3)[:2] == camera.peeked[:2]
        assert [frame.index for frame in camera.peek(1)] == [0]


def test_a_source_that_ends_gives_what_it_has(make_video, tmp_path, zero_ns):
    short = CameraSource("file", make_video(tmp_path / "short.mp4", 2))
    with PeekedCamera(short.open(zero_ns)) as camera:
        assert len(camera.peek(3)) == 2
        assert len(list(camera)) == 2


class Faulty:
    width, height, frames_per_second, frames_dropped, live = 320, 180, 25.0, 0, True
    waits_s = 0.0
    details = CameraDetails(model="imx477", lens="6 mm")

    def __init__(self):
        self.left = 0

    def coder(self):
        return "a coder"

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.left += 1

    def __iter__(self):
        self.frames_dropped = 7
        raise CameraFault("the cable came off")
        yield


def test_a_fault_while_peeking_is_the_cameras_own():
    with PeekedCamera(Faulty()) as camera, pytest.raises(CameraFault, match="came off"):
        camera.peek(1)
    assert camera.frames_dropped == 7


def test_a_live_camera_that_was_peeked_at_begins_anew():
    class Live(Faulty):
        def __iter__(self):
            self.frames_dropped = 0
            for number in range(5):
                self.frames_dropped += 1
                yield number

    with PeekedCamera(Live()) as camera:
        assert camera.peek(3) == camera.peeked == [0, 1, 2]
        pictures = iter(camera)
        assert next(pictures) == 0
        assert (camera.frames_dropped, camera.peeked) == (1, [])
        assert list(pictures) == [1, 2, 3, 4]


def test_it_tells_what_the_camera_tells_and_closes_it():
    faulty = Faulty()
    camera = PeekedCamera(faulty)
    assert (camera.width, camera.height, camera.frames_per_second, camera.frames_dropped) == (320, 180, 25.0, 0)
    assert (camera.live, camera.coder(), camera.details.lens) == (True, "a coder", "6 mm")
    with camera:
        pass
    assert faulty.left == 1


def test_a_camera_that_knows_nothing_of_itself_has_empty_details(video, zero_ns):
    with PeekedCamera(CameraSource("file", video).open(zero_ns)) as camera:
        assert camera.details == CameraDetails()
