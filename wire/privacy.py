"""Who must not be recognised: what the viewer tells a hub, so that it blurs them in all that it has made."""

import msgspec

from wire.ids import SessionId
from wire.message import Message


class HiddenNumbers(msgspec.Struct, frozen=True):
    """Jersey numbers of a team whose wearers are to be blurred; never a name."""

    team: str
    numbers: tuple[str, ...]


class HiddenTracks(msgspec.Struct, frozen=True):
    """Tracks of a session to be blurred, each confirmed by a human.

    Track numbers mean something only in the pitch tracks whose file has `tracks_sha256` (hexadecimal).
    """

    session: SessionId
    tracks_sha256: str
    tracks: tuple[int, ...]


class BlurOrders(Message, frozen=True, kw_only=True):
    """`GET /api/v1/blur`: all that a device must blur as of now; what is left out need not be blurred any more."""

    KIND = "blur-orders"
    VERSION = 1

    teams: tuple[HiddenNumbers, ...] = ()
    sessions: tuple[HiddenTracks, ...] = ()
