"""Routes of the import pages. Everything here is for a club's admins; the guard has checked that."""

import logging
from datetime import datetime
from typing import Annotated, Any

from litestar import Request, Response, get, post
from litestar.datastructures import State, UploadFile
from litestar.enums import RequestEncodingType
from litestar.exceptions import NotFoundException
from litestar.params import Body, FromPath, QueryParameter
from litestar.response import Redirect, Template
from litestar.types import ControllerRouterHandler
from sqlalchemy import select
from sqlalchemy.orm import Session

from viewer.accounts.models import User
from viewer.audit.log import note
from viewer.clubs.club_pages import own
from viewer.clubs.invitations import invite
from viewer.clubs.models import Organization
from viewer.clubs.rights import Standing, Subject
from viewer.errors import BadState, BadTable, RunDecided, StaleRun, TeamSnapFault
from viewer.imports import page
from viewer.imports.duties import queue_sync, sync_under_way
from viewer.imports.models import ImportRun
from viewer.imports.runs import apply_run, changes_of, drop_run, make_run, refresh_run, runs_of
from viewer.imports.sheets import Sheet, example, read_sheet
from viewer.imports.tables import MOST_BYTES
from viewer.imports.teamsnap import oauth
from viewer.settings import Settings, TeamSnapApp
from viewer.web.access import SIGNED_IN, Access, open_to
from viewer.web.address import client_address
from viewer.web.person import Person
from viewer.web.portal import portal_of

log = logging.getLogger("viewer.imports")
CLUB, OWN = open_to(Access.CLUB), open_to(Access.OWN_CLUB)
"""The platform's admin keeps connections going and sees that runs wait, but no name in them."""
_CALLBACK = "/imports/teamsnap/callback"
_FORM_BYTES = 1 << 20
"""Thousands of ticks, and no more."""
Asked = Request[Person, Any, Any]
Form = Annotated[dict[str, Any], Body(media_type=RequestEncodingType.URL_ENCODED)]


@get("/clubs/{organization_slug:str}/imports", opt=CLUB, sync_to_thread=True)
def imports_page(
    request: Asked,
    state: State,
    organization_slug: FromPath[str],
    told: Annotated[str, QueryParameter(name="told", max_length=20)] = "",
) -> Template:
    """TeamSnap's connection, tables to upload, and the newest runs."""
    return _page(request, state, organization_slug, told=told)


@post("/clubs/{organization_slug:str}/imports/teamsnap/connect", opt=CLUB, status_code=200, sync_to_thread=True)
def take_connect(request: Asked, state: State, organization_slug: FromPath[str]) -> Template:
    """Begin to sign in at TeamSnap.

    Our pages' forms lead to no other host (Content-Security-Policy), so the way there is a link on this answer.
    """
    portal, app = portal_of(state), _app(portal_of(state).settings)
    with portal.database.writing() as session:
        club = _club(session, organization_slug)
        redirect, now = portal.settings.url + _CALLBACK, portal.clock()
        address = oauth.begin(session, portal.seal, app, club.id, request.user.sign_in, redirect, now)
    context = {"person": request.user, "here": "/clubs", "club": club, "address": address}
    return Template("imports/connect.html", context=context)


@get(_CALLBACK, opt=SIGNED_IN, sync_to_thread=True)
def teamsnap_callback(
    request: Asked,
    state: State,
    code: Annotated[str, QueryParameter(name="code", max_length=2000)] = "",
    answered: Annotated[str, QueryParameter(name="state", max_length=200)] = "",
) -> Response[Any]:
    """TeamSnap sends the browser back: good once, for minutes, in the sign-in that asked, for whoever still may."""
    portal, now = portal_of(state), portal_of(state).clock()
    app = _app(portal.settings)
    try:
        with portal.database.writing() as session:
            club_id, verifier = oauth.take_state(session, portal.seal, answered, request.user.sign_in, now)
            club = session.get_one(Organization, club_id)
    except BadState as fault:
        log.warning("teamsnap answer refused user=%d", request.user.id)
        return _fault(request, str(fault), 403)
    if request.user.rights.standing(Subject(club.id)) not in (Standing.CLUB, Standing.PLATFORM):
        raise NotFoundException
    if not code:
        return _page(request, state, club.slug, told="denied")
    try:
        tokens = oauth.redeem(app, code, verifier, portal.settings.url + _CALLBACK, now)
    except TeamSnapFault as fault:
        return _page(request, state, club.slug, fault=str(fault), status=502)
    with portal.database.writing() as session:
        user = session.get_one(User, request.user.id)
        replaced = oauth.tokens_of(session, portal.seal, club.id)
        connection = oauth.connect(session, portal.seal, club.id, tokens, user.id, now)
        queue_sync(session, connection, now, user)
        _note(session, request, club, "connect-teamsnap", now)
    if not oauth.give_back(app, replaced):
        log.warning("teamsnap did not take replaced tokens back club=%s", club.slug)
    portal.wake()
    return Redirect(f"/clubs/{club.slug}/imports?told=connected", status_code=303)


