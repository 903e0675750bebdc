"""Whether a camera still looks where it looked when its view was locked."""

import math
from typing import Any

import cv2
import msgspec
import numpy as np
import numpy.typing as npt

from edge.detect.picture import Plane, planes_of

WIDTH = 640
CELLS = (5, 4)
"""The picture is compared in so many parts across and down: people who move spoil only some."""
SURE = 0.12
"""Least response of a phase correlation that is believed."""
ENOUGH = 5
"""Parts that have to be believed, and to agree, before anything is said."""
AGREE_PX = 1.5
MOST_SCALE = 0.03
"""A camera that turns or leans makes nothing larger or smaller by more than this: else the parts agree by chance."""
ROLLS_DEG = tuple(sign * degree for degree in range(1, 21) for sign in (1, -1))
"""By which a mast is taken to lean at most; in between, the parts' own shifts tell."""
UNROLLED_DEG = 0.5
"""A part that is rolled by more than this seems less shifted than it is, and the whole less rolled."""
MOVED_SHARE = 0.004
"""A movement by this share of the picture's width is a knock: 8 px at 1920, a third of a metre 60 m away."""

_Points = npt.NDArray[np.float64]
_Edges = npt.NDArray[np.float32]


class Knock(msgspec.Struct, frozen=True, kw_only=True):
    """How far what is seen has moved since the view was locked: its middle right and down, in pixels of the main
    stream, and clockwise about it; `by_px` is how far the part has moved that moved farthest. `certain` where enough of
    the picture could be compared, as it cannot in the dark."""

    right_px: float
    down_px: float
    roll_deg: float = 0.0
    by_px: float = 0.0
    moved: bool
    certain: bool


_UNCERTAIN = Knock(right_px=0.0, down_px=0.0, moved=False, certain=False)


