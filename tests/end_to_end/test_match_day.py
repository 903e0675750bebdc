"""A 20-second simulated match through real processes, from lens to parent."""

import csv
import hashlib
import json
import os
import shutil
import socket
import sqlite3
import struct
import subprocess
import sys
import time
from pathlib import Path

import av
import pytest

from hub.marks import MarkBook
from hub.messages import SessionPlan, SessionProgress, Stage
from hub.sessions import Sessions
from simulator.scoring import read_events, read_positions, score_positions
from wire.marks import Mark
from wire.message import decode
from wire.rig import Rig
from wire.rigtime import SECOND

pytestmark = pytest.mark.slow

SECONDS = 20
NODES = ("left", "centre", "right")
# From the median of a process's second third to that of its last. A node frees more than it takes by then; pictures
# that it kept would come to 500 MB in a third of this match. The hub first waits and calibrates and then holds the
# stitcher's tables, about 260 MB; panoramas that it kept would come to 600 MB in a third.
MOST_GROWTH_MB = {"hub": 400, **{f"node-{node}": 150 for node in NODES}}


@pytest.fixture(scope="module")
def day(demo, tmp_path_factory):
    out = tmp_path_factory.mktemp("day") / "out"
    run = demo("--seconds", str(SECONDS), "--seed", "3", "--no-serve", "--out", str(out))
    print(run.stdout)
    assert run.returncode == 0, run.stdout + run.stderr
    return out, run.stdout


def session_of(out: Path) -> str:
    [folder] = (out / "hub" / "sessions").iterdir()
    return folder.name


