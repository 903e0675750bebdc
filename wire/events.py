"""Events of a match and their CSV."""

import csv
import io
from collections.abc import Iterable
from enum import StrEnum

import msgspec

from wire.pitch_tracks import TeamSide

CSV_HEADER = ("time_s", "type", "x_m", "y_m", "confidence")


class EventType(StrEnum):
    """What happened; the values are the words of the CSV."""

    KICK_OFF = "kick_off"
    PASS = "pass"  # noqa: S105 - the game's word
    SHOT = "shot"
    SAVE = "save"
    GOAL = "goal"
    CORNER = "corner"
    THROW_IN = "throw_in"
    GOAL_KICK = "goal_kick"
    FREE_KICK = "free_kick"
    PENALTY = "penalty"
    BALL_OUT = "ball_out"
    HALF_TIME = "half_time"
    MARK = "mark"


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """One event: seconds since the session's start, place in the pitch frame, the acting team and track if known."""

    time_s: float
    type: EventType
    x_m: float | None = None
    y_m: float | None = None
    confidence: float = 1.0
    team: TeamSide = TeamSide.NONE
    track: int | None = None


def events_csv(events: Iterable[Event]) -> str:
    """CSV with the header `time_s,type,x_m,y_m,confidence`, in order of time; an unknown place is empty."""
    out = io.StringIO()
    write = csv.writer(out, lineterminator="\n").writerow
    write(CSV_HEADER)
    for event in sorted(events, key=lambda e: e.time_s):
        place = ["" if v is None else f"{v:.2f}" for v in (event.x_m, event.y_m)]
        write([f"{event.time_s:.2f}", event.type, *place, f"{event.confidence:.2f}"])
    return out.getvalue()
