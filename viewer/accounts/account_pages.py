"""The account's own page, and what it leads to: proof, password, mail address, and where one is signed in."""

import logging
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any
from zoneinfo import available_timezones

from litestar import Response, get, post
from litestar.datastructures import State
from litestar.exceptions import ClientException
from litestar.response import Redirect, Template
from litestar.types import ControllerRouterHandler
from sqlalchemy import select
from sqlalchemy.orm import Session

from viewer.accounts import second_factor, sign_ins
from viewer.accounts.credentials import ask_mail_change, change_password, prove, user_of
from viewer.accounts.models import Frequency, SignIn
from viewer.accounts.pages import FORM, Asked, Visit, go, inside, keep_sign_in, refuse, show
from viewer.accounts.passkeys import Site, passkeys_of
from viewer.accounts.passwords import SHORTEST
from viewer.accounts.service import note_own, one_line, renewed
from viewer.accounts.sign_in_pages import Next
from viewer.clubs.joining import requests_of
from viewer.clubs.models import ParentPlayer, Player, Team, TeamPlayer
from viewer.errors import Throttled, WeakPassword, WrongSignIn
from viewer.web.access import SET_UP, SIGNED_IN, Access, open_to
from viewer.web.portal import Portal, portal_of

log = logging.getLogger("viewer.accounts")
_PROVEN = open_to(Access.SIGNED_IN, proven=True)
FREQUENCIES = {
    Frequency.AT_ONCE: "As soon as a match is ready",
    Frequency.DAILY: "Once a day",
    Frequency.WEEKLY: "Once a week",
    Frequency.NEVER: "Never",
}


@dataclass
class ProfileForm:
    """What somebody may say of themselves without proof."""

    name: str
    time_zone: str
    notify: str


@dataclass
class ProofForm:
    """The password again."""

    password: str
    next: str = "/account"


@dataclass
class PasswordForm:
    """The old password and the new one."""

    old: str
    password: str


@dataclass
class MailForm:
    """The new address."""

    mail: str


@dataclass
class EndForm:
    """The hash of the sign-in that is to end; empty for all others than this."""

    sign_in: str = ""


@get("/account", opt=SIGNED_IN, sync_to_thread=True)
def account_page(request: Asked, state: State) -> Template:
    """Everything about one's own account."""
    return show(request, "account", **_account(request, portal_of(state)))


@post("/account", opt=SIGNED_IN, status_code=200, sync_to_thread=True)
def take_profile(request: Asked, state: State, data: Annotated[ProfileForm, FORM]) -> Redirect:
    """Keep name, time zone, and how often the portal writes."""
    name = one_line(data.name, 200)
    if not name or data.time_zone not in _zones() or data.notify not in FREQUENCIES:
        raise ClientException("A name, a time zone and a frequency are needed.")
    portal = portal_of(state)
    with portal.database.writing() as session:
        user = user_of(session, request.user.sign_in)
        user.name, user.time_zone, user.notify = name, data.time_zone, data.notify
        note_own(session, "change-profile", user, portal.clock())
    return go("/account")


@get("/account/prove", opt=SET_UP, sync_to_thread=True)
def prove_page(request: Asked, state: State, wanted: Next = "/account") -> Template:
    """Asks for the password or a passkey again."""
    return show(request, "prove", **_proof(request, portal_of(state), wanted))


@post("/account/prove", opt=SET_UP, status_code=200, sync_to_thread=True)
def take_proof(request: Asked, state: State, data: Annotated[ProofForm, FORM]) -> Response[Any]:
    """Take the password and go on with a fresh cookie."""
    portal = portal_of(state)
    visit, now = Visit.of(request, portal), portal.clock()
    try:
        with portal.database.reading() as session:
            user = user_of(session, request.user.sign_in)
        prove(portal.database, user, data.password, visit.address, now)
        with portal.database.writing() as session:
            note_own(session, "prove", user, now, visit.address, by="password")
            key = renewed(session, request.user.sign_in, now, proven=True)
    except (Throttled, WrongSignIn) as fault:
        log.warning("proof refused mail=%r address=%s", request.user.mail, visit.address)
        return refuse(request, "prove", fault, **_proof(request, portal, data.next))
    answer = go(data.next)
    keep_sign_in(answer, portal, key)
    return answer


@get("/account/password", opt=SIGNED_IN, sync_to_thread=False)
def password_page(request: Asked) -> Template:
    """Asks for the old and the new password."""
    return show(request, "password", shortest=SHORTEST)


@post("/account/password", opt=SIGNED_IN, status_code=200, sync_to_thread=True)
def take_password(request: Asked, state: State, data: Annotated[PasswordForm, FORM]) -> Response[Any]:
    """Change the password: every other sign-in ends, and this one goes on under a fresh cookie."""
    portal = portal_of(state)
    visit, now, url = Visit.of(request, portal), portal.clock(), portal.settings.url
    try:
        with portal.database.reading() as session:
            user = user_of(session, request.user.sign_in)
        prove(portal.database, user, data.old, visit.address, now)
        with portal.database.writing() as session:
            held = request.user.sign_in
            change_password(session, user, data.password, now, url=url, keep=held, address=visit.address)
            key = renewed(session, held, now, proven=True)
    except (Throttled, WrongSignIn, WeakPassword) as fault:
        log.warning("password not changed mail=%r address=%s", request.user.mail, visit.address)
        return refuse(request, "password", fault, shortest=SHORTEST)
    portal.wake()
    log.info("password changed mail=%r address=%s", user.mail, visit.address)
    answer = go("/account")
    keep_sign_in(answer, portal, key)
    return answer


