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
MOVED_SHARE = 0.004
"""A shift of this share of the picture's width is a knock: 8 px at 1920, a third of a metre 60 m away."""


class Knock(msgspec.Struct, frozen=True, kw_only=True):
    """How far the view has moved since it was locked, in pixels of the main stream: right, down; `certain` where enough
    of the picture could be compared, as it cannot in the dark."""

    right_px: float
    down_px: float
    moved: bool
    certain: bool


class LockedView:
    """The view of a camera as it is meant to stay; made from a picture, or from its own bytes."""

    def __init__(self, edges: npt.NDArray[np.float32], width_px: int) -> None:
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
        (x, y), response = cv2.phaseCorrelate(self._edges, now, _window(now.shape[::-1]))
        coarse = (round(x), round(y)) if response > SURE / 2 else (0, 0)
        shifts = [shift for cell in _cells(now.shape) if (shift := self._shift(now, cell, coarse)) is not None]
        if len(shifts) < ENOUGH:
            return Knock(right_px=0.0, down_px=0.0, moved=False, certain=False)
        found = np.array(shifts)
        middle = np.median(found, axis=0)
        agreeing = int((np.abs(found - middle).max(axis=1) < AGREE_PX).sum())
        certain = agreeing >= max(ENOUGH, len(shifts) // 2)
        factor = self._width_px / now.shape[1]
        moved = certain and math.hypot(*middle) > MOVED_SHARE * now.shape[1]
        return Knock(
            right_px=round(float(middle[0]) * factor, 1),
            down_px=round(float(middle[1]) * factor, 1),
            moved=moved,
            certain=certain,
        )

    def _shift(
        self, now: npt.NDArray[np.float32], cell: tuple[int, int, int, int], coarse: tuple[int, int]
    ) -> tuple[float, float] | None:
        x0, y0, x1, y1 = cell
        dx, dy = coarse
        height, width = now.shape
        if x0 + dx < 0 or y0 + dy < 0 or x1 + dx > width or y1 + dy > height:
            return None
        before = np.ascontiguousarray(self._edges[y0:y1, x0:x1])
        after = np.ascontiguousarray(now[y0 + dy : y1 + dy, x0 + dx : x1 + dx])
        if before.std() < 1.0 or after.std() < 1.0:
            return None
        (x, y), response = cv2.phaseCorrelate(before, after, _window((x1 - x0, y1 - y0)))
        return (dx + x, dy + y) if response > SURE else None


def _cells(shape: tuple[int, ...]) -> list[tuple[int, int, int, int]]:
    height, width = shape
    xs, ys = np.linspace(0, width, CELLS[0] + 1).astype(int), np.linspace(0, height, CELLS[1] + 1).astype(int)
    return [(int(xs[i]), int(ys[j]), int(xs[i + 1]), int(ys[j + 1])) for i in range(CELLS[0]) for j in range(CELLS[1])]


def _window(size: tuple[int, ...]) -> Any:
    return cv2.createHanningWindow((size[0], size[1]), cv2.CV_32F)


def _edges(i420: Plane) -> npt.NDArray[np.float32]:
    """Edges of the luma at `WIDTH`, relative to the light around them: a cloud changes neither."""
    luma = planes_of(i420)[0]
    height, width = luma.shape
    small = cv2.resize(luma, (WIDTH, round(height * WIDTH / width)), interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(np.asarray(small, np.float32), (0, 0), 1.0)
    across, down = cv2.Sobel(small, cv2.CV_32F, 1, 0), cv2.Sobel(small, cv2.CV_32F, 0, 1)
    around = cv2.GaussianBlur(small, (0, 0), 12.0) + 16.0
    return np.asarray(np.minimum(255.0, 60.0 * cv2.magnitude(across, down) / around), np.float32)
