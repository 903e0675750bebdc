"""What a path names: from a path parameter to the club, teams and player it belongs to."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Select, bindparam, select
from sqlalchemy.orm import Session

from viewer.clock import local_day
from viewer.clubs.models import JoinRequest, Organization, Player, Team, TeamPlayer
from viewer.clubs.rights import Subject
from viewer.devices.models import Device
from viewer.games.models import Clip, Game, GameTeam, Recording
from viewer.imports.models import ImportRun
from viewer.privacy.blur import concerned, withheld
from viewer.privacy.models import RemovalRequest

Load = Callable[[Session, Any], Subject | None]
_GAME = (Game.organization_id, Game.starts_at, Game.time_zone, GameTeam.team_id)
# Written once: for what most requests name, putting a statement together takes longer than asking it.
_RECORDING: Select[*tuple[Any, ...]] = (
    select(Recording.id, concerned().label("concerned"), *_GAME)
    .select_from(Recording)
    .join(Game, Game.id == Recording.game_id)
    .join(GameTeam)
)
_BY_SESSION = _RECORDING.where(Recording.session == bindparam("key"))
_BY_CLIP = _RECORDING.join(Clip, Clip.recording_id == Recording.id).where(Clip.id == bindparam("key"))
_BY_REMOVAL = _RECORDING.join(RemovalRequest, RemovalRequest.recording_id == Recording.id).where(
    RemovalRequest.id == bindparam("key")
)


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
    return _game_of(session.execute(select(*_GAME).join(GameTeam).where(Game.id == game_id)).all())


def _recording(session: Session, name: str) -> Subject | None:
    return _found_in(session, _BY_SESSION, name)


def _clip(session: Session, clip_id: int) -> Subject | None:
    return _found_in(session, _BY_CLIP, clip_id)


def _removal(session: Session, removal_id: int) -> Subject | None:
    return _found_in(session, _BY_REMOVAL, removal_id)


def _found_in(session: Session, statement: Select[*tuple[Any, ...]], key: str | int) -> Subject | None:
    rows = session.execute(statement, {"key": key}).all()
    subject = _game_of(rows)
    held = subject is not None and rows[0].concerned and withheld(session, [rows[0].id])
    return replace(subject, withheld=True) if subject and held else subject


def _game_of(rows: Sequence[Any]) -> Subject | None:
    if not rows:
        return None
    game = rows[0]
    day = local_day(game.starts_at, game.time_zone)
    return Subject(game.organization_id, frozenset(row.team_id for row in rows), day=day)


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
