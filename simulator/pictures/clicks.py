"""The simulator plays the person who clicks points of the pitch in the cameras' pictures."""

from itertools import combinations

import numpy as np
import numpy.typing as npt

from simulator.pictures.rigs import TrueRig
from wire.clicks import Click
from wire.pitch import Pitch


def clicks(true_rig: TrueRig, pitch: Pitch, seed: int, points: int = 4, sigma_px: float = 4.0) -> list[Click]:
    """`points` named points of the pitch per camera, spread as far apart in its picture as it goes, each off by normal
    errors of `sigma_px` in u and v."""
    random = np.random.default_rng([seed, 0xC11C])
    places = np.array(list(pitch.points().values()))
    out: list[Click] = []
    for index, camera in enumerate(true_rig.rig.cameras):
        pixels = camera.project(np.column_stack([places, np.zeros(len(places))]))
        seen = np.flatnonzero(camera.sees(np.nan_to_num(pixels, nan=-1e9), margin_px=12.0))
        for k in _spread(pixels[seen], points):
            u, v = pixels[seen[k]] + random.normal(0.0, sigma_px, 2)
            x, y = places[seen[k]]
            out.append(Click(index, float(x), float(y), float(u), float(v)))
    return out


def _spread(pixels: npt.NDArray[np.float64], count: int) -> list[int]:
    """Indexes of `count` pixels that lie well apart: the four whose smallest triangle is largest, so that no three are
    nearly in line, then each the farthest from those taken. Heights count three times: seen from a pole, a pitch is
    wide and flat, and depth is what a calibration lacks."""
    scaled = pixels * (1.0, 3.0)
    fours = np.array(list(combinations(range(len(pixels)), min(4, count, len(pixels)))))
    smallest = np.full(len(fours), np.inf)
    for a, b, c in combinations(range(fours.shape[1]), 3):
        p, q = scaled[fours[:, b]] - scaled[fours[:, a]], scaled[fours[:, c]] - scaled[fours[:, a]]
        smallest = np.minimum(smallest, np.abs(p[:, 0] * q[:, 1] - p[:, 1] * q[:, 0]))
    taken = [int(k) for k in fours[np.argmax(smallest)]]
    while len(taken) < min(count, len(pixels)):
        gaps = np.min([np.linalg.norm(scaled - scaled[k], axis=1) for k in taken], axis=0)
        taken.append(int(np.argmax(gaps)))
    return taken
