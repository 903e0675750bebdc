import io
import threading
from fractions import Fraction

import av
import pytest
from av.video.reformatter import ColorRange

from hub.panorama.decoder import Tried, choose_decoder, try_decoding
from hub.panorama.encoder import HARDWARE, Encoder, WindowCoder, choose_encoder, software, unfit
from hub.panorama.proving import in_time
from hub.panorama.video import Colours, planes_of
from hub.panorama.windows import USUAL, Cadence

from .conftest import marked, write_video

SIZE = (320, 96)


def coded(window, count, cadence=USUAL, **options):
    coder = WindowCoder(software(), SIZE, cadence, window, **options)
    for index in range(count):
        coder.add(marked(index, SIZE))
    return coder.close()


def test_a_window_without_frames_makes_nothing():
    assert WindowCoder(software(), SIZE, USUAL, 0).close() == (b"", b"", 0)


def test_a_window_that_is_made_again_is_the_same_to_the_byte():
    assert coded(7, 50) == coded(7, 50)
    assert coded(7, 50).init == coded(3, 20).init


@pytest.mark.parametrize("rate", [Fraction(25), Fraction(30000, 1001), Fraction(50)])
def test_frames_stand_at_their_place_in_the_panorama_at_any_rate(rate):
    cadence = Cadence(rate)
    made = coded(3, 20, cadence)
    with av.open(io.BytesIO(made.init + made.media)) as video:
        times = [frame.pts * frame.time_base for frame in video.decode(video=0)]
    assert times == [(3 * cadence.window_frames + index) / rate for index in range(20)]


def test_colour_tags_are_carried_and_the_range_is_videos():
    made = coded(0, 5, colours=Colours(6, 6, 5))
    with av.open(io.BytesIO(made.init + made.media)) as video:
        frame = next(video.decode(video=0))
    assert (frame.color_primaries, frame.color_trc, frame.colorspace) == (6, 6, 5)
    assert frame.color_range == ColorRange.MPEG


def test_an_encoder_that_gives_the_pictures_back_is_fit_whatever_pixels_it_takes():
    assert unfit(software(), SIZE, USUAL) is None
    assert unfit(Encoder("libx264", {"preset": "ultrafast"}, "nv12"), (640, 200), Cadence(Fraction(30))) is None


def test_an_encoder_that_spoils_the_pictures_is_told_apart():
    assert "levels off" in unfit(Encoder("libx264", {"preset": "ultrafast", "qp": "51"}), SIZE, USUAL)


def test_an_encoder_whose_hardware_is_missing_is_passed_over_with_the_reason_and_software_is_taken():
    told, ours = [], software("ultrafast")
    absent = Encoder("h264_nvenc"), Encoder("no_such_encoder"), Encoder("h264_v4l2m2m", bits_per_pixel=0.1)
    assert choose_encoder(SIZE, USUAL, ours, told.append, absent) is ours
    [words] = told
    assert words.startswith("encoding by libx264 (not h264_nvenc: ")
    assert all(f"not {encoder.codec}: " in words for encoder in absent)


def test_the_first_encoder_that_proves_itself_is_taken():
    told, stand_in = [], Encoder("libx264", {"preset": "ultrafast"}, "nv12")
    assert choose_encoder(SIZE, USUAL, software(), told.append, (HARDWARE[0], stand_in, stand_in)) is stand_in
    assert len(told) == 1


def test_decoding_stays_in_software_where_no_device_proves_itself_and_the_reasons_are_told(tmp_path):
    told = []
    video = write_video(tmp_path / "v.mp4", range(8))
    assert choose_decoder(video, told.append, lambda: ["cuda", "drm"]) is None
    assert told[0].startswith("decoding in software (not cuda: ")


def test_a_device_that_decodes_something_else_or_costs_more_than_software_is_passed_over(tmp_path, monkeypatch):
    told = []
    tried = {
        None: Tried([planes_of(marked(index)) for index in range(5)], 0.5),
        "cuda": Tried([planes_of(marked(index + 1)) for index in range(5)], 0.1),
        "drm": Tried([planes_of(marked(0))], 0.1),
        "vulkan": Tried([planes_of(marked(index)) for index in range(5)], 0.8),
        "qsv": Tried([planes_of(marked(index)) for index in range(5)], 0.1),
    }
    monkeypatch.setattr("hub.panorama.decoder.try_decoding", lambda _, device: tried[device])
    assert choose_decoder(tmp_path, told.append, lambda: list(tried)[1:]) == "qsv"
    assert told == [
        "decoding by qsv (not cuda: its pictures are 3 levels off; not drm: 1 pictures of 5 came out; "
        "not vulkan: it takes 1.6 times the CPU time of software)"
    ]


def test_software_is_tried_on_a_segments_worth_of_frames(tmp_path):
    tried = try_decoding(write_video(tmp_path / "v.mp4", range(60)), None)
    assert len(tried.pictures) == 5
    assert tried.cpu_s > 0


def test_a_driver_that_never_answers_holds_nobody_up():
    released = threading.Event()
    with pytest.raises(TimeoutError, match=r"no answer within 0\.05 s"):
        in_time(released.wait, 0.05)
    released.set()
    assert in_time(lambda: 5) == 5
    with pytest.raises(ZeroDivisionError):
        in_time(lambda: 1 // 0)


def test_an_encoder_that_hangs_is_passed_over(monkeypatch):
    released, told = threading.Event(), []
    monkeypatch.setattr("hub.panorama.proving._PATIENCE_S", 0.05)
    monkeypatch.setattr("hub.panorama.encoder.WindowCoder.close", lambda _: released.wait())
    assert choose_encoder(SIZE, USUAL, software(), told.append, (Encoder("libx264"),)) == software()
    released.set()
    assert told == ["encoding by libx264 (not libx264: no answer within 0.05 s)"]