@get("/account/mail", opt=_PROVEN, sync_to_thread=False)
def mail_page(request: Asked) -> Template:
    """Asks for the new address."""
    return show(request, "mail", asked="")


@post("/account/mail", opt=_PROVEN, status_code=200, sync_to_thread=True)
def take_mail(request: Asked, state: State, data: Annotated[MailForm, FORM]) -> Template:
    """Send the link that confirms the new address; until then the old one stays."""
    portal = portal_of(state)
    visit, now, url = Visit.of(request, portal), portal.clock(), portal.settings.url
    new = one_line(data.mail, 320)
    if new.count("@") != 1 or " " in new:
        raise ClientException("This is not an e-mail address.")
    try:
        with portal.database.writing() as session:
            user = user_of(session, request.user.sign_in)
            ask_mail_change(session, user, new, now, url=url, address=visit.address)
    except Throttled as fault:
        return refuse(request, "mail", fault, asked="")
    portal.wake()
    log.info("mail address change asked mail=%r address=%s", request.user.mail, visit.address)
    return show(request, "mail", asked=new)


@post("/account/sign-ins/end", opt=SIGNED_IN, status_code=200, sync_to_thread=True)
def take_end(request: Asked, state: State, data: Annotated[EndForm, FORM]) -> Redirect:
    """End one of the person's sign-ins, or all others than this one."""
    portal = portal_of(state)
    now, mine = portal.clock(), request.user.sign_in
    with portal.database.writing() as session:
        user = user_of(session, mine)
        if data.sign_in:
            ended = int(sign_ins.end_sign_in(session, user.id, data.sign_in))
        else:
            ended = sign_ins.end_sign_ins(session, user.id, but=mine)
        note_own(session, "end-sign-ins", user, now, ended=ended)
    log.info("sign-ins ended mail=%r count=%d", request.user.mail, ended)
    return go("/account")


def _account(request: Asked, portal: Portal) -> dict[str, Any]:
    person, now = request.user, portal.clock()
    with portal.database.reading() as session:
        user = user_of(session, person.sign_in)
        return {
            "user": user,
            "zones": _zones(),
            "frequencies": FREQUENCIES,
            "has_app": second_factor.has_app(session, user.id),
            "codes_left": second_factor.codes_left(session, user.id),
            "passkeys": len(passkeys_of(session, user.id)),
            "passkeys_work": Site.of(portal.settings) is not None,
            "sign_ins": [_told(found, person.sign_in) for found in sign_ins.sign_ins_of(session, user.id, now)],
            "children": _players(session, user.id),
            "waiting": [team for _, team in requests_of(session, user.id)],
        }


def _told(sign_in: SignIn, mine: str) -> dict[str, Any]:
    return {
        "hash": sign_in.key_hash,
        "browser": sign_ins.browser_name(sign_in.browser),
        "address": sign_in.address,
        "made_at": sign_in.made_at,
        "seen_at": sign_in.seen_at,
        "here": sign_in.key_hash == mine,
    }


def _players(session: Session, user_id: int) -> list[dict[str, str | int]]:
    """The players a user stands for or is, with their teams of today."""
    children = select(ParentPlayer.player_id).where(ParentPlayer.user_id == user_id)
    mine = children.union(select(Player.id).where(Player.user_id == user_id))
    rows = session.execute(
        select(Player, Team)
        .outerjoin(TeamPlayer, (TeamPlayer.player_id == Player.id) & TeamPlayer.left_on.is_(None))
        .outerjoin(Team, Team.id == TeamPlayer.team_id)
        .where(Player.id.in_(mine))
        .order_by(Player.first_name, Player.id, Team.name)
    ).all()
    teams: dict[tuple[int, str], list[str]] = {}
    for player, team in rows:
        teams.setdefault((player.id, f"{player.first_name} {player.last_name}"), []).append(
            f"{team.name}, {team.organization.name}" if team else "in no team now"
        )
    return [{"id": number, "name": name, "teams": " · ".join(of)} for (number, name), of in teams.items()]


def _proof(request: Asked, portal: Portal, wanted: str) -> dict[str, Any]:
    with portal.database.reading() as session:
        passkeys = Site.of(portal.settings) is not None and bool(passkeys_of(session, request.user.id))
    return {"next": inside(wanted), "passkeys": passkeys}


@cache
def _zones() -> tuple[str, ...]:
    # Those of places; the rest are old names and offsets.
    places = (
        "Africa/",
        "America/",
        "Antarctica/",
        "Asia/",
        "Atlantic/",
        "Australia/",
        "Europe/",
        "Indian/",
        "Pacific/",
    )
    return ("UTC", *sorted(zone for zone in available_timezones() if zone.startswith(places)))


ROUTES: list[ControllerRouterHandler] = [
    *(account_page, take_profile, prove_page, take_proof),
    *(password_page, take_password, mail_page, take_mail, take_end),
]
