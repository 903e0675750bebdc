"""What a hub and its portal say of each other: pairing by a code, and a sign of life each minute."""

from typing import Annotated

from msgspec import Meta, Struct

PAIRING = "/api/v1/pairing"
SIGN_OF_LIFE = "/api/v1/devices/me"

Version = Annotated[str, Meta(max_length=40)]
"""Of the hub's program, such as 0.4.1; empty where nobody says."""


class PairingRequest(Struct, frozen=True):
    """`POST /api/v1/pairing`: the code that an admin was given, as it was typed."""

    code: Annotated[str, Meta(max_length=40)]
    version: Version = ""


class Paired(Struct, frozen=True):
    """The answer: what the portal calls this hub, whose matches it brings, and its key, told this once.

    `club_id` stays when a club is given another name.
    """

    device: str
    team: str
    club: str
    club_id: int
    key: str


class Heartbeat(Struct, frozen=True):
    """`POST /api/v1/devices/me`, about each minute, with the hub's key."""

    version: Version = ""


class DeviceState(Struct, frozen=True):
    """The answer: the hub as the portal knows it, and the version that it should run, empty for any."""

    device: str
    team: str
    wanted_version: str
