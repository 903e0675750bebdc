"""A jointed human figure made of tapered capsules, drawn as maps of garment and light.

A figure is drawn once per posture, phase of the stride and view, without colour: every person wears it with their own
palette. Body frame: metres, x forward, y to the left, z up, origin on the ground between the feet, 1.75 m tall.
"""

import math
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
STATURE_M = 1.75
PX_PER_M = 120.0
VIEWS = 16
PHASES = 10
ELEVATIONS_DEG = (5.0, 13.0, 23.0, 36.0)
LIGHT_ONE = 160
"""The value of the light map that leaves a colour as it is."""
_SMOOTH_PX = 3.5


class Garment(IntEnum):
    """What covers a spot of the figure; indexes a palette."""

    NONE = 0
    FACE = 1
    HAIR = 2
    SHIRT = 3
    SLEEVE = 4
    FOREARM = 5
    HAND = 6
    SHORTS = 7
    KNEE = 8
    SOCK = 9
    SHOE = 10
    TRIM = 11
    NUMBER = 12


class Posture(IntEnum):
    """What the whole body does; the phase is that of the stride, and of `STAND` and `READY` one of several stances."""

    STAND = 0
    WALK = 1
    RUN = 2
    KICK = 3
    DIVE = 4
    LIE = 5
    READY = 6
    THROW = 7
    SIT = 8
    CHEER = 9


class Clothes(IntEnum):
    """The cut of what somebody wears."""

    KIT = 0
    EVERYDAY = 1


class Template(NamedTuple):
    """A figure in one posture, phase and view: garment and light maps (h, w), the pixel of the body's middle
    (0, 0, STATURE_M / 2), and the affine map (2, 3) from the number's unit square on the back to pixels, if visible."""

    garment: npt.NDArray[np.uint8]
    light: npt.NDArray[np.uint8]
    middle: tuple[float, float]
    back: Array | None


@dataclass(frozen=True)
class _Capsule:
    a: Array
    b: Array
    ra: float
    rb: float
    garment: Garment


class _Gait(NamedTuple):
    """Amplitudes in radians of one way of moving."""

    hip: float
    knee: float
    knee_rest: float
    shoulder: float
    elbow: float
    lean: float
    hip_bias: float = 0.0
    spread: float = 0.06
    arms_out: float = 0.12


_GAITS = {
    Posture.STAND: _Gait(0.20, 0.15, 0.05, 0.30, 0.60, 0.03, spread=0.13, arms_out=0.22),
    Posture.WALK: _Gait(0.43, 0.75, 0.10, 0.50, 0.55, 0.05, spread=0.08, arms_out=0.18),
    Posture.RUN: _Gait(0.65, 1.35, 0.25, 0.75, 1.45, 0.18, 0.15, arms_out=0.18),
    Posture.READY: _Gait(0.05, 0.05, 0.55, 0.10, 0.90, 0.32, 0.36, 0.22, 0.45),
}


def nearest_elevation(elevation_deg: float) -> int:
    """The index in `ELEVATIONS_DEG` that is closest."""
    return min(range(len(ELEVATIONS_DEG)), key=lambda k: abs(ELEVATIONS_DEG[k] - elevation_deg))


