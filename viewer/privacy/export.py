"""A copy of all that the portal keeps about a player or an account: a zip with JSON and the clips, made by a job."""

import hashlib
import json
import os
import zipfile
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import DeclarativeBase, Session

from viewer.accounts.models import SignIn, User
from viewer.audit.acts import Act
from viewer.audit.models import AuditEntry
from viewer.clubs.actor import Actor
from viewer.clubs.models import OrganizationAdmin, ParentPlayer, Player, TeamCoach, TeamPlayer
from viewer.errors import LeaseLost, UnknownTeam
from viewer.games.models import Availability, Clip, GameEvent, HeatMap, PlayerGameStats, Recording
from viewer.games.movement import unpacked
from viewer.games.store import media_path
from viewer.jobs.duties import Kind, Tools, Work, queue_job
from viewer.jobs.lease import State, settle
from viewer.jobs.models import Job
from viewer.mail.outbox import queue_mail
from viewer.privacy.models import ConsentRecord, RemovalRequest
from viewer.settings import Settings
from viewer.shares.models import Share
from wire.durable import make_folder, sync_folder

KIND = "export"
KEPT = timedelta(days=7)
"""How long a copy can be fetched."""
_PART, _ABANDONED = ".part", timedelta(days=1)
_UNTOLD = {"password_hash", "secret_hash", "key_hash", "tenths"}
_MOST_LINES = 10_000


def ask_export(
    session: Session, kind: str, subject_id: int, by: Actor, now: datetime, organization_id: int | None = None
) -> str:
    """Have a copy of the `player` or `user` with this id made for the user who asks; its key, the same for a minute."""
    key = f"{KIND}:{kind}:{subject_id}:{by.id}:{int(now.timestamp()) // 60}"
    payload: dict[str, object] = {"kind": kind, "subject": subject_id, "user": by.id}
    queue_job(session, KIND, key, _subject(by.id), payload, now)
    by.did(session, Act.EXPORT, kind, subject_id, now, organization_id=organization_id)
    return key


def exports_of(session: Session, user_id: int, now: datetime) -> Sequence[Job]:
    """The copies that a user has asked for and that are not over, newest first."""
    own = select(Job).where(Job.kind == KIND, Job.subject == _subject(user_id), Job.made_at > now - KEPT)
    return session.scalars(own.order_by(Job.id.desc())).all()


def export_path(settings: Settings, job: Job) -> Path:
    """Where a copy lies; its name says nothing."""
    return settings.data / "exports" / f"{hashlib.sha256(job.key.encode()).hexdigest()[:32]}.zip"


def drop_exports(session: Session, kind: str, subject_id: int) -> None:
    """Forget every copy of a player or account, and those made for that account; the files go with the next sweep."""
    for job in session.scalars(select(Job).where(Job.kind == KIND)):
        about = (job.payload["kind"], job.payload["subject"]) == (kind, subject_id)
        if about or (kind == "user" and job.payload["user"] == subject_id):
            session.delete(job)


def sweep_exports(session: Session, settings: Settings, now: datetime) -> int:
    """Delete copies that are over, and files that no job stands for; returns how many files went."""
    jobs = session.scalars(select(Job).where(Job.kind == KIND)).all()
    current = {export_path(settings, job).name for job in jobs if job.made_at > now - KEPT}
    for job in jobs:
        if job.made_at <= now - KEPT:
            session.delete(job)
    folder, abandoned = settings.data / "exports", (now - _ABANDONED).timestamp()
    files = [path for path in folder.glob("*.zip") if path.name not in current]
    files += [path for path in folder.glob(f".*{_PART}") if path.stat().st_mtime < abandoned]
    for path in files:
        path.unlink(missing_ok=True)
    return len(files)


def make_export(work: Work) -> None:
    """Run the job: the zip is whole or absent, and who asked is told where to fetch it."""
    tools, job = work.tools, work.job
    target = export_path(tools.settings, job)
    make_folder(target.parent)
    write_export(tools, job.payload["kind"], job.payload["subject"], target, work.check)
    with tools.database.writing() as session:
        now = tools.clock()
        user = session.get(User, job.payload["user"]) if job.payload["user"] else None
        if user is not None:
            link = f"{tools.settings.url}/account/data"
            text = (
                f"Hello {user.name},\n\nthe copy of data that you asked for is ready. You can fetch it for 7 days:\n\n"
                f"{link}\n\nTouchline\n"
            )
            queue_mail(
                session,
                f"export-ready:{job.key}",
                user.mail,
                "Your copy of the data is ready",
                text,
                now,
                url=tools.settings.url,
                user_id=user.id,
            )
        if not settle(session, job, work.token, State.DONE):
            raise LeaseLost("another worker has taken this job over")


