"""Pages on which a club's teams, people and players are run. The guard has checked that the reader runs the club."""

from typing import Any

from litestar import Response, get, post
from litestar.datastructures import State
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect, Template
from sqlalchemy.orm import Session

from viewer.accounts.models import Role
from viewer.clubs import clubs, people, squads, teams
from viewer.clubs.club_pages import CLUB, club_page, own
from viewer.clubs.clubs import club_named
from viewer.clubs.models import Organization
from viewer.clubs.people import Circle
from viewer.clubs.player_pages import player_page_of
from viewer.clubs.teams import TeamEntry
from viewer.web.access import Access, open_to
from viewer.web.forms import Form, Sent
from viewer.web.pages import MOST_NUMBER, After, Asked, Before, Words, actor_of, done, next_key, searched, show
from viewer.web.portal import portal_of

OWN_CLUB = open_to(Access.COACH)
"""Towards a club itself nobody is a coach: this leaves the club's own admins, and keeps the platform's out."""
_YEARS = (squads.FIRST_BIRTH_YEAR, squads.LAST_BIRTH_YEAR)


# ---------------------------------------------------------------------------------------------- teams


def _teams(
    request: Asked,
    session: Session,
    club: Organization,
    form: Form,
    *,
    season_id: int | None = None,
    after: int | None = None,
    status: int = 200,
) -> Template:
    listed = list(teams.teams_of(session, club.id, season_id=season_id, after=after))
    context: dict[str, Any] = {
        "lines": teams.team_lines(session, listed),
        "following": next_key(listed, clubs.PAGE, lambda team: team.id),
        "season_options": clubs.season_choices(session, club.id),
        "season_id": season_id,
        "days": (clubs.FEWEST_DAYS, clubs.MOST_DAYS),
        "form": form,
        "own": own(request, club),
    }
    return club_page(request, club, "clubs/teams.html", "/teams", status=status, **context)


@get("/clubs/{organization_slug:str}/teams", opt=CLUB, sync_to_thread=True)
def teams_page(
    request: Asked,
    state: State,
    organization_slug: FromPath[str],
    season: FromQuery[str] = "",
    after: After = None,
) -> Template:
    """The club's teams, of one season or all, and a form for a new one."""
    season_id = int(season) if season.isdecimal() and int(season) <= MOST_NUMBER else None
    with portal_of(state).database.reading() as session:
        club = club_named(session, organization_slug)
        return _teams(request, session, club, Form(), season_id=season_id, after=after)


@post("/clubs/{organization_slug:str}/teams", opt=CLUB, status_code=200, sync_to_thread=True)
def add_team(request: Asked, state: State, organization_slug: FromPath[str], data: Sent) -> Response[Any]:
    """Add a team."""
    portal, form = portal_of(state), Form(data)
    with form.taking(), portal.database.writing() as session:
        club = club_named(session, organization_slug)
        entry = _team_entry(session, club, form)
        teams.save_team(session, club.id, None, entry, portal.clock(), actor_of(request))
        return done(f"/clubs/{organization_slug}/teams", "added")
    with portal.database.reading() as session:
        return _teams(request, session, club_named(session, organization_slug), form, status=422)


@get("/clubs/{organization_slug:str}/teams/{team_id:int}", opt=CLUB, sync_to_thread=True)
def team_settings_page(
    request: Asked, state: State, organization_slug: FromPath[str], team_id: FromPath[int]
) -> Template:
    """One team's name, season, birth years and retention, to be changed."""
    with portal_of(state).database.reading() as session:
        club = club_named(session, organization_slug)
        team = teams.team_of(session, team_id, club.id)
        names = ("name", "season_id", "first_birth_year", "last_birth_year", "retention_days")
        return _team(request, session, club, team_id, Form({name: getattr(team, name) for name in names}))


@post("/clubs/{organization_slug:str}/teams/{team_id:int}", opt=CLUB, status_code=200, sync_to_thread=True)
def change_team(
    request: Asked, state: State, organization_slug: FromPath[str], team_id: FromPath[int], data: Sent
) -> Response[Any]:
    """Change a team."""
    portal, form = portal_of(state), Form(data)
    with form.taking(), portal.database.writing() as session:
        club = club_named(session, organization_slug)
        team = teams.team_of(session, team_id, club.id)
        entry = _team_entry(session, club, form)
        teams.save_team(session, club.id, team, entry, portal.clock(), actor_of(request))
        return done(f"/clubs/{organization_slug}/teams", "saved")
    with portal.database.reading() as session:
        return _team(request, session, club_named(session, organization_slug), team_id, form, 422)


def _team(
    request: Asked, session: Session, club: Organization, team_id: int, form: Form, status: int = 200
) -> Template:
    context: dict[str, Any] = {
        "team": teams.team_of(session, team_id, club.id),
        "season_options": clubs.season_choices(session, club.id),
        "days": (clubs.FEWEST_DAYS, clubs.MOST_DAYS),
        "form": form,
        "own": own(request, club),
    }
    return club_page(request, club, "clubs/team_settings.html", "/teams", status=status, **context)


