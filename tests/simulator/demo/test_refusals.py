"""What the demo cannot play is refused in one sentence before any work starts."""

import os
import socket
from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from firmware.holding import hold
from simulator.cli import main
from simulator.demo.day import _make_room
from simulator.demo.options import MARK, keep
from simulator.errors import BadOptions
from wire.ids import node_id
from wire.pitch import Pitch
from wire.rig import CameraModel, Lens, looking

CLICKS = "camera,x_m,y_m,u_px,v_px\n" + "".join(
    f"{c},{x},{y},{100 + 10 * x},{100 - 8 * y}\n" for c in (0, 1) for x, y in ((0, 0), (9, 0), (0, 9), (9, 9))
)


def video(path: Path, seconds: float = 3.0, size=(320, 180), rate=25) -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=rate, options={"preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        planes = np.full((size[1] * 3 // 2, size[0]), 90, np.uint8)
        for index in range(round(seconds * rate)):
            frame = av.VideoFrame.from_ndarray(planes, format="yuv420p")
            frame.pts, frame.time_base = index, Fraction(1, rate)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "footage"
    folder.mkdir()
    video(folder / "left.mp4")
    video(folder / "right.mp4")
    (folder / "clicks.csv").write_text(CLICKS)
    return folder


def refused(capsys, tmp_path, *wishes: str) -> str:
    out = tmp_path / "out"
    assert main(["demo", *wishes, "--out", str(out), "--no-serve"]) == 2
    said = capsys.readouterr().err.strip()
    assert len(said.splitlines()) == 1
    assert said.startswith("touchline: ")
    assert not out.exists()
    return said


def test_an_empty_file_is_named(capsys, tmp_path, folder):
    (folder / "right.mp4").write_bytes(b"")
    assert "right.mp4 is empty" in refused(capsys, tmp_path, "--footage", str(folder))


def test_a_file_that_is_no_video_is_named(capsys, tmp_path, folder):
    (folder / "left.mp4").write_bytes(b"not a video at all" * 100)
    assert "left.mp4 is not a video" in refused(capsys, tmp_path, "--footage", str(folder))


def test_a_file_cut_short_is_named(capsys, tmp_path, folder):
    whole = (folder / "left.mp4").read_bytes()
    (folder / "left.mp4").write_bytes(whole[: len(whole) // 2])
    assert "left.mp4" in refused(capsys, tmp_path, "--footage", str(folder))


def test_a_file_that_lost_its_end_but_kept_its_head_is_named(capsys, tmp_path, folder):
    path = folder / "left.mp4"
    with (
        av.open(str(path)) as source,
        av.open(str(tmp_path / "fast.mp4"), "w", options={"movflags": "faststart"}) as to,
    ):
        stream = to.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.dts is not None:
                packet.stream = stream
                to.mux(packet)
    whole = (tmp_path / "fast.mp4").read_bytes()
    path.write_bytes(whole[: len(whole) * 8 // 10])
    assert "left.mp4" in refused(capsys, tmp_path, "--footage", str(folder))


def test_sizes_that_differ_are_named(capsys, tmp_path, folder):
    video(folder / "right.mp4", size=(640, 360))
    assert "same size" in refused(capsys, tmp_path, "--footage", str(folder))


def test_rates_that_differ_are_named(capsys, tmp_path, folder):
    video(folder / "right.mp4", rate=30)
    assert "same rate" in refused(capsys, tmp_path, "--footage", str(folder))


def test_lengths_that_cannot_belong_together_are_named(capsys, tmp_path, folder):
    video(folder / "right.mp4", seconds=12)
    assert "not of the same recording" in refused(capsys, tmp_path, "--footage", str(folder))


def test_a_file_too_short_is_named(capsys, tmp_path, folder):
    video(folder / "right.mp4", seconds=0.5)
    assert "at least 2 s" in refused(capsys, tmp_path, "--footage", str(folder))


def test_a_missing_folder_and_a_missing_camera_are_told(capsys, tmp_path, folder):
    assert "is not a folder" in refused(capsys, tmp_path, "--footage", str(tmp_path / "nowhere"))
    (folder / "right.mp4").unlink()
    assert "holds 1 video:" in refused(capsys, tmp_path, "--footage", str(folder))


def test_missing_or_broken_clicks_are_told(capsys, tmp_path, folder):
    assert "there is no" in refused(capsys, tmp_path, "--footage", str(folder), "--clicks", str(tmp_path / "no.csv"))
    (folder / "clicks.csv").write_text("camera,x_m,y_m,u_px,v_px\n0,1,2,three,4\n")
    assert "line 2" in refused(capsys, tmp_path, "--footage", str(folder))
    (folder / "clicks.csv").write_text("\n".join(CLICKS.splitlines()[:6]))
    assert "different points for camera 1: at least 4" in refused(capsys, tmp_path, "--footage", str(folder))
    (folder / "clicks.csv").write_text(CLICKS + "5,0,0,1,1\n")
    assert "camera 5" in refused(capsys, tmp_path, "--footage", str(folder))
    (folder / "clicks.csv").write_text(CLICKS.replace("0,9,9,190,", "0,99,9,190,"))
    assert "--pitch right?" in refused(capsys, tmp_path, "--footage", str(folder))


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        (["1,0,0,321,90"], "320x180: was it clicked at another resolution?"),
        (["1,0,0,100,-1"], "320x180: was it clicked at another resolution?"),
        (["1,0,0,100,90"] * 5, "has 1 different points for camera 1"),
        ([f"1,{x},{x},{30 * x},{(x * x) % 90}" for x in range(1, 6)], "only points on one line for camera 1"),
        ([f"1,{x},{x * x},{30 * x},{20 * x}" for x in range(1, 6)], "only points on one line for camera 1"),
    ],
    ids=["right of the picture", "above the picture", "one point", "one line of the pitch", "one line of the picture"],
)
def test_clicks_that_cannot_place_a_camera_are_told(capsys, tmp_path, folder, rows, says):
    first = [row for row in CLICKS.splitlines() if not row.startswith("1,")]
    (folder / "clicks.csv").write_text("\n".join(first + rows))
    assert says in refused(capsys, tmp_path, "--footage", str(folder))


def seen_from_a_mast(flip: int = 1) -> str:
    """Clicks exactly where two cameras on a mast would see those points of the pitch; `flip` -1 swaps near and far."""
    rows = ["camera,x_m,y_m,u_px,v_px"]
    for camera, yaw in enumerate((-25.0, 25.0)):
        model = CameraModel(
            node_id("n"), 320, 180, Lens(170.0, 160.0, 90.0), looking(yaw, -14.0, 0.0), (0.0, -42.0, 7.0)
        )
        places = np.array([*Pitch().points().values()])
        pixels = model.project(np.column_stack([places, np.zeros(len(places))]))
        shown = model.sees(np.nan_to_num(pixels, nan=-1e9))
        rows += [
            f"{camera},{x},{flip * y},{u:.2f},{v:.2f}"
            for (x, y), (u, v) in zip(places[shown], pixels[shown], strict=True)
        ]
    return "\n".join(rows)


def test_clicks_that_two_cameras_beside_the_pitch_would_see_are_taken(monkeypatch, tmp_path, folder):
    played = []

    async def play(options) -> int:
        played.append(options)
        return 0

    monkeypatch.setattr("simulator.cli.play_match_day", play)
    (folder / "clicks.csv").write_text(seen_from_a_mast())
    assert main(["demo", "--footage", str(folder), "--out", str(tmp_path / "out"), "--no-serve"]) == 0
    assert [recording.path.name for recording in played[0].recordings] == ["left.mp4", "right.mp4"]


def test_recordings_without_clicks_are_taken_for_the_lines_may_tell(monkeypatch, tmp_path, folder):
    played = []

    async def play(options) -> int:
        played.append(options)
        return 0

    monkeypatch.setattr("simulator.cli.play_match_day", play)
    (folder / "clicks.csv").unlink()
    assert main(["demo", "--footage", str(folder), "--out", str(tmp_path / "out"), "--no-serve"]) == 0
    assert played[0].clicks == ()


def test_clicks_that_no_camera_beside_the_pitch_could_see_are_told(capsys, tmp_path, folder):
    (folder / "clicks.csv").write_text(seen_from_a_mast(flip=-1))
    assert "no camera beside a 105x68 m pitch" in refused(capsys, tmp_path, "--footage", str(folder))
    strip = "".join(f"1,{x},{y},{160 + 8 * x},{90 - 6 * y}\n" for x, y in ((0, 0), (9, 0), (12, 2), (15, 2)))
    first = "\n".join(row for row in seen_from_a_mast().splitlines() if not row.startswith("1,"))
    (folder / "clicks.csv").write_text(f"{first}\n{strip}")
    assert "camera 1 lie on one line" in refused(capsys, tmp_path, "--footage", str(folder))


@pytest.mark.parametrize(
    ("wishes", "says"),
    [
        (["--seconds", "3"], "10 seconds"),
        (["--seconds", "nan"], "10 seconds"),
        (["--pitch", "big"], "length x width"),
        (["--pitch", ""], "length x width"),
        (["--pitch", "20x10"], "outside"),
        (["--seed", "-1"], "whole number"),
        (["--clicks", "x.csv"], "goes with --footage"),
    ],
)
def test_wishes_that_cannot_be_fulfilled_are_told(capsys, tmp_path, wishes, says):
    assert says in refused(capsys, tmp_path, *wishes)


def test_a_folder_of_somebody_elses_is_never_emptied(capsys, tmp_path):
    (tmp_path / "diary.txt").write_text("mine")
    assert main(["demo", "--out", str(tmp_path), "--no-serve"]) == 2
    assert "holds other things" in capsys.readouterr().err
    assert (tmp_path / "diary.txt").read_text() == "mine"


def test_recordings_are_not_swept_away_with_an_earlier_demos_results(capsys, tmp_path, folder):
    (tmp_path / MARK).write_text("")
    assert main(["demo", "--footage", str(folder), "--out", str(tmp_path), "--no-serve"]) == 2
    assert "give --out another folder" in capsys.readouterr().err
    assert (folder / "left.mp4").exists()


def test_the_folder_of_a_demo_at_work_is_left_to_it(capsys, tmp_path):
    (tmp_path / "panorama.mp4").write_text("being watched")
    with hold(tmp_path / MARK):
        assert main(["demo", "--out", str(tmp_path), "--no-serve"]) == 2
        said = capsys.readouterr().err
        assert "another demo is at work" in said
        assert len(said.splitlines()) == 1
        assert (tmp_path / "panorama.mp4").exists()


def test_a_new_day_keeps_nothing_of_an_earlier_demos_folder_but_its_mark(tmp_path):
    (tmp_path / MARK).write_text("")
    (tmp_path / "clips").mkdir()
    (tmp_path / "clips" / "goal.mp4").write_text("old")
    (tmp_path / "elsewhere").symlink_to(tmp_path.parent)
    with _make_room(tmp_path):
        assert [path.name for path in tmp_path.iterdir()] == [MARK]
        with pytest.raises(BadOptions):
            keep(tmp_path)


@pytest.mark.parametrize("out", ["/proc/nope", "/dev/null/out", "/tmp/" + "x" * 300], ids=["proc", "file", "too long"])
def test_a_place_where_nothing_can_be_written_is_told(capsys, monkeypatch, out):
    monkeypatch.setattr("simulator.cli.play_match_day", lambda options: pytest.fail("work has begun"))
    assert main(["demo", "--out", out, "--no-serve"]) == 2
    said = capsys.readouterr().err
    assert len(said.splitlines()) == 1
    assert said.startswith("touchline: ")


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is closed to root")
def test_folders_that_are_closed_to_us_are_told(capsys, tmp_path, folder):
    folder.chmod(0)
    try:
        assert "cannot be looked into" in refused(capsys, tmp_path, "--footage", str(folder))
        assert main(["demo", "--out", str(folder), "--no-serve"]) == 2
        assert "Permission denied" in capsys.readouterr().err
    finally:
        folder.chmod(0o700)


def ports_in_a_row(count: int) -> int:
    """The first of so many neighbouring ports that nobody listens on."""
    while True:
        with ExitStack() as held:
            first = held.enter_context(socket.socket())
            first.bind(("127.0.0.1", 0))
            port = first.getsockname()[1]
            try:
                for following in range(port + 1, port + count):
                    held.enter_context(socket.socket()).bind(("127.0.0.1", following))
            except (OSError, OverflowError):
                continue
            return port


@pytest.mark.parametrize(("index", "who"), [(1, "node centre"), (3, "the hub"), (4, "the portal")])
def test_a_taken_port_and_who_needs_it_are_told_before_anything_is_written(capsys, monkeypatch, tmp_path, index, who):
    ports = ports_in_a_row(5)
    for name, port in (("NODE", ports), ("HUB", ports + 3), ("VIEWER", ports + 4)):
        monkeypatch.setattr(f"simulator.demo.day.{name}_PORT", port)
    with socket.create_server(("127.0.0.1", ports + index)):
        assert main(["demo", "--out", str(tmp_path / "out")]) == 2
    said = capsys.readouterr().out
    assert said == f"touchline: port {ports + index} is taken, and {who} needs it: end the program that uses it\n"
    assert not (tmp_path / "out").exists()


def test_a_place_that_fails_later_is_told_without_a_traceback(capsys, monkeypatch, tmp_path):
    def fail(out: Path) -> None:
        raise OSError(28, "No space left on device", str(out))

    monkeypatch.setattr("simulator.demo.day._make_room", fail)
    assert main(["demo", "--out", str(tmp_path / "out"), "--no-serve"]) == 1
    said = capsys.readouterr()
    assert "No space left on device" in said.out
    assert "Traceback" not in said.out + said.err


def test_an_option_that_does_not_exist_is_refused(capsys):
    with pytest.raises(SystemExit) as left:
        main(["demo", "--colour", "red"])
    assert left.value.code == 2
