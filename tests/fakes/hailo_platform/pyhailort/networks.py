"""What runs behind the fake chip: the networks this repository ships, with the inputs and outputs of the HEF files."""

from functools import cache

import cv2
import numpy as np

from edge.detect.detector import without_doubles
from edge.detect.onnx import NanoDet
from wire.tracks import Kind

SIDE = 640
LARGER = 960
COCO = {Kind.PERSON: 0, Kind.BALL: 32}


@cache
def nanodet() -> NanoDet:
    return NanoDet()


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


NETWORKS = {"yolov8s": Detection()}
