"""Who can be seen in a virtual camera's frame, and where: the truth that a detector is measured against."""

from dataclasses import dataclass

import cv2
import numpy as np

from simulator.match.truth import MatchTruth
from simulator.pictures.body import template
from simulator.pictures.camera import place_people, template_key
from simulator.pictures.moment import moment
from wire.rig import CameraModel


@dataclass(frozen=True)
class TrueBox:
    """One person in one picture: the box x0, y0, x1, y1 of what of the figure lies inside the picture, the match-wide
    `id`, the figure's whole height in pixels, and the fraction of the figure that is inside and hidden by nobody."""

    id: int
    box: tuple[float, float, float, float]
    height_px: float
    visible: float


def true_boxes(camera: CameraModel, truth: MatchTruth, time_s: float) -> list[TrueBox]:
    """Everybody of whom `camera` sees anything at match time `time_s`, from near to far."""
    now = moment(truth, time_s)
    placed, postures = place_people(camera, truth, now)
    taken = np.zeros((camera.height_px, camera.width_px), np.bool_)
    out = []
    for row in np.argsort(placed.depth_m):
        if not placed.visible[row]:
            continue
        shape = template(*template_key(placed, postures, now, int(row)))
        figure = (shape.garment > 0).astype(np.float32)
        affine = placed.onto(int(row), shape, 0)
        rows, columns = figure.shape
        corners = affine[:, :2] @ np.array([[0, columns, 0, columns], [0, 0, rows, rows]]) + affine[:, 2:]
        low, high = np.floor(corners.min(axis=1)).astype(int), np.ceil(corners.max(axis=1)).astype(int)
        affine[:, 2] += affine[:, :2] @ (0.5, 0.5) - low - 0.5
        size = (int(high[0] - low[0]), int(high[1] - low[1]))
        mask = cv2.warpAffine(figure, affine, size, flags=cv2.INTER_LINEAR) > 0.5
        whole_rows = np.flatnonzero(mask.any(axis=1))
        x0, y0 = np.maximum(low, 0)
        x1, y1 = np.minimum(high, (camera.width_px, camera.height_px))
        if x0 >= x1 or y0 >= y1 or not len(whole_rows):
            continue
        inside = mask[y0 - low[1] : y1 - low[1], x0 - low[0] : x1 - low[0]]
        free = inside & ~taken[y0:y1, x0:x1]
        seen_rows, seen_columns = np.flatnonzero(inside.any(axis=1)), np.flatnonzero(inside.any(axis=0))
        if free.any():
            box = (x0 + seen_columns[0], y0 + seen_rows[0], x0 + seen_columns[-1] + 1, y0 + seen_rows[-1] + 1)
            height = float(whole_rows[-1] - whole_rows[0] + 1)
            share = float(free.sum()) / float(mask.sum())
            x_low, y_low, x_high, y_high = (float(v) for v in box)
            out.append(TrueBox(truth.people[row].id, (x_low, y_low, x_high, y_high), height, share))
        taken[y0:y1, x0:x1] |= inside
    return out