@post("/clubs/{organization_slug:str}/imports/teamsnap/sync", opt=CLUB, status_code=200, sync_to_thread=True)
def take_sync(request: Asked, state: State, organization_slug: FromPath[str]) -> Response[Any]:
    """Have TeamSnap looked at now."""
    portal, now = portal_of(state), portal_of(state).clock()
    with portal.database.writing() as session:
        club = _club(session, organization_slug)
        connection = oauth.connection_of(session, club.id)
        if connection is None:
            raise NotFoundException
        queue_sync(session, connection, now, session.get_one(User, request.user.id))
    portal.wake()
    return Redirect(f"/clubs/{club.slug}/imports?told=looking", status_code=303)


@post("/clubs/{organization_slug:str}/imports/teamsnap/disconnect", opt=CLUB, status_code=200, sync_to_thread=True)
def take_disconnect(request: Asked, state: State, organization_slug: FromPath[str]) -> Response[Any]:
    """Delete the club's tokens here and give them back to TeamSnap; what was imported stays."""
    portal, now = portal_of(state), portal_of(state).clock()
    with portal.database.writing() as session:
        club = _club(session, organization_slug)
        tokens = oauth.disconnect(session, portal.seal, club.id)
        _note(session, request, club, "disconnect-teamsnap", now)
    app = portal.settings.teamsnap
    heard = app is not None and oauth.give_back(app, tokens)
    return Redirect(f"/clubs/{club.slug}/imports?told={'disconnected' if heard else 'half'}", status_code=303)


@get("/clubs/{organization_slug:str}/imports/examples/{sheet:str}", opt=CLUB, sync_to_thread=False)
def example_table(organization_slug: FromPath[str], sheet: FromPath[str]) -> Response[bytes]:
    """A table to begin with, such as `players.csv`."""
    wanted = next((kind for kind in Sheet if f"{kind}.csv" == sheet), None)
    if wanted is None:
        raise NotFoundException
    headers = {"Content-Disposition": f'attachment; filename="touchline-{wanted}.csv"'}
    return Response(example(wanted), media_type="text/csv; charset=utf-8", headers=headers)


@post(
    "/clubs/{organization_slug:str}/imports/tables",
    opt=OWN,
    status_code=200,
    sync_to_thread=True,
    request_max_body_size=MOST_BYTES + 100_000,
)
def take_table(
    request: Asked,
    state: State,
    organization_slug: FromPath[str],
    data: Annotated[dict[str, Any], Body(media_type=RequestEncodingType.MULTI_PART)],
) -> Response[Any]:
    """Compare an uploaded table with what is here; every row that is wrong is told before anything is kept."""
    portal, now = portal_of(state), portal_of(state).clock()
    with portal.database.reading() as session:
        club = _club(session, organization_slug)
    file, sheet = data.get("file"), data.get("sheet")
    try:
        if not isinstance(file, UploadFile) or sheet not in list(Sheet):
            raise BadTable("Choose what the table is of, and the file.")
        snapshot = read_sheet(Sheet(str(sheet)), file.file.read(MOST_BYTES + 1), club.time_zone)
    except BadTable as fault:
        return _page(request, state, club.slug, fault=str(fault), rows=fault.faults, sheet=str(sheet), status=422)
    with portal.database.writing() as session:
        by = session.get_one(User, request.user.id)
        run, _ = make_run(session, club.id, snapshot, now, by=by, asked=True)
    if run is None:
        return Redirect(f"/clubs/{club.slug}/imports?told=same", status_code=303)
    return Redirect(f"/clubs/{club.slug}/imports/{run.id}", status_code=303)


@get("/clubs/{organization_slug:str}/imports/{run_id:int}", opt=OWN, sync_to_thread=True)
def run_page(request: Asked, state: State, organization_slug: FromPath[str], run_id: FromPath[int]) -> Template:
    """What a run would change, to be ticked."""
    return _run_page(request, state, organization_slug, run_id)


