"""`touchline-edge`: the command of a camera node."""

import argparse
import asyncio
import math
import os
import resource
import sys
from collections.abc import Sequence
from functools import cache
from getpass import getpass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from edge.api.access import PIN_FILE, OperatorPin
from edge.capture import PROFILES, Camera, CameraSource, Profile, Sync
from edge.config import NAME as CONFIG
from edge.config import Config, DetectorName, NodeConfig
from edge.errors import CameraFault, EdgeError
from edge.ledger import NAME, Ledger, given_back
from edge.memory import keep_flat
from edge.offload.stick import Progress, bring_receipts, export
from edge.record.shelf import Shelf
from edge.serve import Settings, serve
from edge.sight import Eyes
from edge.storage import trim_ballast
from firmware.clock import ChronyClock
from firmware.errors import FirmwareError
from firmware.health import BoardHealth, DisabledHealth
from firmware.leaving import leave
from firmware.log import Log
from firmware.panel import PanelSource
from firmware.power import DisabledPower, SystemPower
from firmware.supervision import supervisor
from wire.durable import make_folder
from wire.errors import WireError
from wire.ids import node_id, session_id
from wire.session import SegmentState

if TYPE_CHECKING:
    from edge.detect.hailo import Chip

DETECTORS = get_args(DetectorName)
HEALTH = {"board": BoardHealth, "disabled": DisabledHealth}
POWER = {"system": SystemPower, "disabled": DisabledPower}
TOKEN_VARIABLE = "TOUCHLINE_TOKEN"  # noqa: S105 - its name, not a token


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; what goes wrong is one sentence on stderr and exit status 2."""
    arguments = _parser().parse_args(argv)
    try:
        return int(arguments.run(arguments))
    except (EdgeError, FirmwareError, WireError) as fault:
        print(f"touchline-edge: {fault}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    except Exception as fault:
        print(f"touchline-edge: this should not happen: {type(fault).__name__}: {fault}", file=sys.stderr)
        return 1


def run() -> int:
    """The command: `main`, and then an end that waits for no thread that hangs."""
    return leave(main())


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="touchline-edge", description="A camera node of a Touchline rig.")
    parser.add_argument("--version", action="version", version=f"touchline-edge {version('touchline')}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    node = commands.add_parser("serve", help="run the node until it is told to stop")
    node.add_argument("--node", required=True, help="this node's id: 1 to 63 of a-z, 0-9 and '-'")
    node.add_argument("--camera", required=True, help="file:PATH, virtual:SOCKET or picamera:ID")
    node.add_argument(
        "--profile",
        type=_profile,
        metavar="WIDTHxHEIGHT[@RATE][-hevc]",
        help="what a picamera records, like " + ", ".join(map(str, PROFILES)) + " (what suits the sensor)",
    )
    node.add_argument(
        "--sync",
        type=Sync,
        choices=Sync,
        default=Sync.OFF,
        help="a picamera's part in keeping the rig's cameras in step (%(default)s)",
    )
    node.add_argument(
        "--lens", help="what a picamera looks through, like '6 mm', for the manifests (what the sensor's name says)"
    )
    node.add_argument("--data", required=True, type=Path, help="folder for segments and ledger")
    node.add_argument("--host", default="127.0.0.1", help="address the API listens on (%(default)s)")
    node.add_argument("--port", type=int, default=8080, help="port the API listens on (%(default)s; 0 for any)")
    node.add_argument(
        "--hub",
        required=True,
        help="address of the hub, as http://HOST:PORT, or auto to look for it on the network; a node that others can "
        "reach (--host) looks there as well while nothing answers at the address",
    )
    node.add_argument(
        "--offload-mbit", type=_positive, metavar="MBIT", help="megabits a second that the offload may take (no limit)"
    )
    _add_token(node)
    _add_detector(node)
    node.add_argument(
        "--poses-per-second",
        type=_not_negative,
        default=0.0,
        help="persons near the ball whose pose is looked at each second (%(default)g: none)",
    )
    node.add_argument("--sound", metavar="alsa:DEVICE", help="a microphone to record beside the picture (none)")
    node.add_argument(
        "--delete-confirmed", action="store_true", help="delete segments once the hub has them, not only for room"
    )
    node.add_argument(
        "--nodes-on-disk",
        type=_count,
        default=1,
        metavar="N",
        help="how many nodes record onto the disk of --data, this one among them: each counts on its share of the room "
        "(%(default)s)",
    )
    node.add_argument(
        "--health",
        choices=tuple(HEALTH),
        default="board",
        help="ask the board for heat, supply and battery, or let no gate close on them (%(default)s)",
    )
    node.add_argument(
        "--panel",
        default="disabled",
        help="disabled, or gpio:LIGHT,BEEPER with the pins' BCM numbers (%(default)s)",
    )
    node.add_argument(
        "--power",
        choices=tuple(POWER),
        default="disabled",
        help="let an operator switch the machine off by systemctl, or not (%(default)s)",
    )
    node.set_defaults(run=_serve)
    finder = commands.add_parser("detect", help="list the persons and balls in a picture or a video")
    finder.add_argument("source", type=Path, metavar="IMAGE|VIDEO", help="a JPEG or PNG, or any video")
    _add_detector(finder, " of a video, or on a picture")
    finder.add_argument("--out", required=True, type=Path, metavar="FILE", help="the table, as CSV")
    finder.set_defaults(run=_detect)
    follow = commands.add_parser("track", help="follow people and ball through a video and write a table")
    follow.add_argument("video", type=Path, metavar="VIDEO")
    _add_detector(follow)
    follow.add_argument("--out", required=True, type=Path, metavar="FILE", help="the table, as CSV")
    follow.set_defaults(run=_track)
    carry = commands.add_parser("export", help="copy what the hub has not confirmed to a stick, to be carried to it")
    carry.add_argument("--data", required=True, type=Path, help="the node's folder of segments and ledger")
    carry.add_argument("--to", required=True, type=Path, metavar="FOLDER", help="a folder on the stick")
    carry.add_argument("--session", help="only this session (all of them)")
    _add_token(carry)
    carry.set_defaults(run=_export)
    pin = commands.add_parser("pin", help="set the PIN by which an operator signs in, read from the standard input")
    pin.add_argument("--data", required=True, type=Path, help="the node's folder of segments and ledger")
    pin.set_defaults(run=_pin)
    return parser


def _add_detector(command: argparse.ArgumentParser, more: str = "") -> None:
    command.add_argument("--detector", choices=DETECTORS, default="onnx", help="(%(default)s)")
    command.add_argument(
        "--passes-per-second", type=_positive, help=f"detector passes to spend each second{more} (onnx 4, hailo 24)"
    )
    command.add_argument(
        "--hailo-models", type=Path, help="folder of the HEF files for --detector hailo (/usr/share/hailo-models)"
    )
    command.add_argument(
        "--hailo-service",
        action="store_true",
        help="have the chip from HailoRT's service, which lets several programs of this board use it",
    )


def _add_token(command: argparse.ArgumentParser) -> None:
    # The environment is for the rig's unit file: what stands on the command line, every user of the machine can read.
    token = os.environ.get(TOKEN_VARIABLE)
    command.add_argument(
        "--token",
        required=not token,
        default=token,
        help=f"the rig's token, which node and hub ask of each other; without it, {TOKEN_VARIABLE} of the environment",
    )


def _serve(arguments: argparse.Namespace) -> int:
    keep_flat()
    _lift_file_limit()
    clock = ChronyClock()
    if not arguments.token:
        raise EdgeError("a node needs the rig's token: an empty one would let anybody in")
    if arguments.hub != "auto" and not arguments.hub.startswith(("http://", "https://")):
        raise EdgeError(f"--hub {arguments.hub}: write it as a web address, like http://192.168.4.1:8000, or auto")
    node = node_id(arguments.node)
    log = Log(sys.stderr, clock, node=node)
    kept = Config(arguments.data / CONFIG)
    config = kept.taken_up(
        NodeConfig(
            detector=arguments.detector,
            passes_per_second=arguments.passes_per_second,
            poses_per_second=arguments.poses_per_second,
            sound=arguments.sound,
            delete_confirmed=arguments.delete_confirmed,
            offload_mbit=arguments.offload_mbit,
        ),
        log,
    )

    # Imported when first needed: a node answers before its detector's libraries are loaded.
    @cache
    def chip() -> "Chip":
        from edge.detect.hailo import MODELS, Chip  # noqa: PLC0415

        # One owner for all recordings: a second one would find the chip taken.
        return Chip(arguments.hailo_models or MODELS, served=arguments.hailo_service)

    def open_chip() -> None:
        if config.detector != "hailo":
            return
        from edge.detect.hailo.detector import NETWORK  # noqa: PLC0415
        from edge.pose.hailo import NETWORK as POSE  # noqa: PLC0415

        chip().network(NETWORK)
        if config.poses_per_second > 0:
            chip().network(POSE)

    def eyes_for(camera: Camera, first_segment: int) -> Eyes:
        from edge.track.eyes import open_eyes  # noqa: PLC0415

        return open_eyes(
            config.detector,
            config.passes_per_second,
            camera.width,
            camera.height,
            camera.frames_per_second,
            first_segment,
            poses_per_second=config.poses_per_second,
            chip=chip(),
            note=lambda fault: log.event("detector-fault", fault=str(fault)),
        )

    settings = Settings(
        node=node,
        source=CameraSource.parse(arguments.camera, arguments.profile, arguments.sync, arguments.lens),
        data=arguments.data,
        host=arguments.host,
        port=arguments.port,
        hub=None if arguments.hub == "auto" else arguments.hub,
        token=arguments.token,
        config=config,
        kept=kept,
        health=HEALTH[arguments.health](),
        panel=PanelSource.parse(arguments.panel),
        power=POWER[arguments.power](),
        open_chip=open_chip,
        nodes_on_disk=arguments.nodes_on_disk,
        supervisor=supervisor(os.environ, os.getpid(), log),
    )
    return asyncio.run(serve(settings, eyes_for, clock, log))


def _lift_file_limit() -> None:
    """Let this process have as many files open as the system lets it ask for: many a default is 1024."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _profile(text: str) -> Profile:
    try:
        return Profile.parse(text)
    except CameraFault as fault:
        raise argparse.ArgumentTypeError(str(fault)) from None


