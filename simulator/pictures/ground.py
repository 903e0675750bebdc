"""The ground: mown grass and the painted markings, filtered to each pixel's footprint."""

import math

import cv2
import numpy as np
import numpy.typing as npt

from simulator.pictures.view import Floats, View, window_of
from wire.pitch import LINE_WIDTH, Pitch

GRASS = np.array([92.0, 126.0, 66.0], np.float32)
"""Mean colour of the pitch, sRGB."""
ROUGH = np.array([104.0, 122.0, 72.0], np.float32)
PAINT = np.array([232.0, 236.0, 228.0], np.float32)
_STRIPE_M = 5.5
_TILE = 512


def noise_tile(random: np.random.Generator, falloff: float) -> Floats:
    """Noise (512, 512) that tiles, with spectrum 1/f^falloff, mean 0 and standard deviation 1."""
    spectrum = np.fft.fft2(random.standard_normal((_TILE, _TILE)))
    f = np.hypot(*np.meshgrid(np.fft.fftfreq(_TILE), np.fft.fftfreq(_TILE), indexing="ij"))
    f[0, 0] = 1.0
    spectrum *= f**-falloff
    spectrum[0, 0] = 0.0
    plain = np.fft.ifft2(spectrum).real
    return (plain / plain.std()).astype(np.float32)


def ground(view: View, pitch: Pitch, random: np.random.Generator) -> Floats:
    """The picture (h, w, 3) of the bare ground with its markings, sRGB 0 to 255; above the horizon it means nothing."""
    x, y = np.nan_to_num(view.x, nan=1e4), np.nan_to_num(view.y, nan=1e4)
    across = np.sqrt(view.step[..., 0, 0] ** 2 + view.step[..., 0, 1] ** 2)
    along = np.sqrt(view.step[..., 1, 0] ** 2 + view.step[..., 1, 1] ** 2)
    footprint = np.maximum(across, along)
    tile = noise_tile(random, 0.9)
    tone = np.zeros_like(x)
    for size_m, strength in ((3.0, 0.045), (14.0, 0.03), (70.0, 0.035)):
        visible = np.clip(size_m / 40 / footprint, 0.0, 1.0)
        tone += strength * visible * _tiled(tile, x, y, size_m)
    phase = np.abs(np.mod(x / _STRIPE_M, 2.0) - 1.0) - 0.5
    stripe = np.clip(phase * _STRIPE_M / np.maximum(across, 0.15), -0.5, 0.5)
    margin = np.maximum(np.abs(x) - pitch.half_length, np.abs(y) - pitch.half_width)
    inside = np.clip((3.0 - margin) / np.maximum(footprint, 0.3), 0.0, 1.0)[..., None]
    tone += 0.09 * stripe * inside[..., 0]
    colour = GRASS * inside + ROUGH * (1 - inside)
    picture: Floats = colour * (1 + tone)[..., None]
    worn = np.clip(0.86 + 0.06 * _tiled(tile, y, x, 2.3), 0.6, 0.97)
    for line in pitch.lines():
        ends = np.array([[line.x0, line.y0], [line.x1, line.y1]])
        lay_paint(picture, worn, *straight(view, ends))
    for arc in pitch.arcs():
        lay_paint(picture, worn, *curved(view, arc.x, arc.y, arc.radius, arc.start, arc.end))
    spots = [(0.0, 0.0)] + [(side * (pitch.half_length - pitch.form.penalty_spot), 0.0) for side in (-1, 1)]
    for sx, sy in spots:
        lay_paint(picture, worn, *disc(view, sx, sy, 0.11))
    return picture