def _team_entry(session: Session, club: Organization, form: Form) -> TeamEntry:
    seasons = [number for number, _ in clubs.season_choices(session, club.id)]
    entry = TeamEntry(
        form.text("name", 200),
        form.row("season_id", seasons, needed=False),
        form.number("first_birth_year", *_YEARS, needed=False),
        form.number("last_birth_year", *_YEARS, needed=False),
        form.number("retention_days", clubs.FEWEST_DAYS, clubs.MOST_DAYS, needed=False),
    )
    form.check()
    return entry


# ---------------------------------------------------------------------------------------------- people


@get("/clubs/{organization_slug:str}/people", opt=CLUB, sync_to_thread=True)
def people_page(
    request: Asked,
    state: State,
    organization_slug: FromPath[str],
    circle: FromQuery[Circle] = Circle.ADMINS,
    words: Words = "",
    after: After = None,
) -> Template:
    """The club's admins, its coaches and managers, or its parents."""
    wanted = searched(words)
    with portal_of(state).database.reading() as session:
        club = club_named(session, organization_slug)
        members = people.circle_of(session, club.id, circle, words=wanted, after=after)
    context: dict[str, Any] = {
        "members": members,
        "following": next_key(members, clubs.PAGE, lambda member: member.user.id),
        "circle": circle,
        "words": wanted,
        "own": own(request, club),
    }
    return club_page(request, club, "clubs/people.html", "/people", **context)


@get("/clubs/{organization_slug:str}/people/invitations", opt=CLUB, sync_to_thread=True)
def invitations_page(request: Asked, state: State, organization_slug: FromPath[str], before: Before = None) -> Template:
    """The invitations that are open, and a form for another one."""
    with portal_of(state).database.reading() as session:
        return _invitations(request, state, session, club_named(session, organization_slug), Form(), before)


@post("/clubs/{organization_slug:str}/people/invitations", opt=CLUB, status_code=200, sync_to_thread=True)
def invite(request: Asked, state: State, organization_slug: FromPath[str], data: Sent) -> Response[Any]:
    """Invite an admin, coach or manager."""
    portal, form, by = portal_of(state), Form(data), actor_of(request)
    with form.taking(), portal.database.writing() as session:
        club, now, url = club_named(session, organization_slug), portal.clock(), portal.settings.url
        mail, role = form.text("mail", 320), form.choice("role", (Role.CLUB_ADMIN, Role.COACH, Role.MANAGER))
        of_team = role in (Role.COACH, Role.MANAGER)
        team_id = form.row("team_id", [number for number, _ in teams.team_choices(session, club.id)], needed=of_team)
        form.check()
        link = {"team_id": team_id} if of_team else {"organization_id": club.id}
        people.invite_as(session, mail, Role(role), now, by, url, **link)
    if form.faults:
        with portal.database.reading() as session:
            return _invitations(request, state, session, club_named(session, organization_slug), form, status=422)
    portal.wake()
    return done(f"/clubs/{organization_slug}/people/invitations", "invited")


def _invitations(
    request: Asked,
    state: State,
    session: Session,
    club: Organization,
    form: Form,
    before: int | None = None,
    status: int = 200,
) -> Template:
    invited = people.invited_to(session, club.id, portal_of(state).clock(), before)
    context: dict[str, Any] = {
        "invited": invited,
        "following": next_key(invited, clubs.PAGE, lambda one: one.invitation.id),
        "team_options": teams.team_choices(session, club.id),
        "form": form,
        "circle": "invitations",
        "own": own(request, club),
    }
    return club_page(request, club, "clubs/invitations.html", "/people", status=status, **context)


@post(
    "/clubs/{organization_slug:str}/people/invitations/{invitation_id:int}/withdraw",
    opt=CLUB,
    status_code=200,
    sync_to_thread=True,
)
def withdraw_invitation(
    request: Asked, state: State, organization_slug: FromPath[str], invitation_id: FromPath[int]
) -> Redirect:
    """Take an invitation back."""
    portal = portal_of(state)
    with portal.database.writing() as session:
        club = club_named(session, organization_slug)
        people.take_back(session, club.id, invitation_id, portal.clock(), actor_of(request))
    return done(f"/clubs/{organization_slug}/people/invitations", "withdrawn")


@get("/clubs/{organization_slug:str}/people/admins/{user_id:int}/remove", opt=CLUB, sync_to_thread=True)
def remove_admin_page(
    request: Asked, state: State, organization_slug: FromPath[str], user_id: FromPath[int]
) -> Template:
    """Ask whether somebody shall run the club no more."""
    with portal_of(state).database.reading() as session:
        club = club_named(session, organization_slug)
        user = people.admin_of(session, club.id, user_id)
    words = f"{user.name} ({user.mail}) will no longer run {club.name}. You can invite them again."
    return _confirm(request, club, f"Remove {user.name} as admin?", words)


