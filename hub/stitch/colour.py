"""What a camera's gains mean for luma and chroma."""

from typing import NamedTuple

import numpy as np

from wire.rig import Array, CameraModel, Photometry

BLACK = 16.0
"""Luma of black in video range."""
DARK = (24, 128, 128)
"""What no camera sees: a calm near-black, as luma, blue and red difference."""
MOST_GAIN = 1.99
"""More than this neither a light nor a vignette asks for: kernels reckon in few bits."""

# BT.601 R'G'B' to Y', Cb, Cr up to a common factor each for luma and chroma (ITU-R BT.601-7, 2.5.1-2.5.2), and back.
_TO_YUV = np.array(
    [
        [0.299 * 219, 0.587 * 219, 0.114 * 219],
        [-0.168736 * 224, -0.331264 * 224, 0.5 * 224],
        [0.5 * 224, -0.418688 * 224, -0.081312 * 224],
    ]
)


class Light(NamedTuple):
    """How one camera's picture is evened out: luma above black is multiplied by `luma` (and by what takes the vignette
    back); chroma about 128 becomes (Cb, Cr) of `chroma` @ (new luma above black, Cb, Cr), a (2, 3) array.

    The new luma is the panorama's, after blending, averaged over the four pixels of a chroma pixel.
    """

    luma: float = 1.0
    chroma: Array = np.array([[0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])

    def within(self) -> "Light":
        """The nearest light that kernels can reckon with: no factor beyond `MOST_GAIN`."""
        luma = min(max(float(self.luma), 0.0), MOST_GAIN)
        return Light(luma, np.clip(np.asarray(self.chroma, np.float64), -MOST_GAIN, MOST_GAIN))


def light_of(photometry: Photometry) -> Light:
    """The gains on R, G, B as a change of luma and chroma. What chroma adds to luma is left out: with gains within
    10 % of each other that is less than a level on grass and shirts."""
    change = _TO_YUV @ np.diag(photometry.gain) @ np.linalg.inv(_TO_YUV)
    chroma = change[1:].copy()
    chroma[:, 0] /= change[0, 0]
    return Light(float(change[0, 0]), chroma)


def vignette_gain(camera: CameraModel, pixels: Array) -> Array:
    """What luma at pixels (n, 2) is multiplied by to take back the vignette that `wire.rig.Photometry` defines, at most
    `MOST_GAIN`; outside the picture that of its edge."""
    half = np.array([camera.width_px, camera.height_px]) / 2
    r2 = np.minimum((((pixels - half) / np.linalg.norm(half)) ** 2).sum(axis=1), 1.0)
    v1, v2 = camera.photometry.vignette
    return np.asarray(1 / np.maximum(1 + r2 * (v1 + r2 * v2), 1 / MOST_GAIN))
