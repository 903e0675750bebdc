"""What a source says of a club at one moment: plain values under the source's own ids, whatever the source is."""

import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec

_BLANKS = re.compile(r"[\s\x00-\x1f\x7f-\x9f]+")
_MAIL = re.compile(r"[^\s@<>\"(),;:\\]{1,64}@[^\s@<>\"(),;:\\]+\.[^\s@<>\"(),;:\\]+")


@dataclass(frozen=True)
class TeamSeen:
    """A team. `people` and `games` say whether all of them were seen: only then may one that is missing be told."""

    id: str
    name: str
    season: str = ""
    people: bool = True
    games: bool = True


@dataclass(frozen=True)
class PlayerSeen:
    """A player on one team's roster; names and number as found. `mentioned` is one that a table only refers to."""

    id: str
    team: str
    first_name: str
    last_name: str
    birth_year: int | None = None
    position: str = ""
    jersey_number: str = ""
    mails: tuple[str, ...] = ()
    mentioned: bool = False


@dataclass(frozen=True)
class CoachSeen:
    """A grown-up who coaches or manages a team (`duty` is a `viewer.clubs.models.Duty`)."""

    id: str
    team: str
    name: str
    duty: str
    mails: tuple[str, ...] = ()


@dataclass(frozen=True)
class ParentSeen:
    """Somebody who stands for one player; a parent of several children is seen several times."""

    id: str
    player: str
    name: str
    relationship: str
    mails: tuple[str, ...] = ()


@dataclass(frozen=True)
class VenueSeen:
    """A place to play; degrees (WGS 84) where they are known."""

    id: str
    name: str
    address: str = ""
    latitude: float | None = None
    longitude: float | None = None


@dataclass(frozen=True)
class GameSeen:
    """A game of the calendar. `starts_at` is in UTC, `time_zone` that of the place (IANA), scores None until played."""

    id: str
    team: str
    opponent: str
    starts_at: datetime
    time_zone: str = ""
    at_home: bool = True
    venue: str = ""
    cancelled: bool = False
    our_score: int | None = None
    their_score: int | None = None


@dataclass(frozen=True)
class AnswerSeen:
    """What a player answered to a game (`viewer.games.models.Answer`)."""

    game: str
    player: str
    answer: str


@dataclass(frozen=True)
class Snapshot:
    """Everything that was seen. `whole` says that a team which is missing is missing in the source itself."""

    source: str
    teams: tuple[TeamSeen, ...] = ()
    players: tuple[PlayerSeen, ...] = ()
    coaches: tuple[CoachSeen, ...] = ()
    parents: tuple[ParentSeen, ...] = ()
    venues: tuple[VenueSeen, ...] = ()
    games: tuple[GameSeen, ...] = ()
    answers: tuple[AnswerSeen, ...] = ()
    notes: tuple[str, ...] = field(default=())
    whole: bool = False

    def as_json(self) -> dict[str, Any]:
        """As an import run keeps it while it waits."""
        plain: dict[str, Any] = msgspec.to_builtins(self)
        return plain


def read_snapshot(plain: dict[str, Any]) -> Snapshot:
    """The snapshot that `as_json` wrote."""
    return msgspec.convert(plain, Snapshot)


def clean(value: object, limit: int) -> str:
    """A text as found, on one line, without what no database column or page could carry; blanks and None are empty."""
    return _BLANKS.sub(" ", "" if value is None else str(value)).strip()[:limit].strip()


def mail_of(value: object) -> str:
    """An address as accounts keep it; empty when it is none."""
    text = clean(value, 400).lower()
    return text if len(text) <= 320 and _MAIL.fullmatch(text) else ""