@lru_cache(maxsize=2048)
def template(posture: Posture, phase: int, view: int, elevation: int, clothes: Clothes = Clothes.KIT) -> Template:
    """The figure in `posture` at stride phase `phase` of PHASES, its heading `view` of VIEWS turns anticlockwise from
    the picture's right, seen from `ELEVATIONS_DEG[elevation]` above."""
    if posture not in _ONE_SIDED and VIEWS // 4 < view < 3 * VIEWS // 4:
        other = template(posture, (phase + PHASES // 2) % PHASES, (VIEWS // 2 - view) % VIEWS, elevation, clothes)
        return _mirrored(other)
    parts = _figure(posture, 2 * math.pi * phase / PHASES, clothes)
    return _draw(parts, 2 * math.pi * view / VIEWS, math.radians(ELEVATIONS_DEG[elevation]), posture)


_ONE_SIDED = (Posture.KICK, Posture.DIVE, Posture.LIE)


def _mirrored(shape: Template) -> Template:
    """The template seen in a mirror; a body whose left and right change places half a stride later looks like that."""
    width = shape.garment.shape[1]
    back = None
    if shape.back is not None:
        right, down, origin = shape.back.T
        corner = origin + right
        back = np.array([[right[0], -down[0], width - corner[0]], [-right[1], down[1], corner[1]]])
    middle = (width - shape.middle[0], shape.middle[1])
    return Template(
        np.ascontiguousarray(shape.garment[:, ::-1]), np.ascontiguousarray(shape.light[:, ::-1]), middle, back
    )


def _by(x: float, y: float, z: float) -> Array:
    return np.array([x, y, z])


def _limb(start: Array, angle: float, length: float, out: float = 0.0, side: float = 0.0) -> Array:
    """The far end of a limb that hangs from `start`, swung forward by `angle` and sideways by `out`."""
    return start + length * np.array(
        [math.sin(angle) * math.cos(out), side * math.sin(out), -math.cos(angle) * math.cos(out)]
    )


def _figure(posture: Posture, phase: float, clothes: Clothes) -> list[_Capsule]:
    if posture is Posture.DIVE:
        return _tipped(_standing(Posture.CHEER, phase, clothes), side=1.0, lift=0.55, degrees=68.0)
    if posture is Posture.LIE:
        return _tipped(_standing(Posture.STAND, phase, clothes), side=1.0, lift=0.14, degrees=88.0)
    return _standing(posture, phase, clothes)


def _tipped(parts: list[_Capsule], side: float, lift: float, degrees: float) -> list[_Capsule]:
    """The figure fallen over to its left about its middle."""
    c, s = math.cos(math.radians(degrees)), side * math.sin(math.radians(degrees))
    turn = np.array([[1, 0, 0], [0, c, s], [0, -s, c]])
    middle = np.array([0.0, 0.0, 0.9])
    put = np.array([0.0, 0.0, lift])
    return [_Capsule(turn @ (p.a - middle) + put, turn @ (p.b - middle) + put, p.ra, p.rb, p.garment) for p in parts]


def _standing(posture: Posture, phase: float, clothes: Clothes) -> list[_Capsule]:
    gait = _GAITS.get(posture, _GAITS[Posture.STAND])
    parts: list[_Capsule] = []
    lean = np.array([math.sin(gait.lean), 0.0, math.cos(gait.lean)])
    pelvis = np.array([0.0, 0.0, 0.93])
    chest = pelvis + 0.49 * lean
    g = Garment
    for side in (1.0, -1.0):
        own = phase if side > 0 else phase + math.pi
        hip = gait.hip_bias + gait.hip * math.sin(own)
        knee = gait.knee_rest + gait.knee * (0.5 + 0.5 * math.cos(own + 0.35)) ** 2
        if posture is Posture.KICK and side < 0:
            hip, knee = 1.0 - 0.4 * math.cos(phase), 0.25
        if posture is Posture.KICK and side > 0:
            hip, knee = -0.15, 0.2
        if posture is Posture.SIT:
            hip, knee = 1.45, 1.5
        top = pelvis + np.array([0.0, side * 0.085, -0.02])
        kneecap = _limb(top, hip, 0.43, gait.spread, side)
        ankle = _limb(kneecap, hip - knee, 0.41, gait.spread * 0.5, side)
        tread = hip - knee
        toe = ankle + 0.17 * np.array([math.cos(tread), 0.0, math.sin(tread) - 0.15])
        parts += _leg(top, kneecap, ankle, clothes)
        parts.append(_Capsule(ankle - 0.03 * (toe - ankle) / 0.17 + _by(0, 0, -0.03), toe, 0.050, 0.042, g.SHOE))
        parts += _arm(posture, gait, chest, side, phase, clothes)
    torso_low = pelvis - 0.01 * lean
    for side in (1.0, -1.0):
        sideways = np.array([0.0, side, 0.0])
        parts += [
            _Capsule(torso_low + 0.07 * sideways, chest - 0.10 * lean + 0.08 * sideways, 0.134, 0.137, g.SHIRT),
            _Capsule(
                chest - 0.10 * lean + 0.07 * sideways, chest - 0.015 * lean + 0.135 * sideways, 0.12, 0.076, g.SHIRT
            ),
        ]
    parts += [
        _Capsule(pelvis + _by(0, 0.06, -0.04), pelvis + _by(0, -0.06, -0.04), 0.125, 0.125, g.SHORTS),
        _Capsule(chest - 0.02 * lean, chest + 0.03 * lean, 0.075, 0.062, g.TRIM),
        _Capsule(chest + 0.03 * lean, chest + 0.12 * lean, 0.052, 0.052, g.FACE),
    ]
    skull = chest + 0.225 * lean + [0.015, 0, 0]
    parts += [
        _Capsule(skull + _by(0.012, 0, -0.05), skull + _by(0.005, 0, 0.02), 0.084, 0.097, g.FACE),
        _Capsule(skull + _by(-0.024, 0, 0.0), skull + _by(-0.013, 0, 0.042), 0.097, 0.102, g.HAIR),
    ]
    lowest = min(min(p.a[2] - p.ra, p.b[2] - p.rb) for p in parts)
    bounce = 0.035 * abs(math.sin(phase)) if posture is Posture.RUN else 0.0
    shift = _by(0.0, 0.0, bounce - lowest)
    return [_Capsule(p.a + shift, p.b + shift, p.ra, p.rb, p.garment) for p in parts]


def _leg(top: Array, kneecap: Array, ankle: Array, clothes: Clothes) -> list[_Capsule]:
    g = Garment
    if clothes is Clothes.EVERYDAY:
        return [_Capsule(top, kneecap, 0.110, 0.086, g.SHORTS), _Capsule(kneecap, ankle, 0.086, 0.070, g.SHORTS)]
    thigh, shin = kneecap - top, ankle - kneecap
    return [
        _Capsule(top, top + 0.76 * thigh, 0.113, 0.108, g.SHORTS),
        _Capsule(top + 0.6 * thigh, kneecap, 0.078, 0.060, g.KNEE),
        _Capsule(kneecap, kneecap + 0.18 * shin, 0.060, 0.062, g.KNEE),
        _Capsule(kneecap + 0.2 * shin, kneecap + 0.45 * shin, 0.063, 0.067, g.SOCK),
        _Capsule(kneecap + 0.45 * shin, ankle, 0.067, 0.046, g.SOCK),
    ]


def _arm(posture: Posture, gait: _Gait, chest: Array, side: float, phase: float, clothes: Clothes) -> list[_Capsule]:
    own = phase + math.pi if side > 0 else phase
    shoulder = chest + _by(0.0, side * 0.185, -0.045)
    swing, out, bend = gait.shoulder * math.sin(own), gait.arms_out, gait.elbow
    if posture in (Posture.CHEER, Posture.THROW):
        swing, out, bend = 2.75, 0.25, 0.3
    if posture is Posture.KICK:
        swing, out, bend = side * 0.5, 0.7, 0.5
    if posture is Posture.SIT:
        swing, bend = 0.5, 0.9
    elbow = _limb(shoulder, swing, 0.28, out, side)
    wrist = _limb(elbow, swing + bend, 0.24, out * 0.5, side)
    hand = wrist + 0.07 * (wrist - elbow) / 0.24
    sleeve = shoulder + 0.62 * (elbow - shoulder)
    g = Garment
    if clothes is Clothes.EVERYDAY:
        return [
            _Capsule(shoulder, elbow, 0.077, 0.062, g.SLEEVE),
            _Capsule(elbow, wrist, 0.062, 0.050, g.SLEEVE),
            _Capsule(wrist, hand, 0.042, 0.038, g.HAND),
        ]
    return [
        _Capsule(shoulder, sleeve, 0.077, 0.075, g.SLEEVE),
        _Capsule(shoulder + 0.55 * (elbow - shoulder), elbow, 0.051, 0.046, g.FOREARM),
        _Capsule(elbow, wrist, 0.046, 0.036, g.FOREARM),
        _Capsule(wrist, hand, 0.042, 0.038, g.HAND),
    ]


def _draw(parts: list[_Capsule], turn: float, elevation: float, posture: Posture) -> Template:
    """Orthographic picture with a depth buffer; light comes from above and a little from the left and the front."""
    c, s = math.cos(turn), math.sin(turn)
    se, ce = math.sin(elevation), math.cos(elevation)
    heading = np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]])
    axes = np.array([[1.0, 0.0, 0.0], [0.0, -se, -ce], [0.0, -ce, se]]) @ heading
    scale = PX_PER_M
    middle = np.array([0.0, 0.0, STATURE_M / 2])
    ends = [
        ((axes @ (p.a - middle)) * scale, (axes @ (p.b - middle)) * scale, p.ra * scale, p.rb * scale) for p in parts
    ]
    low = np.floor(np.min([np.minimum(a[:2] - ra, b[:2] - rb) for a, b, ra, rb in ends], axis=0)) - 2
    high = np.ceil(np.max([np.maximum(a[:2] + ra, b[:2] + rb) for a, b, ra, rb in ends], axis=0)) + 2
    width, height = (int(v) for v in high - low)
    depth = np.full((height, width), -np.inf, np.float32)
    garment = np.zeros((height, width), np.uint8)
    light = np.zeros((height, width), np.float32)
    sun = axes @ np.array([0.0, 0.0, 1.0]), np.array([0.0, -0.5, 0.87])
    for part, (a, b, ra, rb) in zip(parts, ends, strict=True):
        x0, y0 = (int(v) for v in np.maximum(np.floor(np.minimum(a[:2] - ra, b[:2] - rb) - low), 0))
        x1, y1 = (int(v) for v in np.ceil(np.maximum(a[:2] + ra, b[:2] + rb) - low) + 1)
        window = np.s_[y0 : min(y1, height), x0 : min(x1, width)]
        rows, columns = depth[window].shape
        px = (np.arange(columns, dtype=np.float32) + (x0 + 0.5 + low[0] - a[0]))[None, :]
        py = (np.arange(rows, dtype=np.float32) + (y0 + 0.5 + low[1] - a[1]))[:, None]
        ab = (b - a).astype(np.float32)
        length = max(float(ab[0] ** 2 + ab[1] ** 2), 1e-3)
        t = np.clip((px * ab[0] + py * ab[1]) / length, 0.0, 1.0)
        radius = ra + t * (rb - ra)
        nx = (px - t * ab[0]) / radius
        ny = (py - t * ab[1]) / radius
        nz2 = 1.0 - nx * nx - ny * ny
        nz = np.sqrt(np.maximum(nz2, 0.0))
        z = a[2] + t * ab[2] + radius * nz
        wins = (nz2 > 0) & (z > depth[window])
        up = sun[0][0] * nx + sun[0][1] * ny + sun[0][2] * nz
        key = sun[1][0] * nx + sun[1][1] * ny + sun[1][2] * nz
        value = 0.56 + 0.26 * (0.5 + 0.5 * up) + 0.34 * np.maximum(key, 0.0)
        depth[window] = np.where(wins, z, depth[window])
        garment[window] = np.where(wins, np.uint8(part.garment), garment[window])
        light[window] = np.where(wins, value, light[window])
    light = _smooth(light, garment) * _creases(height, width, garment)
    back = _back_square(parts, axes, scale, low, posture)
    code = np.clip(light * LIGHT_ONE, 0, 255).astype(np.uint8)
    return Template(garment, code, (-float(low[0]), -float(low[1])), back)


