"""Pages of a team's games for its coaches and managers. The guard has checked who they are."""

from typing import Any

from litestar import Response, get, post
from litestar.datastructures import State
from litestar.params import FromPath
from litestar.response import Template
from sqlalchemy.orm import Session

from viewer.clubs import clubs, teams
from viewer.clubs.models import Team
from viewer.clubs.team_pages import STAFF, team_page
from viewer.games import calendar
from viewer.games.calendar import GameEntry, game_of
from viewer.games.lines import game_lines
from viewer.games.models import Game
from viewer.web.forms import Form, Sent, local_input
from viewer.web.pages import Asked, Before, actor_of, done, next_key
from viewer.web.portal import portal_of

_HOME, _AWAY = "home", "away"


@get("/teams/{team_id:int}/games", opt=STAFF, sync_to_thread=True)
def games_page(request: Asked, state: State, team_id: FromPath[int], before: Before = None) -> Template:
    """The team's games, the latest first."""
    with portal_of(state).database.reading() as session:
        team = teams.team_of(session, team_id)
        listed = list(calendar.games_of(session, team_id, before))
    following = next_key(listed, calendar.PAGE, lambda game: game.id)
    return team_page(
        request, team, "clubs/games.html", "/games", games=game_lines(listed, team_id), following=following
    )


@get("/teams/{team_id:int}/games/new", opt=STAFF, sync_to_thread=True)
def new_game_page(request: Asked, state: State, team_id: FromPath[int]) -> Template:
    """A form for a game."""
    with portal_of(state).database.reading() as session:
        team = teams.team_of(session, team_id)
        return _game_page(request, session, team, None, Form({"place": _HOME}))


@post("/teams/{team_id:int}/games/new", opt=STAFF, status_code=200, sync_to_thread=True)
def add_game(request: Asked, state: State, team_id: FromPath[int], data: Sent) -> Response[Any]:
    """Put a game into the calendar."""
    portal, form = portal_of(state), Form(data)
    with form.taking(), portal.database.writing() as session:
        team = teams.team_of(session, team_id)
        entry = _entry(session, team, form, team.organization.time_zone)
        calendar.save_game(session, team, None, entry, portal.clock(), actor_of(request))
        return done(f"/teams/{team_id}/games", "added")
    with portal.database.reading() as session:
        return _game_page(request, session, teams.team_of(session, team_id), None, form, status=422)


@get("/teams/{team_id:int}/games/{game_id:int}", opt=STAFF, sync_to_thread=True)
def game_page(request: Asked, state: State, team_id: FromPath[int], game_id: FromPath[int]) -> Template:
    """One game: to be changed, cancelled, or given its score."""
    with portal_of(state).database.reading() as session:
        game = game_of(session, team_id, game_id)
        return _game_page(request, session, game.team, game)


@post("/teams/{team_id:int}/games/{game_id:int}", opt=STAFF, status_code=200, sync_to_thread=True)
def change_game(
    request: Asked, state: State, team_id: FromPath[int], game_id: FromPath[int], data: Sent
) -> Response[Any]:
    """Change opponent, time or place of a game."""
    portal, form = portal_of(state), Form(data)
    with form.taking(), portal.database.writing() as session:
        game = game_of(session, team_id, game_id)
        entry = _entry(session, game.team, form, game.time_zone, game)
        calendar.save_game(session, game.team, game, entry, portal.clock(), actor_of(request))
        return done(f"/teams/{team_id}/games/{game_id}", "saved")
    with portal.database.reading() as session:
        game = game_of(session, team_id, game_id)
        return _game_page(request, session, game.team, game, form, status=422)


