"""A virtual camera: its still background, rendered once, and its frames of a match."""

import math

import cv2
import numpy as np
import numpy.typing as npt

from simulator.match.truth import BALL_RADIUS_M, MatchTruth, Pose
from simulator.pictures.body import PHASES, Posture, template
from simulator.pictures.frame import PEDESTAL, Canvas, NoiseBank, Veil, sharpened
from simulator.pictures.goals import goal_layer
from simulator.pictures.ground import ground
from simulator.pictures.moment import Moment, moment
from simulator.pictures.outfits import player_palette
from simulator.pictures.rigs import PictureFaults, TrueRig
from simulator.pictures.scenery import sky, surroundings
from simulator.pictures.sprites import Placed, Wardrobe, to_yuv
from simulator.pictures.view import Floats, view_of
from wire.pitch import Pitch
from wire.rig import CameraModel

Array = npt.NDArray[np.float64]
_WALKING_MPS = 0.35
_RUNNING_MPS = 2.4


def background(camera: CameraModel, faults: PictureFaults, pitch: Pitch, seed: int) -> Floats:
    """The picture (h, w, 3) of the empty pitch, sRGB 0 to 255, with the camera's exposure, colours and vignette."""
    view = view_of(camera)
    random = np.random.default_rng([seed, 0x6A55])
    picture = ground(view, pitch, random)
    sky(picture, view, random)
    surroundings(picture, view, pitch, seed)
    for side in (-1, 1):
        goal = goal_layer(camera, pitch, side)
        if goal is not None:
            x0, y0, x1, y1 = goal.box
            window = picture[y0:y1, x0:x1]
            window[...] = window * (1 - goal.layer[..., 3:]) + goal.layer[..., :3]
    picture = cv2.GaussianBlur(picture, (3, 3), 0.5)
    v, u = np.mgrid[0 : camera.height_px, 0 : camera.width_px].astype(np.float32)
    picture *= vignette(camera, faults, u + 0.5, v + 0.5)[..., None]
    picture *= np.float32(faults.gain) * np.array(faults.white_balance, np.float32)
    return np.clip(picture, 0, 255)


def vignette(camera: CameraModel, faults: PictureFaults, u: npt.NDArray, v: npt.NDArray) -> npt.NDArray:
    """How much the picture is darkened at pixels (u, v)."""
    cx, cy = camera.width_px / 2, camera.height_px / 2
    r2 = ((u - cx) ** 2 + (v - cy) ** 2) / (cx * cx + cy * cy)
    return 1 + r2 * (faults.vignette[0] + r2 * faults.vignette[1])


