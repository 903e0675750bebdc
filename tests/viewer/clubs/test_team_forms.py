"""What coaches and managers do on a team's pages is done, noted, and stays within their team."""

import re
from datetime import date

import pytest
from sqlalchemy import func, select

from tests.viewer.clubs.test_club_forms import field_fault
from tests.viewer.clubs.test_pages import numbers
from viewer.audit.models import AuditEntry
from viewer.clubs.actor import Actor
from viewer.clubs.models import Invitation, ParentPlayer, Player, Team, TeamPlayer
from viewer.games.calendar import recount
from viewer.games.models import Game, PlayerGameStats, ScoreSource
from viewer.privacy.consent import answer
from viewer.privacy.models import Scope

NEW = {
    "first_name": "Noa",
    "last_name": "New",
    "jersey_number": "9",
    "default_position": "Defender",
    "birth_year": "2014",
    "joined_on": "2026-11-01",
}


def roster(world, team: str = "u12") -> dict[str, TeamPlayer]:
    with world.database.reading() as session:
        rows = select(Player.first_name, TeamPlayer).join(TeamPlayer, TeamPlayer.player_id == Player.id)
        listed = rows.where(TeamPlayer.team_id == world.ids[team], TeamPlayer.left_on.is_(None))
        return {name: entry for name, entry in session.execute(listed)}


@pytest.mark.parametrize("who", ["coach", "manager", "club_admin"])
def test_a_player_is_added_changed_leaves_and_comes_back(world, who):
    team = f"/teams/{world.ids['u12']}"
    with world.client(who) as browser:
        assert browser.post(f"{team}/roster/new", data=NEW).status_code == 303
        entry = roster(world)["Noa"]
        page = f"{team}/roster/{entry.id}"
        assert browser.post(page, data={**NEW, "last_name": "Newer", "jersey_number": ""}).status_code == 303
        assert browser.post(f"{page}/leave", data={"left_on": "2026-11-20"}).status_code == 303
        assert "Noa" not in browser.get(team).text
        assert "Noa Newer" in browser.get(f"{team}/former").text
        early = browser.post(f"{page}/rejoin", data={"joined_on": "2026-11-10"})
        assert field_fault(early.text, "joined_on") == "They were on the roster that day already."
        assert browser.post(f"{page}/rejoin", data={"joined_on": "2026-11-22"}).status_code == 303
        assert "Noa Newer" in browser.get(team).text
    with world.database.reading() as session:
        times = session.scalars(
            select(TeamPlayer).where(TeamPlayer.player_id == entry.player_id).order_by(TeamPlayer.id)
        ).all()
        assert [(t.joined_on, t.left_on) for t in times] == [
            (date(2026, 11, 1), date(2026, 11, 20)),
            (date(2026, 11, 22), None),
        ]
        acts = select(AuditEntry.act).where(AuditEntry.kind == "player", AuditEntry.subject_id == entry.player_id)
        assert session.scalars(acts.order_by(AuditEntry.id)).all() == ["add", "join", "change", "leave", "join"]


@pytest.mark.parametrize(
    ("change", "field", "said"),
    [
        ({"first_name": ""}, "first_name", "Please fill this in."),
        ({"first_name": "robin", "last_name": "EXAMPLE"}, "first_name", "is on this roster already"),
        ({"jersey_number": "12345678901"}, "jersey_number", "At most 10 characters."),
        ({"birth_year": "14"}, "birth_year", "A number from 1930 to 2030."),
        ({"joined_on": "2027-01-01"}, "joined_on", "That day has not come yet."),
        ({"joined_on": "tomorrow"}, "joined_on", "A day, such as 2026-08-31."),
    ],
)
def test_what_is_wrong_with_a_player_is_told_beside_the_field(world, change, field, said):
    with world.client("coach") as browser:
        answer = browser.post(f"/teams/{world.ids['u12']}/roster/new", data={**NEW, **change})
    assert answer.status_code == 422
    assert said in field_fault(answer.text, field)
    assert "Noa" not in roster(world)


