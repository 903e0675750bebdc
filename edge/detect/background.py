"""What the empty scene looks like to a fixed camera, and where a picture differs from it."""

from collections import deque
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from edge.detect.detector import Floats
from edge.detect.picture import Plane, planes_of
from edge.frame import detect_factor

GRID = 32
"""Cells of this many motion pixels tell a change of light from a thing that moves."""
SAMPLES_S = (0.0, 0.3, 0.7, 1.2, 2.0, 3.0, 4.5, 6.5, 9.0, 12.0)
"""Moments of the pictures whose median of the last five is the background at first: whoever moves on is outvoted."""
SETTLED_SAMPLES = 7
"""Until so many are taken, a place somebody left can look like somebody: only what also changes now counts."""
MEMORY_S = 5.0
"""How fast the background follows afterwards …"""
PATIENCE_S = 60.0
"""… and how fast a thing that somebody asked to keep becomes part of it: a ball waits this long for a free kick."""
LIGHT_FRAMES = 4
"""The light is looked at once in so many frames."""
LUMA_STEP = 9.0
CHROMA_STEP = 6.0
"""Least differences that count, in 8-bit levels; noise above these raises them."""
SHADOW = 0.55
"""A shadow takes at most this part of the light away, and no colour."""


@dataclass(frozen=True)
class Foreground:
    """Where one picture differs from the empty scene, at motion scale.

    `mask` (h, w) 255 or 0; `brighter` (h, w) levels of luma above the background; `luma` (h, w) the picture itself.
    `factor` is main-stream pixels per motion pixel.
    """

    mask: Plane
    brighter: Plane
    luma: Plane
    factor: int


