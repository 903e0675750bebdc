"""Goals: white posts and a bar with a net behind, drawn as thin things in space."""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from simulator.pictures.view import Camera, Floats
from wire.pitch import Pitch

Array = npt.NDArray[np.float64]
POST_M = 0.12
DEPTH_M = 1.8
MESH_M = 0.16
_FINE = 3
_WHITE = np.array([236.0, 238.0, 236.0], np.float32)
_NET = np.array([214.0, 218.0, 216.0], np.float32)


@dataclass(frozen=True)
class GoalLayer:
    """One goal as a camera sees it: premultiplied RGB and alpha (h, w, 4) over the box x0, y0, x1, y1 (even)."""

    box: tuple[int, int, int, int]
    layer: Floats


def goal_layer(camera: Camera, pitch: Pitch, side: int) -> GoalLayer | None:
    """The left (`side` -1) or right (1) goal; None when the camera does not see it."""
    x, half, high = side * pitch.half_length, pitch.form.goal_width / 2, pitch.form.goal_height
    back = x + side * DEPTH_M
    frame = [
        ((x, -half, 0), (x, -half, high)),
        ((x, half, 0), (x, half, high)),
        ((x, -half, high), (x, half, high)),
    ]
    ends = np.array([end for bar in frame for end in bar] + [(back, -half, 0), (back, half, 0)], dtype=np.float64)
    pixels = camera.project(ends)
    if np.isnan(pixels).any():
        return None
    low = np.maximum(np.floor(pixels.min(axis=0) - 6), 0).astype(int) // 2 * 2
    high_px = np.minimum(np.ceil(pixels.max(axis=0) + 6), (camera.width_px, camera.height_px)).astype(int) // 2 * 2
    if np.any(low >= high_px):
        return None
    width, height = (int(v) for v in high_px - low)
    net = np.zeros((height * _FINE, width * _FINE), np.uint8)
    for cord in _net(x, back, half, high):
        _stroke(net, camera, low, cord, 0.012, 150)
    posts = np.zeros_like(net)
    for a, b in frame:
        t = np.linspace(0, 1, 12)[:, None]
        _stroke(posts, camera, low, np.array(a) * (1 - t) + np.array(b) * t, POST_M, 255)
    net_alpha = _down(net, width, height) * 0.8
    post_alpha = _down(posts, width, height)
    layer = np.empty((height, width, 4), np.float32)
    clear = 1 - post_alpha
    layer[..., :3] = (net_alpha * clear)[..., None] * _NET + post_alpha[..., None] * _WHITE
    layer[..., 3] = 1 - (1 - net_alpha) * clear
    return GoalLayer((int(low[0]), int(low[1]), int(high_px[0]), int(high_px[1])), layer)


def _net(x: float, back: float, half: float, high: float) -> list[Array]:
    """The cords of a box net whose roof falls a little to the back."""
    cords: list[Array] = []
    top_back = high - 0.35
    for y in np.arange(-half, half + 0.01, MESH_M):
        cords.append(np.array([(x, y, high), ((x + back) / 2, y, high - 0.10), (back, y, top_back), (back, y, 0)]))
    for z in np.arange(0, top_back, MESH_M):
        cords.append(np.array([(x, -half, z), (back, -half, z), (back, half, z), (x, half, z)]))
    for part in np.arange(0, 1, MESH_M / DEPTH_M):
        at, z = x + part * (back - x), high - 0.35 * part
        cords.append(np.array([(at, -half, 0), (at, -half, z), (at, half, z), (at, half, 0)]))
    return [np.concatenate([_dense(c[k], c[k + 1]) for k in range(len(c) - 1)]) for c in cords]


def _dense(a: Array, b: Array) -> Array:
    t = np.linspace(0, 1, 8)[:, None]
    return a * (1 - t) + b * t


def _stroke(mask: npt.NDArray[np.uint8], camera: Camera, low: Array, points: Array, thick_m: float, ink: int) -> None:
    pixels = camera.project(points)
    if np.isnan(pixels).any():
        return
    reach = float(np.linalg.norm(points.mean(axis=0) - camera.centre))
    thick = thick_m * camera.lens.focal_px / reach * _FINE
    fine = np.rint((pixels - low) * _FINE * 16 - 8).astype(np.int32)
    strength = ink * min(1.0, max(thick, 0.35))
    cv2.polylines(mask, [fine.reshape(-1, 1, 2)], False, strength, max(1, round(thick)), cv2.LINE_AA, 4)


def _down(mask: npt.NDArray[np.uint8], width: int, height: int) -> Floats:
    small = cv2.resize(mask, (width, height), interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.float32) / 255
