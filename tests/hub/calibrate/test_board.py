import re

import cv2
import numpy as np
import pytest

from hub.calibrate.board import Board, BoardFinder
from hub.errors import LensNotMeasured

from ..conftest import BOARD, BOARD_LENS, BOARD_SIZE


def printed(svg: str, fine: int) -> np.ndarray:
    """The drawing on paper, `fine` pixels a millimetre."""
    left, top, width, height = (float(v) for v in re.search(r'viewBox="([^"]+)"', svg)[1].split())
    paper = np.full((round(height * fine), round(width * fine)), 128, np.uint8)
    for found in re.finditer(r'<rect x="(.+?)" y="(.+?)" width="(.+?)" height="(.+?)" fill="(.+?)"/>', svg):
        x, y, wide, high = (float(v) for v in found.groups()[:4])
        rows = slice(round((y - top) * fine), round((y - top + high) * fine))
        columns = slice(round((x - left) * fine), round((x - left + wide) * fine))
        paper[rows, columns] = 255 if found[5] == "white" else 0
    return paper


@pytest.mark.parametrize("board", [BOARD, Board(7, 5, 36.0, 28.0)])
def test_the_drawn_board_is_found_on_paper_with_every_corner_where_its_millimetres_say(board):
    svg = board.svg()
    found = BoardFinder(board).find(printed(svg, 6))
    assert len(found.pixels) == (board.columns - 1) * (board.rows - 1)
    assert np.abs(found.pixels / 6 - 10 - found.places_mm).max() < 0.1
    width, height = board.columns * board.square_mm + 20, board.rows * board.square_mm + 20
    assert f'width="{width:g}mm" height="{height:g}mm"' in svg


def test_corners_are_found_to_a_fraction_of_a_pixel_in_our_frame_of_pixels(board_held, board_picture, rng):
    middle, turn = board_held(BOARD_LENS, BOARD_SIZE, (0.3, 0.35), 420.0, (20.0, -25.0, 5.0))
    found = BoardFinder(BOARD).find(board_picture(BOARD_LENS, BOARD_SIZE, middle, turn, rng))
    assert len(found.pixels) > 50
    flat = np.c_[found.places_mm - (165.0, 120.0), np.zeros(len(found.places_mm))] @ turn.T + middle
    true = BOARD_LENS.distort(flat[:, :2] / flat[:, 2:]) * BOARD_LENS.focal_px + (BOARD_LENS.cx_px, BOARD_LENS.cy_px)
    gap = found.pixels - true
    assert np.median(np.linalg.norm(gap, axis=1)) < 0.1
    # Counting from the middle of the first pixel would move all by half a pixel.
    assert np.abs(np.median(gap, axis=0)).max() < 0.05


def test_a_board_of_the_layout_from_before_opencv_4_6_is_found_too():
    old = BOARD.charuco()
    old.setLegacyPattern(True)
    paper = cv2.copyMakeBorder(old.generateImage((1320, 960)), *[40] * 4, cv2.BORDER_CONSTANT, value=255)
    found = BoardFinder(BOARD).find(paper)
    assert len(found.pixels) == 70
    assert np.abs(found.pixels / 4 - 10 - found.places_mm).max() < 0.1


def test_what_holds_no_board_is_told_from_what_holds_another():
    finder = BoardFinder(BOARD)
    assert finder.find(np.full((540, 960), 90, np.uint8)) is None
    assert not finder.markers_seen
    assert finder.find(printed(Board(5, 5, 30.0, 22.0).svg(), 4)) is None
    assert finder.markers_seen


def test_a_part_of_the_board_that_hardly_tells_how_it_is_held_is_no_view(board_pictures):
    paper = printed(BOARD.svg(), 4)
    strip = paper[:, : 40 + 3 * 120]
    assert BoardFinder(BOARD).find(strip) is None
    assert BoardFinder(BOARD).find(paper[:, : 40 + 5 * 120]) is not None


@pytest.mark.parametrize(
    ("board", "reason"),
    [
        ((3, 8, 30.0, 22.0), "3x8 squares cannot be"),
        ((40, 40, 30.0, 22.0), "no more than 500"),
        ((11, 8, 30.0, 30.0), "do not fit"),
        ((11, 8, 30.0, 0.0), "do not fit"),
        ((11, 8, float("nan"), 22.0), "do not fit"),
    ],
)
def test_a_board_that_cannot_be_is_refused_in_words(board, reason):
    with pytest.raises(LensNotMeasured, match=reason):
        Board(*board)
