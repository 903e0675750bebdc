"""Pages of a team for its coaches and managers: roster, people, code to join. The guard has checked who they are."""

from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from litestar import Response, get, post
from litestar.datastructures import State
from litestar.params import FromPath
from litestar.response import Redirect, Template
from sqlalchemy.orm import Session

from viewer.accounts.models import Role
from viewer.clubs import people, squads, teams
from viewer.clubs.clubs import PAGE
from viewer.clubs.models import Team
from viewer.clubs.squads import POSITIONS, PlayerEntry
from viewer.errors import NotThere
from viewer.games.calendar import games_of
from viewer.games.lines import game_lines
from viewer.privacy.consent import consents_of
from viewer.web.access import SIGNED_IN, Access, open_to
from viewer.web.forms import Form, Sent
from viewer.web.pages import Asked, Before, actor_of, done, next_key, show
from viewer.web.portal import portal_of

STAFF = open_to(Access.STAFF)
_SHORT = 5


def team_page(request: Asked, team: Team, template: str, tab: str, *, status: int = 200, **context: Any) -> Template:
    """A page of the team, below one of its tabs."""
    address = f"/teams/{team.id}"
    tabs = [("Team", address), ("Games", f"{address}/games"), ("Former players", f"{address}/former")]
    tabs.append(("Requests to join", f"{address}/requests"))
    runs_club = team.organization_id in request.user.rights.clubs
    context |= {"team": team, "address": address, "tabs": tabs, "tab": address + tab, "runs_club": runs_club}
    return show(request, template, "/teams", status=status, **context)


def today(time_zone: str, now: datetime) -> date:
    """The day that the calendar shows in a time zone."""
    return now.astimezone(ZoneInfo(time_zone)).date()


@get("/teams", opt=SIGNED_IN, sync_to_thread=True)
def my_teams_page(request: Asked, state: State) -> Template:
    """The teams that the reader coaches or manages."""
    rights = request.user.rights
    with portal_of(state).database.reading() as session:
        lines = teams.team_lines(session, teams.teams_with(session, rights.coached | rights.managed))
    return show(request, "clubs/my_teams.html", "/teams", lines=lines)


@get("/teams/{team_id:int}", opt=STAFF, sync_to_thread=True)
def roster_page(request: Asked, state: State, team_id: FromPath[int]) -> Template:
    """Roster with consent, the latest games, who runs the team, and the code to join."""
    with portal_of(state).database.reading() as session:
        team = teams.team_of(session, team_id)
        roster = squads.roster_of(session, team_id)
        numbers = [entry.player_id for entry in roster]
        context: dict[str, Any] = {
            "roster": roster,
            "consents": consents_of(session, numbers),
            "parents": squads.parents_of(session, numbers),
            "games": game_lines(games_of(session, team_id)[:_SHORT], team_id),
            "staff": people.staff_of(session, team_id),
            "waiting": teams.team_lines(session, [team])[0].waiting,
        }
    return team_page(request, team, "clubs/team.html", "", **context)


@get("/teams/{team_id:int}/former", opt=STAFF, sync_to_thread=True)
def former_page(request: Asked, state: State, team_id: FromPath[int], before: Before = None) -> Template:
    """Who has left the team."""
    portal = portal_of(state)
    with portal.database.reading() as session:
        team = teams.team_of(session, team_id)
        left = list(squads.former_of(session, team_id, before))
        playing = {entry.player_id for entry in squads.roster_of(session, team_id)}
    context: dict[str, Any] = {
        "left": left,
        "playing": playing,
        "following": next_key(left, PAGE, lambda entry: entry.id),
    }
    return team_page(request, team, "clubs/former.html", "/former", **context)


@post("/teams/{team_id:int}/code", opt=STAFF, status_code=200, sync_to_thread=True)
def renew_code(request: Asked, state: State, team_id: FromPath[int]) -> Redirect:
    """A new code to join by."""
    portal = portal_of(state)
    with portal.database.writing() as session:
        teams.renew_code(session, teams.team_of(session, team_id), portal.clock(), actor_of(request))
    return done(f"/teams/{team_id}", "code")


@post("/teams/{team_id:int}/code/end", opt=STAFF, status_code=200, sync_to_thread=True)
def end_code(request: Asked, state: State, team_id: FromPath[int]) -> Redirect:
    """No code to join by."""
    portal = portal_of(state)
    with portal.database.writing() as session:
        teams.end_code(session, teams.team_of(session, team_id), portal.clock(), actor_of(request))
    return done(f"/teams/{team_id}", "code-off")


# ---------------------------------------------------------------------------------------------- one player


