"""What a camera's gains mean for luma and chroma."""

from typing import NamedTuple

import numpy as np

from wire.rig import Array, CameraModel, Photometry

BLACK = 16.0
"""Luma of black in video range."""

# BT.601 R'G'B' to Y', Cb, Cr up to a common factor each for luma and chroma (ITU-R BT.601-7, 2.5.1-2.5.2), and back.
_TO_YUV = np.array(
    [
        [0.299 * 219, 0.587 * 219, 0.114 * 219],
        [-0.168736 * 224, -0.331264 * 224, 0.5 * 224],
        [0.5 * 224, -0.418688 * 224, -0.081312 * 224],
    ]
)


class ColourChange(NamedTuple):
    """Luma above black is multiplied by `luma`; chroma about 128 becomes (Cb, Cr) of `chroma` @ (new luma above black,
    Cb, Cr), a (2, 3) array."""

    luma: float
    chroma: Array


def colour_change(photometry: Photometry) -> ColourChange:
    """The gains on R, G, B as a change of luma and chroma. What chroma adds to luma is left out: with gains within
    10 % of each other that is less than a level on grass and shirts."""
    change = _TO_YUV @ np.diag(photometry.gain) @ np.linalg.inv(_TO_YUV)
    chroma = change[1:].copy()
    chroma[:, 0] /= change[0, 0]
    return ColourChange(float(change[0, 0]), chroma)


def vignette_at(camera: CameraModel, pixels: Array) -> Array:
    """The vignette (n,) at pixels (n, 2), as `wire.rig.Photometry` defines it; outside the picture that of its edge."""
    half = np.array([camera.width_px, camera.height_px]) / 2
    r2 = np.minimum((((pixels - half) / np.linalg.norm(half)) ** 2).sum(axis=1), 1.0)
    v1, v2 = camera.photometry.vignette
    return np.asarray(np.maximum(1 + r2 * (v1 + r2 * v2), 0.2))
