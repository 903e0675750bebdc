"""`touchline`: the demo and the developer's tools."""

import argparse
import asyncio
import sys
from importlib.metadata import version

from simulator.club import command as club
from simulator.demo.day import INTERRUPTED, NOT_BEGUN, play_match_day
from simulator.demo.options import add_arguments, options_from
from simulator.errors import SimulatorError
from viewer.errors import ViewerError
from wire.errors import WireError


def main(arguments: list[str] | None = None) -> int:
    """Run a command; the exit status is 0, 1 when the match day failed, 2 when it could not begin, 130 when somebody
    ended it before it was played."""
    begun = False
    try:
        asked = _parser().parse_args(arguments)
        if asked.command == "club":
            return club.run(asked)
        options = options_from(asked)
        begun = True
        return asyncio.run(play_match_day(options))
    except KeyboardInterrupt:
        return INTERRUPTED
    except (SimulatorError, ViewerError, WireError, OSError) as fault:
        print(f"touchline: {fault}", file=sys.stderr)
        return 1 if begun else NOT_BEGUN


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="touchline", description="A whole match day on one machine.")
    parser.add_argument("--version", action="version", version=f"touchline {version('touchline')}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND", dest="command")
    add_arguments(commands.add_parser("demo", help="play a match day: cameras, hub and portal on this machine"))
    club.add_arguments(commands.add_parser("club", help="fill a portal with a club that does not exist, or empty it"))
    return parser


if __name__ == "__main__":
    sys.exit(main())
