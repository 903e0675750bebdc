"""The ChArUco board that a lens is measured with: how it is drawn, and where its corners are in a picture.

A chessboard whose white squares hold markers, so that any part of it in sight tells which part that is.
"""

import re
from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from hub.errors import LensNotMeasured
from hub.picture import Plane
from wire.rig import Array

DICTIONARY = "DICT_5X5_250"
"""OpenCV's name of the markers: few enough bits to be read from afar, and what boards from a shop have."""
_BITS = 5 + 2
"""Across a marker, its black rim included."""
_MARKERS = 250
_EDGE_MM = 10.0
"""White paper that is drawn around the board."""
_FEWEST, _ROWS = 12, 3
"""Corners of a view that is used, in rows and columns of the board: less hardly tells how the board is held."""


class Sighting(NamedTuple):
    """The board's corners in one picture: their places on the board (n, 2), millimetres, and in the picture (n, 2),
    pixels."""

    places_mm: Array
    pixels: Array


@dataclass(frozen=True)
class Board:
    """Squares across and down, and the sides of a square and of a marker in millimetres; raises `LensNotMeasured` for
    what cannot be a board."""

    columns: int
    rows: int
    square_mm: float
    marker_mm: float

    def __post_init__(self) -> None:
        if min(self.columns, self.rows) < _ROWS + 1 or self.columns * self.rows // 2 > _MARKERS:
            raise LensNotMeasured(
                f"a board of {self.columns}x{self.rows} squares cannot be: {_ROWS + 1} and more either way, and no "
                f"more than {2 * _MARKERS} in all"
            )
        if not 0 < self.marker_mm < self.square_mm < 1e4:
            raise LensNotMeasured(
                f"markers of {self.marker_mm:g} mm do not fit into squares of {self.square_mm:g} mm: both as measured "
                "on the board"
            )

    def charuco(self) -> cv2.aruco.CharucoBoard:
        """The board as OpenCV knows it."""
        markers = cv2.aruco.getPredefinedDictionary(getattr(cv2.aruco, DICTIONARY))
        return cv2.aruco.CharucoBoard((self.columns, self.rows), self.square_mm, self.marker_mm, markers)

    def svg(self) -> str:
        """A drawing that prints true to size, with a line of words that tell how to print it."""
        board = self.charuco()
        markers = board.getDictionary()
        side, square = self.marker_mm, self.square_mm
        shapes = [
            _rectangle(column * square, row * square, square, square, "black")
            for row in range(self.rows)
            for column in range(self.columns)
            if (row + column) % 2 == 0
        ]
        bit = side / _BITS
        for marker, corners in zip(np.ravel(board.getIds()), board.getObjPoints(), strict=True):
            left, top = (float(v) for v in corners[0][:2])
            shapes.append(_rectangle(left, top, side, side, "black"))
            bits = cv2.aruco.generateImageMarker(markers, int(marker), _BITS)
            for row, across in enumerate(bits > 0):
                # A row's white bits that touch are one shape: printers show the seam between two.
                for run in re.finditer("1+", "".join("1" if white else "0" for white in across)):
                    wide = (run.end() - run.start()) * bit
                    shapes.append(_rectangle(left + run.start() * bit, top + row * bit, wide, bit, "white"))
        width, height = self.columns * square, self.rows * square
        paper = (width + 2 * _EDGE_MM, height + 2 * _EDGE_MM)
        words = (
            f"{self.columns}x{self.rows} squares of {square:g} mm, markers {side:g} mm, {DICTIONARY}. Print at 100 %, "
            "on one sheet, and glue it onto something stiff and flat."
        )
        return "\n".join(
            [
                f'<svg xmlns="http://www.w3.org/2000/svg" width="{paper[0]:g}mm" height="{paper[1]:g}mm" '
                f'viewBox="{-_EDGE_MM:g} {-_EDGE_MM:g} {paper[0]:g} {paper[1]:g}" shape-rendering="crispEdges">',
                _rectangle(-_EDGE_MM, -_EDGE_MM, *paper, "white"),
                *shapes,
                f'<text x="0" y="{height + 0.6 * _EDGE_MM:g}" font-family="sans-serif" font-size="3">{words}</text>',
                "</svg>\n",
            ]
        )


def _rectangle(x: float, y: float, width: float, height: float, colour: str) -> str:
    return f'<rect x="{x:.4f}" y="{y:.4f}" width="{width:.4f}" height="{height:.4f}" fill="{colour}"/>'


class BoardFinder:
    """Finds one board in pictures; boards drawn before OpenCV 4.6 have their black squares elsewhere and are known from
    the first picture that shows enough."""

    def __init__(self, board: Board) -> None:
        self._columns = board.columns - 1
        self._markers = cv2.aruco.ArucoDetector(board.charuco().getDictionary())
        self._layouts = []
        for old in (False, True):
            layout = board.charuco()
            layout.setLegacyPattern(old)
            self._layouts.append(
                (cv2.aruco.CharucoDetector(layout), np.array(layout.getChessboardCorners(), np.float64)[:, :2])
            )
        self.markers_seen = False
        """Whether any picture held a marker of the board's kind."""

    def find(self, picture: Plane) -> Sighting | None:
        """What a picture (h, w), grey, shows of the board; None where that is too little."""
        seen, names, _ = self._markers.detectMarkers(picture)
        if names is None:
            return None
        self.markers_seen = True
        for layout in self._layouts:
            detector, places = layout
            pixels, found, _, _ = detector.detectBoard(picture, markerCorners=seen, markerIds=names)
            if found is None:
                continue
            corners = np.ravel(found).astype(np.int64)
            if self._enough(corners):
                self._layouts = [layout]
                # OpenCV counts from the middle of the first pixel.
                return Sighting(places[corners], np.asarray(pixels, np.float64).reshape(-1, 2) + 0.5)
        return None

    def _enough(self, corners: npt.NDArray[np.int64]) -> bool:
        rows, columns = np.divmod(corners, self._columns)
        return len(corners) >= _FEWEST and min(len(np.unique(rows)), len(np.unique(columns))) >= _ROWS
