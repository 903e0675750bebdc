"""Joining by a team's code: only the team's staff lets in, and says whom somebody stands for."""

import pytest
from sqlalchemy import select

from viewer.accounts.models import User
from viewer.clubs.models import JoinRequest, Team
from viewer.clubs.rights import rights_of

WHO = "nobody_in_particular"


def code(world, team="u12") -> str:
    with world.database.reading() as session:
        return session.get_one(Team, world.ids[team]).code


def ask(world, who=WHO, team="u12") -> int:
    with world.client(who) as client:
        answer = client.post("/join", data={"code": code(world, team), "words": "Kim's aunt"})
        assert answer.status_code == 200
    with world.database.reading() as session:
        return session.scalars(select(JoinRequest).order_by(JoinRequest.id.desc())).first().id


def decide(client, world, number, answer="admit", team="u12", player="kim", role="parent"):
    form = {"answer": answer, "player": world.ids[player], "role": role}
    return client.post(f"/teams/{world.ids[team]}/requests/{number}", data=form)


def rights(world, who=WHO):
    with world.database.reading() as session:
        return rights_of(session, session.get_one(User, world.users[who]))


@pytest.mark.parametrize("who", ["coach", "manager", "club_admin"])
def test_the_teams_staff_lets_somebody_in_as_a_players_parent(people, world, who):
    number = ask(world)
    assert rights(world).children == frozenset()
    with world.client(who) as client:
        assert "Kim&#39;s aunt" in client.get(f"/teams/{world.ids['u12']}/requests").text
        assert decide(client, world, number).status_code == 303
        assert "Nobody is waiting" in client.get(f"/teams/{world.ids['u12']}/requests").text
    assert rights(world).children == {world.ids["kim"]}
    assert "you now belong to U12" in people.mails(f"{WHO}@example.org")[-1].text
    assert people.acts("admit")[-1].actor_id == world.users[who]


@pytest.mark.parametrize(
    ("who", "status"),
    [("parent", 403), ("player", 403), ("u14_coach", 404), ("their_coach", 404), ("their_admin", 404), (WHO, 404)],
)
def test_nobody_else_sees_or_decides(people, world, who, status):
    number = ask(world)
    with world.client(who) as client:
        page = client.get(f"/teams/{world.ids['u12']}/requests")
        assert page.status_code == status
        assert "aunt" not in page.text
        assert decide(client, world, number).status_code == status
    assert rights(world).children == frozenset()


def test_a_coach_cannot_decide_another_teams_request_through_their_own_teams_address(people, world):
    number = ask(world, team="u14")
    with world.client("coach") as client:
        assert decide(client, world, number).status_code == 404
    with world.client("club_admin") as client:
        assert decide(client, world, number).status_code == 404
    assert rights(world).children == frozenset()


@pytest.mark.parametrize("player", ["alex", "sam", "jo"])
def test_only_for_a_player_who_is_on_the_roster_now(people, world, player):
    number = ask(world)
    with world.client("coach") as client:
        assert decide(client, world, number, player=player).status_code == 400
        assert decide(client, world, number, role="coach").status_code == 400
        assert decide(client, world, number, answer="").status_code == 400
    assert rights(world).roles() == frozenset()


def test_a_player_can_be_let_in_as_themself_unless_somebody_is_that_player_already(people, world):
    number = ask(world)
    with world.client("coach") as client:
        assert decide(client, world, number, role="player", player="robin").status_code == 409
        assert decide(client, world, number, role="player").status_code == 303
    assert rights(world).own == {world.ids["kim"]}


def test_a_request_is_decided_once(people, world):
    number = ask(world)
    with world.client("coach") as client:
        assert decide(client, world, number, answer="decline").status_code == 303
        assert decide(client, world, number).status_code == 409
    assert rights(world).children == frozenset()
    assert len(people.mails(f"{WHO}@example.org")) == 1


def test_asking_again_does_not_pile_up(people, world):
    assert ask(world) == ask(world)


def test_a_code_is_read_however_it_is_typed_and_guessing_is_throttled(people, world):
    with world.client(WHO) as client:
        typed = f" {code(world)[:4].lower()}-{code(world)[4:]} "
        assert "U12, Riverside Rovers knows" in client.post("/join", data={"code": typed, "words": "x"}).text
        wrong = [client.post("/join", data={"code": "AAAAAAAA", "words": "x"}).status_code for _ in range(8)]
        assert wrong == [400] * 7 + [429]
        assert client.post("/join", data={"code": "", "words": "x"}).status_code == 429
