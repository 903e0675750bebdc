"""Deleting recordings and clips: the rows at once, the files by a job that can run again."""

from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from viewer.audit.acts import Act
from viewer.clubs.actor import Actor
from viewer.errors import LeaseLost
from viewer.games.models import Clip, Recording, RecordingFile
from viewer.games.store import media_path
from viewer.jobs.duties import Kind, Work, queue_job
from viewer.jobs.lease import State, settle
from viewer.privacy.horizon import Entry, Horizon, remember

KIND = "delete-media"
Gone = tuple[float, datetime, bool]
"""A clip that was taken away: its start in seconds, since when it is hidden, and whether its files are gone."""


def delete_recording(
    session: Session, recording: Recording, by: Actor, now: datetime, horizon: Horizon, *, reason: str
) -> None:
    """Take the recording and all that was found in it away, for good: no package brings it back."""
    by.did(
        session,
        Act.DELETE,
        "recording",
        recording.id,
        now,
        organization_id=recording.game.organization_id,
        name=recording.session,
        reason=reason,
    )
    # All of the session's folder goes, packages that were replaced included.
    _queue(session, recording.session, recording.session, [], now)
    remember(session, Entry("recording", recording.id, now, recording.session), horizon)
    session.execute(delete(Recording).where(Recording.id == recording.id))


def take_clip_away(session: Session, clip: Clip, recording: Recording, now: datetime, *, removed: bool) -> None:
    """Show a clip to nobody any more; `removed`: its files go, too."""
    clip.hidden_at = clip.hidden_at or now
    if removed and not clip.removed:
        clip.removed = True
        remove_files(session, clip, recording, now)


def remove_files(session: Session, clip: Clip, recording: Recording, now: datetime) -> None:
    """Take a clip's files away, but for a picture that something else shows as well."""
    others = session.scalars(select(Clip.thumbnail).where(Clip.recording_id == recording.id, Clip.id != clip.id))
    kept = {recording.poster, *others}
    paths = [path for path in (clip.path, clip.thumbnail) if path not in kept]
    listed = (RecordingFile.recording_id == recording.id, RecordingFile.path.in_(paths))
    session.execute(delete(RecordingFile).where(*listed))
    _queue(session, f"{recording.folder}:{clip.path}", recording.folder, paths, now)


def take_away_again(
    session: Session, recording: Recording, gone: list[tuple[float, datetime, bool]], now: datetime
) -> None:
    """Hide in a new package what was hidden in the one before: the clips of the same moments.

    `gone` tells of each such clip its start in seconds, since when it is hidden, and whether its files are gone.
    """
    for clip in recording.clips:
        for start_s, since, removed in gone:
            if abs(clip.start_s - start_s) < 1.0:
                clip.hidden_at = since
                take_clip_away(session, clip, recording, now, removed=removed)


def hidden_in(recording: Recording) -> list[Gone]:
    """What `take_away_again` has to know of a recording whose package is replaced."""
    return [(clip.start_s, clip.hidden_at, clip.removed) for clip in recording.clips if clip.hidden_at is not None]


def delete_media(work: Work) -> None:
    """Run the job: unlink the files, or the whole folder; what is gone already is well."""
    folder, paths = work.job.payload["folder"], work.job.payload["paths"]
    for name in [media_path(folder, path) for path in paths] or [folder]:
        work.tools.media.delete(name)
    with work.tools.database.writing() as session:
        if not settle(session, work.job, work.token, State.DONE):
            raise LeaseLost("another worker has taken this job over")


def _queue(session: Session, key: str, folder: str, paths: list[str], now: datetime) -> None:
    key = f"{KIND}:{key}:{int(now.timestamp())}"
    queue_job(session, KIND, key, folder[:63], {"folder": folder, "paths": paths}, now)


KINDS = (Kind(KIND, delete_media),)
