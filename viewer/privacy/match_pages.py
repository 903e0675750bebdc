"""Asking for a match's removal, keeping it on; and what hubs are told to blur."""

import hashlib
from typing import Any

from litestar import MediaType, Request, Response, get, post
from litestar.datastructures import State
from litestar.params import FromPath
from litestar.response import Redirect, Template
from sqlalchemy.orm import Session

from viewer.clubs.rights import Standing
from viewer.devices.models import Device
from viewer.games import view
from viewer.games.models import Recording
from viewer.games.store import whole_recording
from viewer.games.words import day
from viewer.media.ranges import not_changed
from viewer.privacy.blur import missing, orders_of, subject_of
from viewer.privacy.removals import ask_removal
from viewer.privacy.retention import keep_on
from viewer.web.access import DEVICE, MEMBER, Access, open_to
from viewer.web.forms import Form, Sent
from viewer.web.pages import Asked, actor_of, show
from viewer.web.person import Person
from viewer.web.portal import portal_of
from wire.message import encode


@get("/api/v1/blur", opt=DEVICE, sync_to_thread=True)
def blur_orders(request: Request[Device, Any, Any], state: State) -> Response[bytes | None]:
    """`BlurOrders`: whom the device has to blur; 304 when it knows."""
    with portal_of(state).database.reading() as session:
        body = encode(orders_of(session, request.user))
    tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = {"ETag": tag, "Cache-Control": "private, no-cache"}
    if not_changed(request.headers.get("if-none-match"), tag):
        return Response(None, status_code=304, headers=headers)
    return Response(body, media_type=MediaType.JSON, headers=headers)


@get("/matches/{match_session:str}/removal", opt=MEMBER, sync_to_thread=True)
def removal_page(request: Asked, state: State, match_session: FromPath[str]) -> Template:
    """A form to ask the club to remove the match or one of its clips."""
    return _removal(request, state, match_session, Form(dict(request.query_params)))


@post("/matches/{match_session:str}/removal", opt=MEMBER, sync_to_thread=True)
def take_removal(request: Asked, state: State, match_session: FromPath[str], data: Sent) -> Response[Any]:
    """Write the request down and mail it to the club's admins."""
    form, portal = Form(data), portal_of(state)
    words = form.lines("words", 2000)
    with portal.database.writing() as session:
        recording = whole_recording(session, match_session)
        clip = form.row("clip", [clip.id for clip in recording.clips], needed=False)
        if not form.faults:
            ask_removal(session, recording, clip, words, actor_of(request), portal.clock(), portal.settings.url)
    if form.faults:
        return _removal(request, state, match_session, form, 422)
    return Redirect(f"/matches/{match_session}/removal?asked=1", status_code=303)


@post("/matches/{match_session:str}/keep", opt=open_to(Access.COACH), sync_to_thread=True)
def take_keep(request: Asked, state: State, match_session: FromPath[str]) -> Redirect:
    """Keep the match for another year."""
    portal = portal_of(state)
    with portal.database.writing() as session:
        keep_on(session, whole_recording(session, match_session), actor_of(request), portal.clock())
    return Redirect(f"/matches/{match_session}", status_code=303)


def match_notes(session: Session, person: Person, recording: Recording) -> dict[str, Any]:
    """What a match's page says about its end, about being held back, and who may change that: `until`, `may_keep`,
    `held`, `staff`.
    """
    standing = person.rights.standing(subject_of(recording.game))
    until = day(recording.delete_at, recording.game.time_zone) if recording.delete_at else ""
    held = bool(missing(session, [recording.id]))
    staff = standing >= Standing.STAFF
    return {"until": until, "may_keep": standing >= Standing.COACH, "held": held, "staff": staff}


def _removal(request: Asked, state: State, name: str, form: Form, status: int = 200) -> Template:
    with portal_of(state).database.reading() as session:
        recording = whole_recording(session, name)
        card, cards = view.card(recording), view.clip_cards(recording)
        shown = [clip for clip in recording.clips if clip.hidden_at is None]
    clips = [(clip.id, f"{c.name}, {c.clock}") for clip, c in zip(shown, cards, strict=True)]
    asked = "asked" in request.query_params
    return show(request, "privacy/removal.html", "/", status=status, card=card, clips=clips, form=form, asked=asked)
