"""How the portal is: its disk, what matches take, its mails and its periodic duties."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from viewer.clubs.models import Organization, Team
from viewer.db import Database
from viewer.db.migrate import current, newest
from viewer.games.models import Game, Recording
from viewer.jobs.dead_letters import jobs_overview
from viewer.jobs.lease import State
from viewer.jobs.models import PeriodicRun
from viewer.mail.models import Mail
from viewer.settings import Settings

PAGE = 50
FULL = 0.9
"""A disk this full is told."""


@dataclass(frozen=True)
class Disk:
    """The disk under the portal's folder, in bytes."""

    total: int
    free: int

    @property
    def tight(self) -> bool:
        """Whether it is so full that somebody should look."""
        return self.free < (1 - FULL) * self.total


@dataclass(frozen=True)
class Usage:
    """What recordings of a club or team take."""

    id: int
    name: str
    recordings: int
    bytes: int


@dataclass(frozen=True)
class Health:
    """Whether all is well: work and mail by state, for how long the oldest has waited, and the periodic duties."""

    numbers: dict[str, int]
    late_s: int | None
    duties: Sequence[tuple[str, datetime]]

    @property
    def failed(self) -> int:
        """How many pieces of work were given up."""
        return self.numbers[State.FAILED.value]


def health_of(session: Session, now: datetime) -> Health:
    """What waits, is worked on and failed, and the duties' last slots."""
    work = jobs_overview(session)
    late = None if work.oldest is None or work.oldest > now else int((now - work.oldest).total_seconds())
    numbers = {state.value: work.total(state) for state in (State.WAITING, State.LEASED, State.FAILED)}
    return Health(numbers, late, duties_run(session))


def disk_of(settings: Settings) -> Disk:
    """How full the disk is."""
    usage = shutil.disk_usage(settings.data)
    return Disk(usage.total, usage.free)


def revision(database: Database) -> tuple[str, bool]:
    """The database's revision, and whether it is this portal's."""
    held = current(database)
    return held or "none", held == newest()


def clubs_usage(session: Session, after: int | None = None) -> list[Usage]:
    """What each club's recordings take, by the club's number, from the one numbered `after` on; at most `PAGE`."""

    def of_club(what: Any) -> Any:
        # One look into an index for each club of the page: a join would read every recording.
        recordings = select(what).join(Game, Game.id == Recording.game_id)
        return recordings.where(Game.organization_id == Organization.id).correlate(Organization).scalar_subquery()

    taken = of_club(func.coalesce(func.sum(Recording.bytes), 0))
    rows = select(Organization.id, Organization.name, of_club(func.count(Recording.id)), taken)
    if after is not None:
        rows = rows.where(Organization.id > after)
    return [
        Usage(number, name, count, int(bytes_))
        for number, name, count, bytes_ in session.execute(rows.order_by(Organization.id).limit(PAGE))
    ]


def teams_usage(session: Session, club_id: int, after: int | None = None) -> list[Usage]:
    """What each of the club's teams' recordings take, from the team numbered `after` on; at most `PAGE`."""
    rows = (
        select(Team.id, Team.name, func.count(Recording.id), func.coalesce(func.sum(Recording.bytes), 0))
        .outerjoin(Game, Game.team_id == Team.id)
        .outerjoin(Recording, Recording.game_id == Game.id)
        .where(Team.organization_id == club_id)
        .group_by(Team.id, Team.name)
    )
    if after is not None:
        rows = rows.where(Team.id > after)
    return [Usage(*row[:3], int(row[3])) for row in session.execute(rows.order_by(Team.id).limit(PAGE))]


def slugs(session: Session, numbers: Sequence[int]) -> dict[int, str]:
    """The slugs of clubs by their numbers."""
    rows = session.execute(select(Organization.id, Organization.slug).where(Organization.id.in_(numbers)))
    return {number: slug for number, slug in rows}


def mails_in(session: Session, state: State, before: int | None = None) -> Sequence[Mail]:
    """Mails of the outbox in one state, the newest first, those numbered under `before`; at most `PAGE`."""
    listed = select(Mail).where(Mail.state == state)
    if before is not None:
        listed = listed.where(Mail.id < before)
    return session.scalars(listed.order_by(Mail.id.desc()).limit(PAGE)).all()


def duties_run(session: Session) -> Sequence[tuple[str, datetime]]:
    """Each periodic duty and the slot it was last begun for."""
    rows = session.execute(select(PeriodicRun.name, PeriodicRun.slot).order_by(PeriodicRun.name))
    return [(name, slot) for name, slot in rows]
