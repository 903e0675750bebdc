"""Routes of links to clips: making and ending them, and what they open for anybody."""

from dataclasses import dataclass
from typing import Any

from litestar import HttpMethod, Request, Response, get, post, route
from litestar.datastructures import State
from litestar.exceptions import NotFoundException
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect, Template
from litestar.types import ControllerRouterHandler
from sqlalchemy import select

from viewer.audit.acts import Act
from viewer.clubs.actor import Actor
from viewer.errors import NotThere
from viewer.games import view
from viewer.games.models import Clip, Recording
from viewer.games.store import file_of
from viewer.games.words import day
from viewer.media.serving import answer_media
from viewer.privacy.removals import ask_removal_from_outside
from viewer.shares.links import (
    LONGEST_DAYS,
    USUAL_DAYS,
    Shown,
    count_view,
    make_share,
    open_share,
    revoke_share,
    shares_of,
    why_not,
)
from viewer.shares.models import Share
from viewer.web.access import MEMBER, PUBLIC
from viewer.web.address import client_address
from viewer.web.forms import Form, Sent
from viewer.web.pages import Asked, actor_of, done, show
from viewer.web.portal import portal_of

_BOTH = [HttpMethod.GET, HttpMethod.HEAD]


@dataclass(frozen=True)
class Link:
    """One of the reader's links on the page."""

    id: int
    until: str
    views: int
    may_download: bool


@get("/clips/{clip_id:int}/share", opt=MEMBER, sync_to_thread=True)
def share_page(request: Asked, state: State, clip_id: FromPath[int]) -> Template:
    """The reader's links to a clip, and a form for a new one where that is allowed."""
    return _page(request, state, clip_id, Form({"days": USUAL_DAYS}))


@post("/clips/{clip_id:int}/share", opt=MEMBER, sync_to_thread=True)
def take_share(request: Asked, state: State, clip_id: FromPath[int], data: Sent) -> Response[Any]:
    """Make a link and show it, this once."""
    form, portal = Form(data), portal_of(state)
    days = form.number("days", 1, LONGEST_DAYS)
    secret = ""
    with form.taking():
        form.check()
        with portal.database.writing() as session:
            clip = session.get_one(Clip, clip_id)
            secret = make_share(
                session,
                clip,
                actor_of(request),
                portal.clock(),
                days=days or USUAL_DAYS,
                may_download=form.values.get("may_download") == "yes",
            )
    link = f"{portal.settings.url}/s/{secret}" if secret else ""
    return _page(request, state, clip_id, form, link=link, status=422 if form.faults else 200)


@post("/clips/{clip_id:int}/share/{share_id:int}/end", opt=MEMBER, sync_to_thread=True)
def take_share_end(request: Asked, state: State, clip_id: FromPath[int], share_id: FromPath[int]) -> Redirect:
    """End one of the reader's own links; those who run the club end anybody's."""
    portal = portal_of(state)
    with portal.database.writing() as session:
        share = session.get(Share, share_id)
        clip = session.get_one(Clip, clip_id)
        club = session.get_one(Recording, clip.recording_id).game.organization_id
        mine = share is not None and (share.made_by == request.user.id or club in request.user.rights.clubs)
        if share is None or share.clip_id != clip_id or not mine:
            raise NotThere("There is no such link, or somebody else has made it.")
        revoke_share(session, share, actor_of(request), portal.clock(), club)
    return done(f"/clips/{clip_id}/share", "saved")


@get("/s/{secret:str}", opt=PUBLIC, sync_to_thread=True)
def shared_page(request: Request[Any, Any, Any], state: State, secret: FromPath[str]) -> Template:
    """The clip alone, with who shares it written over the picture."""
    shown = _opened(request, state, secret, Act.SHARE_VIEW)
    recording = shown.recording
    context = {
        "match": f"{recording.home} – {recording.away}",
        "day": day(recording.game.starts_at, recording.game.time_zone),
        "maker": shown.maker,
        "until": day(shown.share.expires_at, recording.game.time_zone),
        "video": f"/s/{secret}/clip.mp4",
        "download": f"/s/{secret}/clip.mp4?download=1" if shown.share.may_download else "",
        "removal": f"/s/{secret}/removal",
    }
    return Template("shares/shared.html", context=context)


