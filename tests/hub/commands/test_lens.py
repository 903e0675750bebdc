from fractions import Fraction

import av
import cv2
import numpy as np
import pytest

from hub.calibrate.lenses import LensProfile
from hub.cli import main
from hub.commands.pictures import still_frames
from wire.message import decode

from ..conftest import BOARD_LENS, BOARD_SIZE


@pytest.fixture(scope="module")
def files(board_pictures, tmp_path_factory):
    """The pictures of the board, as files."""
    folder = tmp_path_factory.mktemp("board")
    paths = [folder / f"{i:02d}.png" for i in range(len(board_pictures))]
    for path, picture in zip(paths, board_pictures, strict=True):
        cv2.imwrite(str(path), picture)
    return [str(path) for path in paths]


def film(path, pictures):
    """A video, 25 frames a second, of grey pictures."""
    with av.open(str(path), "w") as out:
        stream = out.add_stream("libx264", rate=Fraction(25), options={"crf": "12", "preset": "ultrafast"})
        stream.height, stream.width = pictures[0].shape
        stream.pix_fmt = "yuv420p"
        for picture in pictures:
            out.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="gray").reformat(format="yuv420p")))
        out.mux(stream.encode(None))
    return path


@pytest.mark.slow
def test_pictures_of_a_board_give_a_profile_with_its_figures(files, tmp_path, capsys):
    out = tmp_path / "cm3.json"
    assert main(["lens", *files, "-o", str(out)]) == 0
    profile = decode(out.read_bytes(), LensProfile)
    assert (profile.width_px, profile.height_px) == BOARD_SIZE
    assert profile.lens.focal_px == pytest.approx(BOARD_LENS.focal_px, rel=2e-3)
    heard = capsys.readouterr()
    assert f"rms {profile.rms_px:.2f} px, {profile.pictures} views, {profile.covered:.0%} of the picture" in heard.out
    assert "cm3.json: measured" in heard.out
    shares = [int(line.split("%")[0]) for line in heard.err.splitlines()]
    assert shares == sorted(shares)
    assert len(shares) > len(files)


@pytest.mark.slow
def test_a_video_in_which_the_board_is_waved_gives_the_same_lens(board_pictures, tmp_path, capsys):
    frames = []
    for picture in board_pictures:
        frames += [cv2.blur(np.roll(picture, 40 - 8 * i, axis=1), (25, 1)) for i in range(5)] + [picture] * 5
    out = tmp_path / "profile.json"
    assert main(["lens", str(film(tmp_path / "waved.mp4", frames)), "-o", str(out)]) == 0
    assert decode(out.read_bytes(), LensProfile).lens.focal_px == pytest.approx(BOARD_LENS.focal_px, rel=3e-3)
    assert "waved.mp4" in capsys.readouterr().err


def test_of_a_video_the_stillest_frame_of_every_four_tenths_of_a_second_is_taken(tmp_path, rng):
    stripes = np.tile((np.arange(320) // 16 % 2 * 60).astype(np.uint8), (240, 1))
    frames = []
    for part in range(5):
        still = int(rng.integers(2, 8))
        frames += [np.roll(stripes, 16 * (i % 2), axis=1) + 20 for i in range(still)]
        frames += [stripes + 100 + 10 * part] * 2
        frames += [np.roll(stripes, 16 * (i % 2), axis=1) + 20 for i in range(8 - still)]
    taken = list(still_frames(film(tmp_path / "waved.mp4", frames)))
    lows = [float(np.percentile(luma, 10)) for _, luma in taken]
    assert len(lows) == 5
    assert lows == sorted(lows)
    assert np.diff(lows).min() > 5
    assert [share for share, _ in taken] == pytest.approx([0.2, 0.4, 0.6, 0.8, 1.0], abs=0.03)


@pytest.mark.slow
def test_a_lens_that_is_not_to_be_trusted_is_written_and_exits_with_one(board_pictures, tmp_path, capsys):
    y, x = np.mgrid[: BOARD_SIZE[1], : BOARD_SIZE[0]].astype(np.float32)
    paths = []
    for i, picture in enumerate(board_pictures):
        paths.append(str(tmp_path / f"{i}.png"))
        trembling = x + np.float32(1.5) * np.sin(y / 20)
        cv2.imwrite(paths[-1], cv2.remap(picture, trembling, y, cv2.INTER_LINEAR))
    out = tmp_path / "profile.json"
    assert main(["lens", *paths, "-o", str(out)]) == 1
    assert decode(out.read_bytes(), LensProfile).notes
    heard = capsys.readouterr()
    assert "NOT to be trusted" in heard.out
    assert "from where the lens puts them" in heard.err


@pytest.mark.parametrize(
    ("wishes", "reason"),
    [
        (["{board}", "{grey}"], "the board was seen well enough in 1 pictures"),
        (["{grey}"], "no board was found: its markers have to be of DICT_5X5_250"),
        (["{board}", "--board", "9x6"], "never enough of a board of 9x6 squares"),
        (["{board}", "{small}"], "small.png is 480x270, but the pictures before it are 960x540"),
        (["{board}", "{junk}"], "junk.png cannot be read as a picture"),
        (["{board}", "none.png"], "there is no picture or video at none.png"),
        (["{board}", "--board", "2x2"], "2x2 squares cannot be"),
        (["{board}", "--marker", "31"], "markers of 31 mm do not fit into squares of 30 mm"),
        ([], "give pictures or videos of the board"),
    ],
)
def test_what_tells_no_lens_is_refused_in_words_and_nothing_is_written(
    wishes, reason, board_pictures, tmp_path, capsys
):
    found = {name: tmp_path / f"{name}.png" for name in ("board", "grey", "small", "junk")}
    facing = max(board_pictures, key=lambda picture: int((picture > 200).sum()))
    cv2.imwrite(str(found["board"]), facing)
    cv2.imwrite(str(found["grey"]), np.full((540, 960), 90, np.uint8))
    cv2.imwrite(str(found["small"]), np.full((270, 480), 90, np.uint8))
    found["junk"].write_bytes(b"no picture")
    out = tmp_path / "profile.json"
    assert main(["lens", *(wish.format(**found) for wish in wishes), "-o", str(out)]) == 2
    assert reason in capsys.readouterr().err
    assert not out.exists()


@pytest.mark.parametrize("out", ["profile.txt", "nowhere/profile.json", None])
def test_a_profile_needs_a_name_that_calibrate_knows_it_by(out, files, tmp_path, capsys):
    wishes = [] if out is None else ["-o", str(tmp_path / out)]
    assert main(["lens", files[0], *wishes]) == 2
    assert {"profile.txt": ".json", None: "-o FILE.json"}.get(out, "no folder") in capsys.readouterr().err


def test_a_board_that_is_no_board_is_refused_with_an_example(capsys):
    with pytest.raises(SystemExit):
        main(["lens", "--board", "eleven", "--print", "board.svg"])
    assert "like 11x8" in capsys.readouterr().err


def test_the_board_is_drawn_without_a_picture_and_only_as_svg(tmp_path, capsys):
    assert main(["lens", "--board", "7x5", "--square", "36", "--marker", "28", "--print", str(tmp_path / "b.svg")]) == 0
    assert 'width="272mm" height="200mm"' in (tmp_path / "b.svg").read_text()
    assert "7x5 squares of 36 mm" in capsys.readouterr().out
    assert main(["lens", "--print", str(tmp_path / "b.png")]) == 2
    assert ".svg" in capsys.readouterr().err