class VirtualCamera:
    """Camera `index` of a rig that films a match; pictures depend only on rig, match, seed and time."""

    def __init__(self, true_rig: TrueRig, index: int, truth: MatchTruth, seed: int) -> None:
        self.camera = true_rig.rig.cameras[index]
        self.truth = truth
        self._faults = true_rig.faults[index]
        self._seed = seed
        self._index = index
        tint = np.float32(self._faults.gain) * np.array(self._faults.white_balance, np.float32)
        self._palettes = [
            player_palette(person, np.random.default_rng([seed, person.id])) * tint for person in truth.people
        ]
        self._heights = np.array([person.height_m for person in truth.people])
        self._wardrobe = Wardrobe()
        self._noise = NoiseBank(self.camera.width_px, self.camera.height_px, self._faults.noise_sigma, seed + index)
        self._canvas = Canvas(self.camera.width_px, self.camera.height_px)
        self._still = self._encode(background(self.camera, self._faults, truth.pitch, seed))
        self._goals = self._goal_layers(tint)
        self._ball = _ball_layer(tint)

    def frame(self, time_s: float) -> npt.NDArray[np.uint8]:
        """The I420 picture (3h/2, w), BT.601 studio range, exposed at match time `time_s`; good until the next call."""
        now = moment(self.truth, time_s)
        canvas = self._canvas
        np.copyto(canvas.i420, self._still)
        placed, postures = place_people(self.camera, self.truth, now)
        rows = [int(row) for row in np.argsort(-placed.depth_m) if placed.visible[row]]
        self._shadows(now, rows)
        ball_depth = float(np.linalg.norm(now.ball - self.camera.centre))
        layers = sorted(
            [(-float(placed.depth_m[row]), row) for row in rows] + [(-ball_depth, -1)],
        )
        for _, row in layers:
            self._draw(now, placed, postures, row)
        random = np.random.default_rng([self._seed, self._index, round(time_s * 1e6)])
        canvas.finish(self._noise, random)
        return canvas.i420

    def _veil(self, place: Array) -> Veil | None:
        """The net before what stands at `place`; None outside the goals and for a goal that is not in sight."""
        off = np.abs(place[:2]) - (self.truth.pitch.half_length, self.truth.pitch.form.goal_width / 2)
        if not (off[0] > 0.1 and off[1] < 0.1):
            return None
        return self._goals.get(1 if place[0] > 0 else -1)

    def _draw(self, now: Moment, placed: Placed, postures: list[Posture], row: int) -> None:
        if row < 0:
            self._draw_ball(now.ball)
            return
        key = template_key(placed, postures, now, row)
        level = placed.level(row)
        layer = self._wardrobe.figure(row, self._palettes[row], self.truth.people[row].number, key, level)
        bright = float(vignette(self.camera, self._faults, *placed.affine[row, :, 2]))
        self._canvas.blend(layer, placed.onto(row, template(*key), level), bright, self._veil(now.xy[row]))

    def _draw_ball(self, ball: Array) -> None:
        sight = ball[:2] - self.camera.centre[:2]
        aside = np.array([sight[1], -sight[0], 0.0]) / max(float(np.linalg.norm(sight)), 1e-6)
        pixels = self.camera.project([ball, ball + BALL_RADIUS_M * aside])
        if np.isnan(pixels).any():
            return
        radius = float(np.linalg.norm(pixels[1] - pixels[0]))
        level = max(0, min(3, math.floor(math.log2(_BALL_SIDE / (2 * radius)) + 0.2)))
        layer = self._ball[level]
        scale = 2 * radius / layer.shape[0]
        affine = np.array([[scale, 0, pixels[0, 0] - radius], [0, scale, pixels[0, 1] - radius]])
        bright = float(vignette(self.camera, self._faults, *pixels[0]))
        self._canvas.blend(layer, affine, bright, self._veil(ball))

    def _shadows(self, now: Moment, rows: list[int]) -> None:
        ball = np.array([*now.ball[:2], 0.0])
        spots = [np.array([*now.xy[row], 0.0]) for row in rows] + [ball]
        reach = [0.62] * len(rows) + [0.16 + 0.05 * float(now.ball[2])]
        dark = [0.42] * len(rows) + [0.5 / (1 + 0.8 * float(now.ball[2]))]
        points = np.array(spots)[:, None] + np.array([[0, 0, 0], [0.3, 0, 0], [0, 0.3, 0]])
        pixels = self.camera.project(points.reshape(-1, 3)).reshape(-1, 3, 2)
        for (at, px, py), size, strength in zip(pixels, reach, dark, strict=True):
            if np.isnan(at).any() or np.isnan(px).any() or np.isnan(py).any():
                continue
            sun = (px - at + 0.6 * (py - at)) / 0.3 * size
            across = (py - at - 0.3 * (px - at)) / 0.3 * size * 0.6
            self._canvas.shade(np.column_stack([sun, across, at + 0.25 * sun]), strength)

    def _encode(self, picture: Floats) -> npt.NDArray[np.uint8]:
        """The background as I420, its luma `PEDESTAL` too dark."""
        canvas = Canvas(self.camera.width_px, self.camera.height_px)
        yuv = to_yuv(picture)
        canvas.y[...] = np.clip(np.rint(sharpened(yuv[..., 0]) + 16 - PEDESTAL), 0, 255)
        half = cv2.resize(yuv[..., 1:], None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
        canvas.u[...] = np.clip(np.rint(half[..., 0] + 128), 0, 255)
        canvas.v[...] = np.clip(np.rint(half[..., 1] + 128), 0, 255)
        return canvas.i420

    def _goal_layers(self, tint: Floats) -> dict[int, Veil]:
        out = {}
        for side in (-1, 1):
            goal = goal_layer(self.camera, self.truth.pitch, side)
            if goal is not None:
                middle = ((goal.box[0] + goal.box[2]) / 2, (goal.box[1] + goal.box[3]) / 2)
                bright = np.float32(vignette(self.camera, self._faults, *middle))
                layer = goal.layer.copy()
                layer[..., :3] = to_yuv(goal.layer[..., :3] * tint * bright)
                out[side] = Veil(goal.box, layer)
        return out


def place_people(camera: CameraModel, truth: MatchTruth, now: Moment) -> tuple[Placed, list[Posture]]:
    """Where everybody appears in `camera`, and in which posture."""
    count = len(truth.people)
    feet = np.column_stack([now.xy, np.zeros(count)])
    heights = np.array([person.height_m for person in truth.people])
    postures = [posture_of(Pose(int(now.pose[k])), float(now.speed[k]), truth.people[k].keeper) for k in range(count)]
    return Placed(camera, feet, heights, now.heading), postures


def template_key(placed: Placed, postures: list[Posture], now: Moment, row: int) -> tuple[Posture, int, int, int]:
    """The template that person `row` is drawn with: posture, phase, view, elevation; no two neighbours stand alike."""
    moving = postures[row] in (Posture.WALK, Posture.RUN, Posture.KICK)
    phase = round(float(now.stride[row]) / (2 * math.pi) * PHASES) if moving else 3 * row
    return postures[row], phase % PHASES, int(placed.view[row]), placed.elevation[row]


def posture_of(pose: Pose, speed_mps: float, keeper: bool) -> Posture:
    """How a body in `pose` at `speed_mps` is drawn."""
    fixed = {Pose.KICK: Posture.KICK, Pose.DIVE: Posture.DIVE, Pose.THROW: Posture.THROW}
    if pose in fixed:
        return fixed[pose]
    if speed_mps >= _RUNNING_MPS:
        return Posture.RUN
    if speed_mps >= _WALKING_MPS:
        return Posture.WALK
    return Posture.READY if keeper else Posture.STAND


_BALL_SIDE = 32


def _ball_layer(tint: Floats) -> list[Floats]:
    """The ball, white with dark panels and lit from above, in four sizes."""
    v, u = np.mgrid[0:_BALL_SIDE, 0:_BALL_SIDE].astype(np.float32)
    x, y = (u + 0.5) / (_BALL_SIDE / 2) - 1, (v + 0.5) / (_BALL_SIDE / 2) - 1
    r2 = x * x + y * y
    z = np.sqrt(np.clip(1 - r2, 0, 1))
    alpha = np.clip((1 - np.sqrt(r2)) * _BALL_SIDE / 2 + 0.5, 0, 1)
    light = 0.62 + 0.38 * np.clip(-0.75 * y + 0.5 * z, 0, 1)
    panels = np.zeros_like(x, dtype=bool)
    for px, py, pz in (
        (0.1, -0.15, 0.98),
        (0.85, 0.3, 0.43),
        (-0.8, 0.25, 0.54),
        (-0.35, -0.88, 0.3),
        (0.2, 0.92, 0.33),
    ):
        panels |= (x * px + y * py + z * pz) > 0.93
    rgb = np.where(panels, 52.0, 244.0).astype(np.float32)[..., None] * light[..., None] * tint
    layer = np.concatenate([to_yuv(rgb.astype(np.float32)) * alpha[..., None], alpha[..., None]], axis=2)
    out = [layer.astype(np.float32)]
    for _ in range(3):
        out.append(cv2.resize(out[-1], None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA))
    return out
