"""TeamSnap's teams, people and games become the club's, once an admin has ticked them; against the made-up TeamSnap."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select

from viewer.accounts.models import User
from viewer.clubs.models import Invitation, ParentPlayer, Player, Team, TeamCoach, TeamPlayer, Venue
from viewer.games.models import Availability, Game
from viewer.imports.change import Effect, Group
from viewer.imports.models import ImportRun, Origin
from viewer.imports.runs import drop_run
from viewer.mail.models import Mail


def ours(teamsnap, model, **where):
    with teamsnap.world.database.reading() as session:
        return session.query(model).filter_by(**where).all()


def test_nothing_is_written_but_a_run_until_an_admin_applies_it(teamsnap):
    teamsnap.let_in()
    before = {model: len(ours(teamsnap, model)) for model in (Team, Player, Game, Venue, Invitation, Origin)}
    teamsnap.sync()
    assert teamsnap.run() is not None
    assert {model: len(ours(teamsnap, model)) for model in before} == before


def test_teams_players_numbers_and_venues_come_over_as_found(teamsnap):
    teamsnap.let_in()
    teamsnap.sync()
    outcome = teamsnap.apply(lambda change: change.ticked and change.tickable)
    assert outcome.left_out == []
    [u12] = ours(teamsnap, Team, name="Riverside U12")
    with teamsnap.world.database.reading() as session:
        roster = session.execute(
            select(Player.first_name, Player.last_name, TeamPlayer.jersey_number)
            .join(TeamPlayer, TeamPlayer.player_id == Player.id)
            .where(TeamPlayer.team_id == u12.id)
        ).all()
    asked = teamsnap.fake.records["member"]
    wanted = [r for r in asked.values() if r["team_id"] == 101 and not r["is_non_player"]]
    assert sorted(map(tuple, roster), key=str) == sorted(
        ((r["first_name"], r["last_name"], r["jersey_number"]) for r in wanted), key=str
    )
    assert {"00", None} <= {number for _, _, number in roster}
    # The same ground stands in both teams' lists and is one venue here.
    assert len(ours(teamsnap, Venue, name="Riverside Park")) == 1
    assert not ours(teamsnap, Team, name="Riverside Wolves (hockey)")
    assert not ours(teamsnap, Team, name="Riverside U11")


def test_games_keep_utc_and_the_places_zone_and_only_games_of_a_fixed_time_come(teamsnap):
    teamsnap.let_in()
    teamsnap.sync()
    teamsnap.apply(lambda change: change.ticked and change.tickable)
    [u12] = ours(teamsnap, Team, name="Riverside U12")
    games = sorted(ours(teamsnap, Game, team_id=u12.id), key=lambda game: game.starts_at)
    # Six weeks: the fifth is cancelled, the sixth has no time yet; trainings are no games.
    assert [game.opponent for game in games] == [
        "Hillside United",
        "Lakeside FC",
        "Northgate Athletic",
        "Old Mill Rangers",
    ]
    assert games[0].starts_at == datetime(2026, 11, 28, 15, 0, tzinfo=UTC)
    assert games[0].time_zone == "America/New_York"
    assert [game.at_home for game in games] == [True, False, True, False]
    assert games[0].venue_id
    assert games[0].venue_id != games[1].venue_id
    answers = {(a.game_id, a.answer) for a in ours(teamsnap, Availability)}
    assert {answer for game, answer in answers if game == games[0].id} <= {"yes", "no", "maybe"}
    told = [r for r in teamsnap.fake.records["availability"].values() if r["event_id"] == 10100]
    players = {n for n, r in teamsnap.fake.records["member"].items() if not r["is_non_player"]}
    counted = Counter(r["status_code"] for r in told if r["member_id"] in players)
    stored = Counter(a.answer for a in ours(teamsnap, Availability, game_id=games[0].id))
    assert stored == {"no": counted[0], "yes": counted[1], "maybe": counted[2]}


def test_children_get_no_account_and_parents_are_invited_only_by_a_tick(teamsnap):
    teamsnap.let_in()
    teamsnap.sync()
    invitations = [c for c in teamsnap.changes() if c.act is Effect.INVITE]
    assert invitations
    assert not any(c.ticked for c in invitations)
    teamsnap.apply(lambda change: change.ticked and change.tickable)
    assert ours(teamsnap, Invitation) == []
    names = {(r["first_name"], r["last_name"]) for r in teamsnap.fake.records["member"].values()}
    brought = [p for p in ours(teamsnap, Player) if (p.first_name, p.last_name) in names]
    assert len(brought) == 28
    assert all(p.user_id is None for p in brought)


def test_one_address_serves_several_children_and_a_child_has_several_parents(teamsnap):
    teamsnap.let_in()
    teamsnap.sync()
    teamsnap.apply(lambda c: c.tickable and (c.ticked or c.group is Group.PARENT))
    grace = ours(teamsnap, Invitation, mail="grace.whitfield@example.org")
    assert len({i.player_id for i in grace}) == 2
    per_child = Counter(i.player_id for i in ours(teamsnap, Invitation))
    assert set(per_child.values()) == {1, 2}
    assert {i.role for i in ours(teamsnap, Invitation)} == {"parent"}
    assert all(i.mail == i.mail.lower() for i in ours(teamsnap, Invitation))
    sent = [m.recipient for m in ours(teamsnap, Mail) if "grace" in m.recipient]
    assert len(sent) == 2


def test_an_account_with_a_contacts_address_is_never_linked_without_a_tick(teamsnap):
    teamsnap.fake.records["contact_email_address"][1010000]["email"] = "Kims_Parent@example.org"
    teamsnap.let_in()
    teamsnap.sync()
    [link] = [c for c in teamsnap.changes() if c.group is Group.PARENT and c.act is Effect.LINK]
    assert not link.ticked
    assert "Tick only" in link.note
    user = teamsnap.world.users["kims_parent"]
    before = len(ours(teamsnap, ParentPlayer, user_id=user))
    teamsnap.apply(lambda c: c.ticked and c.tickable)
    assert len(ours(teamsnap, ParentPlayer, user_id=user)) == before
    teamsnap.sync()
    teamsnap.apply(lambda c: c.group is Group.PARENT and c.act is Effect.LINK)
    linked = ours(teamsnap, ParentPlayer, user_id=user)
    assert len(linked) == before + 1
    assert linked[-1].relationship_name == "parent"


def test_a_child_that_teamsnap_calls_manager_becomes_no_manager(teamsnap):
    teamsnap.let_in()
    teamsnap.sync()
    coaches = [c for c in teamsnap.changes() if c.group is Group.COACH]
    assert {c.new["mail"] for c in coaches} == {"dana.doyle@example.org", "ines.weber@example.org"}
    assert {c.new["duty"] for c in coaches if "ines" in c.new["mail"]} == {"manager"}
    before = len(ours(teamsnap, TeamCoach))
    teamsnap.apply()
    assert len(ours(teamsnap, TeamCoach)) == before


def test_applying_twice_changes_nothing(teamsnap):
    teamsnap.let_in()
    teamsnap.sync()
    teamsnap.apply()
    with teamsnap.world.database.reading() as session:
        counts = {
            m: session.scalar(select(func.count()).select_from(m)) for m in (Team, Player, TeamPlayer, Game, Origin)
        }
    teamsnap.world.clock.now += timedelta(days=1)
    teamsnap.sync()
    assert teamsnap.changes() == []
    with teamsnap.world.database.reading() as session:
        assert {m: session.scalar(select(func.count()).select_from(m)) for m in counts} == counts


def settled_world(teamsnap):
    teamsnap.let_in()
    teamsnap.sync()
    teamsnap.apply(lambda c: c.tickable and c.ticked)
    teamsnap.world.clock.now += timedelta(days=1)


def test_changed_names_numbers_and_times_are_shown_with_old_and_new(teamsnap):
    settled_world(teamsnap)
    teamsnap.fake.member(101_003)["jersey_number"] = "99"
    teamsnap.fake.member(101_003)["last_name"] = "Newname"
    teamsnap.fake.event(10101)["start_date"] = "2026-12-05T18:30:00Z"
    teamsnap.fake.event(10102)["is_canceled"] = True
    teamsnap.fake.team(102)["name"] = "Riverside U14 Blue"
    teamsnap.sync()
    changed = {(c.group, c.act, c.key): c for c in teamsnap.changes() if c.ticked and c.tickable}
    assert set(changed) == {
        (Group.TEAM, Effect.CHANGE, "102"),
        (Group.PLAYER, Effect.CHANGE, "101003"),
        (Group.GAME, Effect.CHANGE, "10101"),
        (Group.GAME, Effect.CANCEL, "10102"),
    }
    player = changed[Group.PLAYER, Effect.CHANGE, "101003"]
    assert player.old["jersey_number"] == "3"
    assert player.new == {"jersey_number": "99", "last_name": "Newname"}
    teamsnap.apply(lambda c: c.id in {x.id for x in changed.values()})
    [game] = [g for g in ours(teamsnap, Game) if g.starts_at == datetime(2026, 12, 5, 18, 30, tzinfo=UTC)]
    assert game.opponent == "Lakeside FC"
    assert sum(g.cancelled_at is not None for g in ours(teamsnap, Game)) == 1
    assert ours(teamsnap, Team, name="Riverside U14 Blue")
    [renamed] = ours(teamsnap, Player, last_name="Newname")
    assert ours(teamsnap, TeamPlayer, player_id=renamed.id)[0].jersey_number == "99"


def test_who_is_missing_is_never_deleted_and_leaves_only_by_a_tick(teamsnap):
    settled_world(teamsnap)
    gone = teamsnap.fake.records["member"].pop(101_007)
    players = len(ours(teamsnap, Player))
    teamsnap.sync()
    [leave] = [c for c in teamsnap.changes() if c.act is Effect.LEAVE]
    assert not leave.ticked
    teamsnap.apply(lambda c: c.id == leave.id)
    assert len(ours(teamsnap, Player)) == players
    [player] = ours(teamsnap, Player, first_name=gone["first_name"], last_name=gone["last_name"])
    assert player.inactive_at == teamsnap.world.clock()
    assert ours(teamsnap, TeamPlayer, player_id=player.id)[0].left_on is not None
    teamsnap.world.clock.now += timedelta(days=30)
    teamsnap.fake.records["member"][101_007] = gone
    teamsnap.sync()
    [back] = [c for c in teamsnap.changes() if c.act is Effect.RETURN]
    teamsnap.apply(lambda c: c.id == back.id)
    [player] = ours(teamsnap, Player, first_name=gone["first_name"], last_name=gone["last_name"])
    assert player.inactive_at is None
    assert len(ours(teamsnap, TeamPlayer, player_id=player.id)) == 2


@pytest.mark.parametrize("rel", ["members", "events", "contacts", "contact_email_addresses", "availabilities"])
def test_what_is_forbidden_is_told_and_takes_nothing_away(teamsnap, rel):
    settled_world(teamsnap)
    teamsnap.fake.forbidden.add((101, rel))
    teamsnap.sync()
    told = [c for c in teamsnap.changes() if c.act is Effect.TELL]
    assert len(told) == 1
    assert "Riverside U12" in told[0].words
    assert not [c for c in teamsnap.changes() if c.act in (Effect.LEAVE, Effect.CANCEL)]


def test_a_team_that_is_not_shown_any_more_keeps_everything(teamsnap):
    settled_world(teamsnap)
    teamsnap.fake.team(102)["is_retired"] = True
    teamsnap.sync()
    acts = [c for c in teamsnap.changes() if c.act is not Effect.INVITE]
    assert [c.act for c in acts] == [Effect.TELL]
    assert "Riverside U14" in acts[0].words


def test_what_the_admin_declined_comes_back_only_when_it_is_asked_for_or_changes(teamsnap):
    settled_world(teamsnap)
    teamsnap.sync(by=None)
    assert teamsnap.run() is None
    teamsnap.fake.event(10101)["opponent_name"] = "Lakeside Blues"
    teamsnap.world.clock.now += timedelta(days=1)
    teamsnap.sync(by=None)
    assert any(c.new.get("opponent") == "Lakeside Blues" for c in teamsnap.changes())
    mails = [m for m in ours(teamsnap, Mail) if m.key.startswith("import-run:")]
    assert [m.recipient for m in mails] == ["club_admin@example.org"]
    assert "Riverside U12" not in mails[0].text
    # The same again the next day: one run waits, and nobody is told twice.
    teamsnap.world.clock.now += timedelta(days=1)
    run = teamsnap.run().id
    teamsnap.sync(by=None)
    assert teamsnap.run().id == run
    assert len([m for m in ours(teamsnap, Mail) if m.key.startswith("import-run:")]) == 1


def test_what_was_declined_by_command_is_not_proposed_again_until_it_changes(teamsnap):
    settled_world(teamsnap)
    teamsnap.fake.event(10101)["opponent_name"] = "Lakeside Blues"
    teamsnap.sync(by=None)
    with teamsnap.world.database.writing() as session:
        drop_run(session, teamsnap.run().id, teamsnap.world.clock(), by=None)
    teamsnap.sync(by=None)
    assert teamsnap.run() is None
    teamsnap.fake.event(10101)["opponent_name"] = "Lakeside Greens"
    teamsnap.sync(by=None)
    assert any(c.new.get("opponent") == "Lakeside Greens" for c in teamsnap.changes())


def test_a_decided_run_keeps_no_name_and_no_address(teamsnap):
    settled_world(teamsnap)
    [run] = ours(teamsnap, ImportRun, state="applied")
    assert run.snapshot is None
    assert {frozenset(change) for change in run.changes} == {frozenset({"id", "group", "act", "done"})}


def test_an_erased_child_is_not_brought_back_by_the_next_look(teamsnap):
    settled_world(teamsnap)
    first = teamsnap.fake.member(101_004)["first_name"]
    with teamsnap.world.database.writing() as session:
        last = teamsnap.fake.member(101_004)["last_name"]
        session.delete(session.query(Player).filter_by(first_name=first, last_name=last).one())
    teamsnap.sync()
    [again] = [c for c in teamsnap.changes() if c.group is Group.PLAYER and c.act is Effect.ADD]
    assert not again.ticked
    assert "removed here" in again.note


def test_people_of_a_disabled_account_are_not_linked(teamsnap):
    teamsnap.fake.records["contact_email_address"][1010000]["email"] = "parent@example.org"
    with teamsnap.world.database.writing() as session:
        session.get_one(User, teamsnap.world.users["parent"]).disabled_at = teamsnap.world.clock()
    teamsnap.let_in()
    teamsnap.sync()
    assert not [c for c in teamsnap.changes() if "parent@example.org" in c.words]
