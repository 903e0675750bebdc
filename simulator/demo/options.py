"""What was asked of the demo, checked before any work starts."""

import argparse
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal, cast

from firmware.holding import hold
from simulator.demo.footage import Recording, clicks_for, place_cameras, recordings
from simulator.errors import BadOptions
from wire.clicks import Click
from wire.errors import BadPitch
from wire.pitch import Pitch, PlayersPerSide, default_pitch, parse_pitch

MARK = "touchline-demo.json"
"""Marks a folder that the demo made and may empty at its next start, and is held by the demo at work in it."""


@dataclass(frozen=True)
class Options:
    """A match day as asked for. `recordings` is empty for a simulated match."""

    seconds: float
    seed: int
    rig: Literal["mast", "sideline"]
    pitch: Pitch
    recordings: tuple[Recording, ...]
    clicks: tuple[Click, ...]
    out: Path
    serve: bool

    @property
    def simulated(self) -> bool:
        """Whether the cameras are virtual."""
        return not self.recordings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `touchline demo`."""
    parser.add_argument("--seconds", type=float, default=60.0, help="length of the simulated match (default 60)")
    parser.add_argument("--seed", type=int, default=1, help="another seed is another match (default 1)")
    parser.add_argument("--rig", choices=["mast", "sideline"], default="mast", help="how the cameras stand")
    parser.add_argument("--players", type=int, choices=[11, 9, 7], default=11, help="players a side")
    parser.add_argument(
        "--footage", type=Path, help="folder with one recorded video per camera, instead of a simulation"
    )
    parser.add_argument(
        "--clicks", type=Path, help="CSV camera,x_m,y_m,u_px,v_px of clicked pitch points (with --footage)"
    )
    parser.add_argument("--pitch", help="length x width in metres, like 105x68")
    parser.add_argument("--out", type=Path, default=Path("out/demo"), help="where everything is written")
    parser.add_argument("--no-serve", action="store_true", help="write the results and exit instead of serving them")


def options_from(arguments: argparse.Namespace) -> Options:
    """The options, looked into; raises `BadOptions`, `BadFootage` or `BadPitch` with one sentence, `OSError` for a
    path that the system refuses."""
    players = cast(PlayersPerSide, arguments.players)
    pitch = default_pitch(players) if arguments.pitch is None else parse_pitch(arguments.pitch, players)
    if not 10 <= arguments.seconds <= 3 * 3600:
        raise BadOptions(f"--seconds {arguments.seconds:g}: a match lasts from 10 seconds to 3 hours")
    if arguments.seed < 0:
        raise BadOptions("--seed takes a whole number from 0")
    found: tuple[Recording, ...] = ()
    clicks: tuple[Click, ...] = ()
    if arguments.footage is not None:
        found = tuple(recordings(arguments.footage))
        clicks = clicks_for(found, arguments.clicks, arguments.footage)
        _on_or_beside(pitch, clicks)
        place_cameras(found, clicks, pitch, arguments.clicks)
    elif arguments.clicks is not None:
        raise BadOptions("--clicks goes with --footage: in a simulated match the simulator clicks")
    out = Path(os.path.realpath(arguments.out))
    _check_out(out)
    if any(recording.path.resolve().is_relative_to(out) for recording in found):
        raise BadOptions(f"the recordings lie in {out}, which is emptied for the results: give --out another folder")
    return Options(
        seconds=arguments.seconds,
        seed=arguments.seed,
        rig=arguments.rig,
        pitch=pitch,
        recordings=found,
        clicks=clicks,
        out=out,
        serve=not arguments.no_serve,
    )


def _on_or_beside(pitch: Pitch, clicks: tuple[Click, ...]) -> None:
    for click in clicks:
        if not pitch.contains(click.x_m, click.y_m, 5.0):
            raise BadPitch(
                f"the clicked point ({click.x_m:g}, {click.y_m:g}) lies beside a pitch of "
                f"{pitch.length_m:g}x{pitch.width_m:g} m: is --pitch right?"
            )


def keep(out: Path) -> IO[str]:
    """The demo's mark in `out`, held: two demos at work in one folder would sweep away each other's match.

    Raises `BadOptions` when another demo holds it, `OSError` when it cannot be written.
    """
    try:
        return hold(out / MARK)
    except BlockingIOError:
        raise BadOptions(f"another demo is at work in {out}: end it, or give --out another folder") from None


def _check_out(out: Path) -> None:
    if out.exists() and not out.is_dir():
        raise BadOptions(f"{out} is a file: --out takes a folder")
    if out.is_dir() and any(out.iterdir()):
        if not (out / MARK).exists():
            raise BadOptions(f"{out} holds other things: give --out an empty or a new folder")
        keep(out).close()
    nearest = next(folder for folder in (out, *out.parents) if folder.exists())
    try:
        # Permissions do not tell: only trying shows a read-only or an unreal file system.
        with tempfile.TemporaryDirectory(prefix=".touchline-", dir=nearest):
            pass
    except OSError as fault:
        raise BadOptions(f"nothing can be written in {nearest} ({fault.strerror}): give --out another folder") from None
