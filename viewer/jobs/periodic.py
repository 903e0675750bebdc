"""Periodic duties: each of their slots is run by exactly one worker, however many there are."""

import logging
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from viewer.jobs.duties import Periodic, Tools
from viewer.jobs.models import PeriodicRun

log = logging.getLogger("viewer.worker")
_ORIGIN = datetime(2000, 1, 3, tzinfo=UTC)
"""Slots are counted from here, a Monday's midnight."""


def run_due(tools: Tools, duties: Sequence[Periodic]) -> int:
    """Run the duties whose slot has come; returns how many. Of those that were missed only the newest is made up for.

    A slot is taken in the very transaction that has the duty's effects: a worker that dies in between has done neither.
    """
    ran = 0
    for duty in duties:
        try:
            ran += _run(tools, duty)
        except Exception:
            # Undone, so that the next look tries again.
            log.exception("duty failed name=%s", duty.name)
    return ran


def slot_of(now: datetime, every: timedelta) -> datetime:
    """The begin of the slot that `now` is in."""
    return now - (now - _ORIGIN) % every


def _run(tools: Tools, duty: Periodic) -> bool:
    now = tools.clock()
    slot = slot_of(now, duty.every)
    with tools.database.reading() as session:
        last = session.get(PeriodicRun, duty.name)
        if last is not None and last.slot >= slot:
            return False
    with tools.database.writing() as session:
        if not _take(session, duty.name, slot):
            return False
        duty.run(session, tools, now)
    log.info("duty done name=%s slot=%s", duty.name, slot.isoformat())
    return True


def _take(session: Session, name: str, slot: datetime) -> bool:
    """Whether the slot is ours; another worker that is at it is not waited for."""
    if session.get(PeriodicRun, name) is None:
        try:
            with session.begin_nested():
                session.add(PeriodicRun(name=name, slot=slot))
        except IntegrityError:
            return False
        return True
    mine = select(PeriodicRun).where(PeriodicRun.name == name, PeriodicRun.slot < slot)
    run = session.scalars(mine.with_for_update(skip_locked=True).execution_options(populate_existing=True)).first()
    if run is None:
        return False
    run.slot = slot
    return True
