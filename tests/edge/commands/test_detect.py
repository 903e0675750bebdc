"""`touchline-edge detect` on real small files."""

import csv

import av
import cv2
import numpy as np
import pytest

from edge.cli import main

RED, BLUE = (40, 40, 200), (200, 60, 40)
WALKERS = [(200, 330, 80, RED), (700, 430, 100, BLUE)]


@pytest.fixture(scope="module")
def picture(stage):
    return cv2.cvtColor(stage.picture(WALKERS), cv2.COLOR_YUV2BGR_I420)


@pytest.fixture(scope="module")
def video(stage, tmp_path_factory):
    """Two seconds in which two people walk."""
    path = tmp_path_factory.mktemp("video") / "walk.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = stage.width, stage.height, "yuv420p"
        for k in range(50):
            people = [(200 + 3 * k, 330, 80, RED), (700 - 3 * k, 430, 100, BLUE)]
            container.mux(stream.encode(av.VideoFrame.from_ndarray(stage.picture(people), format="yuv420p")))
        container.mux(stream.encode(None))
    return path


def table(path):
    with path.open() as file:
        reader = csv.DictReader(file)
        assert reader.fieldnames == ["frame", "class", "score", "x0", "y0", "x1", "y1"]
        return list(reader)


def stands_at(row, x, foot):
    x0, x1, y1 = (float(row[side]) for side in ("x0", "x1", "y1"))
    return row["class"] == "person" and abs((x0 + x1) / 2 - x) < 10 and abs(y1 - foot) < 8


@pytest.mark.parametrize("name", ["one.png", "one.jpg", "ONE.JPEG"])
def test_a_picture_is_one_frame_with_everybody_in_it(tmp_path, picture, name):
    cv2.imwrite(str(tmp_path / name), picture)
    assert main(["detect", str(tmp_path / name), "--out", str(tmp_path / "boxes.csv")]) == 0
    rows = table(tmp_path / "boxes.csv")
    assert {row["frame"] for row in rows} == {"0"}
    for x, foot, *_ in WALKERS:
        assert sum(stands_at(row, x, foot) and float(row["score"]) > 0.4 for row in rows) == 1


def test_the_chip_finds_everybody_in_a_picture_and_is_free_afterwards(tmp_path, picture, on_the_chip, board):
    cv2.imwrite(str(tmp_path / "one.png"), picture)
    command = ["detect", str(tmp_path / "one.png"), *on_the_chip]
    assert main([*command, "--out", str(tmp_path / "boxes.csv")]) == 0
    rows = table(tmp_path / "boxes.csv")
    for x, foot, *_ in WALKERS:
        assert sum(stands_at(row, x, foot) and float(row["score"]) > 0.4 for row in rows) == 1
    assert board.jobs > 0
    assert not board.in_use


def test_a_chip_that_others_use_is_had_from_the_service_and_from_nobody_without_it(
    tmp_path, picture, on_the_chip, board, capsys
):
    cv2.imwrite(str(tmp_path / "one.png"), picture)
    command = [
        "detect",
        str(tmp_path / "one.png"),
        *on_the_chip,
        "--hailo-service",
        "--out",
        str(tmp_path / "boxes.csv"),
    ]
    assert main(command) == 2
    assert "HailoRT's service does not answer" in capsys.readouterr().err
    board.service = "4.23.0"
    assert main(command) == 0
    assert len(table(tmp_path / "boxes.csv")) >= 2


@pytest.mark.slow
def test_the_chip_looks_at_the_frames_of_a_video_as_often_as_the_budget_says(tmp_path, video, on_the_chip, board):
    command = ["detect", str(video), *on_the_chip]
    assert main([*command, "--passes-per-second", "5", "--out", str(tmp_path / "boxes.csv")]) == 0
    rows = table(tmp_path / "boxes.csv")
    assert board.jobs == 10
    assert any(stands_at(row, 200 + 3 * int(row["frame"]), 330) for row in rows)
    assert any(stands_at(row, 700 - 3 * int(row["frame"]), 430) for row in rows)


@pytest.mark.parametrize("size", [(61, 47), (959, 541)])
def test_a_picture_of_any_size_is_looked_at_and_boxes_lie_inside_it(tmp_path, picture, size):
    cv2.imwrite(str(tmp_path / "odd.png"), np.ascontiguousarray(picture[: size[1], : size[0]]))
    assert main(["detect", str(tmp_path / "odd.png"), "--out", str(tmp_path / "boxes.csv")]) == 0
    for row in table(tmp_path / "boxes.csv"):
        assert 0 <= float(row["x0"]) < float(row["x1"]) <= size[0]
        assert 0 <= float(row["y0"]) < float(row["y1"]) <= size[1]


