"""Work of imports: looking at TeamSnap when asked and every day, and dropping runs that nobody decides."""

import secrets
import time
from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from viewer.accounts.models import User
from viewer.errors import LeaseLost, NotConnected, TeamSnapBusy, TeamSnapFault
from viewer.imports.models import OAuthConnection
from viewer.imports.runs import drop_old_runs, make_run, tell_admins
from viewer.imports.snapshot import Snapshot
from viewer.imports.teamsnap.collection import Reader
from viewer.imports.teamsnap.oauth import Access
from viewer.imports.teamsnap.reading import read_teamsnap
from viewer.jobs.duties import Kind, Periodic, Tools, Work, queue_job
from viewer.jobs.lease import State, put_back, settle
from viewer.jobs.models import Job

SYNC = "teamsnap-sync"
_HREFS: dict[str, str] = {}
"""Relations of TeamSnap's root; kept while the worker lives, dropped when one of them fails."""
Sleep = Callable[[float], None]


def queue_sync(session: Session, connection: OAuthConnection, now: datetime, by: User | None = None) -> bool:
    """Have TeamSnap looked at; False when that is under way already: one importer per token, whoever asks."""
    session.get_one(OAuthConnection, connection.id, with_for_update=True)
    mine = select(Job.id).where(Job.kind == SYNC, Job.subject == str(connection.id))
    if session.scalar(mine.where(Job.state.in_([State.WAITING, State.LEASED])).limit(1)) is not None:
        return False
    key = f"{SYNC}:{connection.id}:{secrets.token_hex(8)}"
    payload: dict[str, object] = {"connection": connection.id, "by": by.id if by else None}
    queue_job(session, SYNC, key, str(connection.id), payload, now)
    return True


def sync_under_way(session: Session, connection: OAuthConnection) -> bool:
    """Whether TeamSnap is being looked at, or will be."""
    mine = select(Job.id).where(Job.kind == SYNC, Job.subject == str(connection.id))
    return session.scalar(mine.where(Job.state.in_([State.WAITING, State.LEASED])).limit(1)) is not None


def sync(work: Work, sleep: Sleep = time.sleep) -> None:
    """Look at TeamSnap, and settle the job in the same transaction as the run that comes of it.

    Where TeamSnap wants to be left alone, the job waits as long; where it does not let us in, an admin has to act, and
    no further try would help.
    """
    tools, job = work.tools, work.job
    try:
        snapshot = _look(work, sleep)
    except TeamSnapBusy as fault:
        _fail(work, str(fault), wait_s=fault.wait_s)
    except NotConnected as fault:
        _fail(work, str(fault), wait_s=None)
    except TeamSnapFault as fault:
        again = job.attempts < job.most_attempts
        _fail(work, f"{fault} It is tried again by itself." if again else str(fault), wait_s=None, settled=False)
        raise
    else:
        work.check()
        with tools.database.writing() as session:
            _take(session, work, snapshot)


def _look(work: Work, sleep: Sleep) -> Snapshot:
    tools = work.tools
    app = tools.settings.teamsnap
    if app is None:
        raise NotConnected("This portal is not set up for TeamSnap any more.")

    def wait(seconds: float) -> None:
        # In short pieces, so that a worker that stops does not keep anybody waiting.
        while seconds > 0:
            work.check()
            sleep(min(seconds, 1.0))
            seconds -= 1.0
        work.check()

    access = Access(tools.database, tools.seal, app, work.job.payload["connection"], tools.clock)
    reader = Reader(app.api_url, access.token, wait, tools.clock, _HREFS)
    try:
        return read_teamsnap(reader)
    finally:
        reader.close()


def _take(session: Session, work: Work, snapshot: Snapshot) -> None:
    now, payload = work.tools.clock(), work.job.payload
    connection = session.get(OAuthConnection, payload["connection"], with_for_update=True)
    if connection is not None:
        by = session.get(User, payload["by"]) if payload["by"] else None
        run, fresh = make_run(session, connection.organization_id, snapshot, now, by=by, asked=by is not None)
        # Whoever asked by hand is looking at the page.
        if run is not None and fresh and by is None:
            tell_admins(session, run, work.tools.settings.url, now)
        connection.synced_at, connection.fault = now, None
    if not settle(session, work.job, work.token, State.DONE):
        raise LeaseLost("another worker has taken this job over")


def _fail(work: Work, words: str, *, wait_s: float | None, settled: bool = True) -> None:
    now = work.tools.clock()
    with work.tools.database.writing() as session:
        connection = session.get(OAuthConnection, work.job.payload["connection"])
        if connection is not None:
            connection.fault = words[:500]
        if wait_s is not None:
            put_back(session, work.job, work.token, now + timedelta(seconds=wait_s), fault=words[:1000], counted=False)
        elif settled:
            settle(session, work.job, work.token, State.DONE, fault=words[:1000])


def _daily(session: Session, _tools: Tools, now: datetime) -> None:
    for connection in session.scalars(select(OAuthConnection).order_by(OAuthConnection.id)):
        queue_sync(session, connection, now)
    drop_old_runs(session, now)


KINDS = (Kind(SYNC, sync),)
PERIODIC = (Periodic("imports", timedelta(days=1), _daily),)
