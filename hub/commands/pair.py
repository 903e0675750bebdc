"""`touchline-hub pair`: give a portal's code for this hub's key."""

import argparse
import asyncio
import sys
from importlib.metadata import version
from pathlib import Path

import aiohttp

from hub.errors import HubError
from hub.portal import Pairing, Portal
from hub.sessions import Sessions


def add_pair(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the parser's."""
    parser = commands.add_parser("pair", help="pair this hub with a portal by the code that an admin got there")
    parser.add_argument("code", metavar="CODE", help="the code, such as K7QM-4TXP")
    parser.add_argument("--data", required=True, type=Path, help="the hub's data folder, which keeps the key")
    parser.add_argument("--viewer", required=True, metavar="URL", help="the portal's address")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Pair, and tell with whom."""
    data, url = arguments.data, viewer_address(arguments.viewer)
    try:
        matches = Sessions(data / "sessions").known()
    except OSError as fault:
        raise HubError(f"the data folder {data} cannot be used: {fault.strerror}") from None

    async def take() -> Portal:
        async with aiohttp.ClientSession() as http:
            pairing = Pairing(data, url, bool(matches), http)
            return await pairing.take(arguments.code, version("touchline"))

    portal = asyncio.run(take())
    print(f"paired: {portal.device} brings the matches of {portal.team}, {portal.club}, to {portal.url}")
    print("a hub that is running takes it up at its next start", file=sys.stderr)
    return 0


def viewer_address(text: str) -> str:
    """The portal's address without a closing slash; raises `HubError`."""
    if not text.startswith(("http://", "https://")):
        raise HubError(f"--viewer {text}: write it as a web address, like https://touchline.example.org")
    return text.rstrip("/")
