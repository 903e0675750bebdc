"""What is known of a lens before a pitch was seen through it."""

from collections.abc import Callable
from pathlib import Path

import msgspec
import numpy as np

from hub.errors import LensUnknown
from wire.errors import MalformedMessage, WireError
from wire.ids import NodeId
from wire.message import Message, decode
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

_SAME_SHAPE = 0.005
"""How much the shapes of two pictures of one lens may differ by: sizes are even numbers."""


class LensProfile(Message, frozen=True, kw_only=True):
    """A lens as it was measured once, by pictures of a board, for all cameras of its model.

    `lens` is for pictures of `width_px` x `height_px`. `rms_px` is what `pictures` views of the board left over,
    `covered` the share of the picture in which it was seen. `notes` say why the profile is not to be trusted.
    """

    KIND = "lens-profile"
    VERSION = 1

    width_px: int
    height_px: int
    lens: Lens
    rms_px: float
    pictures: int
    covered: float
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if min(self.width_px, self.height_px) <= 0 or self.lens.focal_px <= 0:
            raise MalformedMessage("the size and the focal length of a lens profile are positive")

    def at(self, width_px: int, height_px: int) -> Lens:
        """The lens for pictures of another size but the same shape; raises `LensUnknown` for those of another shape."""
        scale = width_px / self.width_px
        if abs(height_px / (scale * self.height_px) - 1) > _SAME_SHAPE:
            raise LensUnknown(
                f"the lens was measured with pictures of {self.width_px}x{self.height_px}: those of "
                f"{width_px}x{height_px} are of another shape and show another part of what it sees; measure it with "
                "pictures of that shape"
            )
        lens = self.lens
        return msgspec.structs.replace(
            lens,
            focal_px=lens.focal_px * scale,
            cx_px=lens.cx_px * scale,
            cy_px=lens.cy_px * height_px / self.height_px,
        )


def read_profile(path: Path) -> LensProfile:
    """A profile from its file; raises `LensUnknown`."""
    try:
        return decode(path.read_bytes(), LensProfile)
    except OSError as fault:
        raise LensUnknown(f"the lens profile {path} cannot be read: {fault.strerror}") from None
    except WireError as fault:
        raise LensUnknown(f"{path} is no lens profile: {fault}") from fault


def profile_of_node(
    folder: Path, node: NodeId, width_px: int, height_px: int, warn: Callable[[str], None]
) -> LensProfile | None:
    """What `folder` holds as NODE.json, for pictures of this size; one that is of no use is told to `warn`, since a
    match is calibrated without it, too."""
    path = folder / f"{node}.json"
    if not path.exists():
        return None
    try:
        profile = read_profile(path)
        profile.at(width_px, height_px)
    except LensUnknown as fault:
        warn(f"node {node}: {fault}")
        return None
    if profile.notes:
        warn(f"node {node}: its lens profile is not to be trusted ({'; '.join(profile.notes)})")
        return None
    return profile


def known_lens(text: str) -> float | LensProfile:
    """A profile from a file FILE.json, else degrees, as `lens_degrees`; raises `ValueError` or `LensUnknown`."""
    return read_profile(Path(text)) if text.endswith(".json") else lens_degrees(text)


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
            f"{text!r} is no lens: give {', '.join(PROFILES_DEG)}, the degrees it shows across the picture "
            f"({NARROWEST_DEG:g} to {WIDEST_DEG:g}), or the file that `touchline-hub lens` made of it (FILE.json)"
        )
    return degrees
