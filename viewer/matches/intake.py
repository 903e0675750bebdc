"""The intake job: from a whole package on disk to a match that its members can see, and a mail to each of them."""

import hashlib
import shutil
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from viewer.accounts.models import Account
from viewer.db import Database
from viewer.devices.models import DeviceKey
from viewer.errors import BadPackage, LeaseLost, NotYours
from viewer.jobs.lease import State, settle
from viewer.jobs.models import Job
from viewer.mail.notices import match_ready
from viewer.matches.models import Clip, Match, MatchEvent, MatchFile, PlayerNumbers
from viewer.matches.package import unpack
from viewer.settings import Settings
from viewer.teams.models import Membership, Team
from wire.durable import sync_folder
from wire.match import MatchPackage

KIND = "intake"


def queue_intake(session: Session, upload: str, subject: str, device: int, now: datetime) -> None:
    """Write the job down for the package `incoming/<upload>.tar`; nothing happens when it is there already."""
    key = f"{KIND}:{upload}"
    if session.scalar(select(Job.id).where(Job.key == key)) is None:
        payload = {"upload": upload, "device": device}
        session.add(Job(key=key, kind=KIND, subject=subject, payload=payload, due_at=now, made_at=now))


def package_path(settings: Settings, upload: str) -> Path:
    """Where the whole package of an upload waits."""
    return settings.incoming / f"{upload}.tar"


def take_in(
    database: Database, settings: Settings, job: Job, token: str, now: datetime, check: Callable[[], None]
) -> None:
    """Run the job and settle it in the same transaction as its results.

    Killed anywhere, it can run again: files are unpacked beside the media folder and renamed into it under a name made
    from their manifest; rows replace those of an earlier package of the same session; mails have unique keys. Raises
    `BadPackage` or `NotYours` when no further try would help, `LeaseLost` when another worker has taken over.
    """
    upload = job.payload["upload"]
    package = package_path(settings, upload)
    if not package.is_file():
        raise BadPackage("the uploaded package is gone")
    work = settings.work / upload
    shutil.rmtree(work, ignore_errors=True)
    try:
        work.mkdir(parents=True)
        manifest = unpack(package, work, check)
        if manifest.session != job.subject:
            raise BadPackage(f"this package is of session {manifest.session}, but was announced as {job.subject}")
        folder = _folder(manifest)
        target = settings.media / folder
        _move(work, target)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    check()
    with database.writing() as session:
        replaced = _write(session, manifest, folder, job.payload, settings, now)
        if not settle(session, job, token, State.DONE):
            raise LeaseLost("another worker has taken this job over")
    package.unlink(missing_ok=True)
    if replaced and replaced != folder:
        shutil.rmtree(settings.media / replaced, ignore_errors=True)


def _folder(manifest: MatchPackage) -> str:
    # Named by its content: a newer package of the session gets new addresses, so browsers may keep files for ever.
    content = hashlib.sha256("\n".join(sorted(f"{f.sha256} {f.path}" for f in manifest.files)).encode())
    return f"{manifest.session}/{content.hexdigest()[:16]}"


def _move(work: Path, target: Path) -> None:
    for folder in [work, *(p for p in work.rglob("*") if p.is_dir())]:
        sync_folder(folder)
    target.parent.mkdir(parents=True, exist_ok=True)
    if not target.exists():
        work.rename(target)
    sync_folder(target.parent)
    sync_folder(target.parent.parent)


def _write(
    session: Session, manifest: MatchPackage, folder: str, payload: dict[str, Any], settings: Settings, now: datetime
) -> str:
    device = session.get(DeviceKey, payload["device"])
    if device is None or device.revoked_at is not None:
        raise NotYours("the device that brought this package may no longer bring any")
    match = session.scalar(select(Match).where(Match.session == manifest.session))
    if match is not None and match.club_id != device.team.club_id:
        raise NotYours("this session belongs to another club")
    replaced = match.folder if match else ""
    if match is None:
        match = Match(session=manifest.session, club_id=device.team.club_id)
        session.add(match)
    _describe(match, manifest, folder, now)
    for rows in (match.events, match.clips, match.numbers, match.files):
        rows.clear()
    # The old rows must be gone before new ones take their keys.
    session.flush()
    _fill(match, manifest)
    match.teams = _teams(session, device, manifest)
    session.flush()
    for account in _members(session, match):
        match_ready(session, match, account, settings.url, now)
    return replaced


def _describe(match: Match, manifest: MatchPackage, folder: str, now: datetime) -> None:
    sheet = manifest.sheet
    match.folder, match.received_at = folder, now
    match.title = sheet.title[:300]
    match.home, match.away = sheet.home.name[:200], sheet.away.name[:200]
    match.home_colour, match.away_colour = sheet.home.colour[:7], sheet.away.colour[:7]
    match.pitch_length_m, match.pitch_width_m = sheet.pitch.length_m, sheet.pitch.width_m
    match.players_a_side = sheet.pitch.players
    match.start_ns, match.duration_s = manifest.start_ns, manifest.duration_s
    match.panorama, match.poster, match.tracks = manifest.panorama, manifest.poster, manifest.tracks
    match.panorama_width_px, match.panorama_height_px = manifest.panorama_width_px, manifest.panorama_height_px
    match.view = msgspec.to_builtins(manifest.view)


def _fill(match: Match, manifest: MatchPackage) -> None:
    match.events = [
        MatchEvent(
            ordinal=ordinal,
            time_s=event.time_s,
            type=event.type.value,
            side=event.team.value,
            x_m=event.x_m,
            y_m=event.y_m,
            confidence=event.confidence,
            track=event.track,
        )
        for ordinal, event in enumerate(manifest.events)
    ]
    match.clips = [
        Clip(event_ordinal=c.event, path=c.path, thumbnail=c.thumbnail, start_s=c.start_s, end_s=c.end_s)
        for c in manifest.clips
    ]
    match.numbers = [
        PlayerNumbers(
            track=n.track,
            side=n.team.value,
            distance_m=n.distance_m,
            top_speed_mps=n.top_speed_mps,
            followed_s=n.followed_s,
        )
        for n in manifest.statistics
    ]
    match.files = [MatchFile(path=f.path, bytes=f.bytes, sha256=f.sha256.lower()) for f in manifest.files]


def _teams(session: Session, device: DeviceKey, manifest: MatchPackage) -> list[Team]:
    # The rig's own team always sees what its rig recorded; a sister team of the club when the sheet names it.
    names = [manifest.sheet.home.name.strip().lower(), manifest.sheet.away.name.strip().lower()]
    named = session.scalars(
        select(Team).where(Team.club_id == device.team.club_id, func.lower(Team.name).in_(names)).order_by(Team.id)
    )
    return list({team.id: team for team in [device.team, *named]}.values())


def _members(session: Session, match: Match) -> list[Account]:
    teams = [team.id for team in match.teams]
    linked = select(Membership.account_id).where(Membership.team_id.in_(teams))
    return list(session.scalars(select(Account).where(Account.id.in_(linked), Account.disabled_at.is_(None))))