def write_export(
    tools: Tools, kind: str, subject_id: int, target: Path, check: Callable[[], None] = lambda: None
) -> None:
    """Write the copy of a player or user to `target`; raises `UnknownTeam` when there is nobody of this number.

    `check` is asked before each clip and before the copy is put in place: it raises where that is no longer wanted.
    """
    with tools.database.reading() as session:
        told, clips = (_player if kind == "player" else _user)(session, subject_id)
    # A worker that was taken for dead may still write: each has a part of its own.
    with NamedTemporaryFile(dir=target.parent, prefix=".", suffix=_PART, delete=False) as made:
        part = Path(made.name)
        try:
            with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as out:
                out.writestr("data.json", json.dumps(told, indent=1, default=str, ensure_ascii=False))
                for recording, clip in clips:
                    check()
                    name = f"{recording.session}-{clip.event_ordinal}.mp4"
                    _copy(tools, media_path(recording.folder, clip.path), out, name)
            made.flush()
            os.fsync(made.fileno())
            check()
            part.rename(target)
        except BaseException:
            part.unlink(missing_ok=True)
            raise
    sync_folder(target.parent)


def _copy(tools: Tools, path: str, out: zipfile.ZipFile, name: str) -> None:
    try:
        tools.media.size(path)
    except FileNotFoundError:
        # Taken away meanwhile.
        return
    # Coded video does not get smaller.
    with out.open(zipfile.ZipInfo(f"clips/{name}"), "w", force_zip64=True) as copy:
        for piece in tools.media.read(path):
            copy.write(piece)


Told = tuple[dict[str, Any], list[tuple[Recording, Clip]]]


def _player(session: Session, player_id: int) -> Told:
    player = session.get(Player, player_id)
    if player is None:
        raise UnknownTeam(f"there is no player {player_id}")
    rosters = session.scalars(select(TeamPlayer).where(TeamPlayer.player_id == player_id)).all()
    heat = session.execute(
        select(HeatMap)
        .join(
            PlayerGameStats,
            (PlayerGameStats.recording_id == HeatMap.recording_id) & (PlayerGameStats.track == HeatMap.track),
        )
        .where(PlayerGameStats.player_id == player_id)
    ).scalars()
    clips = session.execute(
        select(Recording, Clip)
        .join(Clip, Clip.recording_id == Recording.id)
        .join(
            GameEvent,
            (GameEvent.recording_id == Clip.recording_id) & (GameEvent.ordinal == Clip.event_ordinal),
        )
        .where(GameEvent.player_id == player_id, Clip.hidden_at.is_(None))
        .order_by(Recording.id, Clip.id)
    )
    told = {
        "player": _plain(player),
        "teams": [{**_plain(row), "team": row.team.name} for row in rosters],
        "availabilities": _rows(session, Availability, Availability.player_id == player_id),
        "consents": _rows(session, ConsentRecord, ConsentRecord.player_id == player_id),
        "statistics": _rows(session, PlayerGameStats, PlayerGameStats.player_id == player_id),
        "events": _rows(session, GameEvent, GameEvent.player_id == player_id),
        "heat_maps": [
            {**_plain(m), "seconds": [[float(v) for v in row] for row in unpacked(m.tenths, m.rows, m.columns)]}
            for m in heat
        ],
    }
    return told, [(recording, clip) for recording, clip in clips]


def _user(session: Session, user_id: int) -> Told:
    user = session.get(User, user_id)
    if user is None:
        raise UnknownTeam(f"there is no account {user_id}")
    told = {
        "account": _plain(user),
        "sign_ins": _rows(session, SignIn, SignIn.user_id == user_id),
        "players": _rows(session, ParentPlayer, ParentPlayer.user_id == user_id),
        "teams": _rows(session, TeamCoach, TeamCoach.user_id == user_id),
        "clubs": _rows(session, OrganizationAdmin, OrganizationAdmin.user_id == user_id),
        "consents_given": _rows(session, ConsentRecord, ConsentRecord.given_by == user_id),
        "removal_requests": _rows(session, RemovalRequest, RemovalRequest.user_id == user_id),
        "links": _rows(session, Share, Share.made_by == user_id),
        "acts": _rows(session, AuditEntry, AuditEntry.actor_id == user_id),
    }
    return told, []


def _rows(session: Session, table: type[DeclarativeBase], of: Any) -> list[dict[str, Any]]:
    return [_plain(row) for row in session.scalars(select(table).where(of).limit(_MOST_LINES))]


def _plain(row: DeclarativeBase) -> dict[str, Any]:
    """A row's columns but for secrets and packed bytes."""
    return {c.key: getattr(row, c.key) for c in row.__mapper__.column_attrs if c.key not in _UNTOLD}


def _subject(user_id: int | None) -> str:
    return f"user:{user_id}"


KINDS = (Kind(KIND, make_export),)
