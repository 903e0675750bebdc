"""What the empty scene looks like to a fixed camera, and where a picture differs from it."""

import math
from collections import deque
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from edge.detect.detector import Floats
from edge.detect.loops import blend, brighter, differs
from edge.detect.picture import Plane, planes_of
from edge.detect.sway import Sway, steadied
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
LEARNS = 2.0
"""The running mean takes in so many pictures a second."""
LIGHT_FRAMES = 4
"""The light is looked at once in so many frames."""
ANCHOR_S = 10.0
"""How often anew is chosen what a sway of the camera is seen by: shadows wander."""
LEAST_SWAY = 0.15
"""Motion pixels by which no camera at rest seems to move."""
CALM_FRAMES = 3
"""A camera at rest is asked once in so many frames whether it still is."""
UNSTEADY_S = 3.0
"""For so long after it swayed last a camera is not trusted to stand still."""
REST_S = 30.0
"""A camera rests where it was on average for so long …"""
OFF_REST = 0.2
"""… and the empty scene is brought there when it lies so many motion pixels beside: the first picture may have been
taken in the middle of a swing, and a gust, a cable or a hand may push a mast aside for good."""
AROUND = np.ones((3, 3), np.uint8)
LUMA_STEP = 9.0
CHROMA_STEP = 6.0
"""Least differences that count, in 8-bit levels; noise above these raises them."""
SHADOW = 0.55
"""A shadow takes at most this part of the light away, and no colour."""


@dataclass(frozen=True)
class Foreground:
    """Where one picture differs from the empty scene, at motion scale.

    `mask` (h, w) 255 or 0; `luma` (h, w) the picture itself and `behind` (h, w) that of the scene; `factor` is
    main-stream pixels per motion pixel; `sway` (2,) is how far right and down, in main-stream pixels, the camera was
    pushed from where it rests, which is taken back in all of them. All are written over by the next look, `luma` by the
    one after that.
    """

    mask: Plane
    luma: Plane
    behind: Plane
    factor: int
    sway: Floats


