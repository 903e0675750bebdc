"""Work that failed, the outbox, and storage. The guard has checked that the reader runs the platform."""

from enum import StrEnum
from typing import Any

from litestar import get, post
from litestar.datastructures import State
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect, Template
from sqlalchemy.orm import Session

from viewer.admin import condition
from viewer.admin.club_pages import PLATFORM, platform_page
from viewer.audit.acts import Act
from viewer.clubs.clubs import club_named
from viewer.errors import NotThere
from viewer.jobs.dead_letters import drop, failed_work, jobs_overview, retry, title_of
from viewer.jobs.lease import State as WorkState
from viewer.jobs.models import Job
from viewer.mail.models import Mail
from viewer.web.pages import After, Asked, Before, actor_of, next_key, show
from viewer.web.portal import portal_of

_PAGE = 50


class Work(StrEnum):
    """Kinds of dead letters."""

    JOB = "job"
    MAIL = "mail"


@get("/platform/jobs", opt=PLATFORM, sync_to_thread=True)
def work_page(request: Asked, state: State, kind: FromQuery[Work] = Work.JOB, before: Before = None) -> Template:
    """What waits and is being worked on, and the dead letters of one kind."""
    with portal_of(state).database.reading() as session:
        overview = jobs_overview(session)
        failed = list(failed_work(session, kind.value, before, _PAGE))
    context: dict[str, Any] = {
        "overview": overview,
        "lines": [_line(row) for row in failed],
        "kind": kind,
        "following": next_key(failed, _PAGE, lambda row: row.id),
    }
    return platform_page(request, "admin/work.html", "/platform/jobs", **context)


@post("/platform/jobs/{kind:str}/{work_id:int}/retry", opt=PLATFORM, status_code=200, sync_to_thread=True)
def retry_work(request: Asked, state: State, kind: FromPath[Work], work_id: FromPath[int]) -> Redirect:
    """Let a dead letter be tried again."""
    portal = portal_of(state)
    now = portal.clock()
    with portal.database.writing() as session:
        row = _row(session, kind, work_id)
        if row is None or not retry(session, row, now):
            raise NotThere("This is no dead letter any more.")
        actor_of(request).did(session, Act.RETRY, kind.value, work_id, now)
    portal.wake()
    return _back(kind, "retried")


@get("/platform/jobs/{kind:str}/{work_id:int}/drop", opt=PLATFORM, sync_to_thread=True)
def drop_page(request: Asked, state: State, kind: FromPath[Work], work_id: FromPath[int]) -> Template:
    """Ask before a dead letter is dropped."""
    with portal_of(state).database.reading() as session:
        row = _row(session, kind, work_id)
    if row is None or row.state != WorkState.FAILED:
        raise NotThere("This is no dead letter any more.")
    about = _line(row)
    words = f"{about['title']}, {about['detail']}: it is given up for good. What a hub brought must be sent again."
    back = f"/platform/jobs?kind={kind.value}"
    return show(request, "confirm.html", "/platform", title="Drop it?", words=words, fault="", back=back, button="Drop")


@post("/platform/jobs/{kind:str}/{work_id:int}/drop", opt=PLATFORM, status_code=200, sync_to_thread=True)
def drop_work(request: Asked, state: State, kind: FromPath[Work], work_id: FromPath[int]) -> Redirect:
    """Give a dead letter up for good."""
    portal = portal_of(state)
    with portal.database.writing() as session:
        row = _row(session, kind, work_id)
        if row is None or not drop(session, row):
            raise NotThere("This is no dead letter any more.")
        actor_of(request).did(session, Act.DROP, kind.value, work_id, portal.clock(), what=title_of(row))
    portal.wake()
    return _back(kind, "dropped")


@get("/platform/mail", opt=PLATFORM, sync_to_thread=True)
def mail_page(
    request: Asked, state: State, which: FromQuery[WorkState] = WorkState.WAITING, before: Before = None
) -> Template:
    """The outbox. What mails say is not shown: their links are keys to accounts."""
    with portal_of(state).database.reading() as session:
        mails = list(condition.mails_in(session, which, before))
    following = next_key(mails, condition.PAGE, lambda mail: mail.id)
    states = (WorkState.WAITING, WorkState.LEASED, WorkState.FAILED, WorkState.DONE)
    return platform_page(
        request, "admin/mail.html", "/platform/mail", mails=mails, which=which, states=states, following=following
    )


@get("/platform/storage", opt=PLATFORM, sync_to_thread=True)
def storage_page(request: Asked, state: State, club: FromQuery[str] = "", after: After = None) -> Template:
    """What recordings take: of each club, or of the teams of one; and how full the disk is."""
    portal = portal_of(state)
    with portal.database.reading() as session:
        of_club = club_named(session, club) if club else None
        usage = (
            condition.clubs_usage(session, after)
            if of_club is None
            else condition.teams_usage(session, of_club.id, after)
        )
        context: dict[str, Any] = {
            "usage": usage,
            "club": of_club,
            "slugs": condition.slugs(session, [line.id for line in usage]) if of_club is None else {},
            "following": next_key(usage, condition.PAGE, lambda line: line.id),
            "sweeps": [(name, slot) for name, slot in condition.duties_run(session) if "sweep" in name],
        }
    return platform_page(
        request, "admin/storage.html", "/platform/storage", disk=condition.disk_of(portal.settings), **context
    )


def _row(session: Session, kind: Work, work_id: int) -> Job | Mail | None:
    return session.get(Job, work_id) if kind is Work.JOB else session.get(Mail, work_id)


def _line(row: Job | Mail) -> dict[str, Any]:
    return {"row": row, "title": title_of(row), "detail": row.subject}


def _back(kind: Work, what: str) -> Redirect:
    return Redirect(f"/platform/jobs?kind={kind.value}&done={what}", status_code=303)


ROUTES = [work_page, retry_work, drop_page, drop_work, mail_page, storage_page]