def test_two_players_never_wear_one_number(world):
    team = f"/teams/{world.ids['u12']}"
    with world.client("coach") as browser:
        browser.post(f"{team}/roster/new", data=NEW)
        robin = roster(world)["Robin"]
        form = {"first_name": "Robin", "last_name": "Example", "jersey_number": "9"}
        taken = browser.post(f"{team}/roster/{robin.id}", data=form)
    assert field_fault(taken.text, "jersey_number") == "Noa New wears number 9."


def test_nobody_leaves_before_they_came_or_in_the_future(world):
    robin = roster(world)["Robin"]
    page = f"/teams/{world.ids['u12']}/roster/{robin.id}/leave"
    with world.client("coach") as browser:
        early = browser.post(page, data={"left_on": "2026-08-01"})
        assert field_fault(early.text, "left_on") == "They joined on 2026-08-15."
        late = browser.post(page, data={"left_on": "2026-12-24"})
        assert field_fault(late.text, "left_on") == "That day has not come yet."
    assert "Robin" in roster(world)


def test_a_former_players_family_keeps_no_page_of_the_team_but_its_own(world):
    with world.client("former_parent") as browser:
        assert browser.get(f"/players/{world.ids['jo']}").status_code == 200
        assert browser.get(f"/teams/{world.ids['u12']}").status_code == 404
    with world.client("coach") as browser:
        assert browser.get(f"/players/{world.ids['jo']}").status_code == 404


def test_the_family_is_invited_from_the_roster_and_unlinked_after_a_question(world):
    robin = roster(world)["Robin"]
    page = f"/teams/{world.ids['u12']}/roster/{robin.id}"
    with world.client("manager") as browser:
        assert browser.post(f"{page}/invite", data={"mail": "dad@example.org", "role": "parent"}).status_code == 303
        coach = browser.post(f"{page}/invite", data={"mail": "dad@example.org", "role": "coach"})
        assert field_fault(coach.text, "role") == "Please choose one of these."
        assert "no longer see Robin" in browser.get(f"{page}/parents/{world.users['parent']}/remove").text
        assert browser.post(f"{page}/parents/{world.users['parent']}/remove").status_code == 303
        assert browser.post(f"{page}/parents/{world.users['kims_parent']}/remove").status_code == 404
    with world.database.reading() as session:
        [invited] = session.scalars(select(Invitation)).all()
        assert (invited.role, invited.player_id, invited.mail) == ("parent", world.ids["robin"], "dad@example.org")
        assert session.get(ParentPlayer, (world.users["parent"], world.ids["robin"])) is None
        assert session.get(ParentPlayer, (world.users["kims_parent"], world.ids["kim"])) is not None
    with world.client("parent") as browser:
        assert browser.get(f"/players/{world.ids['robin']}").status_code == 404


def test_the_code_to_join_changes_and_ends(world):
    def code() -> str | None:
        with world.database.reading() as session:
            return session.get_one(Team, world.ids["u12"]).code

    team, before = f"/teams/{world.ids['u12']}", code()
    with world.client("coach") as browser:
        assert before in browser.get(team).text
        browser.post(f"{team}/code")
        after = code()
        assert after not in (None, before)
        assert after in browser.get(team).text
        browser.post(f"{team}/code/end")
        assert code() is None
        assert "Off: nobody can ask" in browser.get(team).text


