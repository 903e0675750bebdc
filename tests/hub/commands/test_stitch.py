import errno
import os
import re
import signal
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import av
import msgspec
import pytest

from firmware.holding import hold
from hub.panorama.writer import PanoramaFolder, window_name
from hub.rendering import part_of
from wire.message import encode

ROOT = Path(__file__).parents[3]


def at_window(number, do, monkeypatch):
    """Have something happen instead of keeping a window."""
    store = PanoramaFolder.store

    def instead(folder, window):
        if window.number == number:
            do()
        store(folder, window)

    monkeypatch.setattr(PanoramaFolder, "store", instead)


def raising(fault):
    def do():
        raise fault

    return do


def windows(folder):
    return {path.name: (path.stat().st_mtime_ns, path.read_bytes()) for path in sorted(folder.glob("*.m4s"))}


def test_two_recordings_become_one_panorama_matched_by_time(shot, read_frames, capsys):
    assert shot.stitch() == 0
    left, right = read_frames(shot.panorama, 0.2), read_frames(shot.panorama, 0.8)
    # It begins when both show something: 120 ms into the left recording.
    assert left == [index % 70 for index in range(3, 125)]
    assert right == left
    assert list(shot.out.iterdir()) == [shot.panorama]
    told = capsys.readouterr().err
    assert re.search(r"100%  \d+ of \d+ frames, [\d.]+ frames/s, 0 s left", told)
    assert re.search(r"stitch +12\d +[\d.]+ +[\d.]+ +[\d.]+ +\d+%", told)
    assert "warning: the rig is not to be trusted" in told
    assert "encoding by libx264" in told


def test_a_run_that_was_killed_is_gone_on_with_and_ends_with_the_same_file(shot, tmp_path):
    assert shot.stitch(target="whole.mp4") == 0
    script = (
        "import os, signal, sys\n"
        "from hub.cli import main\n"
        "from hub.panorama.writer import PanoramaFolder\n"
        "store = PanoramaFolder.store\n"
        "def once(folder, window):\n"
        "    store(folder, window)\n"
        "    if window.number == 1: os.kill(os.getpid(), signal.SIGKILL)\n"
        "PanoramaFolder.store = once\n"
        "main(sys.argv[1:])\n"
    )
    videos = [str(shot.folder / f"{name}.mp4") for name in ("left", "right")]
    words = ["stitch", "--rig", str(shot.folder / "rig.json"), *videos, "-o", str(shot.panorama), "--width", "640"]
    killed = subprocess.run(
        [sys.executable, "-c", script, *words], cwd=ROOT, env=os.environ | {"PYTHONPATH": "."}, check=False
    )
    assert killed.returncode == -signal.SIGKILL
    assert not shot.panorama.exists()
    work = shot.out / "panorama.mp4.part" / "panorama"
    assert list(windows(work)) == [window_name(0), window_name(1)]
    assert shot.stitch() == 0
    assert shot.panorama.read_bytes() == (shot.out / "whole.mp4").read_bytes()
    assert not work.parent.exists()


def test_a_run_stopped_from_the_keyboard_says_how_to_go_on_and_keeps_its_windows(shot, monkeypatch, capsys):
    at_window(1, raising(KeyboardInterrupt()), monkeypatch)
    assert shot.stitch() == 130
    assert "stopped; 1 of 3 windows are kept in" in capsys.readouterr().err
    monkeypatch.undo()
    at_window(2, raising(KeyboardInterrupt()), monkeypatch)
    assert shot.stitch() == 130
    work = shot.out / "panorama.mp4.part" / "panorama"
    kept = windows(work)
    assert list(kept) == [window_name(0), window_name(1)]
    at_window(0, raising(AssertionError("made again")), monkeypatch)
    assert shot.stitch() == 130
    assert windows(work)[window_name(0)] == kept[window_name(0)]
    assert "1 windows are there from an earlier run" in capsys.readouterr().err