@post(
    "/clubs/{organization_slug:str}/imports/{run_id:int}/apply",
    opt=OWN,
    status_code=200,
    sync_to_thread=True,
    request_max_body_size=_FORM_BYTES,
)
def take_apply(
    request: Asked, state: State, organization_slug: FromPath[str], run_id: FromPath[int], data: Form
) -> Response[Any]:
    """Make the ticked changes."""
    portal, now = portal_of(state), portal_of(state).clock()
    ticked = _ticked(data)
    try:
        with portal.database.writing() as session:
            club = _club(session, organization_slug)
            _own_run(session, club, run_id)
            by, url = session.get_one(User, request.user.id), portal.settings.url
            outcome = apply_run(session, run_id, ticked, now, by=by, invite=invite, url=url)
    except StaleRun as fault:
        with portal.database.writing() as session:
            refresh_run(session, run_id, now)
        return _run_page(request, state, organization_slug, run_id, fault=str(fault), ticked=ticked, status=409)
    except RunDecided as fault:
        return _run_page(request, state, organization_slug, run_id, fault=str(fault), status=409)
    portal.wake()
    if outcome.left_out:
        return _run_page(request, state, organization_slug, run_id, left_out=outcome.left_out)
    return Redirect(f"/clubs/{organization_slug}/imports/{run_id}", status_code=303)


@post("/clubs/{organization_slug:str}/imports/{run_id:int}/drop", opt=OWN, status_code=200, sync_to_thread=True)
def take_drop(request: Asked, state: State, organization_slug: FromPath[str], run_id: FromPath[int]) -> Response[Any]:
    """Decide that nothing of it is done."""
    portal, now = portal_of(state), portal_of(state).clock()
    try:
        with portal.database.writing() as session:
            _own_run(session, _club(session, organization_slug), run_id)
            drop_run(session, run_id, now, by=session.get_one(User, request.user.id))
    except RunDecided as fault:
        return _run_page(request, state, organization_slug, run_id, fault=str(fault), status=409)
    return Redirect(f"/clubs/{organization_slug}/imports?told=dropped", status_code=303)


def _page(
    request: Asked,
    state: State,
    slug: str,
    *,
    told: str = "",
    fault: str = "",
    rows: tuple[str, ...] = (),
    sheet: str = "",
    status: int = 200,
) -> Template:
    portal = portal_of(state)
    with portal.database.reading() as session:
        club = _club(session, slug)
        connection = oauth.connection_of(session, club.id)
        context = {
            "person": request.user,
            "here": "/clubs",
            "club": club,
            "own": own(request, club),
            "offered": portal.settings.teamsnap is not None,
            "connection": connection,
            "looking": connection is not None and sync_under_way(session, connection),
            "synced": page.local(connection.synced_at, club.time_zone) if connection and connection.synced_at else "",
            "runs": page.run_lines(runs_of(session, club.id), club.time_zone),
            "sheets": list(Sheet),
            "sheet": sheet,
            "told": told,
            "fault": fault,
            "rows": rows,
        }
    return Template("imports/imports.html", context=context, status_code=status)


def _run_page(
    request: Asked,
    state: State,
    slug: str,
    run_id: int,
    *,
    fault: str = "",
    left_out: list[str] | None = None,
    ticked: set[str] | None = None,
    status: int = 200,
) -> Template:
    with portal_of(state).database.reading() as session:
        club = _club(session, slug)
        run = _own_run(session, club, run_id)
        context = {
            "person": request.user,
            "here": "/clubs",
            "club": club,
            "run": page.run_lines([run], club.time_zone)[0],
            "blocks": page.blocks(changes_of(run), club.time_zone, ticked),
            "fault": fault,
            "left_out": left_out or [],
        }
    return Template("imports/run.html", context=context, status_code=status)


def _fault(request: Asked, words: str, status: int) -> Template:
    context = {"person": request.user, "title": "That did not work", "words": words, "status": status}
    return Template("fault.html", context=context, status_code=status)


def _ticked(data: dict[str, Any]) -> set[str]:
    given = data.get("tick", [])
    return {str(value) for value in (given if isinstance(given, list) else [given])}


def _club(session: Session, slug: str) -> Organization:
    return session.scalars(select(Organization).where(Organization.slug == slug)).one()


def _own_run(session: Session, club: Organization, run_id: int) -> ImportRun:
    run = session.get(ImportRun, run_id)
    # The guard has checked both; that they belong together it cannot know.
    if run is None or run.organization_id != club.id:
        raise NotFoundException
    return run


def _app(settings: Settings) -> TeamSnapApp:
    if settings.teamsnap is None:
        raise NotFoundException("This portal is not set up for TeamSnap.")
    return settings.teamsnap


def _note(session: Session, request: Asked, club: Organization, act: str, now: datetime) -> None:
    note(
        session,
        act,
        "organization",
        club.id,
        now,
        actor_id=request.user.id,
        actor_mail=request.user.mail,
        organization_id=club.id,
        address=client_address(request),
    )


ROUTES: list[ControllerRouterHandler] = [
    imports_page,
    take_connect,
    teamsnap_callback,
    take_sync,
    take_disconnect,
    example_table,
    take_table,
    run_page,
    take_apply,
    take_drop,
]
