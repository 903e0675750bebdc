"""Events and times in words that a parent reads."""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from viewer.games.models import GameEvent
from wire.events import EventType
from wire.pitch_tracks import TeamSide


class EventWords(NamedTuple):
    """How an event type is shown: its name, a letter or two for its mark, and whether it is a key moment."""

    name: str
    mark: str
    key: bool


WORDS: dict[str, EventWords] = {
    EventType.KICK_OFF: EventWords("Kick-off", "KO", True),
    EventType.PASS: EventWords("Pass", "P", False),
    EventType.SHOT: EventWords("Shot", "S", True),
    EventType.SAVE: EventWords("Save", "SV", True),
    EventType.GOAL: EventWords("Goal", "G", True),
    EventType.CORNER: EventWords("Corner", "C", True),
    EventType.THROW_IN: EventWords("Throw-in", "T", False),
    EventType.GOAL_KICK: EventWords("Goal kick", "GK", False),
    EventType.FREE_KICK: EventWords("Free kick", "F", True),
    EventType.PENALTY: EventWords("Penalty", "PK", True),
    EventType.BALL_OUT: EventWords("Ball out", "O", False),
    EventType.HALF_TIME: EventWords("Half-time", "HT", True),
    EventType.MARK: EventWords("Marked moment", "M", True),
}


def score(events: Iterable[GameEvent]) -> tuple[int, int]:
    """Goals of home and away; a goal that belongs to neither is not counted."""
    sides = [event.side for event in events if event.type == EventType.GOAL]
    return sides.count(TeamSide.HOME), sides.count(TeamSide.AWAY)


def match_clock(time_s: float) -> str:
    """Seconds as `12:05`, or `1:02:05` from an hour on."""
    whole = max(int(time_s), 0)
    hours, minutes, seconds = whole // 3600, whole // 60 % 60, whole % 60
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"


def day(at: datetime, time_zone: str) -> str:
    """The day of a game where it is played, as `22 November 2026`."""
    there = at.astimezone(ZoneInfo(time_zone))
    return f"{there.day} {there:%B %Y}"
