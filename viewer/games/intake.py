"""The intake job: from a whole package on disk to a match that its members can see, and a mail to each of them."""

import hashlib
import shutil
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from viewer.clubs.models import Team
from viewer.devices.models import Device
from viewer.errors import BadPackage, LeaseLost, NotYours
from viewer.games import movement
from viewer.games.calendar import members_of, our_side, place_of, planned_around, recount
from viewer.games.matching import game_shown
from viewer.games.models import Clip, Game, GameEvent, HeatMap, PlayerGameStats, Recording, RecordingFile
from viewer.games.package import unpack
from viewer.jobs.duties import Kind, Tools, Work, queue_job
from viewer.jobs.lease import State, settle
from viewer.jobs.models import Job
from viewer.mail.notices import match_ready
from viewer.privacy.blur import withheld
from viewer.privacy.deleting import hidden_in, take_away_again
from viewer.privacy.horizon import was_deleted
from viewer.privacy.pictures import confirm_again, confirmed_in
from viewer.privacy.retention import keep_until
from viewer.settings import Settings
from wire.errors import WireError
from wire.match import MatchPackage
from wire.pitch_tracks import decode_pitch_tracks

KIND = "intake"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def queue_intake(session: Session, upload: str, subject: str, device: int, now: datetime) -> None:
    """Write the job down for the package `incoming/<upload>.tar`; nothing happens when it is there already."""
    queue_job(session, KIND, f"{KIND}:{upload}", subject, {"upload": upload, "device": device}, now)


def package_path(settings: Settings, upload: str) -> Path:
    """Where the whole package of an upload waits."""
    return settings.incoming / f"{upload}.tar"


def take_in(work: Work) -> None:
    """Run the job and settle it in the same transaction as its results.

    Killed anywhere, it can run again: files come into the media store under a name made from their manifest before a
    row speaks of them; rows replace those of an earlier package of the same session; mails have unique keys. Raises
    `BadPackage` or `NotYours` when no further try would help, `LeaseLost` when another worker has taken over.
    """
    database, settings = work.tools.database, work.tools.settings
    job, now = work.job, work.tools.clock()
    upload = job.payload["upload"]
    package = package_path(settings, upload)
    if not package.is_file():
        raise BadPackage("the uploaded package is gone")
    with database.reading() as session:
        if was_deleted(session, job.subject):
            raise BadPackage("this match was deleted on the portal and is not taken again")
        _bringer(session, job.payload["device"])
    unpacked = settings.work / upload
    shutil.rmtree(unpacked, ignore_errors=True)
    try:
        unpacked.mkdir(parents=True)
        manifest = unpack(package, unpacked, work.check)
        if manifest.session != job.subject:
            raise BadPackage(f"this package is of session {manifest.session}, but was announced as {job.subject}")
        folder = _folder(manifest)
        heat_maps = _heat_maps(manifest, unpacked / manifest.tracks)
        work.tools.media.put(unpacked, folder, work.check)
    finally:
        shutil.rmtree(unpacked, ignore_errors=True)
    work.check()
    with database.writing() as session:
        recording, replaced = _write(session, manifest, heat_maps, folder, job.payload["device"], now)
        # Who may not see it yet is told when the blurred package comes.
        told = [] if withheld(session, [recording.id]) else members_of(session, recording.game)
        for user in told:
            match_ready(session, recording, user, settings.url, now, work.tools.seal)
        if not settle(session, job, work.token, State.DONE):
            raise LeaseLost("another worker has taken this job over")
    package.unlink(missing_ok=True)
    if replaced and replaced != folder:
        # A crash before this leaves an orphan for the sweep.
        work.tools.media.delete(replaced)


def drop(tools: Tools, job: Job) -> None:
    """Remove the package of a job that is over."""
    package_path(tools.settings, job.payload["upload"]).unlink(missing_ok=True)


def _folder(manifest: MatchPackage) -> str:
    # Named by its content: a newer package of the session gets new addresses, so browsers may keep files for ever.
    content = hashlib.sha256("\n".join(sorted(f"{f.sha256} {f.path}" for f in manifest.files)).encode())
    return f"{manifest.session}/{content.hexdigest()[:16]}"


def _write(
    session: Session,
    manifest: MatchPackage,
    heat_maps: list[HeatMap],
    folder: str,
    device_id: int,
    now: datetime,
) -> tuple[Recording, str]:
    device = _bringer(session, device_id)
    recording = session.scalar(select(Recording).where(Recording.session == manifest.session))
    if recording is None:
        recording = Recording(session=manifest.session, game=_game(session, device, manifest, now))
        session.add(recording)
    elif recording.game.organization_id != device.organization_id:
        raise NotYours("this session belongs to another club")
    replaced = recording.folder or ""
    known, hidden = confirmed_in(session, recording, manifest), hidden_in(recording)
    _describe(recording, manifest, folder, now)
    recording.device_id = device.id
    for rows in (recording.events, recording.clips, recording.stats, recording.heat_maps, recording.files):
        rows.clear()
    # The old rows must be gone before new ones take their keys.
    session.flush()
    _fill(recording, manifest, heat_maps)
    confirm_again(recording, known)
    keep_until(recording)
    session.flush()
    take_away_again(session, recording, hidden, now)
    recount(session, recording.game)
    recording.game.processed_at = recording.game.processed_at or now
    return recording, replaced


