"""What a path names: from a path parameter to the club, teams and player it belongs to."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from viewer.clubs.models import JoinRequest, Organization, Player, Team, TeamPlayer
from viewer.clubs.rights import Subject
from viewer.devices.models import Device
from viewer.games.models import Clip, Game, GameTeam, Recording
from viewer.imports.models import ImportRun
from viewer.privacy.blur import withheld
from viewer.privacy.models import RemovalRequest

Load = Callable[[Session, Any], Subject | None]


def _organization(session: Session, slug: str) -> Subject | None:
    found = session.scalar(select(Organization.id).where(Organization.slug == slug))
    return None if found is None else Subject(found)


def _team(session: Session, team_id: int) -> Subject | None:
    found = session.scalar(select(Team.organization_id).where(Team.id == team_id))
    return None if found is None else Subject(found, frozenset({team_id}))


def _join_request(session: Session, join_request_id: int) -> Subject | None:
    team = session.scalar(select(JoinRequest.team_id).where(JoinRequest.id == join_request_id))
    return None if team is None else _team(session, team)


def _player(session: Session, player_id: int) -> Subject | None:
    found = session.scalar(select(Player.organization_id).where(Player.id == player_id))
    if found is None:
        return None
    on = select(TeamPlayer.team_id).where(TeamPlayer.player_id == player_id, TeamPlayer.left_on.is_(None))
    return Subject(found, frozenset(session.scalars(on)), player_id)


def _device(session: Session, device_id: int) -> Subject | None:
    found = session.scalar(select(Device.organization_id).where(Device.id == device_id))
    return None if found is None else Subject(found)


def _import_run(session: Session, run_id: int) -> Subject | None:
    found = session.scalar(select(ImportRun.organization_id).where(ImportRun.id == run_id))
    return None if found is None else Subject(found)


def _game(session: Session, game_id: int) -> Subject | None:
    return _game_where(session, select(Game).where(Game.id == game_id))


def _recording(session: Session, name: str) -> Subject | None:
    found = session.scalar(select(Recording.id).where(Recording.session == name))
    return None if found is None else _recording_with(session, found)


def _clip(session: Session, clip_id: int) -> Subject | None:
    found = session.scalar(select(Clip.recording_id).where(Clip.id == clip_id))
    return None if found is None else _recording_with(session, found)


def _removal(session: Session, removal_id: int) -> Subject | None:
    found = session.scalar(select(RemovalRequest.recording_id).where(RemovalRequest.id == removal_id))
    return None if found is None else _recording_with(session, found)


def _recording_with(session: Session, recording_id: int) -> Subject | None:
    subject = _game_where(session, select(Game).join(Recording).where(Recording.id == recording_id))
    held = withheld(session, [recording_id])
    return replace(subject, withheld=True) if subject and held else subject


def _game_where(session: Session, statement: Select[Game]) -> Subject | None:
    wanted = statement.with_only_columns(Game.id, Game.organization_id, Game.starts_at, GameTeam.team_id)
    rows = session.execute(wanted.join(GameTeam, GameTeam.game_id == Game.id)).all()
    if not rows:
        return None
    return Subject(rows[0].organization_id, frozenset(row.team_id for row in rows), day=rows[0].starts_at.date())


SUBJECTS: Mapping[str, Load] = {
    "organization_slug": _organization,
    "team_id": _team,
    "join_request_id": _join_request,
    "player_id": _player,
    "device_id": _device,
    "run_id": _import_run,
    "game_id": _game,
    "match_session": _recording,
    "clip_id": _clip,
    "removal_id": _removal,
}
"""Every path parameter that names something of somebody's, and how it is looked up (None: no such thing)."""
