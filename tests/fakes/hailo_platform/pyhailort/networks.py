"""What runs behind the fake chip: the networks this repository ships, with the inputs and outputs of the HEF files."""

from functools import cache

import cv2
import numpy as np

from edge.detect.detector import without_doubles
from edge.detect.onnx import NanoDet
from edge.pose.onnx import OnnxPose
from wire.tracks import Kind

SIDE = 640
LARGER = 960
COCO = {Kind.PERSON: 0, Kind.BALL: 32}


@cache
def nanodet() -> NanoDet:
    return NanoDet()


@cache
def movenet() -> OnnxPose:
    return OnnxPose()


class Detection:
    """yolov8s with HailoRT's NMS behind it, by class, at most a hundred boxes each."""

    shape = (SIDE, SIDE, 3)
    input_name = "yolov8s/input_layer1"
    nms = True
    classes = 80
    most = 100
    outputs = {"yolov8s/yolov8_nms_postprocess": (classes * (1 + 5 * most),)}  # noqa: RUF012 - never changed

    def run(self, rgb, least_score, iou):
        # NanoDet is the weaker network: enlarged, it places small persons' feet as well as is asked of any driver.
        bgr = cv2.resize(rgb[..., ::-1], (LARGER, LARGER), interpolation=cv2.INTER_CUBIC)
        box, score, kind = nanodet().find(bgr)
        box = box * SIDE / LARGER
        by_class = {number: self._rows(kind == k, box, score, least_score, iou) for k, number in COCO.items()}
        none = np.zeros((0, 5), np.float32)
        parts = [by_class.get(number, none) for number in range(self.classes)]
        values = np.concatenate([np.concatenate([[len(part)], part.reshape(-1)]) for part in parts])
        return {"yolov8s/yolov8_nms_postprocess": values.astype(np.float32)}

    def _rows(self, mine, box, score, least_score, iou):
        box, score = box[mine & (score >= least_score)], score[mine & (score >= least_score)]
        kept = without_doubles(box, score, iou)[: self.most]
        return np.concatenate([box[kept][:, [1, 0, 3, 2]] / SIDE, score[kept, None]], axis=1).astype(np.float32)


class Pose:
    """yolov8s_pose: nine raw outputs, made here by writing down backwards what a detector and MoveNet see."""

    shape = (SIDE, SIDE, 3)
    input_name = "yolov8s_pose/input_layer1"
    nms = False
    classes = None
    grids = (80, 40, 20)
    outputs = {  # noqa: RUF012 - never changed
        f"yolov8s_pose/conv{grid}_{channels}": (grid, grid, channels)
        for grid in (80, 40, 20)
        for channels in (64, 1, 51)
    }

    def run(self, rgb, _score, _iou):
        out = {shape: np.zeros(shape, np.float32) for shape in self.outputs.values()}
        box, score, kind = nanodet().find(np.ascontiguousarray(rgb[..., ::-1]))
        persons = np.flatnonzero((kind == Kind.PERSON) & (score > 0.3))
        for row in persons[without_doubles(box[persons], score[persons], 0.7)]:
            self._write(out, rgb, box[row], score[row])
        return {name: out[shape] for name, shape in self.outputs.items()}

    def _write(self, out, rgb, box, score):
        point, sure = self._pose(rgb, box)
        middle = (box[:2] + box[2:]) / 2
        # The finest grid whose bins reach to the edges of the box.
        grid = next(g for g in self.grids if max(box[2:] - box[:2]) * g / SIDE < 14 or g == self.grids[-1])
        stride = SIDE / grid
        column, row = np.clip((middle / stride).astype(int), 0, grid - 1)
        centre = (np.array([column, row]) + 0.5) * stride
        reach = np.clip(np.concatenate([centre - box[:2], box[2:] - centre]) / stride, 0, 14.99)
        weight = np.maximum(1 - np.abs(np.arange(16) - reach[:, None]), 1e-9)
        out[grid, grid, 64][row, column] = np.log(weight).reshape(-1)
        out[grid, grid, 1][row, column] = score
        raw = np.empty((17, 3))
        raw[:, :2] = (point / stride - (column, row)) / 2
        raw[:, 2] = np.log(sure / (1 - sure))
        out[grid, grid, 51][row, column] = raw.reshape(-1)

    def _pose(self, rgb, box):
        half = int(0.625 * max(box[2:] - box[:2]))
        x, y = ((box[:2] + box[2:]) / 2).astype(int)
        around = np.pad(rgb, ((half, half), (half, half), (0, 0)))[y : y + 2 * half, x : x + 2 * half]
        point, sure = movenet().find(cv2.resize(around, (192, 192), interpolation=cv2.INTER_AREA))
        return point * 2 * half + (x - half, y - half), np.clip(sure, 1e-3, 1 - 1e-3)


NETWORKS = {"yolov8s": Detection(), "yolov8s_pose": Pose()}