@pytest.mark.parametrize("other", ["width", "rig", "video", "kernel"])
def test_windows_of_another_panorama_are_not_used_again(shot, other, monkeypatch, small_rig, capsys):
    at_window(2, raising(KeyboardInterrupt()), monkeypatch)
    assert shot.stitch() == 130
    words = {"width": ["--width", "656"], "kernel": ["--kernel", "reference"]}.get(other, [])
    if other == "rig":
        nudged = msgspec.structs.replace(small_rig.cameras[0], position_m=(0.0, -40.0, 7.1))
        rig = msgspec.structs.replace(small_rig, cameras=(nudged, small_rig.cameras[1]))
        (shot.folder / "rig.json").write_bytes(encode(rig))
    if other == "video":
        shot.record("left", range(1, 126))
    capsys.readouterr()
    assert shot.stitch(*words) == 130
    assert "earlier run" not in capsys.readouterr().err


def test_a_full_disk_is_told_in_words_and_nothing_that_was_made_is_lost(shot, monkeypatch, capsys):
    at_window(2, raising(OSError(errno.ENOSPC, "No space left on device")), monkeypatch)
    assert shot.stitch() == 2
    assert "the disk is full; what is made so far is kept in" in capsys.readouterr().err
    monkeypatch.undo()
    # The archive finds no room either.
    part_of(shot.panorama).symlink_to("/dev/full")
    assert shot.stitch() == 2
    assert "the disk is full" in capsys.readouterr().err
    assert not shot.panorama.exists()
    at_window(0, raising(AssertionError("made again")), monkeypatch)
    assert shot.stitch() == 0
    assert shot.panorama.exists()


def test_hls_has_two_sizes_and_thumbnails_below_the_master_playlist(shot, read_frames):
    assert shot.stitch(target="a match.m3u8") == 0
    master, folder = shot.out / "a match.m3u8", shot.out / "a match"
    assert "a%20match/panorama.m3u8" in master.read_text()
    assert (folder / "thumbnails" / "00000000.jpg").exists()
    large = read_frames(folder / "panorama.m3u8", 0.2)
    assert read_frames(folder / "preview" / "panorama.m3u8", 0.2) == large
    assert len(large) == 122
    assert sorted(path.name for path in shot.out.iterdir()) == ["a match", "a match.m3u8"]
    assert shot.stitch(target="a match.m3u8") == 0, "made once more in its own place"


@pytest.mark.parametrize("rate", [Fraction(30000, 1001), Fraction(50)])
def test_the_panorama_has_the_cameras_frame_rate(shot, rate):
    for name in ("left", "right"):
        shot.record(name, range(100), rate)
    assert shot.stitch() == 0
    with av.open(str(shot.panorama)) as video:
        stream = video.streams.video[0]
        times = [frame.pts * frame.time_base for frame in video.decode(stream)]
    assert stream.average_rate == rate
    assert times == [index / rate for index in range(len(times))]
    assert len(times) == 100 - round(rate * 12 / 100)


def test_a_camera_with_another_rate_is_matched_by_time_and_told_with_figures(shot, read_frames, capsys):
    shot.record("right", range(120), Fraction(24))
    assert shot.stitch() == 0
    right = read_frames(shot.panorama, 0.8)
    assert all(abs(index - at * 24 / 25) <= 1.1 for at, index in enumerate(right[:70]))
    told = capsys.readouterr().err
    assert "camera right runs at 24.00 frames a second while the panorama has 25" in told
    assert re.search(r"repeated [45] pictures of camera right", told)


def test_lost_frames_are_repeated_and_counted(shot, read_frames, capsys):
    there = [index for index in range(125) if index not in (30, 31, 60)]
    shot.record("left", there, stamps=there)
    assert shot.stitch() == 0
    assert len(read_frames(shot.panorama, 0.2)) == 122
    assert "repeated 3 pictures of camera left" in capsys.readouterr().err


