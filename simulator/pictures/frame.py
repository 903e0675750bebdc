"""One picture in YUV 4:2:0 while it is being drawn: layers with alpha, soft shadows, and the sensor's noise."""

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt

Bytes = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]
Array = npt.NDArray[np.float64]

PEDESTAL = 5
"""Luma is drawn this much too dark, and the noise, kept as 0 to 2·PEDESTAL, brings it back: one saturating add."""
SHARPENING = 0.9
"""How much of the difference to its surroundings a camera's processor adds to every spot of luma."""
SHARPENING_PX = 2.0
_RIM = 4
"""Pixels around a layer that its overshoot reaches."""


def sharpened(luma: Floats) -> Floats:
    """`luma` (h, w) or (h, w, n) with the overshoot along its edges that small cameras give their pictures.

    It is linear: a layer sharpened together with its alpha, laid over a sharpened background, looks as if the whole
    picture had been sharpened, as long as the background is even across the layer's edges.
    """
    side = 2 * _RIM + 1
    soft = cv2.GaussianBlur(luma, (side, side), SHARPENING_PX)
    return cv2.addWeighted(luma, 1 + SHARPENING, soft, -SHARPENING, 0)


@dataclass(frozen=True)
class Veil:
    """What the background already shows of a thing that also hides what is inside it, a goal's net: premultiplied
    pixels (h, w, 4) over the box x0, y0, x1, y1."""

    box: tuple[int, int, int, int]
    layer: Floats

    def over(self, placed: Floats, box: tuple[int, int, int, int], bright: float) -> Floats:
        """The layer `placed` over `box`, its light times `bright`, as seen through the veil: the same alpha, so that
        nothing changes where it is clear."""
        veiled = placed.copy()
        veiled[..., :3] *= bright
        x0, y0 = max(box[0], self.box[0]), max(box[1], self.box[1])
        x1, y1 = min(box[2], self.box[2]), min(box[3], self.box[3])
        if x0 < x1 and y0 < y1:
            part = veiled[y0 - box[1] : y1 - box[1], x0 - box[0] : x1 - box[0]]
            net = self.layer[y0 - self.box[1] : y1 - self.box[1], x0 - self.box[0] : x1 - self.box[0]]
            part[..., :3] = part[..., :3] * (1 - net[..., 3:]) + part[..., 3:] * net[..., :3]
        return veiled


