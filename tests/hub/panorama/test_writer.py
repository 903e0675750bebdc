import re
from fractions import Fraction

import av
import msgspec
import numpy as np
import pytest

from hub.panorama.encoder import Coded, WindowCoder, software
from hub.panorama.video import planes_of
from hub.panorama.vision import Standpoint, WindowStart
from hub.panorama.windows import USUAL, Cadence
from hub.panorama.writer import (
    INIT,
    MASTER,
    PLAYLIST,
    PREVIEW,
    STARTS,
    THUMBNAILS,
    MadeWindow,
    Making,
    PanoramaFolder,
    playlist,
    preview_size,
    rigs_later,
    window_name,
)
from hub.rendering import RenderingFailed, cut_followed, part_of, thumbnail
from wire.rigtime import SECOND

SIZE = (320, 96)
COUNTS = (USUAL.window_frames, USUAL.window_frames, 10)


def frame(index, size=SIZE):
    made = av.VideoFrame(*size, "yuv420p")
    luma, *chroma = planes_of(made)
    luma[:] = np.arange(size[0], dtype=np.uint8)[None] // 2
    luma[:16, :16] = 16 + index % 200
    for plane in chroma:
        plane[:] = 128
    return made


def coded(window, count, size=SIZE, cadence=USUAL) -> Coded:
    coder = WindowCoder(software(), size, cadence, window)
    for index in range(window * cadence.window_frames, window * cadence.window_frames + count):
        coder.add(frame(index, size))
    return coder.close()


def making(**changed) -> Making:
    usual = {
        "rig": "a",
        "sources": "b",
        "width_px": SIZE[0],
        "height_px": SIZE[1],
        "rate": (25, 1),
        "colours": (1, 1, 1),
        "encoder": "libx264",
        "kernel": "auto",
        "preview_width_px": 160,
    }
    return Making(**{**usual, **changed})


def made_window(window, count):
    return MadeWindow(window, coded(window, count), coded(window, count, (160, 48)), b"jpeg" if window == 0 else None)


@pytest.fixture
def session(tmp_path):
    """A panorama of three windows, the last of them short."""
    folder = PanoramaFolder(tmp_path / "panorama", making())
    assert folder.open() == 0
    for window, count in enumerate(COUNTS):
        folder.store(made_window(window, count))
    folder.end(3, COUNTS[-1])
    return folder


def test_windows_made_apart_join_into_one_archive_that_plays_and_seeks(session, tmp_path):
    archive = tmp_path / "panorama.mp4"
    session.archive(archive)
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


def test_every_window_begins_with_a_key_frame_so_that_players_can_enter_there(session, tmp_path):
    for folder in (session.root, session.root / PREVIEW):
        for window in range(3):
            path = tmp_path / "one.mp4"
            path.write_bytes((folder / INIT).read_bytes() + (folder / window_name(window)).read_bytes())
            with av.open(str(path)) as video:
                assert next(video.demux(video.streams.video[0])).is_keyframe


def test_the_playlist_of_a_running_match_is_open_and_of_an_ended_one_closed():
    running = playlist(2, 50, ended=False)
    assert "#EXT-X-ENDLIST" not in running
    assert running.count("#EXTINF:2.000,") == 2
    assert playlist(2, 5, ended=True).endswith("#EXTINF:0.200,\n00000001.m4s\n#EXT-X-ENDLIST\n")


def test_a_playlist_of_an_uneven_rate_says_how_long_its_windows_really_are():
    uneven = playlist(2, 30, True, Cadence(Fraction(30000, 1001)))
    assert "#EXT-X-TARGETDURATION:2\n" in uneven
    assert re.findall(r"#EXTINF:(.*),", uneven) == ["2.002", "1.001"]


def test_players_find_both_sizes_in_the_master_playlist_and_the_figures_are_true(session):
    master = (session.root / MASTER).read_text()
    rungs = re.findall(
        r'BANDWIDTH=(\d+),AVERAGE-BANDWIDTH=(\d+),CODECS="(.*)",RESOLUTION=(\d+)x(\d+),FRAME-RATE=25.000\n(.*)', master
    )
    assert [rung[-1] for rung in rungs] == [PLAYLIST, f"{PREVIEW}/{PLAYLIST}"]
    for most, mean, codec, width, height, path in rungs:
        folder = (session.root / path).parent
        bits = [8 * (folder / window_name(window)).stat().st_size / 2 for window in range(3)]
        assert int(most) == pytest.approx(max(bits), abs=1)
        assert int(mean) == pytest.approx(sum(bits) / 3, abs=1)
        with av.open(str(session.root / path)) as video:
            [stream] = video.streams.video
            assert (stream.width, stream.height) == (int(width), int(height))
            assert len(list(video.decode(stream))) == 110
            extra = stream.codec_context.extradata
        assert codec == f"avc1.{extra[1:4].hex().upper()}"


def test_a_player_that_takes_the_master_playlist_gets_the_large_picture(session):
    with av.open(str(session.root / MASTER)) as video:
        assert max(stream.width for stream in video.streams.video) == SIZE[0]