@route("/s/{secret:str}/clip.mp4", http_method=_BOTH, opt=PUBLIC, status_code=200, sync_to_thread=True)
def shared_file(
    request: Request[Any, Any, Any], state: State, secret: FromPath[str], download: FromQuery[bool] = False
) -> Response[Any]:
    """The clip's file, for as long as the link opens; as a download only where whoever made the link allows it."""
    shown = _opened(request, state, secret, Act.SHARE_DOWNLOAD if download else None)
    if download and not shown.share.may_download:
        raise NotFoundException("This clip is not to be downloaded.")
    with portal_of(state).database.reading() as session:
        file = file_of(session, shown.recording.session, shown.clip.path)
    if file is None:
        raise NotFoundException
    return answer_media(request, file, save_as="clip.mp4" if download else "", lasting=False)


@get("/s/{secret:str}/removal", opt=PUBLIC, sync_to_thread=True)
def shared_removal_page(request: Request[Any, Any, Any], state: State, secret: FromPath[str]) -> Template:
    """A form for somebody without an account to ask the club to remove the clip."""
    return _removal(secret, _opened(request, state, secret, None), Form(), asked="asked" in request.query_params)


@post("/s/{secret:str}/removal", opt=PUBLIC, sync_to_thread=True)
def take_shared_removal(
    request: Request[Any, Any, Any], state: State, secret: FromPath[str], data: Sent
) -> Response[Any]:
    """Write the request down and mail it to the club's admins."""
    portal, form = portal_of(state), Form(data)
    shown = _opened(request, state, secret, None)
    contact, words = form.text("contact", 320), form.lines("words", 2000)
    with form.taking():
        form.check()
        with portal.database.writing() as session:
            ask_removal_from_outside(
                session,
                session.get_one(Clip, shown.clip.id),
                words,
                contact,
                Actor(address=client_address(request)),
                portal.clock(),
                portal.settings.url,
            )
    if form.faults:
        return _removal(secret, shown, form, status=422)
    return Redirect(f"/s/{secret}/removal?asked=1", status_code=303)


def _removal(secret: str, shown: Shown, form: Form, *, asked: bool = False, status: int = 200) -> Template:
    match = f"{shown.recording.home} – {shown.recording.away}"
    context = {"clip": f"/s/{secret}", "match": match, "form": form, "asked": asked}
    return Template("shares/removal.html", context=context, status_code=status)


def _opened(request: Request[Any, Any, Any], state: State, secret: str, act: Act | None) -> Shown:
    portal = portal_of(state)
    with portal.database.writing() as session:
        now = portal.clock()
        shown = open_share(session, secret[:64], now)
        if shown is None:
            raise NotFoundException("This link does not open anything any more.")
        if act is not None and not (act is Act.SHARE_DOWNLOAD and not shown.share.may_download):
            count_view(session, shown, act, client_address(request), now)
    return shown


def _page(request: Asked, state: State, clip_id: int, form: Form, *, link: str = "", status: int = 200) -> Template:
    portal = portal_of(state)
    with portal.database.reading() as session:
        clip = session.get_one(Clip, clip_id)
        recording = session.scalars(select(Recording).where(Recording.id == clip.recording_id)).one()
        reason = "The clip was taken away." if clip.hidden_at else why_not(session, recording)
        runs = recording.game.organization_id in request.user.rights.clubs
        shares = shares_of(session, clip_id, portal.clock(), None if runs else request.user.id)
        card = view.card(recording)
    zone = recording.game.time_zone
    links = [Link(share.id, day(share.expires_at, zone), share.views, share.may_download) for share in shares]
    context = {"card": card, "clip": clip, "links": links, "reason": reason, "form": form, "link": link}
    return show(request, "shares/share.html", "/", status=status, most=LONGEST_DAYS, **context)


ROUTES: list[ControllerRouterHandler] = [
    share_page,
    take_share,
    take_share_end,
    shared_page,
    shared_file,
    shared_removal_page,
    take_shared_removal,
]
