"""Accounts of the platform. The guard has checked that the reader runs it, just now where an account is changed."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from litestar import get, post
from litestar.datastructures import State
from litestar.exceptions import NotFoundException
from litestar.params import FromPath
from litestar.response import Redirect, Template
from sqlalchemy.orm import Session

from viewer.accounts import administration
from viewer.accounts.models import User
from viewer.admin import users
from viewer.admin.club_pages import PLATFORM, platform_page
from viewer.web.access import Access, open_to
from viewer.web.pages import After, Asked, Words, done, next_key, searched, show
from viewer.web.portal import portal_of

PROVEN = open_to(Access.PLATFORM, proven=True)
_Act = Callable[[Session, User, datetime, User | None], object]
_ACTS: dict[str, tuple[_Act, str, str, str, str]] = {
    "disable": (
        administration.disable,
        "Disable {name}?",
        "They are signed out everywhere and cannot sign in until the account is enabled again.",
        "Disable",
        "disabled",
    ),
    "enable": (
        administration.enable,
        "Enable {name}?",
        "They can sign in again with what they had.",
        "Enable",
        "enabled",
    ),
    "end-sign-ins": (
        administration.end_all_sign_ins,
        "Sign {name} out?",
        "Every browser in which they are signed in asks them to sign in again.",
        "Sign out everywhere",
        "signed-out",
    ),
    "reset-second-factor": (
        administration.reset_second_factor,
        "Reset {name}'s second factor?",
        "App, passkeys and recovery codes are gone at once, and they are signed out. Make sure it is they who ask.",
        "Reset",
        "reset",
    ),
    "end-admin": (
        administration.end_platform_admin,
        "Take the platform from {name}?",
        "They run the platform no more. What they are in clubs stays.",
        "Take it away",
        "admin-ended",
    ),
}
"""What can be done to an account: the rule, what is asked before, the button, and what is said after."""


@get("/platform/users", opt=PLATFORM, sync_to_thread=True)
def users_page(request: Asked, state: State, words: Words = "", after: After = None) -> Template:
    """Accounts, found by name or address."""
    wanted = searched(words)
    with portal_of(state).database.reading() as session:
        listed = list(users.users_page(session, wanted, after))
    following = next_key(listed, users.PAGE, lambda user: user.id)
    return platform_page(
        request, "admin/users.html", "/platform/users", users=listed, words=wanted, following=following
    )


@get("/platform/users/{user_id:int}", opt=PLATFORM, sync_to_thread=True)
def user_page(request: Asked, state: State, user_id: FromPath[int]) -> Template:
    """One account: what it is linked to, and what can be done to it."""
    with portal_of(state).database.reading() as session:
        account = users.account_of(session, user_id)
    return platform_page(request, "admin/user.html", "/platform/users", account=account)


@get("/platform/users/{user_id:int}/{what:str}", opt=PROVEN, sync_to_thread=True)
def ask_page(request: Asked, state: State, user_id: FromPath[int], what: FromPath[str]) -> Template:
    """Ask before something is done to an account."""
    _, title, words, button, _ = _act(what)
    with portal_of(state).database.reading() as session:
        user = users.user_of(session, user_id)
    context: dict[str, Any] = {
        "title": title.format(name=user.name),
        "words": f"{user.mail}: {words}",
        "button": button,
    }
    return show(request, "confirm.html", "/platform", fault="", back=f"/platform/users/{user_id}", **context)


@post("/platform/users/{user_id:int}/{what:str}", opt=PROVEN, status_code=200, sync_to_thread=True)
def do(request: Asked, state: State, user_id: FromPath[int], what: FromPath[str]) -> Redirect:
    """Do it. Nobody shuts themselves out."""
    act, _, _, _, said = _act(what)
    if user_id == request.user.id:
        raise NotFoundException("What is to happen to your own account, you do on its page.")
    portal = portal_of(state)
    with portal.database.writing() as session:
        act(session, users.user_of(session, user_id), portal.clock(), session.get(User, request.user.id))
    return done(f"/platform/users/{user_id}", said)


def _act(what: str) -> tuple[_Act, str, str, str, str]:
    if what not in _ACTS:
        raise NotFoundException
    return _ACTS[what]


ROUTES = [users_page, user_page, ask_page, do]
