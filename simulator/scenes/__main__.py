"""Writes a scene into a folder, to be looked at or calibrated by hand: `python -m simulator.scenes FOLDER`."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import get_args

import cv2

from simulator.pictures.rigs import RigKind
from simulator.scenes.difficulty import Difficulty
from simulator.scenes.scene import scene
from simulator.scenes.spoiling import Spoiling, spoilt
from wire.clicks import clicks_csv
from wire.errors import BadPitch
from wire.message import encode
from wire.pitch import default_pitch, parse_pitch


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the pictures, `clicks.csv`, and under `truth/` the exact `rig.json` and `panorama.png`."""
    parser = argparse.ArgumentParser(prog="python -m simulator.scenes", description=__doc__.partition(":")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rig", choices=get_args(RigKind), default="mast")
    parser.add_argument("--pitch", help="length x width in metres, like 105x68 (the form's customary size)")
    parser.add_argument("--players", type=int, choices=(11, 9, 7), default=11, help="players a side")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--size", default="2304x1296", help="of the pictures, in pixels")
    parser.add_argument("--cameras", type=int, choices=(2, 3), default=3)
    parser.add_argument("--apart", type=float, default=0.05, help="metres between a mast's cameras")
    parser.add_argument("--clicks", type=int, default=4, help="clicked points a camera, off by 4 px")
    parser.add_argument(
        "--difficulty",
        nargs="+",
        type=Difficulty,
        default=[],
        choices=list(Difficulty),
        metavar="NAME",
        help=f"any of {', '.join(Difficulty)}",
    )
    parser.add_argument(
        "--spoil", type=Spoiling, choices=list(Spoiling), metavar="NAME", help=f"one of {', '.join(Spoiling)}"
    )
    given = parser.parse_args(arguments)
    try:
        pitch = parse_pitch(given.pitch, given.players) if given.pitch else default_pitch(given.players)
    except BadPitch as fault:
        parser.error(str(fault))
    width, height = (int(v) for v in given.size.split("x"))
    made = scene(given.rig, pitch, given.seed, (width, height), given.difficulty, given.cameras, given.apart)
    pictures = made.pictures if given.spoil is None else spoilt(made.pictures, given.spoil, given.seed)
    truth = given.folder / "truth"
    truth.mkdir(parents=True, exist_ok=True)
    for camera, picture in zip(made.rig.cameras, pictures, strict=True):
        cv2.imwrite(str(given.folder / f"{camera.node}.png"), picture)
    (given.folder / "clicks.csv").write_text(clicks_csv(made.clicks(given.clicks)))
    (truth / "rig.json").write_bytes(encode(made.rig))
    cv2.imwrite(str(truth / "panorama.png"), made.panorama.picture)
    return 0


if __name__ == "__main__":
    sys.exit(main())