class Background:
    """Luma and both chromas of the empty scene: a median of spread pictures at first, then a slow running mean that
    spares what stands in front and follows the light at once."""

    def __init__(self, width: int, height: int, frames_per_second: float) -> None:
        self.factor = detect_factor(width)
        self.size = (width // self.factor, height // self.factor)
        self._rate = frames_per_second
        self._samples: deque[list[Plane]] = deque(maxlen=5)
        self._moments = [round(s * frames_per_second) for s in SAMPLES_S]
        self._mean: list[npt.NDArray[np.float32]] = []
        self._shown: list[Plane] = []
        self._frames = 0
        self._before: Plane | None = None
        self._every = max(1, round(frames_per_second / 8))
        self._noise = (LUMA_STEP, CHROMA_STEP)

    @property
    def warm(self) -> bool:
        """Whether enough has been seen to tell what moves."""
        return len(self._samples) >= 3 or not self._moments

    def look(self, i420: Plane, kept: Floats, small: Plane | None = None) -> Foreground:
        """Take in the next picture, and its copy `factor` times smaller where there is one; say where it differs from
        those before.

        What stands in the boxes `kept` (n, 4), main-stream pixels, is not taken for background however long it stands.
        """
        luma, *chromas = planes_of(i420)
        if small is not None:
            # Only its luma: the main stream's chroma is nearer to this size, and at half size needs no work at all.
            luma = planes_of(small)[0]
        planes = [self._small(plane) for plane in (luma, *chromas)]
        if self._moments and self._frames >= self._moments[0]:
            self._sample(planes)
        if self._frames % LIGHT_FRAMES == 0:
            self._follow_light(planes[0])
        mask, brighter = self._compare(planes)
        if len(self._moments) > len(SAMPLES_S) - SETTLED_SAMPLES:
            mask = self._changing(mask, planes[0])
        if not self._moments and self._frames % self._every == 0:
            self._learn(planes, mask, kept)
        self._frames += 1
        return Foreground(mask, brighter, planes[0], self.factor)

    def front(self, luma: Plane, region: tuple[int, int, int, int]) -> Plane:
        """Levels of luma above the empty scene (y1 - y0, x1 - x0) in a part x0, y0, x1, y1 of the full picture `luma`.

        The region's sides are multiples of `factor`.
        """
        x0, y0, x1, y1 = region
        behind = self._shown[0][y0 // self.factor : y1 // self.factor, x0 // self.factor : x1 // self.factor]
        wide = cv2.resize(behind, (x1 - x0, y1 - y0), interpolation=cv2.INTER_LINEAR)
        return np.asarray(cv2.subtract(luma[y0:y1, x0:x1], wide), np.uint8)

    def _small(self, plane: Plane) -> Plane:
        if plane.shape[::-1] == self.size:
            return plane
        # A ratio that is not whole makes INTER_AREA slow; chroma is smooth enough to be sampled.
        way = cv2.INTER_AREA if plane.shape[1] % self.size[0] == 0 else cv2.INTER_LINEAR
        return np.asarray(cv2.resize(plane, self.size, interpolation=way), np.uint8)

    def _sample(self, planes: list[Plane]) -> None:
        self._moments.pop(0)
        self._samples.append([plane.copy() for plane in planes])
        taken = list(self._samples)
        # With fewer than five the eldest stand in for those to come.
        five = [taken[k % len(taken)] for k in range(5)]
        self._shown = [_median_of_five([sample[k] for sample in five]) for k in range(3)]
        if not self._moments:
            self._mean = [plane.astype(np.float32) for plane in self._shown]
            self._samples.clear()

    def _compare(self, planes: list[Plane]) -> tuple[Plane, Plane]:
        """Foreground = another colour, or brighter, or so much darker that it is no shadow."""
        luma, blue, red = planes
        luma_step, chroma_step = self._noise
        brighter = np.asarray(cv2.subtract(luma, self._shown[0]), np.uint8)
        darker = cv2.subtract(self._shown[0], luma)
        colour = cv2.add(cv2.absdiff(blue, self._shown[1]), cv2.absdiff(red, self._shown[2]))
        mask = cv2.threshold(colour, chroma_step * 1.5, 255, cv2.THRESH_BINARY)[1]
        light = cv2.threshold(brighter, luma_step, 255, cv2.THRESH_BINARY)[1]
        deep = cv2.subtract(darker, cv2.convertScaleAbs(self._shown[0], alpha=SHADOW))
        mask = cv2.bitwise_or(cv2.bitwise_or(mask, light), cv2.threshold(deep, 0, 255, cv2.THRESH_BINARY)[1])
        if self._frames % (4 * self._every) == 1:
            self._measure_noise(brighter, darker, colour)
        return np.asarray(mask, np.uint8), brighter

    def _changing(self, mask: Plane, luma: Plane) -> Plane:
        """The part of the mask at and near pixels that differ from the frame before."""
        before, self._before = self._before, luma
        if before is None:
            return np.zeros_like(mask)
        changed = cv2.threshold(cv2.absdiff(luma, before), LUMA_STEP, 255, cv2.THRESH_BINARY)[1]
        return np.asarray(cv2.bitwise_and(mask, cv2.dilate(changed, np.ones((9, 9), np.uint8))), np.uint8)

    def _measure_noise(self, brighter: Plane, darker: Any, colour: Any) -> None:
        """Steps of 5 σ, where the median of |N(0, σ)| is 0.67 σ; one pixel in 25 is enough to know."""
        part = (slice(None, None, 5), slice(None, None, 5))
        luma = 7.5 * float(np.median(np.maximum(brighter[part], darker[part])))
        chroma = 3.5 * float(np.median(colour[part]))
        self._noise = (max(LUMA_STEP, luma), max(CHROMA_STEP, chroma))

    def _learn(self, planes: list[Plane], mask: Plane, kept: Floats) -> None:
        free, in_front = (self._every / (s * self._rate) for s in (MEMORY_S, PATIENCE_S))
        spared = np.zeros_like(mask)
        for x0, y0, x1, y1 in (kept / self.factor).astype(int):
            spared[max(0, y0) : y1 + 1, max(0, x0) : x1 + 1] = 255
        spared &= mask
        behind = cv2.bitwise_not(spared)
        for plane, mean in zip(planes, self._mean, strict=True):
            cv2.accumulateWeighted(plane, mean, min(1.0, free), mask=behind)
            cv2.accumulateWeighted(plane, mean, min(1.0, in_front), mask=spared)
        self._show()

    def _show(self) -> None:
        self._shown = [np.asarray(cv2.convertScaleAbs(mean), np.uint8) for mean in self._mean]

    def _follow_light(self, luma: Plane) -> None:
        """What a whole neighbourhood does together is the light's doing: a cloud, the camera's exposure."""
        cells = (max(4, self.size[0] // GRID), max(4, self.size[1] // GRID))
        # One pixel in 16 says as much of a whole cell, and costs a twelfth.
        now, before = (
            cv2.resize(np.ascontiguousarray(p[::4, ::4]), cells, interpolation=cv2.INTER_AREA).astype(np.float32)
            for p in (luma, self._shown[0])
        )
        ratio = cv2.medianBlur((now + 1) / (before + 1), 5)
        if float(np.abs(ratio - 1).max()) < 0.03:
            return
        wide = cv2.resize(ratio, self.size, interpolation=cv2.INTER_LINEAR)
        if self._mean:
            self._mean[0] *= wide
            self._show()
        else:
            self._shown[0] = np.asarray(cv2.convertScaleAbs(self._shown[0] * wide), np.uint8)
            for sample in self._samples:
                sample[0] = np.asarray(cv2.convertScaleAbs(sample[0] * wide), np.uint8)


def _median_of_five(p: list[Plane]) -> Plane:
    """Pixel by pixel, by six exchanges (Paeth, Graphics Gems): no sort, no float."""
    middle = p[2]
    low = cv2.max(cv2.min(p[0], p[1]), cv2.min(p[3], p[4]))
    high = cv2.min(cv2.max(p[0], p[1]), cv2.max(p[3], p[4]))
    # The median of five is now that of these three.
    return np.asarray(cv2.max(cv2.min(high, middle), cv2.min(cv2.max(high, middle), low)), np.uint8)
