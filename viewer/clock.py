"""The portal's one look at the wall clock; everything else is told the time."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

Clock = Callable[[], datetime]


def now() -> datetime:
    """The time in UTC."""
    return datetime.now(UTC)


def local_day(moment: datetime, time_zone: str) -> date:
    """The calendar's day at a place: rosters, joining and leaving are told in days."""
    return moment.astimezone(ZoneInfo(time_zone)).date()
