"""What is known of a lens before a pitch was seen through it."""

import numpy as np

from wire.rig import Lens

PROFILES_DEG = {
    "cm3": 66.0,
    "cm3-wide": 102.0,
    "hq-6mm": 63.0,
}
"""Degrees across the picture that makers state: Camera Module 3 and its wide one, High Quality Camera with the 6 mm
CS-mount lens (raspberrypi.com, camera hardware)."""
NARROWEST_DEG, WIDEST_DEG = 20.0, 140.0
"""Of a lens that this camera model describes."""

FIELDS_DEG = (58.0, 68.0, 78.0, 90.0, 104.0)
"""Fields of view to try for a lens of which nothing is known."""
BENDS = (0.0, -0.06, -0.12, -0.18, -0.24, -0.3, -0.36, -0.42)
"""First radial coefficients to try at `BENDS_AT_DEG`."""
BENDS_AT_DEG = 78.0
USUAL_BEND, BEND_SPREAD = -0.2, 0.12
"""What small lenses have there."""


def usual_lens(width_px: int, height_px: int, fov_deg: float, k1: float) -> Lens:
    """A lens that shows `fov_deg` across the picture and bends lines by `k1`.

    Small lenses are alike in how their higher terms follow the first: between a lens that bends nothing and an
    equidistant one, k2 is some 1.2 k1² and k3 some 0.7 k1³.
    """
    k2, k3 = 1.2 * k1**2, 0.7 * k1**3
    r = np.tan(np.radians(fov_deg) / 2)
    focal = width_px / 2 / (r * (1 + k1 * r**2 + k2 * r**4 + k3 * r**6))
    return Lens(float(focal), width_px / 2, height_px / 2, k1, k2, 0.0, 0.0, k3)


def lens_degrees(text: str) -> float:
    """The field of view of a profile's name, or of a number of degrees; raises `ValueError` with what is possible."""
    known = PROFILES_DEG.get(text)
    if known is not None:
        return known
    try:
        degrees = float(text)
    except ValueError:
        degrees = 0.0
    if not NARROWEST_DEG <= degrees <= WIDEST_DEG:
        raise ValueError(
            f"{text!r} is no lens: give {', '.join(PROFILES_DEG)}, or the degrees it shows across the picture "
            f"({NARROWEST_DEG:g} to {WIDEST_DEG:g})"
        )
    return degrees
