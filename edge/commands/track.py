"""`touchline-edge track`: the tracklets that a node would see in a video, as a table."""

import argparse
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TextIO

import numpy as np

from edge.capture.file import FileCamera
from edge.commands.table import check_place, give_up, write_table
from edge.detect.hailo import MODELS, Chip
from edge.frame import Frame
from edge.sight import Eyes, SegmentSight
from edge.track.eyes import open_eyes
from wire.tracks import Kind

HEAD = b"frame,id,class,score,x0,y0,x1,y1\n"
JOINED_S = 0.32
"""Two sightings of a person no further apart than this are joined: nobody turns in less."""
SEGMENT_S = 2.0
"""Rows are told as a node tells them, segment by segment."""


def track(arguments: argparse.Namespace) -> int:
    """Follow people and ball through the video and write the table; raises `EdgeError`, before any work if it can."""
    source: Path = arguments.video
    out: Path = arguments.out
    check_place(out, source)
    chip = Chip(arguments.hailo_models or MODELS, served=arguments.hailo_service)
    try:
        with FileCamera(source, 0) as camera:
            size, rate = (camera.width, camera.height), camera.frames_per_second
            passes = arguments.passes_per_second
            eyes = open_eyes(arguments.detector, passes, *size, rate, joined_s=JOINED_S, chip=chip, note=give_up)
            write_table(out, _table(eyes, camera, rate, sys.stderr))
    finally:
        chip.close()
    return 0


def _table(eyes: Eyes, frames: Iterable[Frame], frames_per_second: float, progress: TextIO) -> Iterator[bytes]:
    """The head, then the rows of each segment as soon as it is over, in order of frame and id."""
    yield HEAD
    most = max(1, round(SEGMENT_S * frames_per_second))
    looked = 0
    for frame in frames:
        eyes.look(frame)
        looked += 1
        if looked % most == 0:
            yield _rows(eyes.close_segment(looked // most - 1), looked - most)
            print(f"{looked / frames_per_second:.0f} s looked at", file=progress, flush=True)
    if looked % most:
        yield _rows(eyes.close_segment(looked // most), looked // most * most)
    print(f"done: {looked} frames", file=progress, flush=True)


def _rows(sight: SegmentSight, first: int) -> bytes:
    kinds = {tracklet.id: Kind(tracklet.kind).name.lower() for tracklet in sight.tracklets}
    lines = []
    for row in np.lexsort((sight.tracklet, sight.frame)):
        number = int(sight.tracklet[row])
        corners = ",".join(f"{side:.1f}" for side in sight.box[row])
        lines.append(f"{first + int(sight.frame[row])},{number},{kinds[number]},{sight.score[row]:.3f},{corners}\n")
    return "".join(lines).encode()
