"""Import runs: made from a snapshot, shown to an admin, and applied or dropped once."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from viewer.accounts.models import User
from viewer.audit.log import note
from viewer.clubs.models import Organization, OrganizationAdmin
from viewer.errors import RunDecided, StaleRun
from viewer.imports.apply import Applying, Invite, Outcome
from viewer.imports.change import Change, as_json, read_changes, settled
from viewer.imports.diff import compared, differences
from viewer.imports.known import load_known
from viewer.imports.models import ImportRun
from viewer.imports.snapshot import Snapshot, read_snapshot
from viewer.mail.outbox import queue_mail

KEPT_WAITING = timedelta(days=30)
"""A run that nobody decides is dropped then: it holds names and addresses."""
_LISTED = 20


class RunState(StrEnum):
    """Where a run stands."""

    OPEN = "open"
    APPLIED = "applied"
    DROPPED = "dropped"


def make_run(
    session: Session, organization_id: int, snapshot: Snapshot, now: datetime, *, by: User | None, asked: bool
) -> tuple[ImportRun | None, bool]:
    """The run that waits for an admin now, and whether it says anything that no run has said before.

    None when nothing would change, and, unless somebody `asked`, when all that would was declined before. An older run
    of the source that still waits ends: this one has seen more.
    """
    # Two looks at once would both wait: whoever comes second finds the first one's run.
    session.get_one(Organization, organization_id, with_for_update=True)
    changes = differences(session, organization_id, snapshot, now)
    waiting = _runs(session, organization_id, snapshot.source, RunState.OPEN)
    ids = {change.id for change in changes}
    for run in waiting:
        if ids and {change.id for change in read_changes(run.changes)} == ids:
            run.snapshot, run.changes = snapshot.as_json(), as_json(changes)
            return run, False
    for run in waiting:
        _settle(run, RunState.DROPPED, (), now, None)
    if not ids or (not asked and ids <= _declined(session, organization_id, snapshot.source)):
        return None, False
    run = ImportRun(
        organization_id=organization_id,
        source=snapshot.source,
        state=RunState.OPEN,
        changes=as_json(changes),
        snapshot=snapshot.as_json(),
        made_by=by.id if by else None,
        made_at=now,
    )
    session.add(run)
    session.flush()
    return run, True


def apply_run(
    session: Session, run_id: int, ticked: set[str], now: datetime, *, by: User | None, invite: Invite, url: str
) -> Outcome:
    """Make the ticked changes of a run that waits; all in this transaction, or none.

    Raises `StaleRun` when one of them would do something else by now than what was shown (see `refresh_run`), and
    `RunDecided`.
    """
    run = _open_run(session, run_id)
    snapshot = read_snapshot(run.snapshot or {})
    known = load_known(session, run.organization_id, snapshot, now)
    changes = compared(known, snapshot)
    if not ticked <= {change.id for change in changes}:
        raise StaleRun("Something was changed here meanwhile. Look through the changes again: they are up to date now.")
    outcome = Applying(session, known, snapshot, invite, url, by).apply(changes, ticked)
    run.changes = as_json(changes)
    _settle(run, RunState.APPLIED, outcome.done, now, by)
    _note(session, "import", run, now, by, applied=len(outcome.done), left_out=len(outcome.left_out))
    return outcome


def refresh_run(session: Session, run_id: int, now: datetime) -> None:
    """Compare a run that waits with the database as it is now."""
    run = _open_run(session, run_id)
    run.changes = as_json(differences(session, run.organization_id, read_snapshot(run.snapshot or {}), now))


def drop_run(session: Session, run_id: int, now: datetime, *, by: User | None) -> None:
    """Decide that nothing of a run is done, by an admin or (None) at the command line. Raises `RunDecided`."""
    run = _open_run(session, run_id)
    _settle(run, RunState.DROPPED, (), now, by)
    # Unlike in a run that was only superseded.
    run.changes = [{**change, "declined": True} for change in run.changes]
    _note(session, "drop-import", run, now, by)


def drop_old_runs(session: Session, now: datetime) -> int:
    """Drop what has waited too long, with the names in it; returns how many there were."""
    old = session.scalars(select(ImportRun).where(ImportRun.state == RunState.OPEN)).all()
    old = [run for run in old if run.made_at < now - KEPT_WAITING]
    for run in old:
        _settle(run, RunState.DROPPED, (), now, None)
    return len(old)


def runs_of(session: Session, organization_id: int) -> Sequence[ImportRun]:
    """A club's newest runs."""
    mine = select(ImportRun).where(ImportRun.organization_id == organization_id)
    return session.scalars(mine.order_by(ImportRun.id.desc()).limit(_LISTED)).all()


def changes_of(run: ImportRun) -> list[Change]:
    """The changes of a run that waits; empty for a decided one."""
    return read_changes(run.changes) if run.state == RunState.OPEN else []


def tell_admins(session: Session, run: ImportRun, url: str, now: datetime) -> None:
    """Write to the club's admins that a run waits; no child is named in a mail."""
    club = session.get_one(Organization, run.organization_id)
    admins = select(User).join(OrganizationAdmin, OrganizationAdmin.user_id == User.id)
    mine = admins.where(OrganizationAdmin.organization_id == club.id, User.disabled_at.is_(None)).order_by(User.id)
    for admin in session.scalars(mine):
        text = (
            f"Hello {admin.name},\n\n"
            f"teams, people or games of {club.name} are not the same in TeamSnap as here "
            f"({len(run.changes)} differences). Nothing is changed before you say so:\n\n"
            f"{url}/clubs/{club.slug}/imports/{run.id}\n\nTouchline\n"
        )
        key, subject = f"import-run:{run.id}:{admin.id}", f"{club.name}: changes in TeamSnap"
        queue_mail(session, key, admin.mail, subject, text, now, url=url, user_id=admin.id)


def _open_run(session: Session, run_id: int) -> ImportRun:
    run = session.get_one(ImportRun, run_id)
    # One import of a club at a time, so that two admins do not add the same child twice.
    session.get_one(Organization, run.organization_id, with_for_update=True)
    session.refresh(run)
    if run.state != RunState.OPEN:
        raise RunDecided("This import was applied or dropped already.")
    return run


def _settle(run: ImportRun, state: RunState, done: Iterable[str], now: datetime, by: User | None) -> None:
    run.changes, run.snapshot = settled(read_changes(run.changes), done), None
    run.state, run.decided_at, run.decided_by = state, now, by.id if by else None


def _declined(session: Session, organization_id: int, source: str) -> set[str]:
    decided = [*_runs(session, organization_id, source, RunState.APPLIED)]
    # Dropped by nobody is superseded, not declined, unless it was by command, which has no account.
    dropped = _runs(session, organization_id, source, RunState.DROPPED)
    decided += [r for r in dropped if r.decided_by is not None or any(c.get("declined") for c in r.changes)]
    return {change["id"] for run in decided for change in run.changes if not change["done"]}


def _runs(session: Session, organization_id: int, source: str, state: RunState) -> Sequence[ImportRun]:
    mine = select(ImportRun).where(ImportRun.organization_id == organization_id, ImportRun.source == source)
    return session.scalars(mine.where(ImportRun.state == state).order_by(ImportRun.id.desc()).limit(_LISTED)).all()


def _note(session: Session, act: str, run: ImportRun, now: datetime, by: User | None, **detail: Any) -> None:
    note(
        session,
        act,
        "import_run",
        run.id,
        now,
        actor_id=by.id if by else None,
        actor_mail=by.mail if by else "",
        organization_id=run.organization_id,
        source=run.source,
        **detail,
    )
