"""What every pixel of a camera looks at: its ray and the spot of the ground it meets; pasting of flat things."""

from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np
import numpy.typing as npt

from wire.rig import Lens

Array = npt.NDArray[np.float64]
Floats = npt.NDArray[np.float32]
_GRID = 4


class Camera(Protocol):
    """Whatever maps the world to pixels as `wire.rig.CameraModel` does: that, or a panorama's cylinder. Of the lens
    nothing but the focal length is asked."""

    @property
    def width_px(self) -> int:
        """Of its picture."""

    @property
    def height_px(self) -> int:
        """Of its picture."""

    @property
    def position_m(self) -> tuple[float, float, float]:
        """Where it stands in the pitch frame."""

    @property
    def centre(self) -> Array:
        """The same as an array (3,)."""

    @property
    def lens(self) -> Lens:
        """Its lens."""

    def project(self, points_m: npt.ArrayLike) -> Array:
        """Pitch points (n, 3) to pixels (n, 2), NaN where it has none."""

    def rays(self, pixels: npt.ArrayLike) -> Array:
        """Unit directions (n, 3) in the pitch frame of the rays through pixels (n, 2)."""


@dataclass(frozen=True)
class View:
    """A camera's pixels: `ray` (h, w, 3) directions in the pitch frame, `x` and `y` (h, w) of the ground met (metres,
    NaN above the horizon), and `step` (h, w, 2, 2) = d(x, y)/d(u, v), metres per pixel. Where `reach` (h, w) is given,
    what is drawn notes there how far along the ray it is, in metres."""

    camera: Camera
    ray: Floats
    x: Floats
    y: Floats
    step: Floats
    reach: Floats | None = None

    @property
    def size(self) -> tuple[int, int]:
        """Height and width in pixels."""
        return self.camera.height_px, self.camera.width_px

    def note(self, window: tuple[slice, slice], cover: Floats, reach_m: Floats | np.float32) -> None:
        """That what covers most of a pixel of `window` is `reach_m` away."""
        if self.reach is not None:
            here = self.reach[window]
            here[...] = np.where(cover > 0.5, reach_m, here)


def view_of(camera: Camera) -> View:
    """The view of `camera`; rays are exact on a grid of 4 pixels and linear between (to .001 px)."""
    height, width = camera.height_px, camera.width_px
    u = (np.arange(-2, width // _GRID + 4) * _GRID).astype(np.float64)
    v = (np.arange(-2, height // _GRID + 4) * _GRID).astype(np.float64)
    coarse = camera.rays(np.stack(np.meshgrid(u, v), axis=-1).reshape(-1, 2)).reshape(len(v), len(u), 3)
    mu = np.broadcast_to(((np.arange(width) + 0.5) / _GRID + 2).astype(np.float32), (height, width))
    mv = np.broadcast_to(((np.arange(height) + 0.5) / _GRID + 2).astype(np.float32)[:, None], (height, width))
    ray = cv2.remap(coarse.astype(np.float32), np.ascontiguousarray(mu), np.ascontiguousarray(mv), cv2.INTER_LINEAR)
    down = ray[..., 2]
    with np.errstate(divide="ignore", invalid="ignore"):
        reach = np.where(down < -1e-3, np.float32(camera.position_m[2]) / -down, np.float32(np.nan))
    x = np.float32(camera.position_m[0]) + ray[..., 0] * reach
    y = np.float32(camera.position_m[1]) + ray[..., 1] * reach
    step = np.empty((height, width, 2, 2), np.float32)
    for k, plane in enumerate((x, y)):
        dv, du = np.gradient(plane)
        step[..., k, 0], step[..., k, 1] = du, dv
    return View(camera, ray, x, y, np.nan_to_num(step, nan=10.0))


def window_of(view: View, points_m: npt.NDArray[np.float64], margin_px: int = 3) -> tuple[slice, slice] | None:
    """Rows and columns around the picture of `points_m` (n, 3); None when none of it can be seen."""
    height, width = view.size
    pixels = view.camera.project(points_m)
    seen = pixels[~np.isnan(pixels[:, 0])]
    if not len(seen):
        return None
    low = np.maximum(np.floor(seen.min(axis=0)) - margin_px, 0)
    high = np.minimum(np.ceil(seen.max(axis=0)) + margin_px, (width, height))
    if np.any(low >= high):
        return None
    return slice(int(low[1]), int(high[1])), slice(int(low[0]), int(high[0]))


def paste(
    picture: Floats,
    view: View,
    texture: npt.NDArray[np.uint8],
    corner_m: tuple[float, float, float],
    right_m: tuple[float, float, float],
    up_m: tuple[float, float, float],
) -> None:
    """Blend a flat `texture` (rows from the top, RGBA) into `picture` (RGB): its lower left corner and the vectors to
    its lower right and upper left corners, at right angles, in the pitch frame."""
    corner, right, up = (np.array(v, dtype=np.float64) for v in (corner_m, right_m, up_m))
    s, t = np.meshgrid(np.linspace(0, 1, 33), np.linspace(0, 1, 5))
    window = window_of(view, corner + s.reshape(-1, 1) * right + t.reshape(-1, 1) * up)
    if window is None:
        return
    ray = view.ray[window]
    normal = np.cross(right, up)
    ahead = ray @ normal.astype(np.float32)
    reach = np.float32(normal @ (corner - view.camera.centre)) / np.where(np.abs(ahead) < 1e-9, np.float32(1e-9), ahead)
    away = (view.camera.centre - corner).astype(np.float32)
    hit_s = (ray @ (right / (right @ right)).astype(np.float32)) * reach + np.float32(away @ right / (right @ right))
    hit_t = (ray @ (up / (up @ up)).astype(np.float32)) * reach + np.float32(away @ up / (up @ up))
    rows, columns = texture.shape[:2]
    inside = (hit_s > 0) & (hit_s < 1) & (hit_t > 0) & (hit_t < 1) & (reach > 0)
    if not inside.any():
        return
    seen = max(float(np.ptp(hit_s[inside])), 0.02)
    wide = int(np.ptp(np.nonzero(inside.any(axis=0))[0])) + 1
    tall = max(float(np.ptp(hit_t[inside])), 0.02)
    high = int(np.max(np.sum(inside, axis=0)))
    small = (
        int(np.clip(1.3 * wide / seen, 2, columns)),
        int(np.clip(1.3 * high / tall, 2, rows)),
    )
    alpha = texture[..., 3:].astype(np.float32) / 255
    premultiplied = np.concatenate([texture[..., :3] * alpha, alpha], axis=2).astype(np.float32)
    shrunk = cv2.resize(premultiplied, small, interpolation=cv2.INTER_AREA)
    mu = np.where(reach > 0, hit_s, np.float32(-9)) * small[0] - 0.5
    mv = (1 - hit_t) * small[1] - 0.5
    layer = cv2.remap(shrunk, mu, mv, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=(0, 0, 0, 0))
    picture[window] = picture[window] * (1 - layer[..., 3:]) + layer[..., :3]
    view.note(window, layer[..., 3], reach)
