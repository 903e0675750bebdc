"""Pages of consent: the family's answers for a player, and what a club sees of them."""

from dataclasses import dataclass
from typing import Any

from litestar import Response, get, post
from litestar.datastructures import State
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect, Template
from sqlalchemy import select

from viewer.clubs.club_pages import club_page, own
from viewer.clubs.clubs import club_named
from viewer.clubs.models import Player, Team
from viewer.clubs.rights import Standing
from viewer.privacy.consent import PAGE, answer, consents_of, news, players_of, shown_in
from viewer.privacy.models import ConsentRecord, Scope
from viewer.privacy.texts import VERSION, sections_of, words_of
from viewer.web.access import Access, open_to
from viewer.web.forms import Form, Sent
from viewer.web.pages import After, Asked, actor_of, done, next_key, show
from viewer.web.portal import portal_of
from viewer.web.subjects import SUBJECTS

SCOPE_WORDS = {
    Scope.TEAM: "Shown to the team",
    Scope.HIGHLIGHTS: "Shown in highlights",
    Scope.PUBLIC: "Shown in public",
    Scope.STATISTICS: "Named in statistics",
}
_SAID = {"yes": True, "no": False}


@dataclass(frozen=True)
class Asking:
    """One scope on the page: its words, what was answered (None: nobody has), and what holds now."""

    scope: Scope
    title: str
    words: str
    given: bool | None
    shown: bool


@get("/players/{player_id:int}/consent", opt=open_to(Access.NEAR), sync_to_thread=True)
def consent_page(request: Asked, state: State, player_id: FromPath[int]) -> Template:
    """What was answered for a player and when; the family can answer anew, a club's admin note down a paper."""
    return _page(request, state, player_id, Form())


@post("/players/{player_id:int}/consent", opt=open_to(Access.FAMILY), sync_to_thread=True)
def take_consent(request: Asked, state: State, player_id: FromPath[int], data: Sent) -> Response[Any]:
    """The family's answers; only those that differ from what holds are written down."""
    return _taken(request, state, player_id, Form(data), "page", "")


@post("/players/{player_id:int}/consent/paper", opt=open_to(Access.OWN_CLUB), sync_to_thread=True)
def take_paper(request: Asked, state: State, player_id: FromPath[int], data: Sent) -> Response[Any]:
    """Answers that somebody gave on paper, typed in by the club's own admins."""
    form = Form(data)
    return _taken(request, state, player_id, form, "paper", form.text("signed_by", 300))


@get("/clubs/{organization_slug:str}/consent", opt=open_to(Access.CLUB), sync_to_thread=True)
def club_consent_page(
    request: Asked,
    state: State,
    organization_slug: FromPath[str],
    after: After = None,
    team: FromQuery[int | None] = None,
) -> Template:
    """What was answered for each player of the club."""
    with portal_of(state).database.reading() as session:
        club = club_named(session, organization_slug)
        teams = session.scalars(select(Team).where(Team.organization_id == club.id).order_by(Team.name, Team.id)).all()
        players = players_of(session, club.id, team, after)
        answers = consents_of(session, [player.id for player in players])
    context: dict[str, Any] = {
        "teams": teams,
        "team": team,
        "scopes": SCOPE_WORDS,
        "players": [(player, [answers[player.id][scope] for scope in Scope]) for player in players],
        "named": own(request, club),
        "next": next_key(list(players), PAGE, lambda player: player.id),
    }
    return club_page(request, club, "privacy/club_consent.html", "/consent", **context)


def _page(request: Asked, state: State, player_id: int, form: Form, status: int = 200) -> Template:
    with portal_of(state).database.reading() as session:
        player = session.get_one(Player, player_id)
        answers = consents_of(session, [player_id])[player_id]
        history = session.scalars(
            select(ConsentRecord).where(ConsentRecord.player_id == player_id).order_by(ConsentRecord.id.desc())
        ).all()
        subject = SUBJECTS["player_id"](session, player_id)
    words = sections_of(words_of(VERSION))
    rights = request.user.rights
    asked = [
        Asking(scope, SCOPE_WORDS[scope], words[SCOPE_WORDS[scope]], answers[scope], shown_in(answers, scope))
        for scope in Scope
    ]
    family = subject is not None and rights.stands_for(subject)
    context = {
        "player": player,
        "asked": asked,
        "about": words["What this is about"],
        "long": words["How long"],
        "history": history,
        "titles": {str(scope): title for scope, title in SCOPE_WORDS.items()},
        "family": family,
        "club": subject is not None and rights.standing(subject) is Standing.CLUB,
        "form": form,
    }
    return show(request, "privacy/consent.html", "/account" if family else "/teams", status=status, **context)


def _taken(
    request: Asked, state: State, player_id: int, form: Form, source: str, signed_by: str
) -> Template | Redirect:
    said = {scope: _SAID.get(form.values.get(scope, "")) for scope in Scope}
    if not any(given is not None for given in said.values()):
        form.faults.setdefault("", "Nothing was answered.")
    if form.faults:
        return _page(request, state, player_id, form, 422)
    portal = portal_of(state)
    with portal.database.writing() as session:
        player = session.get_one(Player, player_id)
        if fresh := news(session, player_id, said):
            answer(session, player, fresh, actor_of(request), portal.clock(), source=source, signed_by=signed_by)
    return done(f"/players/{player_id}/consent", "saved")
