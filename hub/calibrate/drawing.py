"""The found lines over the picture, for a person to judge at a glance."""

import cv2
import numpy as np
import numpy.typing as npt

from hub.calibrate.paint import markings
from hub.calibrate.views import Picture
from wire.pitch import Pitch
from wire.rig import CameraModel

_LINE = (60, 60, 255)
_POINT = (0, 220, 255)
_GRID = (255, 190, 90)
_GRID_M = 10.0


def drawn_lines(picture: Picture, camera: CameraModel, pitch: Pitch) -> Picture:
    """The picture (h, w, 3) BGR with every marking drawn thinly where the calibration says it is painted, its named
    points ringed, and the outline of the pitch's ten-metre squares dotted."""
    out = picture.copy()
    thick = max(1, round(camera.width_px / 1600))
    painted = markings(pitch)
    for k in np.unique(painted.marking):
        _line(out, camera, painted.points_m[painted.marking == k])
    for x, y in pitch.points().values():
        (pixel,) = camera.project([[x, y, 0.0]])
        if np.isfinite(pixel).all() and camera.sees(pixel[None])[0]:
            cv2.circle(out, _fixed(pixel), 8 * thick * 16, _POINT, thick, cv2.LINE_AA, 4)
    xs = np.arange(-np.floor(pitch.half_length / _GRID_M), pitch.half_length / _GRID_M + 0.1) * _GRID_M
    ys = np.arange(-np.floor(pitch.half_width / _GRID_M), pitch.half_width / _GRID_M + 0.1) * _GRID_M
    grid = np.array([[x, y, 0.0] for x in xs for y in ys])
    pixels = camera.project(grid)
    for pixel in pixels[np.isfinite(pixels[:, 0])]:
        if camera.sees(pixel[None])[0]:
            cv2.circle(out, _fixed(pixel), 2 * thick * 16, _GRID, -1, cv2.LINE_AA, 4)
    return out


def _line(out: Picture, camera: CameraModel, points_m: npt.NDArray[np.float64]) -> None:
    pixels = camera.project(points_m)
    inside = np.isfinite(pixels[:, 0]) & camera.sees(np.nan_to_num(pixels, nan=-1e6), -50.0)
    for a, b, seen in zip(pixels[:-1], pixels[1:], inside[:-1] & inside[1:], strict=True):
        if seen:
            cv2.line(out, _fixed(a), _fixed(b), _LINE, 1, cv2.LINE_AA, 4)


def _fixed(pixel: npt.NDArray[np.float64]) -> tuple[int, int]:
    """To sixteenths of a pixel, as OpenCV draws with a shift of four; its pixel centres are at whole numbers."""
    return round((float(pixel[0]) - 0.5) * 16), round((float(pixel[1]) - 0.5) * 16)


def jpeg(picture: Picture) -> bytes:
    """A picture (h, w, 3) BGR as a file."""
    _, coded = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 92])
    return coded.tobytes()