def test_thumbnails_are_told_with_the_seconds_that_they_stand_for(session):
    index = (session.root / THUMBNAILS / "thumbnails.vtt").read_text()
    assert index == "WEBVTT\n\n00:00:00.000 --> 00:00:04.400\n00000000.jpg\n"
    assert (session.root / THUMBNAILS / "00000000.jpg").read_bytes() == b"jpeg"


def test_what_was_made_before_is_gone_on_with_but_for_the_newest_window(session):
    again = PanoramaFolder(session.root, making())
    assert again.open() == 2
    assert (session.root / window_name(1)).exists()
    again.store(made_window(2, COUNTS[2]))
    again.end(3, COUNTS[2])
    assert again.master() == (session.root / MASTER).read_text() == session.master()


@pytest.mark.parametrize(
    "changed", [{"rig": "x"}, {"sources": "x"}, {"width_px": 640}, {"rate": (30, 1)}, {"encoder": "h264_nvenc"}]
)
def test_windows_of_something_else_are_made_again(session, changed):
    assert PanoramaFolder(session.root, making(**changed)).open() == 0
    assert not list(session.root.glob("**/*.m4s"))
    assert not (session.root / INIT).exists()


def test_windows_of_an_older_hub_that_did_not_say_what_it_made_them_of_are_made_again(session):
    (session.root / "making.json").unlink()
    assert PanoramaFolder(session.root, making()).open() == 0


def test_a_preview_keeps_the_proportions_in_even_pixels():
    assert preview_size((4096, 1232), 1280) == (1280, 384)
    assert preview_size((4640, 1232), 1281) == (1280, 340)


def test_a_clip_pans_after_its_path_and_has_the_asked_size(session, tmp_path):
    archive = tmp_path / "panorama.mp4"
    session.archive(archive)
    clip = tmp_path / "clip.mp4"
    path = [(0.0, 0.0, 48.0), (1.0, 120.0, 48.0), (2.0, 190.0, 48.0)]
    cut_followed(archive, clip, 1.0, 2.0, SIZE, path, (256, 144))
    with av.open(str(clip)) as video:
        pictures = [f.to_ndarray(format="yuv420p") for f in video.decode(video=0)]
    assert len(pictures) in (50, 51)
    middles = [int(p[72, 128]) for p in (pictures[0], pictures[25], pictures[-1])]
    assert middles[0] < middles[1] < middles[2]
    thumbnail(clip, tmp_path / "clip.jpg", 0.5, width=128)
    with av.open(str(tmp_path / "clip.jpg")) as picture:
        assert (picture.streams.video[0].width, picture.streams.video[0].height) == (128, 72)


def test_what_ffmpeg_cannot_make_is_told_in_one_sentence_and_leaves_no_file(tmp_path):
    with pytest.raises(RenderingFailed, match=r"clip\.mp4 could not be made"):
        cut_followed(tmp_path / "missing.mp4", tmp_path / "clip.mp4", 0, 1, SIZE, [(0, 0, 0)])
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_no_fault_of_the_picture_and_leaves_nothing_behind(session, tmp_path):
    session.archive(tmp_path / "panorama.mp4")
    picture = tmp_path / "poster.jpg"
    part_of(picture).symlink_to("/dev/full")
    with pytest.raises(OSError, match="No space left on device"):
        thumbnail(tmp_path / "panorama.mp4", picture, 1.0)
    assert not part_of(picture).is_symlink()
    assert not picture.exists()


def noted(window, rig=None):
    start = WindowStart(lost=(window,))
    standpoint = None if rig is None else Standpoint(calibrated=rig, rig=rig)
    return made_window(window, COUNTS[0])._replace(start=start, standpoint=standpoint)


def test_what_was_known_before_the_two_newest_windows_is_kept(tmp_path, small_rig):
    folder = PanoramaFolder(tmp_path / "panorama", making())
    folder.open()
    for window in range(4):
        folder.store(noted(window))
    again = PanoramaFolder(tmp_path / "panorama", making())
    first = again.open()
    assert again.start_of(first) == WindowStart(lost=(3,))
    assert again.start_of(first - 1) == WindowStart(lost=(2,))
    assert again.start_of(first - 2) is None
    (folder.root / STARTS / "00000003.json").write_bytes(b"torn")
    assert again.start_of(3) is None


def test_a_window_knows_the_rig_as_it_stood_before_it_and_the_session_when_it_changed(tmp_path, small_rig):
    folder = PanoramaFolder(tmp_path / "panorama", making())
    folder.open()
    other = msgspec.structs.replace(small_rig, cameras=small_rig.cameras[:1])
    for window, rig in enumerate([None, small_rig, None, other]):
        folder.store(noted(window, rig))
    assert folder.standpoint_before(1) is None
    assert folder.standpoint_before(3).rig == small_rig
    assert folder.standpoint_before(4).rig == other
    assert rigs_later(folder.root) == [(2 * SECOND, small_rig), (6 * SECOND, other)]
    # A window that is made again without a change takes it back.
    folder.store(noted(3))
    assert rigs_later(folder.root) == [(2 * SECOND, small_rig)]
