"""What stands around the pitch and does not move: trees, houses, boards, a stand, onlookers, benches, spare balls."""

import math
from functools import lru_cache

import cv2
import msgspec
import numpy as np
import numpy.typing as npt

from simulator.match.truth import BALL_RADIUS_M
from simulator.pictures.body import LIGHT_ONE, PHASES, Clothes, Posture, Template, template
from simulator.pictures.frame import soft_blob
from simulator.pictures.ground import noise_tile
from simulator.pictures.outfits import Palette, onlooker_palette
from simulator.pictures.sprites import Placed
from simulator.pictures.view import Floats, View, paste, window_of
from wire.pitch import Pitch

Texture = npt.NDArray[np.uint8]
_BOARDS = ("TOWN BAKERY", "BIKES & CO", "RIVER CAFE", "HILL DAIRY", "GREEN GROCER", "FC 1904", "RADIO 9", "PRINT SHOP")


def sky(picture: Floats, view: View, random: np.random.Generator) -> None:
    """Fill everything above the horizon: an overcast sky."""
    above = np.isnan(view.x) | (np.hypot(view.x, view.y) > 900)
    if not above.any():
        return
    height = np.arcsin(np.clip(view.ray[..., 2], -1, 1))
    azimuth = np.arctan2(view.ray[..., 0], view.ray[..., 1])
    clouds = cv2.resize(noise_tile(random, 1.6), (1024, 512), interpolation=cv2.INTER_CUBIC)
    u = np.mod(azimuth * 400, 1023).astype(np.float32)
    v = np.mod(height * 900, 511).astype(np.float32)
    puff = cv2.remap(clouds, u, v, cv2.INTER_LINEAR)
    deep = np.clip(height * 2.5, 0, 1)[..., None]
    colour = np.float32([206, 216, 226]) * (1 - deep) + np.float32([150, 178, 214]) * deep + (9 * puff)[..., None]
    picture[above] = colour[above]


def surroundings(
    picture: Floats,
    view: View,
    pitch: Pitch,
    seed: int,
    room_m: float = 0.0,
    parents_near: bool = True,
    flags: bool = True,
) -> None:
    """Everything beyond the lines, from the farthest to the nearest; the same for every camera of one `seed`.

    All of it is moved out by `room_m`, but not corner flags and balls; flags may be missing. Without `parents_near`
    nobody stands at the near touchline.
    """
    random = np.random.default_rng([seed, 0x5CE])
    wide = msgspec.structs.replace(pitch, length_m=pitch.length_m + 2 * room_m, width_m=pitch.width_m + 2 * room_m)
    _houses(picture, view, wide, random)
    _trees(picture, view, wide, seed)
    _stand(picture, view, wide, random)
    _benches(picture, view, wide, random)
    figures(picture, view, _onlookers(wide, view, random, parents_near), seed)
    _boards(picture, view, wide, random)
    if flags:
        _flags(picture, view, pitch)
    for place in spare_balls(pitch, seed):
        _ball(picture, view, place)


def _trees(picture: Floats, view: View, pitch: Pitch, seed: int) -> None:
    hx, hy = pitch.half_length, pitch.half_width
    trees = _tree_line(seed)
    depth, tall = 26.0, 11.0
    wide = 2 * hx + 160
    paste(picture, view, trees, (-wide / 2, hy + depth, -0.3), (wide, 0, 0), (0, 0, tall))
    for side in (-1, 1):
        corner = (side * (hx + 34), -hy - 60.0 if side < 0 else hy + 60.0, -0.3)
        paste(picture, view, trees, corner, (0, (2 * hy + 120) * -side, 0), (0, 0, tall))