_APART = (
    (Garment.SHIRT, Garment.SOCK, Garment.HAND),
    (Garment.SHORTS, Garment.SLEEVE, Garment.HAIR),
    (Garment.KNEE, Garment.FOREARM),
)
"""Garments that seldom touch each other: each is smoothed on its own at the cost of three."""


def _smooth(light: npt.NDArray[np.float32], garment: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """Hide the seams between the capsules that one garment covers: cloth and skin round them off."""
    out = light.copy()
    for together in _APART:
        mask = np.isin(garment, together)
        spread = cv2.GaussianBlur(np.dstack([light * mask, mask.astype(np.float32)]), (13, 13), _SMOOTH_PX)
        out[mask] = (spread[..., 0] / np.maximum(spread[..., 1], np.float32(1e-3)))[mask]
    return out


@lru_cache(maxsize=1)
def _cloth() -> npt.NDArray[np.float32]:
    """Soft folds for the shirt and shorts, tall as the largest figure."""
    random = np.random.default_rng(5)
    spectrum = np.fft.fft2(random.standard_normal((512, 512)))
    fx, fy = np.meshgrid(np.fft.fftfreq(512), np.fft.fftfreq(512))
    band = np.exp(-(((np.hypot(fx * 1.6, fy) - 0.035) / 0.02) ** 2))
    folds = np.fft.ifft2(spectrum * band).real
    return (1 + 0.075 * folds / folds.std()).astype(np.float32)


def _creases(height: int, width: int, garment: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    cloth = np.isin(garment, (Garment.SHIRT, Garment.SHORTS, Garment.SLEEVE))
    return np.where(cloth, _cloth()[:height, :width], np.float32(1.0))


def _back_square(parts: list[_Capsule], axes: Array, scale: float, low: Array, posture: Posture) -> Array | None:
    """Where the number's square (x to the right, y down as one reads it) lies on the back, when it is turned to us."""
    if posture in (Posture.DIVE, Posture.LIE, Posture.SIT):
        return None
    shirts = [p for p in parts if p.garment is Garment.SHIRT]
    bottom = (shirts[0].a + shirts[2].a) / 2
    top = (shirts[0].b + shirts[2].b) / 2
    up = (top - bottom) / np.linalg.norm(top - bottom)
    behind = np.array([-up[2], 0.0, up[0]])
    if (axes @ behind)[2] < 0.35:
        return None
    centre = bottom + 0.66 * (top - bottom) + 0.12 * behind - np.array([0, 0, STATURE_M / 2])
    corner = centre + 0.13 * up + np.array([0.0, 0.14, 0.0])
    right, down = np.array([0.0, -0.28, 0.0]), -0.26 * up
    origin = (axes @ corner)[:2] * scale - low
    return np.column_stack([(axes @ right)[:2] * scale, (axes @ down)[:2] * scale, origin])
