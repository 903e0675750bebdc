import av
import numpy as np
import pytest

from hub.panorama.windows import WINDOW_FRAMES
from hub.panorama.writer import INIT, PLAYLIST, encode_window, playlist, window_name
from hub.rendering import RenderingFailed, cut_followed, part_of, remux_playlist, thumbnail
from wire.durable import write_durably


def frame(index, width=320, height=96):
    planes = np.full((height * 3 // 2, width), 128, np.uint8)
    planes[:height] = np.arange(width, dtype=np.uint8)[None] // 2
    planes[:16, :16] = 16 + index % 200
    return planes


@pytest.fixture
def session(tmp_path):
    """Three windows, the last of them short, as the pipeline writes them."""
    counts = [WINDOW_FRAMES, WINDOW_FRAMES, 10]
    for window, count in enumerate(counts):
        first = window * WINDOW_FRAMES
        init, media, made = encode_window((frame(i) for i in range(first, first + count)), window, 320, 96)
        assert made == count
        write_durably(tmp_path / INIT, init)
        write_durably(tmp_path / window_name(window), media)
    write_durably(tmp_path / PLAYLIST, playlist(3, 10, ended=True).encode())
    return tmp_path


def test_windows_made_apart_join_into_one_archive_that_plays_and_seeks(session):
    archive = session / "panorama.mp4"
    remux_playlist(session / PLAYLIST, archive)
    with av.open(str(archive)) as video:
        stream = video.streams.video[0]
        times = [round(float(f.pts * f.time_base) * 25) for f in video.decode(stream)]
        assert times == list(range(110))
        video.seek(int(2.0 / stream.time_base), stream=stream)
        sought = next(video.decode(stream))
        assert float(sought.pts * sought.time_base) == pytest.approx(2.0)
        assert abs(int(sought.to_ndarray(format="yuv420p")[4, 4]) - (16 + 50)) <= 4
    head = archive.read_bytes()[:4096]
    assert head.find(b"moov") < head.find(b"mdat") or b"mdat" not in head


def test_every_window_begins_with_a_key_frame_so_that_players_can_enter_there(session):
    for window in range(3):
        path = session / "one.mp4"
        path.write_bytes((session / INIT).read_bytes() + (session / window_name(window)).read_bytes())
        with av.open(str(path)) as video:
            assert next(video.demux(video.streams.video[0])).is_keyframe


def test_the_playlist_of_a_running_match_is_open_and_of_an_ended_one_closed():
    running = playlist(2, 50, ended=False)
    assert "#EXT-X-ENDLIST" not in running
    assert running.count("#EXTINF:2.000,") == 2
    assert playlist(2, 5, ended=True).endswith("#EXTINF:0.200,\n00000001.m4s\n#EXT-X-ENDLIST\n")


def test_a_window_without_frames_makes_nothing():
    assert encode_window(iter(()), 0, 320, 96) == (b"", b"", 0)


def test_a_clip_pans_after_its_path_and_has_the_asked_size(session):
    archive = session / "panorama.mp4"
    remux_playlist(session / PLAYLIST, archive)
    clip = session / "clip.mp4"
    path = [(0.0, 0.0, 48.0), (1.0, 120.0, 48.0), (2.0, 190.0, 48.0)]
    cut_followed(archive, clip, 1.0, 2.0, (320, 96), path, (256, 144))
    with av.open(str(clip)) as video:
        pictures = [f.to_ndarray(format="yuv420p") for f in video.decode(video=0)]
    assert len(pictures) in (50, 51)
    middles = [int(p[72, 128]) for p in (pictures[0], pictures[25], pictures[-1])]
    assert middles[0] < middles[1] < middles[2]
    thumbnail(clip, session / "clip.jpg", 0.5, width=128)
    with av.open(str(session / "clip.jpg")) as picture:
        assert (picture.streams.video[0].width, picture.streams.video[0].height) == (128, 72)


def test_what_ffmpeg_cannot_make_is_told_in_one_sentence_and_leaves_no_file(tmp_path):
    with pytest.raises(RenderingFailed, match=r"clip\.mp4 could not be made"):
        cut_followed(tmp_path / "missing.mp4", tmp_path / "clip.mp4", 0, 1, (320, 96), [(0, 0, 0)])
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_no_fault_of_the_picture_and_leaves_nothing_behind(session):
    remux_playlist(session / PLAYLIST, session / "panorama.mp4")
    picture = session / "poster.jpg"
    part_of(picture).symlink_to("/dev/full")
    with pytest.raises(OSError, match="No space left on device"):
        thumbnail(session / "panorama.mp4", picture, 1.0)
    assert not part_of(picture).is_symlink()
    assert not picture.exists()
