"""The fake is as honest as the facts it stands for: what breaks on a board breaks here too."""

import sys
import threading
from itertools import pairwise
from pathlib import Path

import pytest

FAKES = str(Path(__file__).parent)
YUV = {"format": "YUV420", "size": (1280, 720)}


@pytest.fixture
def board(monkeypatch):
    monkeypatch.syspath_prepend(FAKES)
    from libcamera import hardware

    hardware.plugged = hardware.Board(hardware.Sensor(), live=True)
    yield hardware.plugged
    for name in [name for name in sys.modules if name.partition(".")[0] in ("picamera2", "libcamera")]:
        del sys.modules[name]


@pytest.fixture
def picam2(board):
    from picamera2 import Picamera2

    with Picamera2() as opened:
        yield opened


def configured(picam2, **rest):
    config = {"main": YUV, "raw": None, "controls": {"FrameDurationLimits": (16000, 16000)}} | rest
    picam2.configure(picam2.create_video_configuration(**config))
    return picam2


def test_a_stream_stops_in_silence_when_every_buffer_is_leaked(picam2):
    configured(picam2, main={"format": "YUV420", "size": (320, 180)}, buffer_count=4, queue=False)
    leaked, enough = [], threading.Event()

    def leak(request):
        request.acquire()
        leaked.append(request)
        if len(leaked) == 4:
            enough.set()

    picam2.post_callback = leak
    picam2.start()
    assert enough.wait(20)
    more = threading.Event()
    picam2.post_callback = lambda request: more.set()
    assert not more.wait(0.2)
    leaked.pop().release()
    assert more.wait(20)
    picam2.stop()
    for request in leaked:
        request.release()
    with pytest.raises(RuntimeError, match="ref_count 0"):
        request.acquire()
    with pytest.raises(RuntimeError, match="negative ref_count"):
        request.release()


def test_a_callback_that_takes_long_loses_frames_and_nobody_is_told(picam2):
    configured(picam2, main={"format": "YUV420", "size": (320, 180)}, buffer_count=2)
    stamps, enough = [], threading.Event()

    def slow(request):
        stamps.append(request.get_metadata()["SensorTimestamp"])
        enough.wait(0.06)
        if len(stamps) == 4:
            enough.set()

    picam2.post_callback = slow
    picam2.start()
    assert enough.wait(20)
    picam2.stop()
    assert max(b - a for a, b in pairwise(stamps)) > 1.5 * 16_000_000


def test_memory_is_used_again_for_later_frames(picam2):
    configured(picam2, main={"format": "YUV420", "size": (320, 180)}, buffer_count=2)
    from picamera2 import MappedArray

    views, changed = [], threading.Event()

    def look(request):
        with MappedArray(request, "main") as mapped:
            if not views:
                views.extend([mapped.array, mapped.array.copy()])
            elif (views[0] != views[1]).any():
                changed.set()

    picam2.post_callback = look
    picam2.start()
    assert changed.wait(20)
    picam2.stop()


@pytest.mark.parametrize(
    ("config", "fault"),
    [
        ({"lores": {"format": "YUV420", "size": (1282, 720)}}, "may not exceed main"),
        ({"sensor": {"size": (2028, 1080)}}, "Unexpected keys"),
        ({"controls": {"ShutterSpeed": 1}}, "ShutterSpeed is not advertised"),
        ({"colour_space": "Rec709"}, "Colour space has incorrect type"),
    ],
)
def test_a_bad_configuration_is_refused(picam2, config, fault):
    with pytest.raises(RuntimeError, match=fault):
        configured(picam2, **config)


def test_unknown_words_in_a_stream_are_refused_and_odd_sides_cut(picam2):
    with pytest.raises(ValueError, match="Bad key 'width'"):
        picam2.create_video_configuration(main={"width": 5})
    assert picam2.create_video_configuration(main={"size": (1281, 721)})["main"]["size"] == (1280, 720)


def test_rows_are_padded(picam2):
    for size, stride in (((2028, 1080), 2048), ((1920, 1080), 1920), ((320, 180), 384)):
        configured(picam2, main={"format": "YUV420", "size": size})
        assert picam2.camera_configuration()["main"]["stride"] == stride


def test_a_mode_that_is_not_there_is_replaced_without_a_word(picam2):
    configured(picam2, sensor={"output_size": (3840, 2160), "bit_depth": 11})
    assert picam2.camera_configuration()["sensor"] == {"output_size": (4056, 2160), "bit_depth": 10}


def test_modes_cannot_be_read_while_streaming(picam2):
    configured(picam2).start()
    with pytest.raises(RuntimeError, match="must be stopped before configuring"):
        _ = picam2.sensor_modes
    picam2.stop()


def test_nothing_starts_unconfigured(picam2):
    with pytest.raises(RuntimeError, match="has not been configured"):
        picam2.start()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_an_exception_in_a_callback_kills_the_event_thread_and_stop_hangs(board):
    from picamera2 import Picamera2

    picam2 = configured(Picamera2())

    def broken(request):
        raise ValueError("no good")

    picam2.post_callback = broken
    picam2.start()
    events = picam2._preview
    events.join(20)
    assert not events.is_alive()
    stopping = threading.Thread(target=picam2.stop, daemon=True)
    stopping.start()
    stopping.join(0.2)
    assert stopping.is_alive()
    picam2.close()
    picam2._jobs.pop().set_result(None)
    stopping.join(20)


def test_an_encoder_starts_and_stops_once(picam2):
    from picamera2.encoders import LibavH264Encoder

    encoder = LibavH264Encoder(qp=30)
    with pytest.raises(RuntimeError, match="already stopped"):
        encoder.stop()
    encoder.size, encoder.format = (320, 180), "YUV420"
    encoder.start()
    with pytest.raises(RuntimeError, match="already running"):
        encoder.start()
    encoder.drop_final_frames = True
    encoder.stop()
    unknown = LibavH264Encoder(profile="splendid")
    unknown.size, unknown.format = (320, 180), "YUV420"
    with pytest.raises(RuntimeError, match="splendid not recognised"):
        unknown.start()


def test_an_encoder_keeps_its_last_request_and_counts_times_from_zero(picam2):
    from picamera2.encoders import LibavH264Encoder
    from picamera2.outputs import Output

    class Times(Output):
        def __init__(self):
            super().__init__()
            self.told = []

        def outputframe(self, frame, keyframe=True, timestamp=None, packet=None, audio=False):
            self.told.append(timestamp)

    encoder, times, enough, seen = LibavH264Encoder(qp=30), Times(), threading.Event(), []
    encoder.threads = 1
    configured(picam2, main={"format": "YUV420", "size": (320, 180)}, buffer_count=6, queue=False)
    picam2.post_callback = lambda request: (seen.append(request), len(seen) == 4 and enough.set())
    picam2.start_encoder(encoder, times)
    picam2.start()
    assert enough.wait(20)
    picam2.stop()
    assert picam2.outstanding
    encoder.stop()
    assert not picam2.outstanding
    assert times.told[0] == 0
    assert min(b - a for a, b in pairwise(times.told)) >= 15_999