def _detect(arguments: argparse.Namespace) -> int:
    from edge.commands.detect import detect  # noqa: PLC0415

    return detect(arguments)


def _track(arguments: argparse.Namespace) -> int:
    from edge.commands.track import track  # noqa: PLC0415

    return track(arguments)


def _export(arguments: argparse.Namespace) -> int:
    if (arguments.data / NAME).is_file():
        # A disk that is full to the last byte would not let it be opened, and that is what a stick helps against.
        trim_ballast(arguments.data)
    ledger = Ledger.of(arguments.data)
    try:
        if arguments.session is not None and session_id(arguments.session) not in {
            row.session for row in ledger.sessions()
        }:
            raise EdgeError(f"this node has recorded no session {arguments.session}")
        confirmed = bring_receipts(arguments.to, arguments.data, arguments.token)
        if confirmed:
            print(f"{len(confirmed)} segments are confirmed by the hub's receipts; the node enters that when it runs")
        rows = [
            row
            for row in ledger.segments(SegmentState.CLOSED, SegmentState.SENT)
            if arguments.session in (None, row.key.session)
            and not (row.offer and confirmed.intersection(given_back(row.offer)))
        ]
        sessions = {row.key.session for row in rows} | ({arguments.session} - {None})
        marks = [mark for session in sessions for mark in ledger.marks(session)]
        damaged = export(rows, marks, Shelf(arguments.data), arguments.token, arguments.to, _Percent())
        still = {row.key for row in ledger.segments(SegmentState.CLOSED, SegmentState.SENT)}
    finally:
        ledger.close()
    # What a running node has handed over and deleted meanwhile is missed by nobody.
    missed = [key for key in damaged if key in still]
    for key in missed:
        print(f"touchline-edge: segment {key.path('')} is damaged or gone on this node's disk", file=sys.stderr)
    return 1 if missed else 0


def _pin(arguments: argparse.Namespace) -> int:
    # Not as an argument: what stands on the command line, every user of the machine can read.
    given = getpass("The operator's new PIN: ") if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
    try:
        make_folder(arguments.data)
        OperatorPin(arguments.data / PIN_FILE).set(given)
    except OSError as fault:
        raise EdgeError(f"the data folder {arguments.data} cannot be written: {fault.strerror}") from None
    return 0


class _Percent:
    """Prints an export's progress, a line for each percent."""

    def __init__(self) -> None:
        self._told = -1

    def __call__(self, now: Progress) -> None:
        percent = 100 * now.bytes // now.of_bytes if now.of_bytes else 100
        if percent != self._told:
            self._told = percent
            print(f"{percent:3d} %  {now.segments} of {now.of_segments} segments", flush=True)


def _count(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text} is below 1")
    return value


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