@dataclass(frozen=True)
class Front:
    """A picture beside the empty scene, to look closely at parts of it for what is brighter.

    `luma` (h, w) is the picture in the main stream, which the camera pushed right and down by `sway` (2,) pixels;
    `behind` the scene's, `factor` times smaller and written over by the next look.
    """

    luma: Plane
    behind: Plane
    factor: int
    sway: Floats


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
        # Planes of this size come from the kernel page by page, which takes longer than what is done to them.
        shape = (self.size[1], self.size[0])
        self._small_planes, self._steady_planes = (
            [[np.empty(shape, np.uint8) for _ in range(3)] for _ in range(2)] for _ in range(2)
        )
        self._mask, self._spared = (np.empty(shape, np.uint8) for _ in range(2))
        self._brightest, self._darkest = (np.empty(shape, np.uint8) for _ in range(2))
        self._frames = 0
        self._before: Plane | None = None
        self._every = max(1, round(frames_per_second / LEARNS))
        self._noise = (LUMA_STEP, CHROMA_STEP)
        self._sway = Sway()
        self._unsteady_until = 0
        self._rest = np.zeros(2)
        # As if it had stood where the first picture finds it for a second: else a swing would be followed at first.
        self._rested = frames_per_second

    @property
    def warm(self) -> bool:
        """Whether enough has been seen to tell what moves."""
        return len(self._samples) >= 3 or not self._moments

    @property
    def learns(self) -> bool:
        """Whether the next picture may become part of the scene: only then it matters what is kept out of it."""
        return self._frames % self._every == 0

    def look(self, i420: Plane, kept: Floats, small: Plane | None = None) -> Foreground:
        """Take in the next picture, and its copy `factor` times smaller where there is one; say where it differs from
        those before.

        What stands in the boxes `kept` (n, 4), main-stream pixels, is not taken for background however long it stands.
        """
        room = self._small_planes[self._frames % 2]
        sources = planes_of(i420)
        if small is not None:
            # Chroma that has this size in the main stream already is sharper, and needs no work at all.
            luma, *chromas = planes_of(small)
            blue, red = sources[1:] if sources[1].shape == room[1].shape else chromas
            sources = (luma, blue, red)
        planes = [_shrunk(plane, into) for plane, into in zip(sources, room, strict=True)]
        shift = self._taken_back(planes)
        if self._moments and self._frames >= self._moments[0]:
            self._sample(planes)
        if self._frames % LIGHT_FRAMES == 0:
            self._follow_light(planes[0])
        mask = self._compare(planes)
        _without_edges(mask, shift)
        if len(self._moments) > len(SAMPLES_S) - SETTLED_SAMPLES:
            mask = self._changing(mask, planes[0])
        if not self._moments and self.learns:
            self._learn(planes, mask, kept)
        if not self._moments and self._frames % round(ANCHOR_S * self._rate) == 0:
            self._sway.anchor(self._shown[0])
        self._frames += 1
        return Foreground(mask, planes[0], self._shown[0], self.factor, shift * self.factor)

    def _taken_back(self, planes: list[Plane]) -> Floats:
        """How far (2,) the camera was pushed, in motion pixels, once the planes are as they would be without that."""
        steady = self._frames >= self._unsteady_until
        if steady and self._frames % CALM_FRAMES:
            return np.zeros(2)
        shift = self._sway.of(planes[0])
        if float(np.abs(shift).max()) > LEAST_SWAY:
            self._unsteady_until = self._frames + round(UNSTEADY_S * self._rate)
            if steady and self._shown:
                self._bound()
        elif steady:
            self._rest_at(np.zeros(2), CALM_FRAMES)
            return np.zeros(2)
        shift = self._rest_at(shift, 1)
        room = self._steady_planes[self._frames % 2]
        planes[:] = [steadied(plane, shift, into) for plane, into in zip(planes, room, strict=True)]
        return shift

    def _rest_at(self, shift: Floats, frames: int) -> Floats:
        """Learn where the camera rests from its shift (2,) over so many frames, and bring the empty scene there; the
        shift (2,) from there."""
        self._rested = min(self._rested + frames, REST_S * self._rate)
        self._rest += frames / self._rested * (shift - self._rest)
        if float(np.abs(self._rest).max()) < OFF_REST:
            return shift
        rest, self._rest = self._rest, np.zeros(2)
        for planes in (self._shown, *self._samples):
            planes[:] = [steadied(plane, -rest, np.empty_like(plane)) for plane in planes]
        self._mean = [steadied(plane, -rest, np.empty_like(plane)) for plane in self._mean]
        self._sway.anchor(self._shown[0], rest)
        self._bound()
        return shift - rest

    def front(self, luma: Plane, sway: Floats) -> Front:
        """What stands out in the picture `luma` that is pushed by `sway` (2,); while `warm`."""
        return Front(luma, self._shown[0], self.factor, sway)

    def _sample(self, planes: list[Plane]) -> None:
        self._moments.pop(0)
        self._samples.append([plane.copy() for plane in planes])
        taken = list(self._samples)
        # With fewer than five the eldest stand in for those to come.
        five = [taken[k % len(taken)] for k in range(5)]
        self._show([_median_of_five([sample[k] for sample in five]) for k in range(3)])
        self._sway.anchor(self._shown[0])
        if not self._moments:
            self._mean = [plane.astype(np.float32) for plane in self._shown]
            self._samples.clear()

    def _compare(self, planes: list[Plane]) -> Plane:
        """Foreground = another colour, or brighter, or so much darker that it is no shadow."""
        luma, blue, red = planes
        most = min(255, int(1.5 * self._noise[1]))
        differs(luma, blue, red, self._darkest, self._brightest, self._shown[1], self._shown[2], most, self._mask)
        if self._frames % (4 * self._every) == 1:
            self._measure_noise(planes)
        return self._mask

    def _changing(self, mask: Plane, luma: Plane) -> Plane:
        """The part of the mask at and near pixels that differ from the frame before."""
        before, self._before = self._before, luma
        if before is None:
            return np.zeros_like(mask)
        changed = cv2.threshold(cv2.absdiff(luma, before), LUMA_STEP, 255, cv2.THRESH_BINARY)[1]
        return np.asarray(cv2.bitwise_and(mask, cv2.dilate(changed, np.ones((9, 9), np.uint8))), np.uint8)

    def _measure_noise(self, planes: list[Plane]) -> None:
        """Steps of 5 σ, where the median of |N(0, σ)| is 0.67 σ; one pixel in 25 is enough to know."""
        luma, blue, red = (
            cv2.absdiff(plane[::5, ::5], shown[::5, ::5]) for plane, shown in zip(planes, self._shown, strict=True)
        )
        light, chroma = 7.5 * float(np.median(luma)), 3.5 * float(np.median(cv2.add(blue, red)))
        self._noise = (max(LUMA_STEP, light), max(CHROMA_STEP, chroma))
        self._bound()

    def _learn(self, planes: list[Plane], mask: Plane, kept: Floats) -> None:
        free, in_front = (min(1.0, self._every / (s * self._rate)) for s in (MEMORY_S, PATIENCE_S))
        spared = self._spared
        spared[:] = 0
        for x0, y0, x1, y1 in (kept / self.factor).astype(int).tolist():
            part = (slice(max(0, y0), max(0, y1 + 1)), slice(max(0, x0), max(0, x1 + 1)))
            spared[part] = mask[part]
        for plane, mean, shown in zip(planes, self._mean, self._shown, strict=True):
            blend(plane, mean, shown, spared, free, in_front)
        self._bound()

    def _show(self, planes: list[Plane]) -> None:
        self._shown = planes
        self._bound()

    def _bound(self) -> None:
        """Between which levels a pixel's luma is the scene's: brighter is something, and darker than any shadow."""
        high = low = self._shown[0]
        if self._frames < self._unsteady_until:
            # A fraction of a pixel that is left of a sway is much beside a line.
            high, low = (np.asarray(way(high, AROUND), np.uint8) for way in (cv2.dilate, cv2.erode))
        cv2.convertScaleAbs(high, beta=math.floor(self._noise[0]), dst=self._brightest)
        cv2.convertScaleAbs(low, alpha=SHADOW, dst=self._darkest)
        cv2.subtract(low, self._darkest, dst=self._darkest)

    def _show_mean(self) -> None:
        for mean, shown in zip(self._mean, self._shown, strict=True):
            cv2.convertScaleAbs(mean, dst=shown)
        self._bound()

    def _follow_light(self, luma: Plane) -> None:
        """What a whole neighbourhood does together is the light's doing: a cloud, the camera's exposure."""
        cells = (max(4, self.size[0] // GRID), max(4, self.size[1] // GRID))
        ratio = cv2.medianBlur(brighter(luma, self._shown[0], *cells), 5)
        if float(np.abs(ratio - 1).max()) < 0.03:
            return
        wide = cv2.resize(ratio, self.size, interpolation=cv2.INTER_LINEAR)
        if self._mean:
            self._mean[0] *= wide
            self._show_mean()
        else:
            self._show([np.asarray(cv2.convertScaleAbs(self._shown[0] * wide), np.uint8), *self._shown[1:]])
            for sample in self._samples:
                sample[0] = np.asarray(cv2.convertScaleAbs(sample[0] * wide), np.uint8)


def _without_edges(mask: Plane, shift: Floats) -> None:
    """Strike off what came into the picture where it was pushed aside: nobody saw it."""
    for rows, pushed in zip((mask.T, mask), shift.tolist(), strict=True):
        strip = math.ceil(abs(pushed))
        if strip:
            rows[slice(-strip, None) if pushed > 0 else slice(None, strip)] = 0


def _shrunk(plane: Plane, into: Plane) -> Plane:
    """The plane in the size of `into`, written there unless it has that size by itself."""
    width = into.shape[1]
    if plane.shape == into.shape:
        return plane
    # By halves, which is quick, as far as they go; by areas, any other ratio takes ten times longer.
    while plane.shape[1] > 2 * width:
        plane = np.asarray(cv2.resize(plane, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), np.uint8)
    way = cv2.INTER_AREA if plane.shape[1] == 2 * width else cv2.INTER_LINEAR
    cv2.resize(plane, into.shape[::-1], dst=into, interpolation=way)
    return into


def _median_of_five(p: list[Plane]) -> Plane:
    """Pixel by pixel, by six exchanges (Paeth, Graphics Gems): no sort, no float."""
    middle = p[2]
    low = cv2.max(cv2.min(p[0], p[1]), cv2.min(p[3], p[4]))
    high = cv2.min(cv2.max(p[0], p[1]), cv2.max(p[3], p[4]))
    # The median of five is now that of these three.
    return np.asarray(cv2.max(cv2.min(high, middle), cv2.min(cv2.max(high, middle), low)), np.uint8)