def test_no_segment_is_lost_and_every_hash_is_equal_on_node_and_hub(day):
    out, _ = day
    session = session_of(out)
    for node in NODES:
        with sqlite3.connect(out / "nodes" / node / "ledger.sqlite") as ledger:
            ledger.row_factory = sqlite3.Row
            rows = list(ledger.execute("select * from segments where session = ? order by sequence", (session,)))
        # The last segment may hold just the frame or two beyond the whole.
        assert len(rows) in (SECONDS // 2, SECONDS // 2 + 1)
        assert [row["sequence"] for row in rows] == list(range(len(rows)))
        assert {row["state"] for row in rows} <= {"confirmed", "deleted"}
        for row in rows:
            for suffix, column in ((".mp4", "video_sha256"), (".tracks", "tracks_sha256")):
                file = out / "hub" / "segments" / session / node / f"{row['sequence']:08d}{suffix}"
                assert hashlib.sha256(file.read_bytes()).hexdigest() == row[column]


def test_the_panorama_plays_to_the_end_and_seeks(day):
    out, _ = day
    with av.open(str(out / "panorama.mp4")) as video:
        stream = video.streams.video[0]
        assert 480 <= sum(1 for _ in video.decode(stream)) <= SECONDS * 25 + 2
        assert stream.width >= 1500
        for second in (3.0, 11.0, 17.0):
            video.seek(int(second / stream.time_base), stream=stream)
            frame = next(video.decode(stream))
            assert 0 <= second - float(frame.pts * frame.time_base) <= 2.0
            assert frame.to_ndarray(format="gray").std() > 10


def test_the_goal_is_found_within_two_seconds(day):
    out, _ = day
    true, found = (read_events(path)["goal"] for path in (out / "truth" / "events.csv", out / "events.csv"))
    assert true
    for goal in true:
        assert min(abs(goal - at) for at in found) <= 2.0
    assert len(found) == len(true)


def test_players_are_where_they_were(day, capsys):
    out, _ = day
    score = score_positions(
        read_positions(out / "truth" / "tracks.csv", ["player"]), read_positions(out / "tracks.csv", ["player"])
    )
    with capsys.disabled():
        print(
            f"\n  players: mean position error {score.mean_m:.2f} m, p95 {score.p95_m:.2f} m, "
            f"recall {score.recall:.3f}, precision {score.precision:.3f}"
        )
    assert score.mean_m < 0.8
    assert score.recall > 0.8
    assert score.precision > 0.8


def test_the_clocks_and_the_lenses_were_found_from_the_pictures(day):
    out, _ = day
    found, true = (decode(path.read_bytes(), Rig) for path in (out / "rig.json", out / "truth" / "rig.json"))
    assert [camera.node for camera in found.cameras] == list(NODES)
    reference = found.camera("centre").clock_offset_ns - true.camera("centre").clock_offset_ns
    for a, b in zip(found.cameras, true.cameras, strict=True):
        assert abs(a.clock_offset_ns - b.clock_offset_ns - reference) < 40e6
        assert max(abs(p - q) for p, q in zip(a.position_m, b.position_m, strict=True)) < 2.0
        assert a.lens.focal_px == pytest.approx(b.lens.focal_px, rel=0.05)


def test_tables_have_the_agreed_headers_and_values(day):
    out, _ = day
    for folder in (out, out / "truth"):
        with (folder / "tracks.csv").open() as file:
            rows = list(csv.DictReader(file))
        assert list(rows[0]) == ["frame", "id", "x_m", "y_m", "kind", "team", "state"]
        assert {row["kind"] for row in rows} == {"player", "referee", "ball"}
        assert {row["team"] for row in rows} == {"home", "away", ""}
        assert {row["state"] for row in rows} <= {"seen", "bridged"}
        assert (folder / "events.csv").read_text().startswith("time_s,type,x_m,y_m,confidence\n")


def test_there_is_a_clip_of_the_goal_with_its_picture(day):
    out, _ = day
    clips = sorted(path.name for path in (out / "clips").iterdir())
    goals = [name for name in clips if name.endswith("-goal.mp4")]
    assert goals
    for name in goals:
        assert name.replace(".mp4", ".jpg") in clips
        with av.open(str(out / "clips" / name)) as video:
            assert 4.0 < float(video.duration) / av.time_base < 11.0


def test_memory_stays_within_a_node_and_a_hub(day):
    out, text = day
    memory = json.loads((out / "costs.json").read_text())["memory_mb"]
    for node in NODES:
        assert memory[f"node-{node}"]["peak"] < 500
    assert memory["hub"]["peak"] < 1500
    for name, most in MOST_GROWTH_MB.items():
        assert memory[name]["growth"] < most, name
    assert "Time per stage" in text
    assert "MB sent from the nodes" in text


def test_tracks_take_at_most_six_bytes_a_detection(day):
    out, _ = day
    for name, node in json.loads((out / "costs.json").read_text())["nodes"].items():
        assert node["detections"] > 1000, name
        assert node["tracks_bytes"] <= 6 * node["detections"], name


def test_nothing_is_left_running_and_no_log_holds_a_traceback(day, processes_of):
    out, _ = day
    assert processes_of(out) == []
    for log in (out / "logs").iterdir():
        assert "Traceback" not in log.read_text(), log.name


def test_no_node_and_no_hub_was_told_the_truth(day):
    out, _ = day
    secrets = truth_needles(out / "truth")
    assert len(secrets) > 30
    for folder in (out / "nodes", out / "hub"):
        files = [path for path in folder.rglob("*") if path.is_file()]
        assert files
        for path in files:
            assert "truth" not in path.name
            content = path.read_bytes()
            assert not [secret for secret in secrets if secret in content], path


def truth_needles(truth: Path) -> list[bytes]:
    """What nobody could write without having been told: lenses and places to the last digit as text and as doubles,
    and rows that follow one another in the tables of the truth."""
    rig = truth / "rig.json"
    cameras = decode(rig.read_bytes(), Rig).cameras
    exact = [n for camera in cameras for n in (camera.lens.focal_px, *camera.position_m) if len(repr(n)) > 10]
    assert len({camera.lens.focal_px for camera in cameras} & set(exact)) == len(cameras)
    texts = [repr(number).encode() for number in exact]
    assert all(text in rig.read_bytes() for text in texts)
    pairs = []
    for table, step in (("events.csv", 1), ("tracks.csv", 997)):
        rows = (truth / table).read_bytes().splitlines(keepends=True)
        pairs += [rows[at] + rows[at + 1] for at in range(1, len(rows) - 1, step)]
    return [*texts, *(struct.pack(order, number) for number in exact for order in ("<d", ">d")), *pairs]


def test_only_the_lenses_know_the_seed_and_no_command_line_holds_a_secret(day):
    out, _ = day
    told = json.loads((out / "logs" / "processes.json").read_text())
    lenses = {f"lens-{node}" for node in NODES}
    assert set(told) == {"viewer", "viewer-worker", "hub", *lenses, *(f"node-{node}" for node in NODES)}
    for name, words in told.items():
        assert ("--seed" in words) == (name in lenses), name
        assert not {"--token", "--device-key"} & set(words), name
        assert not [word for word in words if "truth" in word], name


def test_a_hub_killed_while_stitching_goes_on_where_it_was_and_ends_with_the_same_match(day, tmp_path):
    out, _ = day
    session = session_of(out)
    before, data = out / "hub", tmp_path / "hub"
    shutil.copytree(before / "segments", data / "segments", copy_function=os.link)
    for ledger in before.glob("ledger.db*"):
        shutil.copy(ledger, data)
    folder = data / "sessions" / session
    folder.mkdir(parents=True)
    shutil.copy(before / "sessions" / session / "plan.json", folder)

    first = hub_process(data)
    windows = folder / "panorama"
    wait_until(lambda: len(list(windows.glob("*.m4s"))) >= 3, first)
    first.kill()
    first.wait()
    made = {path: path.stat().st_mtime_ns for path in sorted(windows.glob("*.m4s"))[:-1]}
    assert made
    # Somebody had pressed the button at the mast; the node is packed away by now.
    start_ns = decode((folder / "plan.json").read_bytes(), SessionPlan).start_ns
    MarkBook(Sessions(data / "sessions")).take(
        session, [Mark(session=session, node="left", time_ns=start_ns + 3 * SECOND)]
    )

    second = hub_process(data)
    progress = folder / "progress.json"
    wait_until(lambda: decode(progress.read_bytes(), SessionProgress).stage in (Stage.DONE, Stage.FAILED), second)
    second.terminate()
    assert second.wait(10) == 0
    assert decode(progress.read_bytes(), SessionProgress).stage is Stage.DONE
    assert {path: path.stat().st_mtime_ns for path in made} == made
    with av.open(str(folder / "panorama.mp4")) as video:
        times = [round(float(frame.time) * 25) for frame in video.decode(video=0)]
    assert times == list(range(len(times)))
    assert (folder / "tracks.csv").read_text() == (out / "tracks.csv").read_text()
    with (folder / "events.csv").open() as file:
        rows = list(csv.DictReader(file))
    [marked] = [row for row in rows if row["type"] == "mark"]
    assert float(marked["time_s"]) == pytest.approx(3.0, abs=1.0)
    with (out / "events.csv").open() as file:
        assert [row for row in rows if row != marked] == list(csv.DictReader(file))


def hub_process(data: Path) -> subprocess.Popen:
    nodes = [f"--node={node}=http://127.0.0.1:9" for node in NODES]
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    told = ["serve", "--data", str(data), "--port", str(port), "--token", "t", "--panorama-width", "2560"]
    with (data / "hub.log").open("ab") as log:
        return subprocess.Popen([Path(sys.executable).with_name("touchline-hub"), *told, *nodes], stderr=log)


def wait_until(condition, process: subprocess.Popen, limit_s: float = 300) -> None:
    end = time.monotonic() + limit_s
    while not condition():
        assert process.poll() is None, "the hub ended by itself"
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.05)
