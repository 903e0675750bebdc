"""A worker process for the campaign: the real one, with a kind of job whose effect can be counted, and short leases."""

import logging
import sys
from datetime import timedelta
from pathlib import Path

from viewer.audit.models import AuditEntry
from viewer.errors import LeaseLost
from viewer.jobs import lease, process
from viewer.jobs.duties import Kind, Periodic, Work, queue_job
from viewer.jobs.lease import State, settle
from viewer.settings import Settings


def note(session, act, subject_id, now) -> None:
    """An effect of the campaign's own, which the audit log's `note` would refuse."""
    session.add(AuditEntry(at=now, actor_mail="", act=act, kind="job", subject_id=subject_id, address="", detail={}))


def count(work: Work) -> None:
    """Write one row, in the transaction in which the job is settled."""
    now = work.tools.clock()
    with work.tools.database.writing() as session:
        note(session, "counted", work.job.id, now)
        if not settle(session, work.job, work.token, State.DONE):
            raise LeaseLost("another worker has taken this job over")


def tick(session, _tools, now) -> None:
    """A duty of every two seconds."""
    second = int(now.timestamp()) // 2
    note(session, "ticked", second, now)
    queue_job(session, "counted", f"tick:{second}", "s", {}, now)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    data, database, queue, smtp = sys.argv[1:]
    lease.LEASE = timedelta(seconds=3)
    process.KINDS = (Kind("counted", count),)
    process.PERIODIC = (Periodic("tick", timedelta(seconds=2), tick),)
    sys.exit(process.run_worker(Settings(data=Path(data), database=database, queue=queue, smtp=smtp), 2))
