"""`touchline-hub recalibrate`: another calibration for a session that a running hub has recorded."""

import argparse
import asyncio
import sys
from pathlib import Path

import aiohttp

from hub.calibrate.lenses import lens_degrees
from hub.commands.rigs import UNTRUSTED, clicks_in, report
from hub.commands.running import add_running_hub, check_token
from hub.errors import HubError
from hub.messages import CalibrationRequest
from hub.recalibration import Recalibration
from wire.durable import make_folder, write_durably
from wire.ids import session_id
from wire.rig import Rig


def add_recalibrate(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the parser's."""
    parser = commands.add_parser(
        "recalibrate", help="calibrate a session again that a running hub has recorded, and make it once more"
    )
    parser.add_argument("session", metavar="SESSION", help="the session's id")
    parser.add_argument(
        "--at", type=float, default=0.0, metavar="SECONDS", help="from what the cameras show then (%(default)g)"
    )
    parser.add_argument(
        "--clicks",
        type=Path,
        metavar="FILE",
        help="CSV camera,x_m,y_m,u_px,v_px of pitch points seen in the session's pictures",
    )
    parser.add_argument("--lens", metavar="NAME|DEGREES", help="the cameras' lens (that of the session)")
    parser.add_argument(
        "--lines",
        type=Path,
        metavar="FOLDER",
        help="put the cameras' pictures into it, as they are and with the found lines",
    )
    add_running_hub(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Have it calibrated; 0 only for a rig that is to be trusted."""
    check_token(arguments.token)
    session = session_id(arguments.session)
    folder: Path | None = arguments.lines
    if folder is not None and not folder.parent.is_dir():
        raise HubError(f"there is no folder {folder.parent} to make {folder.name} in")
    if not 0 <= arguments.at <= 86_400:
        raise HubError("--at takes seconds after the session's start")
    try:
        lens = None if arguments.lens is None else lens_degrees(arguments.lens)
    except ValueError as fault:
        raise HubError(f"--lens {fault}") from fault
    asked = CalibrationRequest(clicks=tuple(clicks_in(arguments.clicks)), lens_degrees=lens, at_s=arguments.at)

    async def ask() -> Rig:
        async with aiohttp.ClientSession() as http:
            hub = Recalibration(session, arguments.hub, arguments.token, http)
            try:
                return await hub.run(asked, lambda words: print(words, file=sys.stderr, flush=True))
            finally:
                # Where the pitch was not found they are what to click in.
                if folder is not None and (pictures := await hub.pictures()):
                    await asyncio.to_thread(_keep, folder, pictures)

    rig = asyncio.run(ask())
    report(rig, f"session {session}")
    return 0 if rig.quality.trusted else UNTRUSTED


def _keep(folder: Path, pictures: dict[str, bytes]) -> None:
    make_folder(folder)
    for name, raw in pictures.items():
        write_durably(folder / name, raw)