def _tiled(tile: Floats, x: Floats, y: Floats, size_m: float) -> Floats:
    scale = _TILE / size_m
    u = np.mod(x * scale, _TILE).astype(np.float32)
    v = np.mod(y * scale, _TILE).astype(np.float32)
    wrapped = cv2.copyMakeBorder(tile, 0, 1, 0, 1, cv2.BORDER_WRAP)
    return cv2.remap(wrapped, u, v, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


Patch = tuple[tuple[slice, slice] | None, Floats]
"""Rows and columns of the picture, None when nothing is seen of it, and the share of each pixel there that it hides."""


def _inside(distance: Floats, half: float, blur: Floats) -> Floats:
    """The share of a box of width `blur` at `distance` from the middle of a band of half width `half`."""
    return np.clip((distance + half) / blur + 0.5, 0, 1) - np.clip((distance - half) / blur + 0.5, 0, 1)


def straight(view: View, ends: npt.NDArray[np.float64], width_m: float = LINE_WIDTH) -> Patch:
    """A painted line between two points (2, 2) of the ground, as long as its width beyond them."""
    a, b = ends
    length = float(np.linalg.norm(b - a))
    ux, uy = (np.float32(v) for v in (b - a) / length)
    t = np.linspace(0, 1, 200)[:, None]
    window = window_of(view, np.concatenate([a + t * (b - a), np.zeros((200, 1))], axis=1))
    if window is None:
        return None, np.zeros((0, 0), np.float32)
    dx, dy = view.x[window] - np.float32(a[0]), view.y[window] - np.float32(a[1])
    step = view.step[window]
    sideways = np.hypot(uy * step[..., 0, 0] - ux * step[..., 1, 0], uy * step[..., 0, 1] - ux * step[..., 1, 1])
    lengthways = np.hypot(ux * step[..., 0, 0] + uy * step[..., 1, 0], ux * step[..., 0, 1] + uy * step[..., 1, 1])
    cover = _inside(dx * uy - dy * ux, width_m / 2, sideways)
    cover = cover * _inside(dx * ux + dy * uy - length / 2, (length + width_m) / 2, lengthways)
    return window, np.nan_to_num(cover)


def curved(
    view: View, x: float, y: float, radius: float, start: float, end: float, width_m: float = LINE_WIDTH
) -> Patch:
    """A painted arc around (x, y), anticlockwise from `start` to `end` in radians."""
    angle = np.linspace(start, end, 200)
    rim = np.stack([x + radius * np.cos(angle), y + radius * np.sin(angle), 0 * angle], axis=1)
    window = window_of(view, rim)
    if window is None:
        return None, np.zeros((0, 0), np.float32)
    dx, dy = view.x[window] - np.float32(x), view.y[window] - np.float32(y)
    away = np.maximum(np.hypot(dx, dy), 1e-3)
    step = view.step[window]
    outward = np.hypot(
        (dx * step[..., 0, 0] + dy * step[..., 1, 0]) / away, (dx * step[..., 0, 1] + dy * step[..., 1, 1]) / away
    )
    turn = np.mod(np.arctan2(dy, dx) - start, 2 * math.pi)
    cover = _inside(away - radius, width_m / 2, outward) * (turn <= end - start + 1e-6)
    return window, np.nan_to_num(cover)


def disc(view: View, x: float, y: float, radius: float) -> Patch:
    """A painted spot."""
    angle = np.linspace(0, 2 * math.pi, 16)
    rim = np.stack([x + radius * np.cos(angle), y + radius * np.sin(angle), 0 * angle], axis=1)
    window = window_of(view, rim)
    if window is None:
        return None, np.zeros((0, 0), np.float32)
    dx, dy = view.x[window] - np.float32(x), view.y[window] - np.float32(y)
    step = view.step[window]
    cover = _inside(dx, radius * 0.9, np.hypot(step[..., 0, 0], step[..., 0, 1]))
    cover = cover * _inside(dy, radius * 0.9, np.hypot(step[..., 1, 0], step[..., 1, 1]))
    return window, np.nan_to_num(cover)


def lay_paint(
    picture: Floats, worn: Floats, window: tuple[slice, slice] | None, cover: Floats, colour: Floats = PAINT
) -> None:
    """Blend `colour` into `picture` where paint covers a share of the pixels of `window`, as much as is not `worn` off
    (h, w; 1 is fresh)."""
    if window is None:
        return
    rows, columns = np.nonzero(cover > 0.004)
    top, left = window[0].start, window[1].start
    alpha = (cover[rows, columns] * worn[rows + top, columns + left])[:, None]
    spot = picture[rows + top, columns + left]
    picture[rows + top, columns + left] = spot * (1 - alpha) + colour * alpha
