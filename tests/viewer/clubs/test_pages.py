"""Who may open the pages of clubs, teams and players, and who may not."""

from sqlalchemy import select

from tests.viewer.world import World
from viewer.accounts.models import Role
from viewer.clubs.invitations import invite
from viewer.clubs.models import Organization, Season, TeamPlayer, Venue

CLUB = {"club_admin", "platform_admin"}
OWN_CLUB = {"club_admin"}
STAFF = {"club_admin", "coach", "manager"}
FAMILY = {"parent", "player"}
EVERYBODY = {
    *("platform_admin", "club_admin", "their_admin", "coach", "manager", "u14_coach", "their_coach", "parent"),
    *("kims_parent", "their_parent", "former_parent", "player", "nobody_in_particular"),
}
CLUBS = "/clubs/riverside-rovers"
PAGES = {
    f"{CLUBS}": CLUB,
    f"{CLUBS}/settings": CLUB,
    f"{CLUBS}/seasons": CLUB,
    f"{CLUBS}/seasons/{{season}}": CLUB,
    f"{CLUBS}/venues": CLUB,
    f"{CLUBS}/venues/{{venue}}": CLUB,
    f"{CLUBS}/teams": CLUB,
    f"{CLUBS}/teams?season={{season}}": CLUB,
    f"{CLUBS}/teams/{{u12}}": CLUB,
    f"{CLUBS}/people": CLUB,
    f"{CLUBS}/people?circle=staff&q=coach": CLUB,
    f"{CLUBS}/people?circle=parents": CLUB,
    f"{CLUBS}/people/invitations": CLUB,
    f"{CLUBS}/people/admins/{{club_admin}}/remove": CLUB,
    f"{CLUBS}/people/teams/{{u12}}/{{coach}}/remove": CLUB,
    f"{CLUBS}/players": OWN_CLUB,
    f"{CLUBS}/players?q=robin": OWN_CLUB,
    f"{CLUBS}/devices": CLUB,
    f"{CLUBS}/devices/{{device}}": CLUB,
    f"{CLUBS}/devices/{{device}}/revoke": CLUB,
    "/teams/{u12}": STAFF,
    "/teams/{u12}/former": STAFF,
    "/teams/{u12}/roster/new": STAFF,
    "/teams/{u12}/roster/{robins_entry}": STAFF,
    "/teams/{u12}/roster/{jos_entry}": STAFF,
    "/teams/{u12}/roster/{robins_entry}/parents/{parent}/remove": STAFF,
    "/teams/{u12}/games": STAFF,
    "/teams/{u12}/games/new": STAFF,
    "/teams/{u12}/games/{game}": STAFF,
    "/players/{robin}": STAFF | FAMILY,
}


def numbers(world: World) -> dict[str, int]:
    """What the addresses of the pages are filled with."""
    with world.database.writing() as session:
        club = session.get_one(Organization, world.ids["ours"])
        venue = Venue(organization_id=club.id, name="Riverside Park", latitude=47.37, longitude=8.54)
        session.add(venue)
        session.flush()
        invite(session, "new@example.org", Role.COACH, now=world.clock(), url="http://x", team_id=world.ids["u12"])
        season = session.scalar(select(Season.id).where(Season.organization_id == club.id))
        entries = {
            f"{name}s_entry": session.scalar(select(TeamPlayer.id).where(TeamPlayer.player_id == world.ids[name]))
            for name in ("robin", "jo")
        }
        return {**world.ids, **world.users, **entries, "season": season, "venue": venue.id}


def test_each_page_opens_to_those_whom_it_is_for_and_to_nobody_else(world):
    filled = numbers(world)
    for who in sorted(EVERYBODY):
        with world.client(who) as browser:
            for page, allowed in PAGES.items():
                answer = browser.get(page.format_map(filled))
                wanted = {200} if who in allowed else {403, 404}
                assert answer.status_code in wanted, (who, page, answer.status_code)
                if who not in allowed:
                    assert "Robin" not in answer.text


def test_nobody_is_led_to_the_sign_in(world):
    filled = numbers(world)
    with world.client() as browser:
        for page in PAGES:
            answer = browser.get(page.format_map(filled))
            assert answer.status_code == 303
            assert answer.headers["location"].startswith("/sign-in")
