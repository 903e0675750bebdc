"""The grass of a pitch and the lines on it, in one picture of a camera nobody has calibrated."""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from edge.detect.picture import Plane

WIDTH = 640
"""The picture is looked at this wide: a line 60 m away is still a pixel."""
GRASS_HUE = (22, 95)
"""OpenCV's half degrees: from dry grass to artificial turf."""
LEAST_COLOUR, LEAST_LIGHT = 30, 25
SMOOTH = 7.0
"""Standard deviation of the luma around a point of grass, in 8-bit levels; trees are rougher."""
PAINT = 14
"""Levels by which paint is brighter than what lies beside it."""


@dataclass(frozen=True)
class PitchView:
    """What was found, in pixels of the small picture `size` (width, height).

    `grass` (h, w) 255 or 0: the largest piece of grass; `top` (w,) its uppermost row in each column, the height where
    there is none; `lines` (n, 4) x0, y0, x1, y1 of straight pieces of paint on it.
    """

    size: tuple[int, int]
    luma: Plane
    grass: Plane
    top: npt.NDArray[np.int64]
    lines: npt.NDArray[np.int64]

    @property
    def share(self) -> float:
        """Share of the picture that is grass."""
        return float((self.grass > 0).mean())


def look_for_pitch(bgr: Plane) -> PitchView:
    """Find grass and lines in a picture (h, w, 3) BGR of `WIDTH`."""
    height, width = bgr.shape[:2]
    hsv = cv2.cvtColor(bgr, cv2.COLOR_BGR2HSV)
    luma = np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2GRAY), np.uint8)
    grass = _grass(hsv, luma)
    top = np.where(grass.any(axis=0), (grass > 0).argmax(axis=0), height).astype(np.int64)
    return PitchView((width, height), luma, grass, top, _lines(hsv, luma, grass))


def _grass(hsv: Any, luma: Plane) -> Plane:
    hue, colour, light = cv2.split(hsv)
    green = (hue > GRASS_HUE[0]) & (hue < GRASS_HUE[1]) & (colour > LEAST_COLOUR) & (light > LEAST_LIGHT)
    level = luma.astype(np.float32)
    mean = cv2.blur(level, (9, 9))
    rough = np.sqrt(np.maximum(cv2.blur(level * level, (9, 9)) - mean * mean, 0))
    # The median keeps what is rough on both sides out, and a thin line on smooth grass in.
    rough = cv2.medianBlur(np.clip(rough * 4, 0, 255).astype(np.uint8), 15)
    mask = (green & (rough < SMOOTH * 4)).astype(np.uint8) * 255
    mask = cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((5, 5), np.uint8))
    mask = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, np.ones((15, 15), np.uint8))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask)
    if count < 2:
        return np.zeros_like(luma)
    largest = 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))
    return np.where(labels == largest, 255, 0).astype(np.uint8)


def _lines(hsv: Any, luma: Plane, grass: Plane) -> npt.NDArray[np.int64]:
    raised = cv2.morphologyEx(luma, cv2.MORPH_TOPHAT, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (9, 9)))
    inside = cv2.erode(grass, np.ones((5, 5), np.uint8), borderValue=255)
    paint = ((raised > PAINT) & (inside > 0) & (hsv[..., 1] < 140)).astype(np.uint8) * 255
    found = cv2.HoughLinesP(paint, 1, np.pi / 360, 40, minLineLength=45, maxLineGap=8)
    return np.zeros((0, 4), np.int64) if found is None else np.asarray(found, np.int64).reshape(-1, 4)


def drawn(bgr: Plane, view: PitchView) -> Plane:
    """The picture with the grass's outline and the lines drawn in, to be judged at a glance."""
    out = bgr.copy()
    outlines, _ = cv2.findContours(view.grass, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(out, outlines, -1, (0, 200, 255), 2)
    for x0, y0, x1, y1 in view.lines.tolist():
        cv2.line(out, (x0, y0), (x1, y1), (255, 0, 255), 2, cv2.LINE_AA)
    return out
