"""`touchline-edge detect`: what a detector finds in a picture or a video, as a table."""

import argparse
import math
import sys
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from edge.capture.file import FileCamera
from edge.commands.table import check_place, give_up, write_table
from edge.detect.budget import Attention, Scene
from edge.detect.detector import Detections, middles
from edge.detect.hailo import MODELS, Chip, HailoDetector
from edge.detect.network import NetworkDetector, merged
from edge.detect.onnx import OnnxDetector
from edge.detect.stature import Stature
from edge.errors import BadInput
from edge.frame import Frame
from edge.track.eyes import open_eyes
from wire.tracks import Kind

PICTURES = (".jpg", ".jpeg", ".png")
HEAD = b"frame,class,score,x0,y0,x1,y1\n"
LEAST_SIDE = 16
TOLD_FRAMES = 25
NOTHING_MOVES = np.zeros((0, 0), np.uint8)
NOWHERE = np.zeros((0, 2))


def detect(arguments: argparse.Namespace) -> int:
    """Look at the file and write the table; what cannot succeed is refused before any work."""
    source, out = arguments.source, arguments.out
    check_place(out, source)
    if not source.is_file():
        raise BadInput(f"there is no picture or video at {source}")
    with closing(Chip(arguments.hailo_models or MODELS, served=arguments.hailo_service)) as chip:
        if source.suffix.lower() in PICTURES:
            write_table(out, _table([(0, _in_picture(source, arguments, chip))]))
        else:
            with FileCamera(source, 0) as camera:
                write_table(out, _table(_in_video(camera, arguments, chip)))
    return 0


def _table(found: Iterable[tuple[int, Detections]]) -> Iterator[bytes]:
    yield HEAD
    for frame, things in found:
        for box, score, kind in zip(things.box, things.score, things.kind, strict=True):
            corners = ",".join(f"{side:.1f}" for side in box)
            yield f"{frame},{Kind(kind).name.lower()},{score:.3f},{corners}\n".encode()


def _in_picture(path: Path, arguments: argparse.Namespace, chip: Chip) -> Detections:
    """The whole picture and the tiles that cover it, or so many looks as were asked for."""
    if arguments.detector == "motion":
        raise BadInput("the motion detector needs a video: nothing moves in one picture")
    raw = np.fromfile(path, np.uint8)
    picture = cv2.imdecode(raw, cv2.IMREAD_COLOR) if raw.size else None
    if picture is None or min(picture.shape[:2]) < LEAST_SIDE:
        raise BadInput(f"{path} cannot be read as a picture of {LEAST_SIDE} x {LEAST_SIDE} pixels or more")
    height, width = picture.shape[:2]
    # Chroma has half the size: an odd edge is doubled for it.
    even = cv2.copyMakeBorder(picture, 0, height % 2, 0, width % 2, cv2.BORDER_REPLICATE)
    frame = Frame(np.asarray(cv2.cvtColor(even, cv2.COLOR_BGR2YUV_I420), np.uint8), 0, 0)
    size = (width + width % 2, height + height % 2)
    detector = HailoDetector(*size, chip) if arguments.detector == "hailo" else OnnxDetector(*size)
    if arguments.passes_per_second is None:
        found = detector.detect(frame)
    else:
        found = _in_looks(detector, math.ceil(arguments.passes_per_second), frame, size)
    return replace(found, box=np.minimum(found.box, (width, height, width, height)))


def _in_looks(detector: NetworkDetector, count: int, frame: Frame, size: tuple[int, int]) -> Detections:
    """What so many looks at one picture find, each chosen by what those before have found."""
    attention = Attention(*size, detector.fit, Stature(size[1]))
    seen: list[Detections] = []
    for _ in range(count):
        people = middles(merged(seen).of(Kind.PERSON).box) if seen else NOWHERE
        looks = attention.choose(0.0, 1, Scene(NOTHING_MOVES, NOWHERE, np.zeros(0), people))
        seen += detector.look_at(frame, looks)
    return merged(seen)


def _in_video(camera: FileCamera, arguments: argparse.Namespace, chip: Chip) -> Iterator[tuple[int, Detections]]:
    """What the looks of a node's eyes find, frame by frame."""
    eyes = open_eyes(
        arguments.detector,
        arguments.passes_per_second,
        camera.width,
        camera.height,
        camera.frames_per_second,
        chip=chip,
        note=give_up,
    )
    for frame in camera:
        eyes.look(frame)
        if eyes.found is not None:
            yield frame.index, eyes.found
        if frame.index % TOLD_FRAMES == TOLD_FRAMES - 1:
            # The tracks are not asked for: let them go.
            eyes.close_segment(0)
            sys.stderr.write(f"{frame.index + 1} frames\n")