class Canvas:
    """I420 planes of one frame; luma is `PEDESTAL` too dark until `finish`."""

    def __init__(self, width_px: int, height_px: int) -> None:
        self.width, self.height = width_px, height_px
        self.i420: Bytes = np.empty((height_px * 3 // 2, width_px), np.uint8)
        flat = self.i420.reshape(-1)
        size = width_px * height_px
        self.y = flat[:size].reshape(height_px, width_px)
        self.u = flat[size : size * 5 // 4].reshape(height_px // 2, width_px // 2)
        self.v = flat[size * 5 // 4 :].reshape(height_px // 2, width_px // 2)

    def window(self, affine: Array, rows: int, columns: int) -> tuple[int, int, int, int] | None:
        """The even-sided box x0, y0, x1, y1 that a (rows, columns) layer under `affine` covers; None when outside."""
        corners = affine[:, :2] @ np.array([[0, columns, 0, columns], [0, 0, rows, rows]]) + affine[:, 2:]
        x0, y0 = (int(v) // 2 * 2 for v in np.floor(corners.min(axis=1)) - _RIM)
        x1, y1 = ((int(v) + _RIM + 1) // 2 * 2 for v in np.ceil(corners.max(axis=1)))
        x0, y0, x1, y1 = max(x0, 0), max(y0, 0), min(x1, self.width), min(y1, self.height)
        return (x0, y0, x1, y1) if x0 < x1 and y0 < y1 else None

    def blend(
        self, layer: Floats, affine: Array, bright: float = 1.0, veil: Veil | None = None
    ) -> tuple[int, int, int, int] | None:
        """Lay the premultiplied `layer` (h, w, 4) over the picture under `affine` (pixel edges at whole numbers) and
        behind `veil`."""
        box = self.window(affine, *layer.shape[:2])
        if box is None:
            return None
        x0, y0, x1, y1 = box
        local = affine.copy()
        local[:, 2] += affine[:, :2] @ (0.5, 0.5) - (x0 + 0.5, y0 + 0.5)
        placed = cv2.warpAffine(layer, local, (x1 - x0, y1 - y0), flags=cv2.INTER_LINEAR)
        if veil is None:
            self.lay(placed, box, bright)
        else:
            self.lay(veil.over(placed, box, bright), box)
        return box

    def lay(self, placed: Floats, box: tuple[int, int, int, int], bright: float = 1.0) -> None:
        """Lay premultiplied pixels (h, w, 4) over the box x0, y0, x1, y1 (all even)."""
        x0, y0, x1, y1 = box
        alpha = placed[..., 3]
        edged = sharpened(cv2.merge([placed[..., 0] * bright + alpha * (16.0 - PEDESTAL), alpha]))
        luma = self.y[y0:y1, x0:x1]
        luma[...] = np.clip(luma * (1.0 - edged[..., 1]) + (edged[..., 0] + 0.5), 0.0, 255.0)
        half = cv2.resize(placed, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
        clear = 1.0 - half[..., 3]
        base = half[..., 3] * 128.0 + 0.5
        for plane, channel in ((self.u, 1), (self.v, 2)):
            part = plane[y0 // 2 : y1 // 2, x0 // 2 : x1 // 2]
            part[...] = part * clear + (half[..., channel] * bright + base)

    def shade(self, affine: Array, strength: float) -> None:
        """Darken by a soft blob of unit radius under `affine` (2, 3), which maps the blob's plane to the picture."""
        blob = soft_blob()
        side = blob.shape[0]
        whole = np.column_stack([affine[:, :2] * (2 / side), affine[:, 2] - affine[:, 0] - affine[:, 1]])
        box = self.window(whole, side, side)
        if box is None:
            return
        x0, y0, x1, y1 = box
        whole[:, 2] += whole[:, :2] @ (0.5, 0.5) - (x0 + 0.5, y0 + 0.5)
        dark = cv2.warpAffine(blob, whole, (x1 - x0, y1 - y0), flags=cv2.INTER_LINEAR)
        luma = self.y[y0:y1, x0:x1]
        luma[...] = luma * (1.0 - strength * dark) + strength * dark * (16 - PEDESTAL) + 0.5

    def finish(self, noise: "NoiseBank", random: np.random.Generator) -> None:
        """Add the sensor's noise and bring the luma to its true level."""
        noise.onto(self.y, random)


@lru_cache(maxsize=1)
def soft_blob() -> Floats:
    """A round shadow (32, 32), 1 in the middle and 0 at the rim."""
    r = np.hypot(*np.meshgrid(np.linspace(-1, 1, 32), np.linspace(-1, 1, 32)))
    return np.clip(1 - r, 0, 1).astype(np.float32) ** 1.2


class NoiseBank:
    """Gaussian noise of `sigma` levels drawn once; every frame takes a window of it at random."""

    def __init__(self, width_px: int, height_px: int, sigma: float, seed: int) -> None:
        random = np.random.default_rng([seed, 0x4015E])
        noise = random.standard_normal((height_px + 128, width_px + 128), np.float32) * np.float32(sigma)
        self._bank = np.clip(np.rint(noise + PEDESTAL), 0, 2 * PEDESTAL).astype(np.uint8)

    def onto(self, luma: Bytes, random: np.random.Generator) -> None:
        """Add a window of the bank to `luma` in place."""
        height, width = luma.shape
        dy, dx = (int(v) for v in random.integers(0, 128, 2))
        cv2.add(luma, self._bank[dy : dy + height, dx : dx + width], dst=luma)
