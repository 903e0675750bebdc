"""The conveyor's bench compares like with like, and fails when what it promises is not kept."""

import sys

import av
import numpy as np
import pytest

import bench.conveyor as bench
from hub.panorama.video import planes_of

SIZE, WIDTH = (640, 360), 1280


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("footage")


def first_luma(path):
    with av.open(str(path)) as video:
        frames = [planes_of(frame).luma.astype(np.int16) for frame in video.decode(video=0)]
    return frames[0], len(frames)


def test_all_peers_make_the_same_panorama_of_the_same_files(folder):
    footage = bench.recorded(folder, SIZE, 8)
    kept = {path: path.stat().st_mtime_ns for path in footage.videos}
    pictures = {}
    for work in bench.WORKS:
        getattr(bench, f"run_{work}")(footage, WIDTH, folder)
        pictures[work], count = first_luma(folder / f"{work}.mp4")
        assert count == 8, work
    for peer in ("filters", "opencv", "pipes"):
        # They even out no light and read the nearest pixel, but it is the same scene in the same place.
        assert np.median(np.abs(pictures["ours"] - pictures[peer])) <= 6, peer
    bench.recorded(folder, SIZE, 8)
    assert {path: path.stat().st_mtime_ns for path in footage.videos} == kept


def test_the_time_of_a_command_counts_the_processes_that_it_starts():
    burn = "import time\nwhile time.process_time() < .3: pass"
    parent = f"import subprocess, sys; print('said'); subprocess.run([sys.executable, '-c', {burn!r}])"
    seconds, said = bench.cpu_of([sys.executable, "-c", parent])
    assert seconds >= 0.3
    assert said == "said\n"


@pytest.mark.parametrize(("ours", "status"), [(36.0, 0), (50.0, 1)])
def test_what_a_run_takes_to_start_is_taken_off_and_a_missed_promise_fails(monkeypatch, tmp_path, capsys, ours, status):
    each = {"ours": ours, "filters": 100.0, "opencv": 90.0, "pipes": 60.0}

    def run(_kept, work, frames, _camera, _width):
        return 2.0 + each[work] * frames / 1e3, {"stitch": 0.01 * frames} if work == "ours" else {}

    monkeypatch.setattr(bench, "_run", run)
    monkeypatch.setattr(sys, "argv", ["bench", "--footage", str(tmp_path), "--rounds", "2"])
    monkeypatch.setattr(bench, "recorded", lambda *_: None)
    assert bench.main() == status
    said = capsys.readouterr().out
    assert f"{ours / 100:.2f} of filters, at most 0.45" in said
    assert "ours: stitch 10.0 ms" in said
    assert f"{ours / 60:.2f} of our own stitcher with pipes" in said


def test_memory_that_grows_along_a_run_fails(monkeypatch, tmp_path, capsys):
    sizes = iter(range(100_000_000, 10**12, 10_000_000))
    monkeypatch.setattr(bench, "resident_bytes", lambda: next(sizes))
    monkeypatch.setattr(bench, "_windows", lambda *_: iter(range(40)))
    monkeypatch.setattr(bench, "plan_panorama", lambda *_: None)
    monkeypatch.setattr(bench, "recorded", lambda *_: bench.Footage(None, ()))
    monkeypatch.setattr(sys, "argv", ["bench", "--footage", str(tmp_path), "--memory", "2000"])
    assert bench.main() == 1
    assert "GROWS" in capsys.readouterr().out
