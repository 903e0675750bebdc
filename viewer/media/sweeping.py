"""Clearing away media that no recording speaks of: what a crash left between the store and the database."""

import logging
import shutil
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from viewer.errors import LeaseLost
from viewer.games.intake import KIND as INTAKE
from viewer.games.models import Recording
from viewer.jobs.duties import Kind, Periodic, Tools, Work, queue_job
from viewer.jobs.lease import State, settle
from viewer.jobs.models import Job
from viewer.media.folder import FolderStore
from viewer.media.store import MediaStore, Stored
from viewer.settings import Settings

KIND = "sweep-media"
GRACE = timedelta(days=1)
"""What is younger may belong to an intake that is under way."""
INCOMING = "incoming"
"""Prefix of packages that somebody put into the bucket to be taken in."""
KEEP_INCOMING = timedelta(days=7)
_AT_ONCE = 500
log = logging.getLogger("viewer.media")


def orphans(session: Session, media: MediaStore, now: datetime) -> list[str]:
    """Prefixes of no recording and no unfinished job that are older than `GRACE`, and packages nobody took in."""
    forgotten = [s.path for s in _listed(media, INCOMING) if s.changed_at < now - KEEP_INCOMING]
    old = [prefix for prefix, newest in _prefixes(media.listed()) if newest < now - GRACE]
    for start in range(0, len(old), _AT_ONCE):
        some = old[start : start + _AT_ONCE]
        known = set(session.scalars(select(Recording.folder).where(Recording.folder.in_(some))))
        # A package that comes in anew puts its files into the store before its row is there.
        names = {prefix.partition("/")[0] for prefix in some}
        open_jobs = select(Job.subject).where(Job.subject.in_(names), Job.state.in_([State.WAITING, State.LEASED]))
        coming = set(session.scalars(open_jobs))
        forgotten += [p for p in some if p not in known and p.partition("/")[0] not in coming]
    return forgotten


def leftovers(session: Session, settings: Settings, now: datetime) -> list[Path]:
    """What a killed process left in the portal's folder: packages that no job waits for, and what was half unpacked."""
    unpacked = [path for path in settings.work.iterdir() if _changed_at(path) < now - GRACE]
    packages = [path for path in settings.incoming.iterdir() if _changed_at(path) < now - KEEP_INCOMING]
    # A dead letter keeps its package, for it may be tried again.
    keys = select(Job.key).where(Job.kind == INTAKE, Job.state != State.DONE)
    wanted = {key.removeprefix(f"{INTAKE}:") for key in session.scalars(keys)}
    return unpacked + [path for path in packages if path.stem not in wanted]


def _changed_at(path: Path) -> datetime:
    return datetime.fromtimestamp(path.stat().st_mtime, UTC)


def sweep(work: Work) -> None:
    """Remove what is nobody's, and settle the job."""
    tools, now = work.tools, work.tools.clock()
    with tools.database.reading() as session:
        found = orphans(session, tools.media, now)
    for prefix in found:
        work.check()
        tools.media.delete(prefix)
    aside = tools.media.sweep(now - GRACE) if isinstance(tools.media, FolderStore) else 0
    with tools.database.reading() as session:
        left = leftovers(session, tools.settings, now)
    for path in left:
        work.check()
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    with tools.database.writing() as session:
        if not settle(session, work.job, work.token, State.DONE):
            raise LeaseLost("another worker has taken this job over")
    log.info("media swept removed=%d aside=%d left=%d", len(found), aside, len(left))


def _queue(session: Session, _tools: Tools, now: datetime) -> None:
    queue_job(session, KIND, f"{KIND}:{now:%Y-%m-%dT%H}", "media", {}, now)


def _prefixes(files: Iterable[Stored]) -> Iterator[tuple[str, datetime]]:
    newest: dict[str, datetime] = {}
    for stored in files:
        parts = stored.path.split("/")
        if len(parts) > 2 and parts[0] != INCOMING:
            prefix = "/".join(parts[:2])
            newest[prefix] = max(newest.get(prefix, stored.changed_at), stored.changed_at)
    return iter(sorted(newest.items()))


def _listed(media: MediaStore, prefix: str) -> list[Stored]:
    return list(media.listed(prefix))


KINDS = (Kind(KIND, sweep),)
PERIODIC = (Periodic(KIND, timedelta(days=1), _queue),)
