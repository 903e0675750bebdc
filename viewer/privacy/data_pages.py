"""Pages about what is kept of an account or player: a copy of it, and its erasure."""

from typing import Any

from litestar import Response, get, post
from litestar.datastructures import State
from litestar.params import FromPath
from litestar.response import Redirect, Template
from sqlalchemy import select

from viewer.accounts.models import User
from viewer.accounts.pages import forget_sign_in
from viewer.audit.acts import Act
from viewer.clubs.models import Player
from viewer.errors import BadEntry, NotThere
from viewer.jobs.lease import State as WorkState
from viewer.media.files import answer_file
from viewer.privacy.consent import answer, consents_of
from viewer.privacy.erasure import erase_player, erase_user
from viewer.privacy.export import KEPT, ask_export, export_path, exports_of
from viewer.privacy.horizon import horizon_of
from viewer.privacy.models import Scope
from viewer.privacy.traces import ERASED
from viewer.web.access import SIGNED_IN, Access, open_to
from viewer.web.forms import Form, Sent
from viewer.web.pages import Asked, actor_of, show
from viewer.web.portal import Portal, portal_of

PROVEN = open_to(Access.SIGNED_IN, proven=True)
CARE, CARE_PROVEN = open_to(Access.CARE), open_to(Access.CARE, proven=True)
_SURE = "erase"
"""What somebody types to show that they mean it."""


@get("/account/data", opt=SIGNED_IN, sync_to_thread=True)
def account_data_page(request: Asked, state: State) -> Template:
    """The copies that the reader has asked for, and the ways to ask for one or to be erased."""
    portal = portal_of(state)
    with portal.database.reading() as session:
        jobs = exports_of(session, request.user.id, portal.clock())
        mine = request.user.rights.children | request.user.rights.own
        players = session.scalars(select(Player).where(Player.id.in_(mine)).order_by(Player.id)).all()
    copies = [
        {
            "id": job.id,
            "ready": job.state == WorkState.DONE,
            "failed": job.state == WorkState.FAILED,
            "asked": job.made_at,
            "until": job.made_at + KEPT,
            "kind": job.payload["kind"],
        }
        for job in jobs
    ]
    return show(request, "privacy/account_data.html", "/account", copies=copies, players=players)


@post("/account/export", opt=PROVEN, sync_to_thread=True)
def take_account_export(request: Asked, state: State) -> Redirect:
    """Have a copy made of what is kept about the account."""
    portal = portal_of(state)
    with portal.database.writing() as session:
        ask_export(session, "user", request.user.id, actor_of(request), portal.clock())
    portal.wake()
    return Redirect("/account/data", status_code=303)


@get("/exports/{export_id:int}", opt=PROVEN, sync_to_thread=True)
def export_file(request: Asked, state: State, export_id: FromPath[int]) -> Response[Any]:
    """A copy that the reader has asked for; nobody else gets it."""
    portal = portal_of(state)
    with portal.database.writing() as session:
        now = portal.clock()
        job = next((job for job in exports_of(session, request.user.id, now) if job.id == export_id), None)
        if job is None or job.state != WorkState.DONE:
            raise NotThere("There is no such copy, or it is over.")
        subject = job.payload["subject"]
        actor_of(request).did(session, Act.EXPORT_DOWNLOAD, job.payload["kind"], subject, now, export=job.id)
        path = export_path(portal.settings, job)
    headers = {"Content-Disposition": 'attachment; filename="touchline-data.zip"', "Cache-Control": "no-store"}
    return answer_file(request, path, path.stem, headers)


@get("/account/erase", opt=PROVEN, sync_to_thread=True)
def account_erase_page(request: Asked) -> Template:
    """What erasing the account means."""
    return show(request, "privacy/erase.html", "/account", form=Form(), player=None, action="/account/erase")


@post("/account/erase", opt=PROVEN, sync_to_thread=True)
def take_account_erase(request: Asked, state: State, data: Sent) -> Response[Any]:
    """Erase the account of whoever asks, and sign them out by it."""
    form, portal = Form(data), portal_of(state)
    if not _sure(form):
        return show(
            request, "privacy/erase.html", "/account", status=422, form=form, player=None, action="/account/erase"
        )
    with portal.database.writing() as session:
        user = session.get_one(User, request.user.id)
        erase_user(session, user, actor_of(request), portal.clock(), horizon_of(portal.settings), portal.seal)
    return _signed_out(portal)


@get("/players/{player_id:int}/data", opt=CARE, sync_to_thread=True)
def player_data_page(request: Asked, state: State, player_id: FromPath[int]) -> Template:
    """The ways to get a copy of what is kept about a player, or to have it erased."""
    return _player_data(request, state, player_id, Form())


@post("/players/{player_id:int}/export", opt=CARE_PROVEN, sync_to_thread=True)
def take_player_export(request: Asked, state: State, player_id: FromPath[int]) -> Redirect:
    """Have a copy made of what is kept about a player."""
    portal = portal_of(state)
    with portal.database.writing() as session:
        club = session.get_one(Player, player_id).organization_id
        ask_export(session, "player", player_id, actor_of(request), portal.clock(), club)
    portal.wake()
    return Redirect("/account/data", status_code=303)


@get("/players/{player_id:int}/erase", opt=CARE_PROVEN, sync_to_thread=True)
def player_erase_page(request: Asked, state: State, player_id: FromPath[int]) -> Template:
    """What erasing a player means."""
    return _player_erase(request, state, player_id, Form())


@post("/players/{player_id:int}/erase", opt=CARE_PROVEN, sync_to_thread=True)
def take_player_erase(request: Asked, state: State, player_id: FromPath[int], data: Sent) -> Response[Any]:
    """Erase a player; where wished, have them blurred in every recording first."""
    form, portal = Form(data), portal_of(state)
    if not _sure(form):
        return _player_erase(request, state, player_id, form, 422)
    with portal.database.writing() as session:
        player, by, now = session.get_one(Player, player_id), actor_of(request), portal.clock()
        if player.first_name == ERASED:
            raise BadEntry("", "This player has been erased already.")
        if form.values.get("blur") == "yes" and consents_of(session, [player_id])[player_id][Scope.TEAM] is not False:
            answer(session, player, {Scope.TEAM: False}, by, now)
        erase_player(session, player, by, now, horizon_of(portal.settings), portal.seal)
        stays = session.scalar(select(User.id).where(User.id == request.user.id)) is not None
    return Redirect("/account/data", status_code=303) if stays else _signed_out(portal)


def _sure(form: Form) -> bool:
    if form.values.get("sure", "").strip().lower() != _SURE:
        form.faults["sure"] = f"Type the word {_SURE} to show that you mean it."
    return not form.faults


def _signed_out(portal: Portal) -> Redirect:
    answered = Redirect("/sign-in", status_code=303)
    forget_sign_in(answered, portal)
    return answered


def _player_data(request: Asked, state: State, player_id: int, form: Form) -> Template:
    with portal_of(state).database.reading() as session:
        player = session.get_one(Player, player_id)
    return show(request, "privacy/player_data.html", "/account", player=player, form=form)


def _player_erase(request: Asked, state: State, player_id: int, form: Form, status: int = 200) -> Template:
    with portal_of(state).database.reading() as session:
        player = session.get_one(Player, player_id)
    action = f"/players/{player_id}/erase"
    return show(request, "privacy/erase.html", "/account", status=status, form=form, player=player, action=action)
