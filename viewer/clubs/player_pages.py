"""A player's page, for their family and their team's staff. The guard has checked who they are."""

from datetime import datetime
from typing import Any

from litestar import get
from litestar.datastructures import State
from litestar.params import FromPath
from litestar.response import Template
from sqlalchemy.orm import Session

from viewer.clubs import squads, teams
from viewer.clubs.models import Organization
from viewer.clubs.team_pages import today
from viewer.games import played
from viewer.privacy.consent import consents_of, shown_in
from viewer.privacy.models import Scope
from viewer.web.access import Access, open_to
from viewer.web.forms import Form
from viewer.web.pages import Asked, Before, next_key, show
from viewer.web.portal import portal_of


@get("/players/{player_id:int}", opt=open_to(Access.NEAR), sync_to_thread=True)
def player_page(request: Asked, state: State, player_id: FromPath[int], before: Before = None) -> Template:
    """Who the player is, where they play and played, and the games they were found in."""
    portal = portal_of(state)
    with portal.database.reading() as session:
        return player_page_of(request, session, player_id, None, portal.clock(), before=before)


def player_page_of(
    request: Asked,
    session: Session,
    player_id: int,
    form: Form | None,
    now: datetime,
    *,
    before: int | None = None,
    status: int = 200,
) -> Template:
    """The page; with the form for another team where the reader runs the club."""
    player, rights = squads.player_of(session, player_id), request.user.rights
    club = session.get_one(Organization, player.organization_id)
    runs_club, family = club.id in rights.clubs, player_id in rights.children | rights.own
    consent = consents_of(session, [player_id])[player_id]
    open_teams = None if runs_club or family else rights.coached | rights.managed
    games = played.played_by(session, player_id, open_teams, before)
    context: dict[str, Any] = {
        "player": player,
        "club": club,
        "entries": squads.teams_played(session, [player_id]).get(player_id, []),
        "runs_club": runs_club,
        "family": family,
        "staffed": rights.coached | rights.managed,
        "consent": consent,
        "games": games,
        "following": next_key(games, played.PAGE, lambda game: game.recording),
        # Numbers beside a name are statistics; the family sees its own all the same.
        "with_numbers": family or shown_in(consent, Scope.STATISTICS),
        "parents": squads.parents_of(session, [player_id]).get(player_id, []),
        "choices": teams.team_choices(session, club.id) if runs_club else (),
        "form": form or Form({"joined_on": today(club.time_zone, now)}),
    }
    here = "/clubs" if runs_club else "/teams" if open_teams else "/"
    return show(request, "clubs/player.html", here, status=status, **context)


ROUTES = [player_page]
