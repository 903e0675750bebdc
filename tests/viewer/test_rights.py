"""What links make of people, towards things of their teams, of other teams, and of other clubs."""

import pytest

from tests.viewer.world import OURS, THEIRS
from viewer.accounts.models import User
from viewer.clubs.rights import Standing, rights_of
from viewer.web.subjects import SUBJECTS

PEOPLE = {
    # user: standing to our U12, to our U14, to their U12
    "club_admin": (Standing.CLUB, Standing.CLUB, Standing.NOBODY),
    "coach": (Standing.COACH, Standing.NOBODY, Standing.NOBODY),
    "manager": (Standing.STAFF, Standing.NOBODY, Standing.NOBODY),
    "parent": (Standing.MEMBER, Standing.NOBODY, Standing.NOBODY),
    "player": (Standing.MEMBER, Standing.NOBODY, Standing.NOBODY),
    "u14_coach": (Standing.NOBODY, Standing.COACH, Standing.NOBODY),
    "u14_parent": (Standing.NOBODY, Standing.MEMBER, Standing.NOBODY),
    "former_parent": (Standing.NOBODY, Standing.NOBODY, Standing.NOBODY),
    "their_admin": (Standing.NOBODY, Standing.NOBODY, Standing.CLUB),
    "their_coach": (Standing.NOBODY, Standing.NOBODY, Standing.COACH),
    "their_parent": (Standing.NOBODY, Standing.NOBODY, Standing.MEMBER),
    "platform_admin": (Standing.PLATFORM, Standing.PLATFORM, Standing.PLATFORM),
    "nobody_in_particular": (Standing.NOBODY, Standing.NOBODY, Standing.NOBODY),
}


@pytest.mark.parametrize("who", PEOPLE)
def test_links_give_the_standing_they_should_and_no_more(world, who):
    with world.database.reading() as session:
        rights = rights_of(session, session.get_one(User, world.users[who]))
        teams = [SUBJECTS["team_id"](session, world.ids[team]) for team in ("u12", "u14", "their_u12")]
    assert tuple(rights.standing(team) for team in teams) == PEOPLE[who]


def test_only_parents_and_the_player_are_the_players_family(world):
    with world.database.reading() as session:
        robin = SUBJECTS["player_id"](session, world.ids["robin"])
        standing = {
            who: rights_of(session, session.get_one(User, world.users[who])).standing(robin) for who in world.users
        }
    assert {who for who, is_ in standing.items() if is_ is Standing.FAMILY} == {"parent", "player"}
    assert standing["kims_parent"] is Standing.MEMBER


def test_who_left_a_team_keeps_the_games_of_their_time_alone(world):
    with world.database.reading() as session:
        rights = rights_of(session, session.get_one(User, world.users["former_parent"]))
        game = SUBJECTS["match_session"](session, OURS)
    assert rights.standing(game) is Standing.NOBODY
    earlier = type(game)(game.organization_id, game.teams, day=game.day.replace(month=9))
    assert rights.standing(earlier) is Standing.MEMBER


@pytest.mark.parametrize(
    ("who", "ours", "theirs"),
    [("parent", 200, 404), ("coach", 200, 404), ("their_parent", 404, 200), ("u14_parent", 404, 404)],
)
def test_matches_open_to_their_own_people_and_are_not_there_for_others(world, who, ours, theirs):
    with world.client(who) as browser:
        assert browser.get(f"/matches/{OURS}").status_code == ours
        assert browser.get(f"/matches/{THEIRS}").status_code == theirs


def test_the_platforms_admin_runs_clubs_and_watches_nobody(world):
    with world.client("platform_admin") as browser:
        assert browser.get(f"/matches/{OURS}").status_code == 403


def test_admins_and_coaches_without_a_second_factor_reach_nothing_and_parents_need_none(world):
    for who, status in (("coach", 403), ("club_admin", 403), ("platform_admin", 403), ("parent", 200)):
        with world.client(who, strong=False, html=False) as browser:
            assert browser.get("/").status_code == status, who


def test_the_list_shows_exactly_the_matches_that_open(world):
    listed = {}
    for who in ("parent", "club_admin", "their_coach", "u14_parent", "former_parent", "platform_admin"):
        with world.client(who) as browser:
            page = browser.get("/").text
        listed[who] = (OURS in page, THEIRS in page)
    assert listed == {
        "parent": (True, False),
        "club_admin": (True, False),
        "their_coach": (False, True),
        "u14_parent": (False, False),
        "former_parent": (False, False),
        "platform_admin": (False, False),
    }