@post("/teams/{team_id:int}/games/{game_id:int}/score", opt=STAFF, status_code=200, sync_to_thread=True)
def take_score(
    request: Asked, state: State, team_id: FromPath[int], game_id: FromPath[int], data: Sent
) -> Response[Any]:
    """Enter the score by hand, or leave it to what the recording shows."""
    portal, form = portal_of(state), Form(data)
    with form.taking(), portal.database.writing() as session:
        game = game_of(session, team_id, game_id)
        ours, theirs = (
            form.number(name, 0, calendar.MOST_GOALS, needed=False) for name in ("our_score", "their_score")
        )
        form.check()
        calendar.set_score(session, game, ours, theirs, portal.clock(), actor_of(request))
        return done(f"/teams/{team_id}/games/{game_id}", "score")
    with portal.database.reading() as session:
        game = game_of(session, team_id, game_id)
        return _game_page(request, session, game.team, game, scoring=form, status=422)


@post("/teams/{team_id:int}/games/{game_id:int}/cancel", opt=STAFF, status_code=200, sync_to_thread=True)
def cancel_game(request: Asked, state: State, team_id: FromPath[int], game_id: FromPath[int]) -> Response[Any]:
    """Say that the game is not played."""
    portal, form = portal_of(state), Form()
    with form.taking(), portal.database.writing() as session:
        calendar.cancel_game(session, game_of(session, team_id, game_id), portal.clock(), actor_of(request))
        return done(f"/teams/{team_id}/games/{game_id}", "cancelled")
    with portal.database.reading() as session:
        game = game_of(session, team_id, game_id)
        start = _start(game)
        start.faults = form.faults
        return _game_page(request, session, game.team, game, start, status=422)


@post("/teams/{team_id:int}/games/{game_id:int}/revive", opt=STAFF, status_code=200, sync_to_thread=True)
def revive_game(request: Asked, state: State, team_id: FromPath[int], game_id: FromPath[int]) -> Response[Any]:
    """Say that a cancelled game is played after all."""
    portal = portal_of(state)
    with portal.database.writing() as session:
        calendar.revive_game(session, game_of(session, team_id, game_id), portal.clock(), actor_of(request))
    return done(f"/teams/{team_id}/games/{game_id}", "revived")


def _game_page(
    request: Asked,
    session: Session,
    team: Team,
    game: Game | None,
    form: Form | None = None,
    *,
    scoring: Form | None = None,
    status: int = 200,
) -> Template:
    if game is not None:
        form = form or _start(game)
        scoring = scoring or Form({"our_score": game.our_score, "their_score": game.their_score})
    context: dict[str, Any] = {
        "game": game,
        "line": None if game is None else game_lines([game], team.id)[0],
        "form": form,
        "scoring": scoring,
        "places": ((_HOME, "At home"), (_AWAY, "Away")),
        "venue_options": clubs.venue_choices(session, team.organization_id),
        "time_zone": team.organization.time_zone if game is None else game.time_zone,
    }
    return team_page(request, team, "clubs/game.html", "/games", status=status, **context)


def _start(game: Game) -> Form:
    start = {"opponent": game.opponent, "title": game.title, "venue_id": game.venue_id}
    start["place"] = _HOME if game.at_home else _AWAY
    return Form({**start, "starts_at": local_input(game.starts_at, game.time_zone)})


def _entry(session: Session, team: Team, form: Form, time_zone: str, game: Game | None = None) -> GameEntry:
    venues = [number for number, _ in clubs.venue_choices(session, team.organization_id)]
    starts_at = form.moment("starts_at", time_zone)
    if game is not None and form.values.get("starts_at") == local_input(game.starts_at, time_zone):
        # The field shows no seconds; what was not touched keeps its own.
        starts_at = game.starts_at
    entry = GameEntry(
        form.text("opponent", 200),
        starts_at,
        form.choice("place", (_HOME, _AWAY)) == _HOME,
        form.text("title", 300, needed=False),
        form.row("venue_id", venues, needed=False),
    )
    form.check()
    return entry


ROUTES = [
    games_page,
    new_game_page,
    add_game,
    game_page,
    change_game,
    take_score,
    cancel_game,
    revive_game,
]
