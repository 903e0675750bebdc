"""Rigs, people walking before them, and pictures of a painted pitch or of a board drawn from first principles."""

from collections.abc import Callable
from functools import cache

import cv2
import numpy as np
import pytest

from hub.calibrate.board import Board
from wire.clicks import Click
from wire.ids import node_id
from wire.pitch import LINE_WIDTH, Pitch
from wire.rig import CameraModel, Lens, Rig, looking

LENS = Lens(1390.0, 958.0, 543.0, -0.255, 0.075, 0.0003, -0.0004, -0.0085)
SMALL = Lens(695.0, 477.0, 272.0, -0.255, 0.075)


def camera(index: int, yaw: float, x: float) -> CameraModel:
    return CameraModel(
        node_id(f"cam{index}"), 1920, 1080, LENS, looking(yaw, -16.0 - index, 0.6 * index - 0.5), (x, -40.0, 7.0)
    )


def small(index: int, yaw: float, x: float) -> CameraModel:
    return CameraModel(
        node_id(f"cam{index}"), 960, 540, SMALL, looking(yaw, -16.5 + index, 0.8 - 0.7 * index), (x, -40.0, 7.0)
    )


@pytest.fixture
def mast_rig() -> Rig:
    return Rig(pitch=Pitch(), cameras=tuple(camera(i, yaw, 0.06 * (i - 1)) for i, yaw in enumerate((-45.0, 0.5, 44.0))))


@pytest.fixture(scope="session")
def small_mast() -> Rig:
    return Rig(pitch=Pitch(), cameras=tuple(small(i, yaw, 0.05 * i) for i, yaw in enumerate((-31.0, 30.0))))


@pytest.fixture(scope="session")
def small_sideline() -> Rig:
    return Rig(pitch=Pitch(), cameras=tuple(small(i, yaw, 25.0 * i - 12.5) for i, yaw in enumerate((-20.0, 20.0))))


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(5)