def figures(picture: Floats, view: View, people: list[tuple[float, float, float, float, Posture]], seed: int) -> None:
    """Draw standing or sitting `people` (x, y, z of the feet, heading, posture) in everyday clothes, far to near."""
    if not people:
        return
    place = np.array([p[:3] for p in people], dtype=np.float64)
    heading = np.array([p[3] for p in people])
    tall = np.random.default_rng([seed, 3]).uniform(1.5, 1.86, len(people))
    placed = Placed(view.camera, place, tall, heading)
    for row in np.argsort(-placed.depth_m):
        if not placed.visible[row]:
            continue
        random = np.random.default_rng([seed, 11, int(row)])
        palette = onlooker_palette(random)
        key = people[row][4], int(random.integers(PHASES)), int(placed.view[row]), placed.elevation[row]
        if people[row][4] is not Posture.SIT:
            shadow(picture, view, place[row])
        figure(picture, view, placed, int(row), template(*key, Clothes.EVERYDAY), palette)


def figure(picture: Floats, view: View, placed: Placed, row: int, shape: Template, palette: Palette) -> None:
    """Draw figure `row` of `placed` as `shape` in the palette's colours."""
    rgb = palette[shape.garment] * (shape.light.astype(np.float32) / LIGHT_ONE)[..., None]
    layer = np.concatenate([rgb, np.full((*shape.garment.shape, 1), 1, np.float32)], axis=2)
    layer[shape.garment == 0] = 0
    level = placed.level(row)
    for _ in range(level):
        layer = cv2.copyMakeBorder(layer, 0, layer.shape[0] % 2, 0, layer.shape[1] % 2, cv2.BORDER_CONSTANT)
        layer = cv2.resize(layer, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    laid = lay(picture, layer, placed.onto(row, shape, level))
    if laid is not None and view.reach is not None:
        window, cover = laid
        view.note(window, cover, placed.reach(row, view.ray[window]))


def shadow(picture: Floats, view: View, at: npt.NDArray[np.float64]) -> None:
    """The soft shadow under somebody who stands at `at`."""
    pixels = view.camera.project([at, at + np.array([0.3, 0, 0]), at + np.array([0, 0.3, 0])])
    if np.isnan(pixels).any():
        return
    blob = soft_blob()
    layer = np.zeros((*blob.shape, 4), np.float32)
    layer[..., 3] = 0.4 * blob
    side = 2 * 0.6 / 0.3 / blob.shape[0]
    across, along = (pixels[1] - pixels[0]) * side, (pixels[2] - pixels[0]) * side
    corner = pixels[0] - (across + along) * blob.shape[0] / 2
    lay(picture, layer, np.column_stack([across, along, corner]))


def lay(picture: Floats, layer: Floats, affine: npt.NDArray[np.float64]) -> tuple[tuple[slice, slice], Floats] | None:
    """Lay a premultiplied RGB layer (h, w, 4) over `picture` under `affine` (pixel edges at whole numbers); where it
    lies (rows, columns) and how much it covers there, None when nowhere."""
    rows, columns = layer.shape[:2]
    corners = affine[:, :2] @ np.array([[0, columns, 0, columns], [0, 0, rows, rows]]) + affine[:, 2:]
    low = np.maximum(np.floor(corners.min(axis=1)) - 1, 0).astype(int)
    high = np.minimum(np.ceil(corners.max(axis=1)) + 1, picture.shape[1::-1]).astype(int)
    if np.any(low >= high):
        return None
    local = affine.copy()
    local[:, 2] += affine[:, :2] @ (0.5, 0.5) - low - 0.5
    placed = cv2.warpAffine(layer, local, tuple(int(v) for v in high - low), flags=cv2.INTER_LINEAR)
    where = slice(int(low[1]), int(high[1])), slice(int(low[0]), int(high[0]))
    picture[where] = picture[where] * (1 - placed[..., 3:]) + placed[..., :3]
    return where, placed[..., 3]


@lru_cache(maxsize=2)
def _tree_line(seed: int) -> Texture:
    """A long row of trees and bushes, RGBA (512, 4096)."""
    random = np.random.default_rng([seed, 0x7EE])
    rows, columns = 448, 4096
    colour = np.zeros((rows, columns, 3), np.float32)
    alpha = np.zeros((rows, columns), np.uint8)
    leaves = np.tile(noise_tile(random, 0.75), (1, 8))[:rows, :columns]
    for back in (0.62, 0.82, 1.0):
        x = -40.0
        while x < columns + 60:
            wide = random.uniform(60, 130)
            tall = random.uniform(0.45, 0.92) * rows * (1.12 - 0.35 * back)
            tone = np.float32([84, 108, 62]) * back * random.uniform(0.82, 1.18) + random.uniform(-5, 5, 3).astype(
                np.float32
            )
            mask = np.zeros((rows, columns), np.uint8)
            base = rows - int(0.10 * rows)
            for _ in range(16):
                at = (int(x + random.normal(0, wide * 0.26)), int(base - random.uniform(0.15, 0.93) * tall))
                cv2.circle(mask, at, int(wide * random.uniform(0.14, 0.30)), 255, -1, cv2.LINE_AA)
            lo, hi = max(int(x - 2 * wide), 0), min(int(x + 2 * wide), columns)
            if lo < hi:
                part = mask[:, lo:hi]
                where = part > 0
                ys = np.arange(rows, dtype=np.float32)[:, None] / rows
                lit = 1.18 - 0.55 * ys + 0.16 * leaves[:, lo:hi]
                colour[:, lo:hi][where] = (tone * lit[..., None])[where]
                alpha[:, lo:hi] = np.maximum(alpha[:, lo:hi], part)
                cv2.rectangle(alpha, (int(x) - 3, base - int(0.3 * tall)), (int(x) + 3, rows), 255, -1)
            x += wide * random.uniform(0.55, 1.0)
    hedge = rows - int(0.16 * rows)
    bare = colour.sum(axis=2) == 0
    low = np.arange(rows)[:, None] >= hedge + 6 * leaves[hedge][None, :]
    colour[low] = (np.float32([66, 84, 50]) * (1 + 0.25 * leaves[..., None]))[low]
    alpha[low] = 255
    colour[bare & ~low] = (48, 40, 32)
    ragged = cv2.remap(
        alpha,
        (np.arange(columns, dtype=np.float32)[None, :] + 5 * leaves).astype(np.float32),
        (np.arange(rows, dtype=np.float32)[:, None] + 5 * np.roll(leaves, 97, axis=1)).astype(np.float32),
        cv2.INTER_LINEAR,
    )
    return np.dstack([np.clip(colour, 0, 255).astype(np.uint8), ragged])


def _houses(picture: Floats, view: View, pitch: Pitch, random: np.random.Generator) -> None:
    for k in range(7):
        wide, tall = random.uniform(9, 16), random.uniform(6, 9.5)
        x = (-3 + k) * (pitch.length_m + 110) / 7 + random.uniform(-6, 6)
        paste(picture, view, _house(random), (x, pitch.half_width + 30, 0), (wide, 0, 0), (0, 0, tall))


def _house(random: np.random.Generator) -> Texture:
    out = np.zeros((200, 300, 4), np.uint8)
    wall = [(206, 198, 184), (178, 120, 96), (222, 216, 206), (160, 150, 140)][int(random.integers(4))]
    roof = [(122, 66, 52), (86, 84, 88), (110, 92, 80)][int(random.integers(3))]
    cv2.rectangle(out, (14, 80), (286, 200), (*wall, 255), -1)
    cv2.fillPoly(out, [np.array([[0, 84], [50, 8], [250, 8], [300, 84]])], (*roof, 255))
    for row in (96, 148):
        for column in range(34, 260, 48):
            cv2.rectangle(out, (column, row), (column + 24, row + 30), (62, 70, 82, 255), -1)
            cv2.rectangle(out, (column, row), (column + 24, row + 30), (236, 236, 232, 255), 2)
    return out


def _stand(picture: Floats, view: View, pitch: Pitch, random: np.random.Generator) -> None:
    """A small stand of benches behind the far touchline, left of the halfway line."""
    rows, step, rise = 5, 0.85, 0.42
    wide, x0, y0 = 0.26 * pitch.length_m, -0.36 * pitch.length_m, pitch.half_width + 10.5
    grey = np.zeros((64, 512, 4), np.uint8)
    seated: list[tuple[float, float, float, float, Posture]] = []
    for row in range(rows - 1, -1, -1):
        y, z = y0 + row * step, 0.3 + row * rise
        front = grey.copy()
        front[...] = (*(int(v) for v in np.array((112, 114, 118)) - 8 * (row % 2)), 255)
        front[:10] = (176, 178, 182, 255)
        paste(picture, view, front, (x0, y, 0.0), (wide, 0, 0), (0, 0, z))
        paste(picture, view, front[:10], (x0, y, z), (wide, 0, 0), (0, step, 0.0))
        seats = [x0 + 0.4 + 0.55 * k for k in range(int((wide - 0.8) / 0.55))]
        seated += [
            (x, y + 0.35, z, -math.pi / 2 + random.normal(0, 0.3), Posture.SIT) for x in seats if random.random() < 0.34
        ]
    figures(picture, view, seated, int(random.integers(1 << 30)))


def _boards(picture: Floats, view: View, pitch: Pitch, random: np.random.Generator) -> None:
    hx, hy = pitch.half_length, pitch.half_width
    length = 6.0
    for x in np.arange(-hx, hx - length + 0.1, length):
        if abs(x + length / 2) > 20 or pitch.length_m < 80:
            paste(picture, view, _board(random), (x, hy + 3.6, 0), (length - 0.15, 0, 0), (0, 0, 0.8))
    for side in (-1, 1):
        for y in np.arange(-0.8 * hy, 0.8 * hy - length, length):
            board = _board(random)
            start = (side * (hx + 4.6), y if side < 0 else y + length, 0.0)
            paste(picture, view, board, start, (0, length - 0.15 if side < 0 else 0.15 - length, 0), (0, 0, 0.8))


def _board(random: np.random.Generator) -> Texture:
    out = np.full((64, 480, 4), 255, np.uint8)
    ground = random.choice(
        np.array([(28, 60, 120), (236, 236, 230), (150, 30, 36), (24, 92, 62), (232, 186, 40), (40, 40, 46)])
    )
    ink = (245, 245, 240) if ground.sum() < 400 else (30, 34, 60)
    out[..., :3] = ground
    text = _BOARDS[int(random.integers(len(_BOARDS)))]
    rgb = np.ascontiguousarray(out[..., :3])
    cv2.putText(rgb, text, (24, 47), cv2.FONT_HERSHEY_DUPLEX, 1.5, ink, 3, cv2.LINE_AA)
    out[..., :3] = rgb
    return out


def _benches(picture: Floats, view: View, pitch: Pitch, random: np.random.Generator) -> None:
    """Two shelters with substitutes at the far touchline, either side of the halfway line."""
    y = pitch.half_width + 4.4
    wide = 5.0 if pitch.length_m < 80 else 6.5
    for x in (-4.0 - wide, 4.0):
        back = np.zeros((64, 256, 4), np.uint8)
        back[...] = (96, 106, 116, 255)
        back[:8] = (214, 218, 220, 255)
        paste(picture, view, back, (x, y + 1.0, 0.0), (wide, 0, 0), (0, 0, 1.9))
        roof = np.full((8, 64, 4), (204, 210, 214, 255), np.uint8)
        seated = [
            (x + 0.5 + 0.75 * k, y + 0.4, 0.05, -math.pi / 2 + random.normal(0, 0.25), Posture.SIT)
            for k in range(int((wide - 0.8) / 0.75))
            if random.random() < 0.8
        ]
        figures(picture, view, seated, int(random.integers(1 << 30)))
        paste(picture, view, roof, (x, y - 0.1, 1.9), (wide, 0, 0), (0, 1.1, 0.0))


def _flags(picture: Floats, view: View, pitch: Pitch) -> None:
    """Corner flags: a thin pole and a triangle of cloth."""
    cloth = np.zeros((150, 48, 4), np.uint8)
    cloth[:, :3] = (228, 226, 214, 255)
    cv2.fillPoly(cloth, [np.array([[3, 2], [46, 18], [3, 34]])], (232, 206, 52, 255))
    for sx in (-1, 1):
        for sy in (-1, 1):
            corner = (sx * pitch.half_length - 0.015, sy * pitch.half_width, 0.0)
            paste(picture, view, cloth, corner, (0.48, 0, 0), (0, 0, 1.5))


def _onlookers(
    pitch: Pitch, view: View, random: np.random.Generator, near: bool
) -> list[tuple[float, float, float, float, Posture]]:
    """Parents behind the far touchline and the goals, and a few behind the near one, where they hide no player."""
    hx, hy = pitch.half_length, pitch.half_width
    out: list[tuple[float, float, float, float, Posture]] = []
    for _ in range(round(0.5 * pitch.length_m)):
        posture = Posture.CHEER if random.random() < 0.04 else Posture.STAND
        x = random.uniform(-hx, hx)
        if abs(x) > 12 and not -0.37 * pitch.length_m < x < -0.09 * pitch.length_m:
            out.append((x, hy + random.uniform(6.8, 9.0), 0.0, -math.pi / 2 + random.normal(0, 0.5), posture))
    for _ in range(12):
        side = 1 if random.random() < 0.5 else -1
        x = side * (hx + random.uniform(6.0, 8.0))
        out.append(
            (x, random.uniform(-hy, hy), 0.0, (math.pi if side > 0 else 0) + random.normal(0, 0.4), Posture.STAND)
        )
    camera = view.camera.position_m
    back = -hy - camera[1]
    nearest = back * (camera[2] - 1.9) / camera[2] - 0.3
    row = -hy - max(2.2, back - nearest)
    for _ in range(14 if near else 0):
        x = random.uniform(-0.95 * hx, 0.95 * hx)
        out.append((x, row - random.uniform(0, 0.8), 0.0, math.pi / 2 + random.normal(0, 0.5), Posture.STAND))
    return out


def spare_balls(pitch: Pitch, seed: int) -> Floats:
    """Where balls (n, 3) lie ready beside the pitch, in its metres."""
    hx, hy = pitch.half_length, pitch.half_width
    near = np.random.default_rng([seed, 0xBA1]).uniform(-hx, hx)
    x_y = [(-hx - 3.2, 6.5), (hx + 3.4, -7.0), (hx + 3.0, -6.4), (-0.4 * hx, hy + 2.6), (0.3 * hx, hy + 2.8)]
    return np.array([(x, y, BALL_RADIUS_M) for x, y in [*x_y, (near, -hy - 1.6)]])


def _ball(picture: Floats, view: View, place: Floats) -> None:
    at = np.array([place, place + np.array([0, 0, BALL_RADIUS_M])])
    pixels = view.camera.project(at)
    if window_of(view, at) is None or np.isnan(pixels).any():
        return
    radius = float(np.linalg.norm(pixels[1] - pixels[0]))
    side = 24
    v, u = np.mgrid[0:side, 0:side].astype(np.float32)
    r = np.hypot(u - 11.5, v - 11.5) / 12
    alpha = np.clip((1 - r) * 6, 0, 1)
    light = 226 - 70 * np.clip((v - 8) / 16, 0, 1)
    layer = np.dstack([light * alpha, light * alpha, light * 0.97 * alpha, alpha]).astype(np.float32)
    scale = 2 * radius / side
    lay(picture, layer, np.array([[scale, 0, pixels[0, 0] - radius], [0, scale, pixels[0, 1] - radius]]))
