"""What commands are given that speak with a running hub."""

import argparse
import os

from hub.errors import HubError


def add_running_hub(command: argparse.ArgumentParser) -> None:
    """Add the options that say where it is and open it."""
    command.add_argument(
        "--hub", default="http://127.0.0.1:8000", metavar="URL", help="address of the running hub (%(default)s)"
    )
    add_token(command)


def add_token(command: argparse.ArgumentParser) -> None:
    """Add the option for the rig's token."""
    command.add_argument(
        "--token",
        default=os.environ.get("TOUCHLINE_TOKEN", ""),
        help="the rig's token, which node and hub ask of each other (else from the environment, TOUCHLINE_TOKEN)",
    )


def check_token(token: str) -> None:
    """Raises `HubError` where none was given."""
    if not token:
        raise HubError("a rig needs a token: give --token or set TOUCHLINE_TOKEN")
