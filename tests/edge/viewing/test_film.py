"""The live picture's film: what a player gets is a video, and never more than the last seconds of it."""

import io
import re
from fractions import Fraction

import av
import numpy as np
import pytest

from edge.encode.libav import LibavCoder
from edge.frame import Frame
from edge.viewing.film import KEPT, Film

RATE = 10


@pytest.fixture
def coder():
    made = LibavCoder("h264", 320, 180, RATE, most_bits_per_second=200_000)
    yield made
    made.close()


@pytest.fixture
def film():
    made = Film("7", 320, 180, RATE)
    yield made
    made.close()


def shoot(film, coder, picture, frames, *, key=10):
    for number in range(frames):
        frame = Frame(picture(number), 5_000_000_000 + number * 100_000_000, number)
        for packet in coder.encode(frame, key=number % key == 0):
            film.add(packet)


def names(playlist):
    head = re.search(r'URI="live/(.+)"', playlist)[1]
    return [head, *re.findall(r"^live/(.+)$", playlist, re.MULTILINE)]


def test_nothing_is_told_before_the_first_segment_is_whole(film, coder, picture):
    shoot(film, coder, picture, 10)
    assert not film.begun
    assert names(film.playlist("live")) == ["7-head.mp4"]


def test_what_the_playlist_names_is_one_video_at_its_pace(film, coder, picture):
    shoot(film, coder, picture, 41)
    playlist = film.playlist("live")
    assert names(playlist) == ["7-head.mp4", *(f"7-{n}.m4s" for n in range(4))]
    assert re.findall(r"EXTINF:(.+),", playlist) == ["1.000"] * 4
    assert "#EXT-X-TARGETDURATION:1\n" in playlist
    whole = b"".join(film.part(name) for name in names(playlist))
    with av.open(io.BytesIO(whole)) as video:
        assert video.streams.video[0].codec_context.name == "h264"
        frames = list(video.decode(video=0))
    assert [frame.pts * frame.time_base for frame in frames] == [Fraction(n, RATE) for n in range(40)]
    for number in (0, 17, 39):
        shown = frames[number].to_ndarray(format="yuv420p")[:180].astype(int)
        assert np.abs(shown - picture(number)[:180]).mean() < 8


def test_a_player_can_begin_with_any_segment(film, coder, picture):
    shoot(film, coder, picture, 41)
    with av.open(io.BytesIO(film.part("7-head.mp4") + film.part("7-2.m4s"))) as video:
        assert len(list(video.decode(video=0))) == 10


def test_only_the_last_segments_are_kept(film, coder, picture):
    shoot(film, coder, picture, 10 * (KEPT + 3) + 1)
    playlist = film.playlist("live")
    assert "#EXT-X-MEDIA-SEQUENCE:3\n" in playlist
    assert names(playlist)[1:] == [f"7-{n}.m4s" for n in range(3, KEPT + 3)]
    assert film.part("7-2.m4s") is None
    for name in ("", "7", "8-head.mp4", "7-99.m4s", "../7-3.m4s"):
        assert film.part(name) is None


def test_a_segment_that_took_longer_says_so(film, coder, picture):
    shoot(film, coder, picture, 62, key=30)
    assert re.findall(r"EXTINF:(.+),", film.playlist("live")) == ["3.000", "3.000"]
    assert "#EXT-X-TARGETDURATION:3\n" in film.playlist("live")


def test_even_of_noise_it_takes_no_more_than_it_may(film, coder):
    random = np.random.default_rng(3)
    shoot(film, coder, lambda _number: random.integers(16, 235, (270, 320), np.uint8), 61)
    parts = [film.part(name) for name in names(film.playlist("live"))[1:]]
    # The first key frame fills the buffer that the rate allows for, and it may be full once more.
    assert sum(map(len, parts)) * 8 < 200_000 * (len(parts) + 2)
