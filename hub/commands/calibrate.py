"""`touchline-hub calibrate`: from a picture or video of each camera to `rig.json`."""

import argparse
import sys
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np

from hub.calibrate import View, calibrate, with_clock_offsets
from hub.calibrate.drawing import drawn_lines, jpeg
from hub.calibrate.lenses import LensProfile, known_lens
from hub.calibrate.motion import Places, find_shift
from hub.commands.pictures import first_frames, is_video, read_still
from hub.commands.progress import step_teller
from hub.commands.rigs import UNTRUSTED, clicks_in, report
from hub.errors import HubError
from wire import message
from wire.clicks import Click, clicks_csv
from wire.durable import write_durably
from wire.ids import NodeId, node_id
from wire.pitch import FORMATS, Pitch, parse_pitch
from wire.rig import Rig
from wire.rigtime import nanoseconds

NAMES = {1: ("camera",), 2: ("left", "right"), 3: ("left", "centre", "right")}


def add_calibrate(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the parser's."""
    parser = commands.add_parser("calibrate", help="find a rig's cameras from a picture or video of each")
    parser.add_argument(
        "views", nargs="+", type=Path, metavar="PICTURE", help="of each camera, from the left: LEFT [CENTRE] RIGHT"
    )
    parser.add_argument("--pitch", required=True, help="length x width in metres, like 105x68")
    parser.add_argument(
        "--players", type=int, choices=sorted(FORMATS, reverse=True), default=11, help="players a side (%(default)s)"
    )
    parser.add_argument(
        "--clicks", type=Path, metavar="FILE", help="CSV camera,x_m,y_m,u_px,v_px of pitch points seen in the pictures"
    )
    parser.add_argument(
        "--lens",
        type=_lens,
        metavar="NAME|DEGREES|FILE",
        help="the cameras' lens, the degrees that it shows across, or its profile, FILE.json, by `touchline-hub lens`",
    )
    parser.add_argument("--lines", type=Path, metavar="FOLDER", help="draw the found lines over the pictures, into it")
    parser.add_argument(
        "--points",
        type=Path,
        metavar="FILE",
        help="write where the pitch's named points were found, to be put right and given back as --clicks",
    )
    parser.add_argument("--out", "-o", required=True, type=Path, metavar="FILE", help="the calibration: rig.json")
    parser.set_defaults(run=run)


def _lens(text: str) -> float | LensProfile:
    try:
        return known_lens(text)
    except ValueError as fault:
        raise argparse.ArgumentTypeError(str(fault)) from None


def run(arguments: argparse.Namespace) -> int:
    """Calibrate; 0 only for a rig that is to be trusted."""
    files: list[Path] = arguments.views
    out: Path = arguments.out
    if len(files) > len(NAMES):
        raise HubError(f"a rig has one to three cameras, not {len(files)}")
    pitch = parse_pitch(arguments.pitch, arguments.players)
    clicks = clicks_in(arguments.clicks)
    for place in (out, arguments.lines, arguments.points):
        if place is not None and not place.parent.is_dir():
            raise HubError(f"there is no folder {place.parent} to write {place.name} into")
    if out.is_dir() or any(out.exists() and path.exists() and out.samefile(path) for path in files):
        raise HubError(f"-o {out}: give the name of a file of its own")
    nodes = [node_id(name) for name in NAMES[len(files)]]
    told = step_teller(sys.stderr)
    views = []
    for share, (node, path) in enumerate(zip(nodes, files, strict=True)):
        told(f"reading {path.name}", 0.1 * share / len(files))
        views.append(View(node, read_still(path), arguments.lens))
    if isinstance(arguments.lens, LensProfile):
        for note in arguments.lens.notes:
            print(f"touchline-hub: the lens profile is not to be trusted: {note}", file=sys.stderr)
    rig = calibrate(views, pitch, clicks, lambda step, share: told(step, 0.1 + 0.7 * share))
    if len(files) > 1 and all(map(is_video, files)):
        told("the clocks, from what moves", 0.8)
        rig = with_clock_offsets(rig, _clocks(rig, files))
    told("writing", 0.98)
    write_durably(out, message.encode(rig, indent=1))
    if arguments.points is not None:
        write_durably(arguments.points, _points_csv(rig).encode())
    if arguments.lines is not None:
        _draw(arguments.lines, views, rig, pitch)
    report(rig, str(out))
    return 0 if rig.quality.trusted else UNTRUSTED


def _clocks(rig: Rig, files: Sequence[Path]) -> dict[NodeId, int]:
    """Nanoseconds to add to each video's times so that they agree with those of the middle one (of two: the first)."""
    middle = 1 if len(files) == 3 else 0
    shifts = []
    for i, (first, second) in enumerate(pairwise(rig.cameras)):
        places = Places(first, second, rig.pitch.half_length, rig.pitch.half_width)
        records = [
            [(shot.time_ns, places.read(shot.picture.luma, k)) for shot in first_frames(files[i + k])] for k in (0, 1)
        ]
        found = find_shift(records[0], records[1]) if len(places) else None
        if found is None:
            print(
                f"touchline-hub: too little moves where {first.node} and {second.node} both look: their shift in time "
                "is not known and taken to be none",
                file=sys.stderr,
            )
        shifts.append(0.0 if found is None else found.seconds)
    total = [0.0]
    for shift in shifts:
        total.append(total[-1] + shift)
    return {
        camera.node: nanoseconds(seconds - total[middle]) for camera, seconds in zip(rig.cameras, total, strict=True)
    }


def _points_csv(rig: Rig) -> str:
    """The pitch's named points where the calibration sees them: clicks to begin with, for a person to put right."""
    found = []
    for index, camera in enumerate(rig.cameras):
        for name, (x, y) in rig.pitch.points().items():
            ((u, v),) = pixel = camera.project([[x, y, 0.0]])
            if camera.sees(np.nan_to_num(pixel, nan=-1.0))[0]:
                found.append((Click(index, x, y, float(u), float(v)), name))
    head, *rows = clicks_csv(click for click, _ in found).splitlines()
    return "\n".join([f"{head},name", *(f"{row},{name}" for row, (_, name) in zip(rows, found, strict=True))]) + "\n"


def _draw(folder: Path, views: Sequence[View], rig: Rig, pitch: Pitch) -> None:
    folder.mkdir(exist_ok=True)
    for view, camera in zip(views, rig.cameras, strict=True):
        write_durably(folder / f"{camera.node}.jpg", jpeg(drawn_lines(view.picture, camera, pitch)))
