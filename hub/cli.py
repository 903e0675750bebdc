"""`touchline-hub`: the command of the field box."""

import argparse
import asyncio
import os
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

import aiohttp

from firmware.clock import SystemClock
from firmware.leaving import leave
from firmware.log import Log
from hub.commands.calibrate import add_calibrate
from hub.commands.lens import add_lens
from hub.commands.locate import add_locate
from hub.commands.pair import add_pair, viewer_address
from hub.commands.recalibrate import add_recalibrate
from hub.commands.running import add_running_hub, add_token, check_token
from hub.commands.stitch import NARROWEST_PX, WIDEST_PX, add_stitch
from hub.errors import HubError
from hub.nodes import Node
from hub.portal import kept
from hub.serve import Settings, serve
from hub.stick import LeftOut, Stick
from wire.errors import WireError
from wire.ids import node_id


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; what goes wrong is one sentence on stderr and exit status 2."""
    arguments = _parser().parse_args(argv)
    try:
        return int(arguments.run(arguments))
    except (HubError, WireError) as fault:
        print(f"touchline-hub: {fault}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    except Exception as fault:
        print(f"touchline-hub: this should not happen: {type(fault).__name__}: {fault}", file=sys.stderr)
        return 1


def run() -> int:
    """The command: `main`, and then an end that waits for no thread that hangs."""
    return leave(main())


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="touchline-hub", description="The hub of a Touchline rig.")
    parser.add_argument("--version", action="version", version=f"touchline-hub {version('touchline')}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    hub = commands.add_parser("serve", help="run the hub until it is told to stop")
    hub.add_argument("--data", required=True, type=Path, help="folder for segments, sessions and the ledger")
    hub.add_argument("--host", default="127.0.0.1", help="address the API listens on (%(default)s)")
    hub.add_argument("--port", type=int, default=8000, help="port the API listens on (%(default)s)")
    hub.add_argument(
        "--node", action="append", required=True, metavar="ID=URL", help="a node of the rig, from the left; repeat"
    )
    add_token(hub)
    hub.add_argument(
        "--viewer", metavar="URL", help="the portal that gets the match packages (the one it is paired with)"
    )
    hub.add_argument(
        "--device-key",
        default=os.environ.get("TOUCHLINE_DEVICE_KEY", ""),
        help="this hub's key at --viewer (else from the environment, TOUCHLINE_DEVICE_KEY, or that of the pairing)",
    )
    hub.add_argument("--panorama-width", type=int, default=4096, help="widest panorama in pixels (%(default)s)")
    hub.set_defaults(run=_serve)
    carried = commands.add_parser("import", help="hand a running hub the segments that a node has put on a stick")
    carried.add_argument("folder", type=Path, metavar="FOLDER", help="the folder on the stick")
    add_running_hub(carried)
    carried.set_defaults(run=_import)
    add_calibrate(commands)
    add_lens(commands)
    add_recalibrate(commands)
    add_locate(commands)
    add_pair(commands)
    add_stitch(commands)
    return parser


def _serve(arguments: argparse.Namespace) -> int:
    clock = SystemClock()
    viewer, key = _portal(arguments)
    settings = Settings(
        data=arguments.data,
        host=arguments.host,
        port=arguments.port,
        nodes=tuple(_node(text) for text in arguments.node),
        token=arguments.token,
        viewer=viewer,
        device_key=key,
        panorama_width=arguments.panorama_width,
    )
    check_token(settings.token)
    if not NARROWEST_PX <= settings.panorama_width <= WIDEST_PX:
        raise HubError(f"--panorama-width takes {NARROWEST_PX} to {WIDEST_PX} pixels")
    if len({node.id for node in settings.nodes}) < len(settings.nodes) or len(settings.nodes) > 3:
        raise HubError("a rig has one to three nodes, each with an id of its own")
    return asyncio.run(serve(settings, clock, Log(sys.stderr, clock)))


def _portal(arguments: argparse.Namespace) -> tuple[str | None, str]:
    """Where packages go, if anywhere, and the key there: as told, else as paired."""
    paired = kept(arguments.data)
    viewer = viewer_address(arguments.viewer) if arguments.viewer else None
    if viewer is None:
        return (None, "") if paired is None else (paired.url, paired.key)
    key = arguments.device_key or (paired.key if paired is not None and paired.url == viewer else "")
    if not key:
        raise HubError(
            "the portal takes packages only with a key: pair this hub (touchline-hub pair), or set TOUCHLINE_DEVICE_KEY"
        )
    return viewer, key


def _import(arguments: argparse.Namespace) -> int:
    check_token(arguments.token)

    async def take_in() -> list[LeftOut]:
        async with aiohttp.ClientSession() as http:
            stick = Stick(arguments.folder, arguments.hub, arguments.token, http)
            return await stick.take_in(_print_some)

    left_out = asyncio.run(take_in())
    for fault in left_out:
        print(f"touchline-hub: left out: {fault}", file=sys.stderr)
    return 1 if left_out else 0


def _print_some(done: int, of: int) -> None:
    if done == of or done % max(1, of // 100) == 0:
        print(f"{done} of {of} segments", flush=True)


def _node(text: str) -> Node:
    name, _, url = text.partition("=")
    if not url.startswith(("http://", "https://")):
        raise HubError(f"--node {text}: write it as ID=URL, like left=http://192.168.4.11:8080")
    return Node(node_id(name), url.rstrip("/"))


if __name__ == "__main__":
    sys.exit(run())
