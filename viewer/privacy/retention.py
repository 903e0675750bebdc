"""How long recordings are kept: never without an end, with a warning before it comes."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from viewer.accounts.models import User
from viewer.audit.acts import Act
from viewer.clubs.actor import Actor
from viewer.clubs.models import Organization, OrganizationAdmin, Team, TeamCoach
from viewer.games.models import Game, Recording
from viewer.games.words import day
from viewer.mail.outbox import queue_mail
from viewer.privacy.deleting import delete_recording
from viewer.privacy.horizon import Horizon
from viewer.privacy.models import RetentionWarning

WARNED_BEFORE = timedelta(days=14)
KEPT_ON = timedelta(days=365)
_AT_ONCE = 200
"""Recordings that one run looks at; the next run goes on."""


def retention_of(team: Team) -> timedelta:
    """How long a team's recordings are kept: as the team says, else its club."""
    return timedelta(days=team.retention_days or team.organization.retention_days)


def keep_until(recording: Recording) -> None:
    """Set the end of a new recording, counted from the game; one that has an end keeps it."""
    if recording.delete_at is None:
        recording.delete_at = recording.game.starts_at + retention_of(recording.game.team)


def move_ends_of_club(session: Session, club: Organization, before_days: int) -> None:
    """After the club has changed how long it keeps recordings: the same for teams that say nothing themselves."""
    followers = select(Team).where(Team.organization_id == club.id, Team.retention_days.is_(None))
    for team in session.scalars(followers):
        move_ends(session, team, timedelta(days=before_days))


def move_ends(session: Session, team: Team, before: timedelta) -> None:
    """After a team's recordings are kept for another time than `before`: move their ends along.

    What somebody has kept on for longer keeps that end.
    """
    kept = retention_of(team)
    recordings = select(Recording).join(Game, Game.id == Recording.game_id).where(Game.team_id == team.id)
    for recording in session.scalars(recordings.options(joinedload(Recording.game))):
        starts_at = recording.game.starts_at
        if recording.delete_at is None or recording.delete_at <= starts_at + before:
            recording.delete_at = starts_at + kept


def keep_on(session: Session, recording: Recording, by: Actor, now: datetime) -> None:
    """Keep a recording for another year from now."""
    recording.delete_at = now + KEPT_ON
    by.did(
        session,
        Act.KEEP,
        "recording",
        recording.id,
        now,
        organization_id=recording.game.organization_id,
        until=recording.delete_at.isoformat(),
    )


def warn(session: Session, now: datetime, url: str) -> int:
    """Write to the coaches and admins of recordings whose end is near, once for each end; returns how many ends."""
    told = select(RetentionWarning.recording_id).where(
        RetentionWarning.recording_id == Recording.id, RetentionWarning.delete_at == Recording.delete_at
    )
    near = select(Recording).where(Recording.delete_at <= now + WARNED_BEFORE, ~told.exists())
    recordings = session.scalars(near.order_by(Recording.delete_at, Recording.id).limit(_AT_ONCE)).all()
    for recording in recordings:
        # Whoever is told late still gets the whole time to object.
        recording.delete_at = max(recording.delete_at or now, now + WARNED_BEFORE)
        session.add(RetentionWarning(recording_id=recording.id, delete_at=recording.delete_at, at=now))
        for user in _keepers(session, recording):
            _mail(session, recording, recording.delete_at, user, now, url)
    return len(recordings)


def delete_ended(session: Session, now: datetime, horizon: Horizon) -> int:
    """Delete the recordings whose end has come and was told in time; returns how many."""
    told = select(RetentionWarning.recording_id).where(
        RetentionWarning.recording_id == Recording.id,
        RetentionWarning.delete_at == Recording.delete_at,
        RetentionWarning.at <= now - WARNED_BEFORE,
    )
    ended = select(Recording).where(Recording.delete_at <= now, told.exists()).order_by(Recording.id).limit(_AT_ONCE)
    recordings = session.scalars(ended).all()
    for recording in recordings:
        delete_recording(session, recording, Actor(), now, horizon, reason="retention")
    return len(recordings)


def _keepers(session: Session, recording: Recording) -> Sequence[User]:
    coaches = select(TeamCoach.user_id).where(TeamCoach.team_id.in_([team.id for team in recording.game.teams]))
    admins = select(OrganizationAdmin.user_id).where(
        OrganizationAdmin.organization_id == recording.game.organization_id
    )
    whom = coaches.union(admins)
    return session.scalars(select(User).where(User.id.in_(whom), User.disabled_at.is_(None)).order_by(User.id)).all()


def _mail(session: Session, recording: Recording, ends: datetime, user: User, now: datetime, url: str) -> None:
    when = day(ends, recording.game.time_zone)
    text = (
        f"Hello {user.name},\n\n"
        f"the recording of {recording.home} against {recording.away} will be deleted on {when}. "
        "A coach can keep it for another year:\n\n"
        f"{url}/matches/{recording.session}\n\n"
        "Touchline\n"
    )
    queue_mail(
        session,
        f"retention:{recording.id}:{int(ends.timestamp())}:{user.id}",
        user.mail,
        f"{recording.home} – {recording.away} will be deleted on {when}",
        text,
        now,
        url=url,
        user_id=user.id,
    )
