"""Which game of the calendar a recording shows: by time, team and place."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

EARLIEST = timedelta(hours=-1.5)
LATEST = timedelta(hours=3)
"""A recording belongs to a game when it begins this long before or after the planned kick-off."""
SAME_PLACE_M = 1500.0
_EARTH_M = 6_371_000.0


@dataclass(frozen=True)
class Place:
    """A venue: its row, and degrees (WGS 84) where they are known."""

    venue_id: int
    latitude: float | None = None
    longitude: float | None = None


@dataclass(frozen=True)
class Planned:
    """A game of the calendar that a recording might show."""

    game_id: int
    starts_at: datetime
    teams: frozenset[int]
    opponent: str
    place: Place | None = None


def game_shown(
    planned: Iterable[Planned], begins: datetime, team_id: int, names: Iterable[str], place: Place | None
) -> int | None:
    """The game that a recording which `begins` then shows; None when none fits.

    A game elsewhere is none, if both places are known. The game whose opponent the sheet names (`names`) and the one of
    the rig's own team go first, then the one that is planned nearest in time.
    """
    said = {name.strip().casefold() for name in names}
    fitting = [
        game for game in planned if EARLIEST <= begins - game.starts_at <= LATEST and not _elsewhere(game.place, place)
    ]
    ranked = sorted(
        fitting,
        key=lambda game: (
            game.opponent.strip().casefold() not in said,
            team_id not in game.teams,
            abs(begins - game.starts_at),
            game.game_id,
        ),
    )
    return ranked[0].game_id if ranked else None


def _elsewhere(one: Place | None, other: Place | None) -> bool:
    if one is None or other is None or one.venue_id == other.venue_id:
        return False
    away = _distance_m(one, other)
    return away is None or away > SAME_PLACE_M


def _distance_m(one: Place, other: Place) -> float | None:
    if one.latitude is None or one.longitude is None or other.latitude is None or other.longitude is None:
        return None
    a, b = math.radians(one.latitude), math.radians(other.latitude)
    east = math.radians(other.longitude - one.longitude)
    half = math.sin((b - a) / 2) ** 2 + math.cos(a) * math.cos(b) * math.sin(east / 2) ** 2
    return 2 * _EARTH_M * math.asin(math.sqrt(half))