@get("/teams/{team_id:int}/roster/new", opt=STAFF, sync_to_thread=True)
def new_player_page(request: Asked, state: State, team_id: FromPath[int]) -> Template:
    """A form for a player who is new to the club."""
    portal = portal_of(state)
    with portal.database.reading() as session:
        team = teams.team_of(session, team_id)
    form = Form({"joined_on": today(team.organization.time_zone, portal.clock())})
    return team_page(request, team, "clubs/new_player.html", "", form=form, positions=_positions(form))


@post("/teams/{team_id:int}/roster/new", opt=STAFF, status_code=200, sync_to_thread=True)
def add_player(request: Asked, state: State, team_id: FromPath[int], data: Sent) -> Response[Any]:
    """Add a player to the club and the roster."""
    portal, form = portal_of(state), Form(data)
    with form.taking(), portal.database.writing() as session:
        team = teams.team_of(session, team_id)
        entry, number, joined_on = _entry(form), form.text("jersey_number", 10, needed=False), form.day("joined_on")
        form.check()
        squads.add_player(session, team, entry, number, joined_on, portal.clock(), actor_of(request))
        return done(f"/teams/{team_id}", "added")
    with portal.database.reading() as session:
        team = teams.team_of(session, team_id)
    return team_page(request, team, "clubs/new_player.html", "", status=422, form=form, positions=_positions(form))


@get("/teams/{team_id:int}/roster/{entry_id:int}", opt=STAFF, sync_to_thread=True)
def entry_page(request: Asked, state: State, team_id: FromPath[int], entry_id: FromPath[int]) -> Template:
    """A player of the roster: to be changed, to leave or come back; and who stands for them."""
    portal = portal_of(state)
    with portal.database.reading() as session:
        entry = squads.entry_of(session, team_id, entry_id)
        player = entry.player
        start = {n: getattr(player, n) for n in ("first_name", "last_name", "birth_year", "default_position")}
        form = Form({**start, "jersey_number": entry.jersey_number})
        return _entry_page(request, session, team_id, entry_id, portal.clock(), form)


@post("/teams/{team_id:int}/roster/{entry_id:int}", opt=STAFF, status_code=200, sync_to_thread=True)
def change_player(
    request: Asked, state: State, team_id: FromPath[int], entry_id: FromPath[int], data: Sent
) -> Response[Any]:
    """Put a player's name, year, position or number right."""
    portal, form = portal_of(state), Form(data)
    now = portal.clock()
    with form.taking(), portal.database.writing() as session:
        listed = squads.entry_of(session, team_id, entry_id)
        entry, number = _entry(form), form.text("jersey_number", 10, needed=False)
        form.check()
        squads.change_player(session, listed, entry, number, now, actor_of(request))
        return done(f"/teams/{team_id}/roster/{entry_id}", "saved")
    with portal.database.reading() as session:
        return _entry_page(request, session, team_id, entry_id, now, form, status=422)


@post("/teams/{team_id:int}/roster/{entry_id:int}/leave", opt=STAFF, status_code=200, sync_to_thread=True)
def leave(request: Asked, state: State, team_id: FromPath[int], entry_id: FromPath[int], data: Sent) -> Response[Any]:
    """End a player's time in the team."""
    portal, form = portal_of(state), Form(data)
    now = portal.clock()
    with form.taking(), portal.database.writing() as session:
        listed = squads.entry_of(session, team_id, entry_id)
        left_on = form.day("left_on")
        form.check()
        squads.leave(session, listed, left_on, now, actor_of(request))
        return done(f"/teams/{team_id}", "left")
    with portal.database.reading() as session:
        return _entry_page(request, session, team_id, entry_id, now, leaving=form, status=422)


@post("/teams/{team_id:int}/roster/{entry_id:int}/rejoin", opt=STAFF, status_code=200, sync_to_thread=True)
def rejoin(request: Asked, state: State, team_id: FromPath[int], entry_id: FromPath[int], data: Sent) -> Response[Any]:
    """Let a player who had left play in the team again, from a day on."""
    portal, form = portal_of(state), Form(data)
    now = portal.clock()
    with form.taking(), portal.database.writing() as session:
        listed = squads.entry_of(session, team_id, entry_id)
        joined_on = form.day("joined_on")
        form.check()
        number = listed.jersey_number or ""
        squads.put_on_roster(session, listed.team, listed.player, number, joined_on, now, actor_of(request))
        return done(f"/teams/{team_id}", "joined")
    with portal.database.reading() as session:
        return _entry_page(request, session, team_id, entry_id, now, leaving=form, status=422)


