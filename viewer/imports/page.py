"""What the import pages show, in words."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from viewer.imports.change import Change, Effect, Group
from viewer.imports.models import ImportRun
from viewer.imports.runs import RunState

_GROUPS = {
    Group.TEAM: "Teams",
    Group.VENUE: "Venues",
    Group.PLAYER: "Players",
    Group.PARENT: "Parents",
    Group.COACH: "Coaches and managers",
    Group.GAME: "Games",
    Group.ANSWERS: "Answers to games",
    Group.NOTE: "To know",
}
_ACTS = {
    Effect.ADD: "New",
    Effect.LINK: "Same as here",
    Effect.CHANGE: "Changed",
    Effect.LEAVE: "Leaves",
    Effect.RETURN: "Is back",
    Effect.INVITE: "Invite by mail",
    Effect.JOIN: "Recording",
    Effect.CANCEL: "Cancelled",
    Effect.ANSWER: "Answers",
    Effect.TELL: "To know",
}
_SOURCES = {"teamsnap": "TeamSnap", "csv": "Table"}
_STATES = {RunState.OPEN: "waits for you", RunState.APPLIED: "applied", RunState.DROPPED: "dropped"}
_FIELDS = {
    "name": "name",
    "first_name": "first name",
    "last_name": "last name",
    "jersey_number": "number",
    "birth_year": "born",
    "position": "position",
    "opponent": "opponent",
    "starts_at": "kick-off",
    "time_zone": "time zone",
    "at_home": "at home",
    "venue": "venue",
    "address": "address",
    "latitude": "latitude",
    "longitude": "longitude",
    "cancelled": "cancelled",
    "our_score": "our goals",
    "their_score": "their goals",
    "left_on": "left on",
}
_DETAILED = {Effect.CHANGE, Effect.LINK, Effect.RETURN, Effect.TELL}


@dataclass(frozen=True)
class Line:
    """One change on the page; `details` are what it is about, as it is here and as it would be."""

    id: str
    act: str
    kind: str
    words: str
    note: str
    ticked: bool
    tickable: bool
    details: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True)
class Block:
    """Changes of one kind to one team."""

    title: str
    team: str
    name: str
    lines: tuple[Line, ...]


def blocks(changes: Iterable[Change], zone: str, ticked: set[str] | None = None) -> list[Block]:
    """The changes by kind and team; `ticked` are an admin's own ticks, where there are any."""
    found: dict[tuple[Group, str], list[Line]] = {}
    for change in changes:
        line = Line(
            change.id,
            _ACTS[change.act],
            change.act.value,
            change.words,
            change.note,
            change.ticked if ticked is None else change.id in ticked,
            change.tickable,
            _details(change, zone) if change.act in _DETAILED else (),
        )
        found.setdefault((change.group, change.team), []).append(line)
    order = list(_GROUPS)
    keys = sorted(found, key=lambda key: (order.index(key[0]), key[1]))
    return [
        Block(_GROUPS[group], team, f"block-{at}", tuple(found[group, team])) for at, (group, team) in enumerate(keys)
    ]


def run_lines(runs: Sequence[ImportRun], zone: str) -> list[dict[str, Any]]:
    """Runs as the list shows them."""
    return [
        {
            "id": run.id,
            "source": _SOURCES.get(run.source, run.source),
            "state": _STATES[RunState(run.state)],
            "open": run.state == RunState.OPEN,
            "made": local(run.made_at, zone),
            "total": len(run.changes),
            "done": sum(bool(change.get("done")) for change in run.changes),
        }
        for run in runs
    ]


def local(at: datetime, zone: str) -> str:
    """A time where the club is."""
    return at.astimezone(ZoneInfo(zone)).strftime("%d %b %Y, %H:%M")


def _details(change: Change, zone: str) -> tuple[tuple[str, str, str], ...]:
    zone = change.new.get("time_zone") or change.old.get("time_zone") or zone
    differs = [key for key in change.new if key in _FIELDS and change.old.get(key) != change.new[key]]
    return tuple((_FIELDS[key], _shown(change.old.get(key), zone), _shown(change.new[key], zone)) for key in differs)


def _shown(value: Any, zone: str) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str) and len(value) == 25 and value[10] == "T":
        return local(datetime.fromisoformat(value), zone)
    return "–" if value is None or value == "" else str(value)