def _bringer(session: Session, device_id: int) -> Device:
    device = session.get(Device, device_id)
    if device is None or device.revoked_at is not None:
        raise NotYours("the device that brought this package may no longer bring any")
    return device


def _game(session: Session, device: Device, manifest: MatchPackage, now: datetime) -> Game:
    sheet, begins = manifest.sheet, EPOCH + timedelta(microseconds=manifest.start_ns // 1000)
    names = (sheet.home.name, sheet.away.name)
    planned = planned_around(session, device.organization_id, begins, device.team_id, names)
    shown = game_shown(planned, begins, device.team_id, names, place_of(device.venue))
    if shown is not None:
        game = session.get_one(Game, shown)
    else:
        team = device.team
        at_home = team.name.strip().casefold() != sheet.away.name.strip().casefold()
        game = Game(
            organization_id=device.organization_id,
            team_id=team.id,
            opponent=(sheet.away.name if at_home else sheet.home.name)[:200],
            at_home=at_home,
            title=sheet.title[:300],
            starts_at=begins,
            time_zone=team.organization.time_zone,
            venue_id=device.venue_id,
            made_at=now,
        )
        session.add(game)
    own = session.get_one(Team, game.team_id)
    game.teams = list({team.id: team for team in [own, *game.teams, *_sisters(session, device, names)]}.values())
    session.flush()
    return game


def _sisters(session: Session, device: Device, names: tuple[str, str]) -> Sequence[Team]:
    # A sister team of the club sees the game too, when the sheet names it and it plays in the same season.
    wanted = [name.strip().lower() for name in names]
    named = select(Team).where(Team.organization_id == device.organization_id, func.lower(Team.name).in_(wanted))
    return session.scalars(
        named.where(Team.season_id.is_not_distinct_from(device.team.season_id)).order_by(Team.id)
    ).all()


def _describe(recording: Recording, manifest: MatchPackage, folder: str, now: datetime) -> None:
    sheet, game = manifest.sheet, recording.game
    recording.folder, recording.received_at = folder, now
    recording.home, recording.away = sheet.home.name[:200], sheet.away.name[:200]
    recording.our_side = our_side(game, recording.home, recording.away)
    recording.home_colour, recording.away_colour = sheet.home.colour[:7], sheet.away.colour[:7]
    recording.pitch_length_m, recording.pitch_width_m = sheet.pitch.length_m, sheet.pitch.width_m
    recording.players_a_side = sheet.pitch.players
    recording.start_ns, recording.duration_s = manifest.start_ns, manifest.duration_s
    recording.panorama, recording.poster, recording.tracks = manifest.panorama, manifest.poster, manifest.tracks
    recording.panorama_width_px = manifest.panorama_width_px
    recording.panorama_height_px = manifest.panorama_height_px
    recording.view = msgspec.to_builtins(manifest.view)
    recording.bytes = sum(file.bytes for file in manifest.files)
    recording.blurred = list(manifest.blurred)


def _fill(recording: Recording, manifest: MatchPackage, heat_maps: list[HeatMap]) -> None:
    recording.events = [
        GameEvent(
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
    recording.clips = [
        Clip(event_ordinal=c.event, path=c.path, thumbnail=c.thumbnail, start_s=c.start_s, end_s=c.end_s)
        for c in manifest.clips
    ]
    recording.stats = [
        PlayerGameStats(
            track=n.track,
            side=n.team.value,
            distance_m=n.distance_m,
            top_speed_mps=n.top_speed_mps,
            followed_s=n.followed_s,
        )
        for n in manifest.statistics
    ]
    recording.heat_maps = heat_maps
    recording.files = [RecordingFile(path=f.path, bytes=f.bytes, sha256=f.sha256.lower()) for f in manifest.files]


def _heat_maps(manifest: MatchPackage, tracks: Path) -> list[HeatMap]:
    try:
        moved = decode_pitch_tracks(tracks.read_bytes())
    except WireError as fault:
        raise BadPackage(f"the package's tracks cannot be read: {fault}") from fault
    pitch = manifest.sheet.pitch
    maps = [(n.track, movement.heat(moved, n.track, pitch.length_m, pitch.width_m)) for n in manifest.statistics]
    return [
        HeatMap(track=track, rows=seconds.shape[0], columns=seconds.shape[1], tenths=movement.packed(seconds))
        for track, seconds in maps
    ]


KINDS = (Kind(KIND, take_in, drop),)
