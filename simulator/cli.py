"""`touchline`: the demo and the developer's tools."""

import argparse
import asyncio
import sys
from importlib.metadata import version

from simulator.demo.day import play_match_day
from simulator.demo.options import add_arguments, options_from
from simulator.errors import SimulatorError
from wire.errors import WireError


def main(arguments: list[str] | None = None) -> int:
    """Run a command; the exit status is 0, 1 when the match day failed, 2 when it could not begin."""
    parser = argparse.ArgumentParser(prog="touchline", description="A whole match day on one machine.")
    parser.add_argument("--version", action="version", version=f"touchline {version('touchline')}")
    commands = parser.add_subparsers(dest="command", required=True)
    add_arguments(commands.add_parser("demo", help="play a match day: cameras, hub and viewer on this machine"))
    given = parser.parse_args(arguments)
    try:
        options = options_from(given)
    except (SimulatorError, WireError) as fault:
        print(f"touchline: {fault}", file=sys.stderr)
        return 2
    try:
        return asyncio.run(play_match_day(options))
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