def test_a_camera_that_starts_late_and_stops_early_is_filled_by_its_neighbour_and_told(
    shot, small_rig, read_frames, capsys
):
    late = msgspec.structs.replace(small_rig.cameras[1], clock_offset_ns=3_000_000_000)
    rig = msgspec.structs.replace(small_rig, cameras=(small_rig.cameras[0], late))
    (shot.folder / "rig.json").write_bytes(encode(rig))
    shot.record("left", range(250))
    shot.record("right", [index + 10 for index in range(50)])
    assert shot.stitch() == 0
    right = read_frames(shot.panorama, 0.8)
    assert len(right) == 250
    assert max(right[:40]) <= 4, "what nobody sees is a calm near-black"
    assert right[75:125] == [index + 10 for index in range(50)]
    assert max(right[140:]) <= 4
    told = capsys.readouterr().err
    assert "camera right begins 3.00 s after the panorama" in told
    assert "camera right ends 5.0 s before the panorama" in told
    assert re.search(r"for 6\.\d s neighbours stood in for camera right", told)


def test_a_damaged_recording_is_told_and_goes_on_behind_the_damage(shot, read_frames, capsys):
    path = shot.record("left", range(125), ending="ts")
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2 : len(raw) // 2 + 376] = bytes(376)
    path.write_bytes(bytes(raw))
    assert shot.stitch(videos=[path, shot.folder / "right.mp4"]) == 0
    left = read_frames(shot.panorama, 0.2)
    assert left[-1] == 124 - 70
    assert "is damaged in one place" in capsys.readouterr().err


def beside(name):
    """The left recording, and another file in place of the right one."""
    return lambda shot: {"videos": [shot.folder / "left.mp4", *([shot.folder / name] if name else [])]}


def of_another_size(shot):
    return {"videos": [shot.folder / "left.mp4", shot.record("small", size=(320, 180))]}


def a_folder_in_the_way(shot):
    (shot.out / "mine").mkdir()
    return {"target": "mine.m3u8"}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (beside(None), "the rig has 2 cameras, from the left left, right, but 1 video was given"),
        (beside("left.mp4"), "the same file was given twice"),
        (beside("nothing.mp4"), "there is no video at"),
        (of_another_size, "camera right was calibrated at 480x270, but {folder}/small.mp4 is 320x180"),
        (lambda shot: {"target": "panorama.avi"}, "written as FILE.mp4, or as FILE.m3u8"),
        (lambda shot: {"target": "nowhere/panorama.mp4"}, "in a folder that is there"),
        (lambda shot: {"target": "../left.mp4"}, "is {folder}/left.mp4 itself"),
        (a_folder_in_the_way, "which is something else"),
    ],
)
def test_what_cannot_succeed_is_refused_in_words_before_any_work(shot, change, words, capsys):
    told = change(shot)
    before = sorted(shot.folder.rglob("*"))
    assert shot.stitch(**told) == 2
    assert words.format(folder=shot.folder) in capsys.readouterr().err
    assert sorted(shot.folder.rglob("*")) == before


def test_a_width_that_no_panorama_has_and_a_rig_that_is_none_are_refused(shot, capsys):
    assert shot.stitch("--width", "100") == 2
    assert "--width takes 640 to 16384 pixels" in capsys.readouterr().err
    (shot.folder / "rig.json").write_text("{}")
    assert shot.stitch() == 2
    assert "rig.json is not a readable rig" in capsys.readouterr().err
    (shot.folder / "rig.json").unlink()
    assert shot.stitch() == 2
    assert "rig.json cannot be read" in capsys.readouterr().err


def test_clock_offsets_that_leave_no_moment_together_are_refused(shot, small_rig, capsys):
    shot.record("right", range(2))
    shot.record("left", range(2))
    assert shot.stitch() == 2
    assert "these videos show no moment together" in capsys.readouterr().err


def test_two_runs_do_not_work_on_one_file(shot, capsys):
    work = shot.out / "panorama.mp4.part"
    work.mkdir()
    with hold(work / "lock"):
        assert shot.stitch() == 2
    assert "another run is at work on" in capsys.readouterr().err