class LockedView:
    """The view of a camera as it is meant to stay; made from a picture, or from its own bytes."""

    def __init__(self, edges: _Edges, width_px: int) -> None:
        self._edges = edges
        self._width_px = width_px

    @classmethod
    def of(cls, i420: Plane) -> "LockedView":
        """The view in a picture, I420 planes (h * 3 // 2, w)."""
        return cls(_edges(i420), i420.shape[1])

    def encode(self) -> bytes:
        """A PNG that `decode` reads; it shows outlines of the place and nothing of anybody's face."""
        _, coded = cv2.imencode(".png", np.clip(self._edges, 0, 255).astype(np.uint8))
        return self._width_px.to_bytes(4, "little") + bytes(coded)

    @classmethod
    def decode(cls, raw: bytes) -> "LockedView | None":
        """The view that `encode` made; None for bytes that are none."""
        edges = cv2.imdecode(np.frombuffer(raw[4:], np.uint8), cv2.IMREAD_GRAYSCALE) if len(raw) > 4 else None
        return None if edges is None else cls(edges.astype(np.float32), int.from_bytes(raw[:4], "little"))

    def compare(self, i420: Plane) -> Knock:
        """How far a later picture of the same size has moved."""
        now = _edges(i420)
        if now.shape != self._edges.shape:
            return Knock(right_px=0.0, down_px=0.0, moved=True, certain=False)
        roll_deg = 0.0
        found = self._moved(now, roll_deg)
        if found is None and (roll_deg := self._likely_roll(now)):
            found = self._moved(now, roll_deg)
        if found is None:
            return _UNCERTAIN
        if abs(_roll_deg(found[0]) - roll_deg) > UNROLLED_DEG:
            found = self._moved(now, _roll_deg(found[0])) or found
        return self._knock(*found, now.shape)

    def _knock(self, motion: _Points, places: _Points, shape: tuple[int, ...]) -> Knock:
        """What a motion (2, 3) means for the places (n, 2) that were believed."""
        height, width = shape
        centre = np.array([[width / 2, height / 2]])
        right, down = _at(motion, centre)[0] - centre[0]
        by = float(np.hypot(*(_at(motion, places) - places).T).max())
        factor = self._width_px / width
        return Knock(
            right_px=round(float(right) * factor, 1),
            down_px=round(float(down) * factor, 1),
            roll_deg=round(_roll_deg(motion), 2),
            by_px=round(by * factor, 1),
            moved=by > MOVED_SHARE * width,
            certain=True,
        )

    def _moved(self, now: _Edges, roll_deg: float) -> tuple[_Points, _Points] | None:
        """The motion (2, 3) from the locked view to a picture that is rolled by about so much, and the middles (n, 2)
        of the parts that agree with it; None where too few do."""
        rolling = _rolling(now.shape, roll_deg)
        before = _rolled(self._edges, rolling)
        (x, y), response = cv2.phaseCorrelate(before, now, _window(now.shape[::-1]))
        coarse = (round(x), round(y)) if response > SURE / 2 else (0, 0)
        shifts = [(cell, _shift(before, now, cell, coarse)) for cell in _cells(now.shape)]
        told = [((cell[0] + cell[2]) / 2, (cell[1] + cell[3]) / 2, *shift) for cell, shift in shifts if shift]
        if len(told) < ENOUGH:
            return None
        rows = np.array(told)
        places = _at(cv2.invertAffineTransform(rolling), rows[:, :2])
        motion, agreeing = cv2.estimateAffinePartial2D(
            places, rows[:, :2] + rows[:, 2:], method=cv2.RANSAC, ransacReprojThreshold=AGREE_PX
        )
        if motion is None or abs(math.hypot(motion[0, 0], motion[1, 0]) - 1) > MOST_SCALE:
            return None
        believed = agreeing.reshape(-1) > 0
        if believed.sum() < max(ENOUGH, len(told) // 2):
            return None
        return np.asarray(motion, np.float64), places[believed]

    def _likely_roll(self, now: _Edges) -> float:
        """By how many degrees the picture is rolled, of `ROLLS_DEG`; 0 where nothing speaks for any."""
        before, after = (
            cv2.resize(edges, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA) for edges in (self._edges, now)
        )
        window = _window(after.shape[::-1])

        def response(roll_deg: float) -> float:
            return cv2.phaseCorrelate(_rolled(before, _rolling(after.shape, roll_deg)), after, window)[1]

        # Neighbours of a true roll answer, too: the best of all is what counts.
        return max((0.0, *ROLLS_DEG), key=response)


def _at(motion: Any, points: Any) -> _Points:
    """Where a motion (2, 3) takes points (n, 2)."""
    return np.asarray(points @ motion[:, :2].T + motion[:, 2], np.float64)


def _roll_deg(motion: _Points) -> float:
    return math.degrees(math.atan2(motion[1, 0], motion[0, 0]))


def _rolling(shape: tuple[int, ...], roll_deg: float) -> Any:
    """The motion (2, 3) of a picture that rolls clockwise about its middle."""
    return cv2.getRotationMatrix2D((shape[1] / 2, shape[0] / 2), -roll_deg, 1.0)


def _rolled(edges: Any, rolling: Any) -> Any:
    return cv2.warpAffine(edges, rolling, edges.shape[::-1], flags=cv2.INTER_LINEAR)


def _shift(
    before: _Edges, now: _Edges, cell: tuple[int, int, int, int], coarse: tuple[int, int]
) -> tuple[float, float] | None:
    x0, y0, x1, y1 = cell
    dx, dy = coarse
    height, width = now.shape
    if x0 + dx < 0 or y0 + dy < 0 or x1 + dx > width or y1 + dy > height:
        return None
    here = np.ascontiguousarray(before[y0:y1, x0:x1])
    there = np.ascontiguousarray(now[y0 + dy : y1 + dy, x0 + dx : x1 + dx])
    if here.std() < 1.0 or there.std() < 1.0:
        return None
    (x, y), response = cv2.phaseCorrelate(here, there, _window((x1 - x0, y1 - y0)))
    return (dx + x, dy + y) if response > SURE else None


def _cells(shape: tuple[int, ...]) -> list[tuple[int, int, int, int]]:
    height, width = shape
    xs, ys = np.linspace(0, width, CELLS[0] + 1).astype(int), np.linspace(0, height, CELLS[1] + 1).astype(int)
    return [(int(xs[i]), int(ys[j]), int(xs[i + 1]), int(ys[j + 1])) for i in range(CELLS[0]) for j in range(CELLS[1])]


def _window(size: tuple[int, ...]) -> Any:
    return cv2.createHanningWindow((size[0], size[1]), cv2.CV_32F)


def _edges(i420: Plane) -> _Edges:
    """Edges of the luma at `WIDTH`, relative to the light around them: a cloud changes neither."""
    luma = planes_of(i420)[0]
    height, width = luma.shape
    small = cv2.resize(luma, (WIDTH, round(height * WIDTH / width)), interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(np.asarray(small, np.float32), (0, 0), 1.0)
    across, down = cv2.Sobel(small, cv2.CV_32F, 1, 0), cv2.Sobel(small, cv2.CV_32F, 0, 1)
    around = cv2.GaussianBlur(small, (0, 0), 12.0) + 16.0
    return np.asarray(np.minimum(255.0, 60.0 * cv2.magnitude(across, down) / around), np.float32)
