"""Tables of players, parents and games for clubs without TeamSnap, as snapshots.

A table has no ids, so things get them from what names them: a team by its name, a player by team and name (or by the
column `id`, where two have the same), a game by team, opponent and day. A table is never taken for all that there is.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from enum import StrEnum
from zoneinfo import ZoneInfo

from viewer.imports.snapshot import GameSeen, ParentSeen, PlayerSeen, Snapshot, TeamSeen, VenueSeen, mail_of
from viewer.imports.tables import Faults, Row, read_table, write_table

SOURCE = "csv"


class Sheet(StrEnum):
    """What a table is of."""

    PLAYERS = "players"
    PARENTS = "parents"
    GAMES = "games"


@dataclass(frozen=True)
class _Form:
    columns: Mapping[str, Sequence[str]]
    needed: Sequence[str]
    example: Sequence[Sequence[str]]


_FORMS = {
    Sheet.PLAYERS: _Form(
        {
            "team": ("team name",),
            "first name": ("given name", "forename"),
            "last name": ("surname", "family name"),
            "jersey number": ("jersey", "number", "shirt number", "shirt"),
            "birth year": ("year of birth", "birthday", "birth date", "date of birth"),
            "position": ("default position",),
            "id": ("player id",),
        },
        ("team", "first name", "last name"),
        (("U12", "Robin", "Example", "7", "2014", "defender", ""), ("U12", "Kim", "Sample", "00", "2015", "", "")),
    ),
    Sheet.PARENTS: _Form(
        {
            "team": ("team name",),
            "player first name": ("child first name", "player given name"),
            "player last name": ("child last name", "player surname"),
            "name": ("parent", "parent name"),
            "email": ("e-mail", "mail", "e-mail address", "parent email"),
            "relationship": ("relation",),
            "player id": (),
        },
        ("team", "player first name", "player last name", "email"),
        (
            ("U12", "Robin", "Example", "Alex Example", "alex@example.org", "mother", ""),
            ("U12", "Kim", "Sample", "Sascha Sample", "sascha@example.org", "father", ""),
        ),
    ),
    Sheet.GAMES: _Form(
        {
            "team": ("team name",),
            "opponent": ("against", "opponent name"),
            "date": ("day",),
            "time": ("kick-off", "start", "start time"),
            "home or away": ("home/away", "home", "venue type"),
            "venue": ("place", "location", "ground"),
            "address": ("venue address",),
            "our score": ("goals for",),
            "their score": ("goals against",),
            "id": ("game id",),
        },
        ("team", "opponent", "date", "time"),
        (
            ("U12", "Hillside United", "2026-09-12", "10:30", "home", "Riverside Park", "1 River Lane", "", "", ""),
            ("U12", "Lakeside FC", "2026-09-19", "14:00", "away", "Lake Field", "", "", "", ""),
        ),
    ),
}


def example(sheet: Sheet) -> bytes:
    """A table to begin with."""
    form = _FORMS[sheet]
    return write_table(list(form.columns), form.example)


def read_sheet(sheet: Sheet, data: bytes, time_zone: str) -> Snapshot:
    """What a table says, times taken as those of `time_zone`. Raises `BadTable`, with every row that is wrong."""
    form = _FORMS[sheet]
    rows = read_table(data, form.columns, form.needed)
    faults = Faults()
    read: Mapping[Sheet, Callable[[list[Row], Faults, str], Snapshot]] = {
        Sheet.PLAYERS: _players,
        Sheet.PARENTS: _parents,
        Sheet.GAMES: _games,
    }
    snapshot = read[sheet](rows, faults, time_zone)
    faults.check()
    return snapshot


def _players(rows: list[Row], faults: Faults, _zone: str) -> Snapshot:
    found: dict[str, PlayerSeen] = {}
    for row in rows:
        cells = row.cells
        if not _filled(row, faults, "team", "first name", "last name"):
            continue
        born = _birth_year(row, faults)
        if len(cells.get("jersey number", "")) > 10:
            faults.add(row, "the jersey number is longer than ten characters.")
        key = _player_key(cells, "first name", "last name", "id")
        if key in found:
            faults.add(row, "this player is there already. If they are two, give each an “id”.")
        found[key] = PlayerSeen(
            key,
            _team_key(cells),
            cells["first name"][:100],
            cells["last name"][:100],
            born,
            cells.get("position", "")[:30],
            cells.get("jersey number", "")[:10],
        )
    return Snapshot(SOURCE, teams=_teams(rows), players=tuple(found.values()))


def _parents(rows: list[Row], faults: Faults, _zone: str) -> Snapshot:
    players: dict[str, PlayerSeen] = {}
    parents: dict[str, ParentSeen] = {}
    for row in rows:
        cells = row.cells
        if not _filled(row, faults, "team", "player first name", "player last name"):
            continue
        mail = mail_of(cells["email"])
        if not mail:
            faults.add(row, f"“{cells['email']}” is no e-mail address." if cells["email"] else "the e-mail is missing.")
            continue
        key = _player_key(cells, "player first name", "player last name", "player id")
        first, last = cells["player first name"][:100], cells["player last name"][:100]
        players[key] = PlayerSeen(key, _team_key(cells), first, last, mentioned=True)
        told = cells.get("relationship", "")[:40].lower() or "parent"
        parent = _id(key, mail)
        parents[parent] = ParentSeen(parent, key, cells.get("name", "")[:200], told, (mail,))
    return Snapshot(SOURCE, teams=_teams(rows), players=tuple(players.values()), parents=tuple(parents.values()))


def _games(rows: list[Row], faults: Faults, zone: str) -> Snapshot:
    games: dict[str, GameSeen] = {}
    venues: dict[str, VenueSeen] = {}
    for row in rows:
        cells = row.cells
        if not _filled(row, faults, "team", "opponent"):
            continue
        starts_at, home, scores = _kick_off(row, faults, zone), _at_home(row, faults), _scores(row, faults)
        venue = cells.get("venue", "")[:200]
        venue_id = _id("venue", venue) if venue else ""
        if venue:
            venues[venue_id] = VenueSeen(venue_id, venue, cells.get("address", "")[:400])
        if starts_at is None:
            continue
        day = starts_at.astimezone(ZoneInfo(zone)).date().isoformat()
        own = cells.get("id", "")
        key = _id("game", own) if own else _id(_team_key(cells), cells["opponent"], day)
        if key in games:
            faults.add(row, "this game is there already. If there are two that day, give each an “id”.")
        ours, theirs = scores
        games[key] = GameSeen(
            key, _team_key(cells), cells["opponent"][:200], starts_at, zone, home, venue_id, False, ours, theirs
        )
    return Snapshot(SOURCE, teams=_teams(rows), venues=tuple(venues.values()), games=tuple(games.values()))


def _filled(row: Row, faults: Faults, *names: str) -> bool:
    empty = [name for name in names if not row.cells[name]]
    for name in empty:
        faults.add(row, f"the {name} is missing.")
    return not empty


def _teams(rows: list[Row]) -> tuple[TeamSeen, ...]:
    named = {_team_key(row.cells): row.cells["team"][:200] for row in reversed(rows) if row.cells["team"]}
    return tuple(TeamSeen(key, name, people=False, games=False) for key, name in sorted(named.items()))


def _birth_year(row: Row, faults: Faults) -> int | None:
    text = row.cells.get("birth year", "")
    years = [part for part in text.replace("/", "-").replace(".", "-").split("-") if len(part) == 4 and part.isdigit()]
    if text and (len(years) != 1 or not 1900 <= int(years[0]) <= 2100):
        faults.add(row, f"“{text}” is no year of birth. Write it like 2014.")
        return None
    return int(years[0]) if years else None


def _kick_off(row: Row, faults: Faults, zone: str) -> datetime | None:
    try:
        day = date.fromisoformat(row.cells["date"])
    except ValueError:
        faults.add(row, f"“{row.cells['date']}” is no date. Write it like 2026-09-12.")
        return None
    try:
        at = time.fromisoformat(row.cells["time"].rjust(5, "0"))
    except ValueError:
        faults.add(row, f"“{row.cells['time']}” is no time. Write it like 10:30.")
        return None
    return datetime.combine(day, at.replace(tzinfo=None), ZoneInfo(zone)).astimezone(UTC)


def _at_home(row: Row, faults: Faults) -> bool:
    text = row.cells.get("home or away", "").casefold()
    if text not in ("", "home", "away", "h", "a"):
        faults.add(row, f"“{text}” is neither home nor away.")
    return text not in ("away", "a")


def _scores(row: Row, faults: Faults) -> tuple[int | None, int | None]:
    texts = [row.cells.get(name, "") for name in ("our score", "their score")]
    if not any(texts):
        return None, None
    if not all(text.isascii() and text.isdigit() and len(text) <= 2 for text in texts):
        faults.add(row, "a score is two whole numbers, ours and theirs.")
        return None, None
    return int(texts[0]), int(texts[1])


def _team_key(cells: Mapping[str, str]) -> str:
    return _id("team", cells["team"])


def _player_key(cells: Mapping[str, str], first: str, last: str, own: str) -> str:
    if cells.get(own):
        return _id("player", cells[own])
    return _id(_team_key(cells), cells[first], cells[last])


def _id(*parts: str) -> str:
    said = "\n".join(" ".join(part.split()).casefold() for part in parts)
    return hashlib.sha256(said.encode()).hexdigest()[:32]