@post("/teams/{team_id:int}/roster/{entry_id:int}/invite", opt=STAFF, status_code=200, sync_to_thread=True)
def invite_family(
    request: Asked, state: State, team_id: FromPath[int], entry_id: FromPath[int], data: Sent
) -> Response[Any]:
    """Invite somebody to stand for the player, or the player themselves."""
    portal, form = portal_of(state), Form(data)
    now = portal.clock()
    with form.taking(), portal.database.writing() as session:
        listed = squads.playing(session, team_id, entry_id)
        mail, role = form.text("mail", 320), form.choice("role", (Role.PARENT, Role.PLAYER))
        form.check()
        by, url = actor_of(request), portal.settings.url
        people.invite_as(session, mail, Role(role), now, by, url, player_id=listed.player_id)
    if form.faults:
        with portal.database.reading() as session:
            return _entry_page(request, session, team_id, entry_id, now, inviting=form, status=422)
    portal.wake()
    return done(f"/teams/{team_id}/roster/{entry_id}", "invited")


@get("/teams/{team_id:int}/roster/{entry_id:int}/parents/{user_id:int}/remove", opt=STAFF, sync_to_thread=True)
def unlink_page(
    request: Asked, state: State, team_id: FromPath[int], entry_id: FromPath[int], user_id: FromPath[int]
) -> Template:
    """Ask whether somebody shall stand for the player no more."""
    with portal_of(state).database.reading() as session:
        entry = squads.playing(session, team_id, entry_id)
        parents = squads.parents_of(session, [entry.player_id]).get(entry.player_id, [])
    parent = next((parent.user for parent in parents if parent.user.id == user_id), None)
    if parent is None:
        raise NotThere("They do not stand for this player.")
    child = entry.player.first_name
    who = f"{parent.name} ({parent.mail})"
    words = f"{who} will no longer see {child}'s matches nor decide on {child}'s consent. You can invite them again."
    back, title = f"/teams/{team_id}/roster/{entry_id}", f"Unlink from {child}?"
    return show(request, "confirm.html", "/teams", title=title, words=words, fault="", back=back, button="Unlink")


@post(
    "/teams/{team_id:int}/roster/{entry_id:int}/parents/{user_id:int}/remove",
    opt=STAFF,
    status_code=200,
    sync_to_thread=True,
)
def unlink_parent(
    request: Asked, state: State, team_id: FromPath[int], entry_id: FromPath[int], user_id: FromPath[int]
) -> Redirect:
    """Let somebody stand for the player no more."""
    portal = portal_of(state)
    with portal.database.writing() as session:
        entry = squads.playing(session, team_id, entry_id)
        squads.unlink_parent(session, entry.player, user_id, portal.clock(), actor_of(request))
    return done(f"/teams/{team_id}/roster/{entry_id}", "removed")


def _entry_page(
    request: Asked,
    session: Session,
    team_id: int,
    entry_id: int,
    now: datetime,
    form: Form | None = None,
    *,
    leaving: Form | None = None,
    inviting: Form | None = None,
    status: int = 200,
) -> Template:
    entry = squads.entry_of(session, team_id, entry_id)
    player, team = entry.player, teams.team_of(session, team_id)
    day = today(team.organization.time_zone, now)
    if form is None:
        start = {n: getattr(player, n) for n in ("first_name", "last_name", "birth_year", "default_position")}
        form = Form({**start, "jersey_number": entry.jersey_number})
    context: dict[str, Any] = {
        "entry": entry,
        "player": player,
        "parents": [] if entry.left_on else squads.parents_of(session, [player.id]).get(player.id, []),
        "consent": consents_of(session, [player.id])[player.id],
        "playing": any(other.player_id == player.id for other in squads.roster_of(session, team_id)),
        "form": form,
        "leaving": leaving or Form({"left_on": day, "joined_on": day}),
        "inviting": inviting or Form({"role": Role.PARENT}),
        "positions": _positions(form),
    }
    return team_page(request, team, "clubs/entry.html", "", status=status, **context)


def _entry(form: Form) -> PlayerEntry:
    return PlayerEntry(
        form.text("first_name", 100),
        form.text("last_name", 100),
        form.number("birth_year", squads.FIRST_BIRTH_YEAR, squads.LAST_BIRTH_YEAR, needed=False),
        form.text("default_position", 30, needed=False),
    )


def _positions(form: Form) -> list[tuple[str, str]]:
    # What an import found stays, though the form would not have offered it.
    held = form.values.get("default_position", "")
    return [(name, name) for name in (*POSITIONS, *([held] if held and held not in POSITIONS else []))]


ROUTES = [
    my_teams_page,
    roster_page,
    former_page,
    renew_code,
    end_code,
    new_player_page,
    add_player,
    entry_page,
    change_player,
    leave,
    rejoin,
    invite_family,
    unlink_page,
    unlink_parent,
]
