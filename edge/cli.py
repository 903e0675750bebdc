"""`touchline-edge`: the command of a camera node."""

import argparse
import asyncio
import math
import os
import sys
from collections.abc import Sequence
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from edge.capture import Camera, CameraSource
from edge.errors import EdgeError
from edge.memory import keep_flat
from edge.serve import Settings, serve
from edge.sight import Eyes
from firmware.clock import SystemClock
from firmware.leaving import leave
from firmware.log import Log
from wire.errors import WireError
from wire.ids import node_id

if TYPE_CHECKING:
    from edge.detect.hailo import Chip

DETECTORS = ("onnx", "motion", "hailo")
TOKEN_VARIABLE = "TOUCHLINE_TOKEN"  # noqa: S105 - its name, not a token


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; what goes wrong is one sentence on stderr and exit status 2."""
    arguments = _parser().parse_args(argv)
    try:
        return int(arguments.run(arguments))
    except (EdgeError, WireError) as fault:
        print(f"touchline-edge: {fault}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    except Exception as fault:
        print(f"touchline-edge: this should not happen: {type(fault).__name__}: {fault}", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="touchline-edge", description="A camera node of a Touchline rig.")
    parser.add_argument("--version", action="version", version=f"touchline-edge {version('touchline')}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    node = commands.add_parser("serve", help="run the node until it is told to stop")
    node.add_argument("--node", required=True, help="this node's id: 1 to 63 of a-z, 0-9 and '-'")
    node.add_argument("--camera", required=True, help="file:PATH or virtual:SOCKET")
    node.add_argument("--data", required=True, type=Path, help="folder for segments and ledger")
    node.add_argument("--host", default="127.0.0.1", help="address the API listens on (%(default)s)")
    node.add_argument("--port", type=int, default=8080, help="port the API listens on (%(default)s; 0 for any)")
    node.add_argument("--hub", required=True, help="address of the hub, as http://HOST:PORT")
    # The environment is for the rig's unit file: what stands on the command line, every user of the machine can read.
    token = os.environ.get(TOKEN_VARIABLE)
    node.add_argument(
        "--token",
        required=not token,
        default=token,
        help=f"the rig's token, which node and hub ask of each other; without it, {TOKEN_VARIABLE} of the environment",
    )
    node.add_argument("--detector", choices=DETECTORS, default="onnx", help="(%(default)s)")
    node.add_argument(
        "--passes-per-second", type=_positive, default=4.0, help="detector passes to spend each second (%(default)g)"
    )
    node.add_argument(
        "--poses-per-second",
        type=_not_negative,
        default=0.0,
        help="persons near the ball whose pose is looked at each second (%(default)g: none)",
    )
    node.add_argument(
        "--hailo-models", type=Path, help="folder of the HEF files for --detector hailo (/usr/share/hailo-models)"
    )
    node.add_argument("--delete-confirmed", action="store_true", help="delete segments once the hub has them")
    node.set_defaults(run=_serve)
    return parser


def _serve(arguments: argparse.Namespace) -> int:
    keep_flat()
    clock = SystemClock()
    settings = Settings(
        node=node_id(arguments.node),
        source=CameraSource.parse(arguments.camera),
        data=arguments.data,
        host=arguments.host,
        port=arguments.port,
        hub=arguments.hub,
        token=arguments.token,
        detector=arguments.detector,
        delete_confirmed=arguments.delete_confirmed,
    )

    log = Log(sys.stderr, clock, node=settings.node)

    # Imported when first needed: a node answers before its detector's libraries are loaded.
    @cache
    def chip() -> "Chip":
        from edge.detect.hailo import MODELS, Chip  # noqa: PLC0415

        # One owner for all recordings: a second one would find the chip taken.
        return Chip(arguments.hailo_models or MODELS)

    def eyes_for(camera: Camera) -> Eyes:
        from edge.track.eyes import open_eyes  # noqa: PLC0415

        return open_eyes(
            arguments.detector,
            arguments.passes_per_second,
            camera.width,
            camera.height,
            camera.frames_per_second,
            poses_per_second=arguments.poses_per_second,
            chip=chip(),
            note=lambda fault: log.event("detector-fault", fault=str(fault)),
        )

    return leave(asyncio.run(serve(settings, eyes_for, clock, log)))


def _positive(text: str) -> float:
    value = float(text)
    if not (math.isfinite(value) and value > 0):
        raise argparse.ArgumentTypeError(f"{text} is not above 0")
    return value


def _not_negative(text: str) -> float:
    value = float(text)
    if not (math.isfinite(value) and value >= 0):
        raise argparse.ArgumentTypeError(f"{text} is below 0")
    return value
