"""`touchline`: the demo and the developer's tools."""

import argparse
import asyncio
import sys
from importlib.metadata import version

from simulator.demo.day import INTERRUPTED, NOT_BEGUN, play_match_day
from simulator.demo.options import add_arguments, options_from
from simulator.errors import SimulatorError
from wire.errors import WireError


def main(arguments: list[str] | None = None) -> int:
    """Run a command; the exit status is 0, 1 when the match day failed, 2 when it could not begin, 130 when somebody
    ended it before it was played."""
    begun = False
    try:
        options = options_from(_parser().parse_args(arguments))
        begun = True
        return asyncio.run(play_match_day(options))
    except KeyboardInterrupt:
        return INTERRUPTED
    except (SimulatorError, WireError, OSError) as fault:
        print(f"touchline: {fault}", file=sys.stderr)
        return 1 if begun else NOT_BEGUN


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="touchline", description="A whole match day on one machine.")
    parser.add_argument("--version", action="version", version=f"touchline {version('touchline')}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    add_arguments(commands.add_parser("demo", help="play a match day: cameras, hub and portal on this machine"))
    return parser


if __name__ == "__main__":
    sys.exit(main())
