"""`touchline-hub locate`: pixels of a calibrated rig as places on the pitch, and the other way."""

import argparse
import csv
import math
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO

import numpy as np

from hub.commands.rigs import read_rig
from wire.errors import BadTable
from wire.rig import CameraModel, Rig

PIXEL, PLACE = ("u_px", "v_px"), ("x_m", "y_m")


def add_locate(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the parser's."""
    parser = commands.add_parser("locate", help="turn pixels on the standard input into places on the pitch")
    parser.add_argument("--rig", required=True, type=Path, metavar="FILE", help="the calibration: rig.json")
    parser.add_argument("--inverse", action="store_true", help="turn places into pixels instead")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Read a table from the standard input and write it with two columns more."""
    rig = read_rig(arguments.rig)
    for line in located(rig, sys.stdin, inverse=arguments.inverse):
        sys.stdout.write(line)
    return 0


def located(rig: Rig, table: IO[str], *, inverse: bool) -> Iterator[str]:
    """Lines of the table with the place (x_m, y_m) on the pitch that each pixel shows, or with the pixel (u_px, v_px)
    that shows each place; empty where there is none. Raises `BadTable`."""
    given, added = (PLACE, PIXEL) if inverse else (PIXEL, PLACE)
    rows = csv.DictReader(table)
    columns = list(rows.fieldnames or [])
    missing = [column for column in ("camera", *given) if column not in columns]
    if missing:
        raise BadTable(f"the header must have camera,{','.join(given)} (missing: {', '.join(missing)})")
    kept = [column for column in columns if column not in added]
    yield ",".join([*map(_cell, kept), *added]) + "\n"
    for number, row in enumerate(rows, 2):
        camera, values = _read(rig, row, given, number)
        found = _pixel(camera, values) if inverse else _place(camera, values)
        digits = 3 if inverse else 4
        written = [f"{value:.{digits}f}" if math.isfinite(value) else "" for value in found]
        yield ",".join([*(_cell(row[column] or "") for column in kept), *written]) + "\n"


def _read(rig: Rig, row: Mapping[str, str], given: tuple[str, ...], line: int) -> tuple[CameraModel, list[float]]:
    try:
        index = int(row["camera"])
        # What `locate` left empty has no counterpart the other way either.
        values = [float(row[column] or math.nan) for column in given]
    except (TypeError, ValueError):
        raise BadTable(f"line {line}: camera must be a whole number, {' and '.join(given)} numbers") from None
    if not 0 <= index < len(rig.cameras):
        raise BadTable(f"line {line}: there is no camera {index}, only 0 to {len(rig.cameras) - 1} from the left")
    return rig.cameras[index], values


def _place(camera: CameraModel, pixel: list[float]) -> tuple[float, float]:
    if not all(map(math.isfinite, pixel)):
        return math.nan, math.nan
    ((x, y),) = camera.to_plane(np.array([pixel]))
    return float(x), float(y)


def _pixel(camera: CameraModel, place: list[float]) -> tuple[float, float]:
    if not all(map(math.isfinite, place)):
        return math.nan, math.nan
    ((u, v),) = camera.project([[*place, 0.0]])
    return float(u), float(v)


def _cell(text: str) -> str:
    return '"' + text.replace('"', '""') + '"' if any(c in text for c in ',"\n') else text