@post(
    "/clubs/{organization_slug:str}/people/admins/{user_id:int}/remove",
    opt=CLUB,
    status_code=200,
    sync_to_thread=True,
)
def remove_admin(
    request: Asked, state: State, organization_slug: FromPath[str], user_id: FromPath[int]
) -> Response[Any]:
    """Let somebody run the club no more."""
    portal, form = portal_of(state), Form()
    with form.taking(), portal.database.writing() as session:
        club = club_named(session, organization_slug)
        people.remove_admin(session, club, user_id, portal.clock(), actor_of(request))
        # Whoever removed themselves has no page of the club to go to.
        left = user_id == request.user.id and not request.user.rights.platform_admin
        return Redirect("/", status_code=303) if left else done(f"/clubs/{organization_slug}/people", "removed")
    with portal.database.reading() as session:
        club = club_named(session, organization_slug)
    return _confirm(request, club, "They stay", "", fault=form.faults.get("", ""))


@get("/clubs/{organization_slug:str}/people/teams/{team_id:int}/{user_id:int}/remove", opt=CLUB, sync_to_thread=True)
def remove_staff_page(
    request: Asked,
    state: State,
    organization_slug: FromPath[str],
    team_id: FromPath[int],
    user_id: FromPath[int],
) -> Template:
    """Ask whether somebody shall coach or manage a team no more."""
    with portal_of(state).database.reading() as session:
        club = club_named(session, organization_slug)
        team = teams.team_of(session, team_id, club.id)
        user = people.staff_member(session, team.id, user_id)
    words = f"{user.name} ({user.mail}) will no longer see {team.name}'s roster and matches. You can invite them again."
    return _confirm(request, club, f"Remove {user.name} from {team.name}?", words)


@post(
    "/clubs/{organization_slug:str}/people/teams/{team_id:int}/{user_id:int}/remove",
    opt=CLUB,
    status_code=200,
    sync_to_thread=True,
)
def remove_staff(
    request: Asked,
    state: State,
    organization_slug: FromPath[str],
    team_id: FromPath[int],
    user_id: FromPath[int],
) -> Redirect:
    """Let somebody coach or manage a team no more."""
    portal = portal_of(state)
    with portal.database.writing() as session:
        team = teams.team_of(session, team_id, club_named(session, organization_slug).id)
        people.remove_staff(session, team, user_id, portal.clock(), actor_of(request))
    return Redirect(f"/clubs/{organization_slug}/people?circle=staff&done=removed", status_code=303)


def _confirm(request: Asked, club: Organization, title: str, words: str, fault: str = "") -> Template:
    back = f"/clubs/{club.slug}/people"
    status = 422 if fault else 200
    context: dict[str, Any] = {"title": title, "words": words, "fault": fault, "back": back, "button": "Remove"}
    return show(request, "confirm.html", "/clubs", status=status, **context)


# ---------------------------------------------------------------------------------------------- players


@get("/clubs/{organization_slug:str}/players", opt=OWN_CLUB, sync_to_thread=True)
def players_page(
    request: Asked, state: State, organization_slug: FromPath[str], words: Words = "", after: After = None
) -> Template:
    """Everybody who plays or played for the club, by name, with the teams they play in."""
    wanted = searched(words)
    with portal_of(state).database.reading() as session:
        club = club_named(session, organization_slug)
        players = list(squads.players_of(session, club.id, words=wanted, after=after))
        played = squads.teams_played(session, [player.id for player in players])
    context: dict[str, Any] = {
        "players": players,
        "played": played,
        "following": next_key(players, clubs.PAGE, lambda player: player.id),
        "words": wanted,
    }
    return club_page(request, club, "clubs/players.html", "/players", **context)


@post(
    "/clubs/{organization_slug:str}/players/{player_id:int}/join",
    opt=OWN_CLUB,
    status_code=200,
    sync_to_thread=True,
)
def join_team(
    request: Asked, state: State, organization_slug: FromPath[str], player_id: FromPath[int], data: Sent
) -> Response[Any]:
    """Put a player on another team's roster."""
    portal, form = portal_of(state), Form(data)
    now = portal.clock()
    with form.taking(), portal.database.writing() as session:
        club = club_named(session, organization_slug)
        player = squads.player_of(session, player_id, club.id)
        team_id = form.row("team_id", [number for number, _ in teams.team_choices(session, club.id)])
        number, joined_on = form.text("jersey_number", 10, needed=False), form.day("joined_on")
        form.check()
        team = teams.team_of(session, team_id or 0, club.id)
        squads.put_on_roster(session, team, player, number, joined_on, now, actor_of(request))
        return done(f"/players/{player_id}", "joined")
    with portal.database.reading() as session:
        return player_page_of(request, session, player_id, form, now, status=422)


ROUTES = [
    teams_page,
    add_team,
    team_settings_page,
    change_team,
    people_page,
    invitations_page,
    invite,
    withdraw_invitation,
    remove_admin_page,
    remove_admin,
    remove_staff_page,
    remove_staff,
    players_page,
    join_team,
]