def test_a_game_is_planned_by_the_clubs_clock_and_changed(world):
    team = f"/teams/{world.ids['u12']}"
    with world.client("club_admin") as browser:
        form = {"name": "Rovers", "slug": "", "time_zone": "America/New_York", "retention_days": "100"}
        browser.post("/clubs/riverside-rovers/settings", data=form)
    game = {"opponent": "Lakeside", "starts_at": "2026-12-05T10:30", "place": "away", "venue_id": "", "title": "Cup"}
    with world.client("coach") as browser:
        assert browser.post(f"{team}/games/new", data=game).status_code == 303
        with world.database.reading() as session:
            made = session.scalars(select(Game).where(Game.opponent == "Lakeside")).one()
            assert (made.starts_at.hour, made.time_zone, made.at_home) == (15, "America/New_York", False)
            assert made.organization_id == world.ids["ours"]
        assert "Sat 5 Dec 2026, 10:30" in browser.get(f"{team}/games").text
        page = f"{team}/games/{made.id}"
        assert 'value="2026-12-05T10:30"' in browser.get(page).text
        assert browser.post(page, data={**game, "starts_at": "2026-12-05T11:00"}).status_code == 303
        wrong = browser.post(page, data={**game, "starts_at": "noon", "opponent": ""})
        assert field_fault(wrong.text, "starts_at")
        assert field_fault(wrong.text, "opponent")
        browser.post(f"{page}/cancel")
        assert "cancelled" in browser.get(f"{team}/games").text
        browser.post(f"{page}/revive")
    with world.database.reading() as session:
        made = session.get_one(Game, made.id)
        assert (made.starts_at.hour, made.cancelled_at) == (16, None)


def test_a_score_entered_by_hand_is_kept_until_it_is_taken_back(world):
    page = f"/teams/{world.ids['u12']}/games/{world.ids['game']}"

    def counted() -> tuple[int | None, int | None, str]:
        with world.database.writing() as session:
            game = session.get_one(Game, world.ids["game"])
            recount(session, game)
            return game.our_score, game.their_score, game.score_source

    with world.client("coach") as browser:
        assert browser.post(f"{page}/score", data={"our_score": "4", "their_score": "3"}).status_code == 303
        assert counted() == (4, 3, ScoreSource.HAND)
        half = browser.post(f"{page}/score", data={"our_score": "4", "their_score": ""})
        assert field_fault(half.text, "their_score") == "Give both, or neither."
        high = browser.post(f"{page}/score", data={"our_score": "100", "their_score": "-1"})
        assert field_fault(high.text, "our_score") == field_fault(high.text, "their_score") == "A number from 0 to 99."
        browser.post(f"{page}/score", data={"our_score": "", "their_score": ""})
        assert counted() == (1, 0, ScoreSource.EVENTS)


def test_a_recorded_game_keeps_its_time_and_is_not_cancelled(world):
    page = f"/teams/{world.ids['u12']}/games/{world.ids['game']}"
    game = {"opponent": "Hillside B", "starts_at": "2026-11-22T10:00", "place": "home", "venue_id": "", "title": ""}
    with world.client("coach") as browser:
        assert browser.post(page, data=game).status_code == 303
        moved = browser.post(page, data={**game, "starts_at": "2026-11-22T12:00"})
        assert field_fault(moved.text, "starts_at") == "This game was recorded at this time."
        assert "so it was played" in browser.post(f"{page}/cancel").text
    with world.database.reading() as session:
        kept = session.get_one(Game, world.ids["game"])
        assert (kept.opponent, kept.cancelled_at) == ("Hillside B", None)


def test_numbers_stand_beside_a_name_for_the_family_and_after_consent(world):
    with world.database.writing() as session:
        session.scalars(select(PlayerGameStats)).first().player_id = world.ids["robin"]
    page = f"/players/{world.ids['robin']}"
    with world.client("parent") as browser:
        assert "812 m" in browser.get(page).text
    with world.client("coach") as browser:
        shown = browser.get(page).text
        assert "Hillside United" in shown
        assert "812 m" not in shown
        with world.database.writing() as session:
            player = session.get_one(Player, world.ids["robin"])
            answer(
                session,
                player,
                {Scope.STATISTICS: True},
                Actor(world.users["parent"], "parent@example.org"),
                world.clock(),
            )
        assert "812 m" in browser.get(page).text


