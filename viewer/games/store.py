"""Reading games and their recordings for the pages."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta

from sqlalchemy import Select, bindparam, select
from sqlalchemy.orm import Session, joinedload, selectinload

from viewer.clubs.rights import Rights
from viewer.games.models import Clip, Game, GameTeam, HeatMap, Recording, RecordingFile
from viewer.games.movement import Seconds, unpacked
from viewer.media.serving import MediaFile

PAGE = 40
"""Recordings on one page of the list."""
_A_DAY = 8
"""More than a team plays in a day and a half."""
_HEAT = (
    select(HeatMap.tenths, HeatMap.rows, HeatMap.columns)
    .join(Recording)
    .where(Recording.session == bindparam("name"), HeatMap.track == bindparam("at"))
)


def recordings_of(session: Session, rights: Rights, before: datetime | None = None) -> Sequence[Recording]:
    """The newest recordings that the rights open, at most `PAGE` of them, of games that began before `before`."""
    newest = (
        select(Recording).join(Game).options(joinedload(Recording.game)).order_by(Game.starts_at.desc()).limit(PAGE)
    )
    if before is not None:
        newest = newest.where(Game.starts_at < before)
    # One statement for each kind of link, so that each runs down one index.
    found = [
        r
        for statement, until in _opened(newest, rights)
        for r in session.scalars(statement)
        if until is None or r.game.day <= until
    ]
    unique = {r.id: r for r in found}.values()
    return sorted(unique, key=lambda r: (r.game.starts_at, r.start_ns), reverse=True)[:PAGE]


def whole_recording(session: Session, name: str) -> Recording:
    """A recording with everything its page shows. Whether the reader may see it, the guard has checked."""
    parts = (
        joinedload(Recording.game),
        selectinload(Recording.events),
        selectinload(Recording.clips),
        selectinload(Recording.stats),
    )
    return session.scalars(select(Recording).where(Recording.session == name).options(*parts)).one()


def plain_recording(session: Session, name: str) -> Recording:
    """A recording without its parts."""
    return session.scalars(select(Recording).where(Recording.session == name)).one()


def heat_of(session: Session, name: str, track: int) -> Seconds | None:
    """Seconds that a track was in each cell of the pitch; None where no map was kept."""
    found = session.execute(_HEAT, {"name": name, "at": track}).first()
    return None if found is None else unpacked(found.tenths, found.rows, found.columns)


def file_of(session: Session, name: str, path: str, folder: str | None = None) -> MediaFile | None:
    """A file that belongs to the recording, in `folder` where it must not have changed; None for any other path,
    and for a clip that was taken away.
    """
    hidden = select(Clip.path).where(Clip.recording_id == Recording.id, Clip.hidden_at.is_not(None))
    statement = (
        select(Recording.folder, Recording.panorama, Recording.duration_s, RecordingFile.bytes, RecordingFile.sha256)
        .join(RecordingFile, RecordingFile.recording_id == Recording.id)
        .where(Recording.session == name, RecordingFile.path == path, RecordingFile.path.not_in(hidden))
    )
    found = session.execute(statement).first()
    if found is None or folder not in (None, found.folder):
        return None
    seconds = found.duration_s if path == found.panorama else 0.0
    return MediaFile(media_path(found.folder, path), found.bytes, found.sha256, seconds)


def media_path(folder: str, path: str) -> str:
    """Where a recording's file is in the media store."""
    return f"{folder}/{path}"


def media_url(recording: Recording, path: str) -> str:
    """The address of a file; it changes with the package's content, so that browsers may keep it."""
    return f"/matches/{recording.session}/media/{path}?v={recording.folder[-16:]}"


def _opened(newest: Select[Recording], rights: Rights) -> list[tuple[Select[Recording], date | None]]:
    """Statements, each with the last day of games that it opens where there is one."""
    now_in = rights.coached | rights.managed | {team for team, until in rights.rosters.items() if until is None}
    statements: list[tuple[Select[Recording], date | None]] = [
        (newest.where(Game.organization_id == club), None) for club in rights.clubs
    ]
    if now_in:
        played = select(GameTeam.game_id).where(GameTeam.team_id.in_(now_in))
        statements.append((newest.where(Game.id.in_(played)), None))
    for team, until in rights.rosters.items():
        if until is not None and team not in now_in:
            played = select(GameTeam.game_id).where(GameTeam.team_id == team)
            until_then = newest.where(Game.id.in_(played), Game.starts_at < _end_of(until)).limit(PAGE + _A_DAY)
            statements.append((until_then, until))
    return statements


def _end_of(day: date) -> datetime:
    """When the day is over everywhere; what began later at its place is sorted out game by game."""
    return datetime.combine(day + timedelta(days=1), time(), UTC) + timedelta(hours=12)
