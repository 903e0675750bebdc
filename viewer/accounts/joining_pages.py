"""Joining a team by its code, and the page where its staff lets people in."""

import logging
from dataclasses import dataclass
from typing import Annotated, Any

from litestar import get, post
from litestar.datastructures import State
from litestar.exceptions import ClientException, NotFoundException
from litestar.params import FromPath
from litestar.response import Redirect, Template
from litestar.types import ControllerRouterHandler

from viewer.accounts.credentials import user_of
from viewer.accounts.pages import FORM, Asked, Visit, go, refuse, show
from viewer.clubs import joining
from viewer.clubs.joining import As
from viewer.clubs.models import JoinRequest, Team
from viewer.errors import AlreadyDecided, PlayerTaken, Throttled, WrongCode
from viewer.web.access import SIGNED_IN, Access, open_to
from viewer.web.pages import actor_of
from viewer.web.portal import Portal, portal_of

log = logging.getLogger("viewer.accounts")
_STAFF = open_to(Access.STAFF)


@dataclass
class JoinForm:
    """The team's code, and who is asking."""

    code: str
    words: str = ""


@dataclass
class AnswerForm:
    """What becomes of a request: `answer` is admit or decline."""

    answer: str
    player: int = 0
    role: str = As.PARENT


@get("/join", opt=SIGNED_IN, sync_to_thread=False)
def join_page(request: Asked) -> Template:
    """Asks for a team's code."""
    return show(request, "join", asked="", code="", words="")


@post("/join", opt=SIGNED_IN, status_code=200, sync_to_thread=True)
def take_join(request: Asked, state: State, data: Annotated[JoinForm, FORM]) -> Template:
    """Put the request before the team's staff."""
    portal = portal_of(state)
    visit, now = Visit.of(request, portal), portal.clock()
    try:
        with portal.database.reading() as session:
            user = user_of(session, request.user.sign_in)
        team = joining.ask(portal.database, user, data.code, data.words, visit.address, now)
    except (WrongCode, Throttled) as fault:
        log.warning("join refused mail=%r address=%s", request.user.mail, visit.address)
        return refuse(request, "join", fault, 400, asked="", code=data.code, words=data.words)
    return show(request, "join", asked=f"{team.name}, {team.organization.name}", code="", words="")


@get("/teams/{team_id:int}/requests", opt=_STAFF, sync_to_thread=True)
def requests_page(request: Asked, state: State, team_id: FromPath[int]) -> Template:
    """Who wants to join the team."""
    return show(request, "requests", **_requests(portal_of(state), team_id))


@post("/teams/{team_id:int}/requests/{join_request_id:int}", opt=_STAFF, status_code=200, sync_to_thread=True)
def take_answer(
    request: Asked,
    state: State,
    team_id: FromPath[int],
    join_request_id: FromPath[int],
    data: Annotated[AnswerForm, FORM],
) -> Template | Redirect:
    """Let somebody in as a player's parent or as the player, or do not."""
    portal = portal_of(state)
    now, url = portal.clock(), portal.settings.url
    try:
        with portal.database.writing() as session:
            wanted = session.get(JoinRequest, join_request_id)
            if wanted is None or wanted.team_id != team_id:
                raise NotFoundException
            if data.answer == "decline":
                joining.decline(session, wanted, actor_of(request), now, url=url)
            else:
                player = next((p for p in joining.roster(session, team_id) if p.id == data.player), None)
                if player is None or data.answer != "admit" or data.role not in set(As):
                    raise ClientException("Say for which of the team's players.")
                joining.admit(session, wanted, player, As(data.role), actor_of(request), now, url=url)
    except (AlreadyDecided, PlayerTaken) as fault:
        return refuse(request, "requests", fault, 409, **_requests(portal, team_id))
    portal.wake()
    log.info("join request answered by=%r request=%d answer=%s", request.user.mail, join_request_id, data.answer)
    return go(f"/teams/{team_id}/requests")


def _requests(portal: Portal, team_id: int) -> dict[str, Any]:
    with portal.database.reading() as session:
        return {
            "here": "/teams",
            "team": session.get_one(Team, team_id),
            "requests": joining.open_requests(session, team_id),
            "roster": joining.roster(session, team_id),
        }


ROUTES: list[ControllerRouterHandler] = [join_page, take_join, requests_page, take_answer]