def test_a_picture_can_be_given_a_budget(tmp_path, picture):
    cv2.imwrite(str(tmp_path / "one.png"), picture)
    command = ["detect", str(tmp_path / "one.png"), "--passes-per-second", "1", "--out", str(tmp_path / "boxes.csv")]
    assert main(command) == 0
    assert len(table(tmp_path / "boxes.csv")) >= 2


def test_the_frames_of_a_video_are_looked_at_as_often_as_the_budget_says(tmp_path, video, capsys):
    command = ["detect", str(video), "--passes-per-second", "5", "--out", str(tmp_path / "boxes.csv")]
    assert main(command) == 0
    rows = table(tmp_path / "boxes.csv")
    assert len({row["frame"] for row in rows}) <= 10
    assert any(stands_at(row, 200 + 3 * int(row["frame"]), 330) for row in rows)
    assert any(stands_at(row, 700 - 3 * int(row["frame"]), 430) for row in rows)
    assert "50 frames" in capsys.readouterr().err


def test_the_motion_detector_sees_every_frame_once_it_knows_the_scene(tmp_path, video):
    assert main(["detect", str(video), "--detector", "motion", "--out", str(tmp_path / "boxes.csv")]) == 0
    frames = {int(row["frame"]) for row in table(tmp_path / "boxes.csv")}
    assert set(range(35, 50)) <= frames


def test_the_same_video_gives_the_same_table(tmp_path, video):
    for name in ("first", "second"):
        main(["detect", str(video), "--passes-per-second", "2", "--out", str(tmp_path / name)])
    assert (tmp_path / "first").read_bytes() == (tmp_path / "second").read_bytes()


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (["nothing.mp4"], "there is no picture or video at"),
        (["text.png"], "cannot be read as a picture"),
        (["empty.jpg"], "cannot be read as a picture"),
        (["text.mp4"], "cannot be read as a video"),
        (["good.png", "--detector", "motion"], "needs a video"),
        (["good.png", "--detector", "hailo"], "hailo"),
        (["good.png", "--out", "nowhere/boxes.csv"], "in a folder that is there"),
        (["good.png", "--out", "."], "in a folder that is there"),
    ],
)
def test_what_cannot_be_done_is_refused_in_one_sentence_and_leaves_nothing(
    tmp_path, monkeypatch, capsys, picture, given, words
):
    monkeypatch.chdir(tmp_path)
    for name in ("text.png", "text.mp4"):
        (tmp_path / name).write_text("no picture")
    (tmp_path / "empty.jpg").touch()
    cv2.imwrite("good.png", picture[:64, :64])
    before = sorted(tmp_path.iterdir())
    assert main(["detect", *(given if "--out" in given else [*given, "--out", "boxes.csv"])]) == 2
    error = capsys.readouterr().err
    assert words in error.lower()
    assert error.count("\n") == 1
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize("given", [["cut.mp4"], ["walk.mp4", "--detector", "hailo"]], ids=["damaged", "without a chip"])
def test_what_fails_leaves_the_table_that_was_there(tmp_path, video, given):
    (tmp_path / "walk.mp4").write_bytes(video.read_bytes())
    (tmp_path / "cut.mp4").write_bytes(video.read_bytes()[:-20_000])
    (tmp_path / "boxes.csv").write_text("old")
    before = sorted(tmp_path.iterdir())
    assert main(["detect", str(tmp_path / given[0]), *given[1:], "--out", str(tmp_path / "boxes.csv")]) == 2
    assert (tmp_path / "boxes.csv").read_text() == "old"
    assert sorted(tmp_path.iterdir()) == before


def test_what_is_looked_at_is_never_replaced_by_its_table(tmp_path, picture, capsys):
    source, again = tmp_path / "one.png", tmp_path / "again.csv"
    cv2.imwrite(str(source), picture)
    again.symlink_to(source)
    before = source.read_bytes()
    for out in (source, again):
        assert main(["detect", str(source), "--out", str(out)]) != 0
        assert "itself: give another name" in capsys.readouterr().err
    assert source.read_bytes() == before
    assert again.is_symlink()