def test_a_coach_sees_nothing_of_what_a_player_does_in_another_team(world):
    with world.database.writing() as session:
        session.scalars(select(PlayerGameStats)).first().player_id = world.ids["robin"]
        session.add(TeamPlayer(team_id=world.ids["u14"], player_id=world.ids["robin"], joined_on=date(2026, 11, 1)))
    with world.client("u14_coach") as browser:
        page = browser.get(f"/players/{world.ids['robin']}")
        assert page.status_code == 200
        assert "Hillside United" not in page.text


def test_nobody_else_can_send_any_of_these_forms(world):
    filled = numbers(world)
    team, theirs = f"/teams/{filled['u12']}", f"/teams/{filled['their_u12']}"
    entry, game = f"/roster/{filled['robins_entry']}", f"/games/{filled['game']}"
    forms = ["/code", "/code/end", "/roster/new", entry, f"{entry}/leave", f"{entry}/rejoin", f"{entry}/invite"]
    forms += [f"{entry}/parents/{filled['parent']}/remove", "/games/new", game]
    forms += [f"{game}/{what}" for what in ("score", "cancel", "revive")]
    club = [f"{page}" for page in ("settings", "seasons", "venues", "teams", "devices", "people/invitations")]
    club += [f"devices/{filled['device']}/{what}" for what in ("pair", "revoke")] + [f"teams/{filled['u12']}"]
    with world.database.reading() as session:
        before = session.scalar(select(func.count()).select_from(AuditEntry))
    for who in ("u14_coach", "their_coach", "their_admin", "parent", "player", "former_parent", "platform_admin"):
        with world.client(who) as browser:
            for form in forms:
                assert browser.post(team + form, data=NEW).status_code in (403, 404), (who, form)
            if who != "platform_admin":
                for page in club:
                    where = f"/clubs/riverside-rovers/{page}"
                    assert browser.post(where, data=NEW).status_code in (403, 404), (who, page)
    # Through their own team, or club, to our things.
    with world.client("their_coach") as browser:
        for form in forms:
            if re.search(r"\d", form):
                assert browser.post(theirs + form, data=NEW).status_code in (403, 404), form
    with world.client("their_admin") as browser:
        for what in ("pair", "revoke"):
            through = f"/clubs/hillside-united/devices/{filled['device']}/{what}"
            assert browser.post(through).status_code in (403, 404)
        for number in (0, 1 << 63, 1 << 80):
            assert browser.get(f"/clubs/hillside-united/seasons/{number}").status_code == 404
    with world.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(AuditEntry)) == before


def test_who_stands_for_a_player_is_not_for_the_staff_of_a_team_that_they_left(world):
    with world.database.reading() as session:
        entry = session.query(TeamPlayer).filter_by(player_id=world.ids["jo"]).one().id
    page, parent = f"/teams/{world.ids['u12']}/roster/{entry}", world.users["former_parent"]
    with world.client("coach") as browser:
        shown = browser.get(page)
        assert shown.status_code == 200
        assert "former_parent@example.org" not in shown.text
        me = {"mail": "myself@example.org", "role": "parent"}
        assert browser.post(f"{page}/invite", data=me).status_code == 404
        assert browser.get(f"{page}/parents/{parent}/remove").status_code == 404
        assert browser.post(f"{page}/parents/{parent}/remove").status_code == 404
    with world.database.reading() as session:
        assert session.query(Invitation).count() == 0
        assert session.get(ParentPlayer, (parent, world.ids["jo"])) is not None


def test_the_question_before_unlinking_tells_only_who_stands_for_the_player(world):
    with world.database.reading() as session:
        entry = session.query(TeamPlayer).filter_by(player_id=world.ids["robin"]).one().id
    with world.client("coach") as browser:
        page = f"/teams/{world.ids['u12']}/roster/{entry}/parents"
        assert browser.get(f"{page}/{world.users['parent']}/remove").status_code == 200
        assert browser.get(f"{page}/{world.users['their_parent']}/remove").status_code == 404