@pytest.fixture(scope="session")
def photograph() -> Callable[..., np.ndarray]:
    """`photograph(camera, pitch, painted=True)`: BGR picture of grass, paint (four samples a pixel) and a far wall."""
    noise = np.random.default_rng(1).normal(0, 1, (1024, 1024)).astype(np.float32)
    texture = sum(cv2.GaussianBlur(noise, (0, 0), s) * s for s in (1, 3, 9))

    def directions(model: CameraModel) -> np.ndarray:
        """Rays (2h, 2w, 3), interpolated between every eighth: a lens bends them smoothly."""
        u, v = np.meshgrid(np.arange(-8, model.width_px + 9, 8.0), np.arange(-8, model.height_px + 9, 8.0))
        rays = model.rays(np.stack([u.ravel(), v.ravel()], axis=1)).reshape(*u.shape, 3)
        x, y = np.meshgrid(np.arange(2 * model.width_px) / 2 + 0.25, np.arange(2 * model.height_px) / 2 + 0.25)
        return cv2.remap(rays, (x / 8 + 1).astype(np.float32), (y / 8 + 1).astype(np.float32), cv2.INTER_CUBIC)

    @cache
    def draw(model: CameraModel, pitch: Pitch, *, painted: bool = True) -> np.ndarray:
        rays = directions(model)
        shape = rays.shape[:2]
        rays = rays.reshape(-1, 3)
        reach = np.minimum(
            model.position_m[2] / np.maximum(-rays[:, 2], 1e-6), 130.0 / np.hypot(rays[:, 0], rays[:, 1])
        )
        x, y, z = (model.centre + rays * reach[:, None]).T
        on_grass = z < 0.05
        along = np.where(on_grass, x * 6, np.degrees(np.arctan2(x, y + 40)) * 12)
        across = np.where(on_grass, y * 6, z * 25)
        at = [np.mod(c, 1023).astype(np.float32).reshape(shape) for c in (along, across)]
        grain = cv2.remap(texture, *at, cv2.INTER_LINEAR).ravel()
        out = np.where(on_grass[:, None], (45.0, 110.0, 70.0), (80.0, 85.0, 90.0))
        out += (grain * np.where(on_grass, 5.0, 22.0))[:, None]
        if painted:
            half = LINE_WIDTH / 2
            white = np.zeros(len(x), bool)
            for line in pitch.lines():
                inside = (x > min(line.x0, line.x1) - half) & (x < max(line.x0, line.x1) + half)
                white |= inside & (y > min(line.y0, line.y1) - half) & (y < max(line.y0, line.y1) + half)
            for arc in pitch.arcs():
                ring = np.abs(np.hypot(x - arc.x, y - arc.y) - arc.radius) < half
                beyond = (np.abs(x) < pitch.half_length - pitch.form.penalty_area_depth) | (arc.x == 0)
                white |= ring & beyond
            out[white & on_grass] = (225.0, 230.0, 228.0)
        mean = cv2.resize(out.reshape(*shape, 3), None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
        return np.clip(np.rint(mean), 0, 255).astype(np.uint8)

    return draw


@pytest.fixture(scope="session")
def person_clicks() -> Callable[..., list[Click]]:
    """`person_clicks(rig, rng, number, off_px)`: the most spread points of the pitch in each picture, clicked badly."""

    def click(rig: Rig, rng: np.random.Generator, number: int, off_px: float) -> list[Click]:
        points = np.array([[*p, 0.0] for p in dict.fromkeys(rig.pitch.points().values())])
        out = []
        for index, model in enumerate(rig.cameras):
            pixels = np.nan_to_num(model.project(points), nan=-1.0)
            seen = np.flatnonzero(model.sees(pixels, 6.0))
            chosen = [int(seen[0])]
            while len(chosen) < number:
                gap = np.min([np.hypot(*(pixels[seen] - pixels[c]).T) for c in chosen], axis=0)
                chosen.append(int(seen[gap.argmax()]))
            for c in chosen:
                u, v = pixels[c] + rng.normal(0, off_px, 2)
                out.append(Click(index, float(points[c, 0]), float(points[c, 1]), float(u), float(v)))
        return out

    return click


BOARD = Board(11, 8, 30.0, 22.0)
_EDGE_MM, _FINE = 10, 4
"""White paper around the drawn board, and its pixels a millimetre."""


@pytest.fixture(scope="session")
def board_held() -> Callable[..., tuple[np.ndarray, np.ndarray]]:
    """`board_held(lens, size, at, far_mm, aslant_deg)`: where a board's middle is (mm, camera axes) and how it is
    turned, so that it is seen at a share `at` of the picture."""

    def hold(lens, size, at, far_mm, aslant_deg):
        along = lens.undistort((np.array([at]) * size - (lens.cx_px, lens.cy_px)) / lens.focal_px)[0]
        about_x, about_y, about_z = (cv2.Rodrigues(axis)[0] for axis in np.diag(np.radians(aslant_deg)))
        return np.array([*along, 1.0]) * far_mm, about_x @ about_y @ about_z

    return hold


@pytest.fixture(scope="session")
def board_picture() -> Callable[..., np.ndarray]:
    """`board_picture(lens, size, middle_mm, turn, rng)`: grey picture (h, w) of the board `BOARD` held there, four
    samples a pixel, a little blurred and noisy."""
    square = round(BOARD.square_mm * _FINE)
    drawn = BOARD.charuco().generateImage((BOARD.columns * square, BOARD.rows * square))
    edge = [_EDGE_MM * _FINE] * 4
    paper = cv2.copyMakeBorder(drawn, *edge, cv2.BORDER_CONSTANT, value=255).astype(np.float32)
    half = np.array([BOARD.columns, BOARD.rows]) * BOARD.square_mm / 2

    def draw(lens, size, middle_mm, turn, rng, blur_px=0.8, noise=3.0):
        width, height = size
        u, v = np.meshgrid(np.arange(-8, width + 9, 8.0), np.arange(-8, height + 9, 8.0))
        ideal = lens.undistort((np.stack([u.ravel(), v.ravel()], axis=1) - (lens.cx_px, lens.cy_px)) / lens.focal_px)
        x, y = np.meshgrid(np.arange(2 * width) / 2 + 0.25, np.arange(2 * height) / 2 + 0.25)
        # Linear: the cubic kernel of OpenCV does not even keep a slope straight.
        places = [(x / 8 + 1).astype(np.float32), (y / 8 + 1).astype(np.float32)]
        rays = np.ones((*x.shape, 3))
        rays[..., :2] = cv2.remap(ideal.reshape(*u.shape, 2), *places, cv2.INTER_LINEAR)
        reach = (turn[:, 2] @ middle_mm) / (rays @ turn[:, 2])
        on_board = ((rays * reach[..., None] - middle_mm) @ turn)[..., :2]
        on_board[reach <= 0] = 1e6
        at = ((on_board + half + _EDGE_MM) * _FINE - 0.5).astype(np.float32)
        fine = cv2.remap(
            paper, at[..., 0], at[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=90
        )
        mean = cv2.GaussianBlur(cv2.resize(fine, size, interpolation=cv2.INTER_AREA), (0, 0), blur_px)
        return np.clip(np.rint(0.75 * mean + 25 + rng.normal(0, noise, mean.shape)), 0, 255).astype(np.uint8)

    return draw


BOARD_LENS = Lens(695.0, 477.0, 272.0, -0.255, 0.075, 0.0003, -0.0004, -0.0085)
BOARD_SIZE = (960, 540)


@pytest.fixture(scope="session")
def board_pictures(board_held, board_picture) -> list[np.ndarray]:
    """Sixteen of a board waved before a camera: all over the picture, near and far, aslant to every side."""
    rng, out = np.random.default_rng(7), []
    for i in range(16):
        at = (0.05 + 0.9 * (0.618034 * i % 1), 0.05 + 0.9 * (0.754878 * i % 1))
        aslant = (*rng.uniform(-35, 35, 2), rng.uniform(-20, 20))
        held = board_held(BOARD_LENS, BOARD_SIZE, at, rng.uniform(320, 650), aslant)
        out.append(board_picture(BOARD_LENS, BOARD_SIZE, *held, rng))
    return out
