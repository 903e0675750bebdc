"""`touchline-edge track`, from a video to its table."""

import csv
from fractions import Fraction

import av
import pytest

from edge.cli import main

RED, BLUE = (40, 40, 200), (200, 60, 40)
FRAMES = 130


def people_at(k):
    return [(150 + 4 * k, 330, 80, RED), (800 - 4 * k, 440, 100, BLUE)]


def ball_at(k):
    return (930 - 7 * (k - 30), 250 + (k - 30), 4.0)


@pytest.fixture(scope="module")
def video(stage, tmp_path_factory):
    path = tmp_path_factory.mktemp("video") / "walkers.mp4"
    with av.open(str(path), "w") as out:
        stream = out.add_stream("libx264", rate=25, options={"preset": "ultrafast", "crf": "12"})
        stream.width, stream.height, stream.pix_fmt = stage.width, stage.height, "yuv420p"
        for k in range(FRAMES):
            planes = stage.picture(people_at(k), [ball_at(k)] if k >= 30 else [])
            picture = av.VideoFrame.from_ndarray(planes, format="yuv420p")
            picture.pts, picture.time_base = k, Fraction(1, 25)
            out.mux(stream.encode(picture))
        out.mux(stream.encode(None))
    return path


@pytest.fixture(scope="module")
def table(video, tmp_path_factory):
    out = tmp_path_factory.mktemp("table") / "tracks.csv"
    assert main(["track", str(video), "--detector", "motion", "--out", str(out)]) == 0
    return out


def rows_of(table):
    with table.open() as file:
        return list(csv.DictReader(file))


def test_the_table_has_the_agreed_columns_in_order_of_frame_and_id(table):
    assert table.read_text().startswith("frame,id,class,score,x0,y0,x1,y1\n")
    keys = [(int(row["frame"]), int(row["id"])) for row in rows_of(table)]
    assert keys == sorted(set(keys))
    assert 0 <= keys[0][0] < keys[-1][0] < FRAMES


def test_corners_are_inside_the_picture_and_scores_are_shares(table, stage):
    for row in rows_of(table):
        x0, y0, x1, y1 = (float(row[corner]) for corner in ("x0", "y0", "x1", "y1"))
        assert 0 <= x0 < x1 <= stage.width
        assert 0 <= y0 < y1 <= stage.height
        assert 0 <= float(row["score"]) <= 1


@pytest.mark.parametrize("who", [0, 1])
def test_a_walker_has_one_id_over_the_segments_borders(table, who):
    ids = set()
    for row in rows_of(table):
        x, foot, tall, _ = people_at(int(row["frame"]))[who]
        middle = (float(row["x0"]) + float(row["x1"])) / 2
        if row["class"] == "person" and abs(middle - x) < 0.2 * tall and abs(float(row["y1"]) - foot) < 0.2 * tall:
            ids.add(row["id"])
            last = int(row["frame"])
    assert len(ids) == 1
    assert last == FRAMES - 1


def test_the_ball_is_among_the_rows(table):
    at_ball = 0
    for row in rows_of(table):
        x, y, _ = ball_at(int(row["frame"]))
        middle = [(float(row[a]) + float(row[b])) / 2 for a, b in (("x0", "x1"), ("y0", "y1"))]
        at_ball += row["class"] == "ball" and abs(middle[0] - x) < 4 and abs(middle[1] - y) < 4
    assert at_ball > 0.7 * (FRAMES - 30)


def test_progress_is_told_on_stderr_and_nothing_on_stdout(video, tmp_path, capsys):
    assert main(["track", str(video), "--detector", "motion", "--out", str(tmp_path / "out.csv")]) == 0
    said = capsys.readouterr()
    assert said.out == ""
    assert "4 s looked at" in said.err
    assert f"done: {FRAMES} frames" in said.err


@pytest.mark.parametrize(
    ("source", "out", "words"),
    [
        ("nothing.mp4", "out.csv", "there is no video at"),
        ("text.mp4", "out.csv", "cannot be read as a video"),
        ("text.mp4", "nowhere/out.csv", "a folder that is there"),
        ("text.mp4", ".", "the name of a file"),
        ("text.mp4", "text.mp4", "itself: give another name"),
    ],
)
def test_bad_input_is_refused_in_one_sentence_before_any_work(tmp_path, capsys, source, out, words):
    (tmp_path / "text.mp4").write_text("no video")
    before = sorted(tmp_path.iterdir())
    assert main(["track", str(tmp_path / source), "--out", str(tmp_path / out)]) == 2
    [sentence] = capsys.readouterr().err.splitlines()
    assert words in sentence
    assert sorted(tmp_path.iterdir()) == before
    assert (tmp_path / "text.mp4").read_text() == "no video"


def test_a_chip_that_is_not_there_is_refused_as_detect_does_and_motion_takes_no_ones_place(video, tmp_path, capsys):
    out = tmp_path / "out.csv"
    out.write_text("before")
    told = []
    for command in ("detect", "track"):
        assert main([command, str(video), "--detector", "hailo", "--out", str(out)]) == 2
        told.append(capsys.readouterr().err.splitlines()[-1])
    assert told[0] == told[1]
    assert "python3-hailort" in told[0]
    assert out.read_text() == "before"


def test_a_chip_that_fails_on_the_way_is_told_and_leaves_no_table(video, tmp_path, capsys, on_the_chip, board):
    board.fails = {2: 36}
    command = ["track", str(video), *on_the_chip]
    assert main([*command, "--out", str(tmp_path / "out.csv")]) == 2
    assert "dmesg" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
    assert not board.in_use


@pytest.mark.slow
def test_the_chip_follows_the_walkers_and_is_free_afterwards(video, tmp_path, on_the_chip, board):
    out = tmp_path / "out.csv"
    command = ["track", str(video), *on_the_chip]
    assert main([*command, "--passes-per-second", "4", "--out", str(out)]) == 0
    assert board.jobs == pytest.approx(4 * FRAMES / 25, abs=2)
    assert not board.in_use
    for who in range(2):
        ids = set()
        for row in rows_of(out):
            x, foot, tall, _ = people_at(int(row["frame"]))[who]
            middle = (float(row["x0"]) + float(row["x1"])) / 2
            if row["class"] == "person" and abs(middle - x) < 0.2 * tall and abs(float(row["y1"]) - foot) < 0.2 * tall:
                ids.add(row["id"])
        assert len(ids) == 1


def test_a_damaged_video_leaves_the_old_table_as_it_was(video, tmp_path, capsys):
    broken, out = tmp_path / "broken.mp4", tmp_path / "out.csv"
    whole = video.read_bytes()
    at = len(whole) // 4
    broken.write_bytes(whole[:at] + bytes(len(whole) // 2) + whole[at + len(whole) // 2 :])
    out.write_text("before")
    assert main(["track", str(broken), "--detector", "motion", "--out", str(out)]) == 2
    assert "damaged after" in capsys.readouterr().err
    assert out.read_text() == "before"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["broken.mp4", "out.csv"]
