"""`touchline-hub lens`: from pictures or videos of a board to a lens profile, which `calibrate` starts from."""

import argparse
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np

from hub.calibrate.board import DICTIONARY, Board, BoardFinder, Sighting
from hub.calibrate.lenses import LensProfile
from hub.calibrate.measuring import measure_lens
from hub.commands.pictures import check_there, is_video, read_picture, still_frames
from hub.commands.progress import step_teller
from hub.commands.rigs import UNTRUSTED
from hub.errors import HubError, LensNotMeasured
from hub.picture import Plane
from wire import message
from wire.durable import write_durably

_TENTHS = 10
"""A video's progress is told so many times."""


def add_lens(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the parser's."""
    parser = commands.add_parser("lens", help="measure a camera's lens by pictures or videos of a ChArUco board")
    parser.add_argument(
        "files", nargs="*", type=Path, metavar="PICTURE", help="pictures of the board, or videos of it, by one camera"
    )
    parser.add_argument(
        "--board", type=_squares, default=(11, 8), metavar="COLUMNSxROWS", help="the board's squares (11x8)"
    )
    parser.add_argument("--square", type=float, default=30.0, metavar="MM", help="a square's side (%(default)g)")
    parser.add_argument("--marker", type=float, default=22.0, metavar="MM", help="a marker's side (%(default)g)")
    parser.add_argument("--print", type=Path, metavar="FILE", help="draw the board true to size: FILE.svg")
    parser.add_argument("--out", "-o", type=Path, metavar="FILE", help="the lens's profile: FILE.json")
    parser.set_defaults(run=run)


def _squares(text: str) -> tuple[int, int]:
    found = re.fullmatch(r"(\d{1,3})x(\d{1,3})", text)
    if found is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no board: give its squares across and down, like 11x8")
    return int(found[1]), int(found[2])


def run(arguments: argparse.Namespace) -> int:
    """Draw the board, or measure the lens; 0 only for a profile that is to be trusted."""
    files: list[Path] = arguments.files
    columns, rows = arguments.board
    board = Board(columns, rows, arguments.square, arguments.marker)
    if arguments.print is not None:
        _check_place(arguments.print, "--print", ".svg", files)
        write_durably(arguments.print, board.svg().encode())
        print(f"{arguments.print}: {board.columns}x{board.rows} squares of {board.square_mm:g} mm")
        if not files:
            return 0
    if not files or arguments.out is None:
        raise HubError("give pictures or videos of the board, and a file for the profile: -o FILE.json")
    _check_place(arguments.out, "-o", ".json", files)
    for path in files:
        check_there(path)
    told = step_teller(sys.stderr)
    finder = BoardFinder(board)
    sightings: list[Sighting] = []
    size: tuple[int, int] | None = None
    for share, name, picture in _pictures(files):
        if size is not None and picture.shape != size:
            raise LensNotMeasured(
                f"{name} is {picture.shape[1]}x{picture.shape[0]}, but the pictures before it are {size[1]}x{size[0]}: "
                "give those of one camera at one size"
            )
        size = (picture.shape[0], picture.shape[1])
        seen = finder.find(picture)
        if seen is not None:
            sightings.append(seen)
        told(f"reading {name}", 0.9 * share)
    if size is None or not sightings:
        raise LensNotMeasured(_not_found(board, finder.markers_seen))
    told(f"the lens, from {len(sightings)} views of the board", 0.9)
    profile = measure_lens(sightings, size[1], size[0])
    write_durably(arguments.out, message.encode(profile, indent=1))
    _report(profile, arguments.out)
    return UNTRUSTED if profile.notes else 0


def _check_place(path: Path, option: str, ending: str, files: Sequence[Path]) -> None:
    """Raises `HubError` unless a file can be written there, of that kind, over none of the pictures."""
    if path.suffix != ending:
        raise HubError(f"{option} {path}: give a file's name that ends with {ending}")
    if not path.parent.is_dir():
        raise HubError(f"there is no folder {path.parent} to write {path.name} into")
    if path.is_dir() or any(path.exists() and file.exists() and path.samefile(file) for file in files):
        raise HubError(f"{option} {path}: give the name of a file of its own")


def _pictures(files: Sequence[Path]) -> Iterator[tuple[float, str, Plane]]:
    """All that is to be looked at, grey: the share that is done by then, and whence it comes."""
    for index, path in enumerate(files):
        if is_video(path):
            for share, luma in still_frames(path):
                tenth = int(share * _TENTHS) / _TENTHS
                yield (index + share) / len(files), f"{path.name}, {tenth:.0%}", luma
        else:
            grey = np.asarray(cv2.cvtColor(read_picture(path), cv2.COLOR_BGR2GRAY), np.uint8)
            yield (index + 1) / len(files), path.name, grey


def _not_found(board: Board, markers_seen: bool) -> str:
    if markers_seen:
        return (
            f"markers were seen, but never enough of a board of {board.columns}x{board.rows} squares: is that its size "
            "(--board), and was it large enough in the pictures?"
        )
    return (
        f"no board was found: its markers have to be of {DICTIONARY}, as --print draws them, and large enough to read"
    )


def _report(profile: LensProfile, out: Path) -> None:
    lens = profile.lens
    ends = lens.undistort(
        (np.array([[0.0, lens.cy_px], [profile.width_px, lens.cy_px]]) - (lens.cx_px, lens.cy_px)) / lens.focal_px
    )
    left, right = np.degrees(np.arctan(ends[:, 0]))
    print(
        f"focal length {lens.focal_px:.1f} px, {right - left:.1f} degrees across {profile.width_px}x{profile.height_px}"
    )
    print(f"rms {profile.rms_px:.2f} px, {profile.pictures} views, {profile.covered:.0%} of the picture covered")
    for note in profile.notes:
        print(f"touchline-hub: {note}", file=sys.stderr)
    print(f"{out}: {'NOT to be trusted' if profile.notes else 'measured'}")
