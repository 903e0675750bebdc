"""What a snapshot changes, and what it never does; recordings that were here before their game."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from tests.viewer.world import NOW, START
from viewer.accounts.models import User
from viewer.clubs.invitations import invite
from viewer.clubs.models import ParentPlayer, Player, Team, TeamCoach, TeamPlayer, Venue
from viewer.games.models import Availability, Game, Recording, ScoreSource
from viewer.imports.apply import Applying
from viewer.imports.change import Effect, Group
from viewer.imports.diff import compared, differences
from viewer.imports.known import load_known
from viewer.imports.models import Origin
from viewer.imports.snapshot import (
    AnswerSeen,
    CoachSeen,
    GameSeen,
    ParentSeen,
    PlayerSeen,
    Snapshot,
    TeamSeen,
    VenueSeen,
    read_snapshot,
)

U12 = TeamSeen("t1", "U12")
KICK_OFF = START - timedelta(minutes=10)
"""The world's recording began ten minutes after the planned kick-off."""
GAME = GameSeen("g1", "t1", "Hillside United", KICK_OFF, "Europe/Berlin", venue="v1")
PARK = VenueSeen("v1", "Riverside Park", "1 River Lane", 51.0, 7.0)
CALENDAR = Snapshot("teamsnap", teams=(U12,), venues=(PARK,), games=(GAME,), whole=True)


def look(world, snapshot, now=NOW):
    with world.database.reading() as session:
        return differences(session, world.ids["ours"], snapshot, now)


def apply(world, snapshot, which=lambda c: c.ticked, now=NOW):
    with world.database.writing() as session:
        return apply_in(session, world, snapshot, which, now)


def apply_in(session: Session, world, snapshot, which=lambda c: True, now=NOW):
    known = load_known(session, world.ids["ours"], snapshot, now)
    changes = compared(known, snapshot)
    ticked = {change.id for change in changes if change.tickable and which(change)}
    outcome = Applying(session, known, snapshot, invite, "http://x", None).apply(changes, ticked)
    session.flush()
    session.expire_all()
    return outcome


def game_of(world, game_id):
    with world.database.reading() as session:
        game = session.get(Game, game_id)
        return game and (game.opponent, game.starts_at, len(game.recordings), game.venue and game.venue.name)


def test_a_recording_that_was_here_before_its_game_becomes_the_planned_games(world):
    changes = look(world, CALENDAR)
    link = next(c for c in changes if c.group is Group.GAME and c.act is Effect.LINK)
    add = next(c for c in changes if c.group is Group.GAME and c.act is Effect.ADD)
    assert link.ticked
    assert not add.ticked
    assert link.new["game"] == world.ids["game"]
    apply(world, CALENDAR)
    assert game_of(world, world.ids["game"]) == ("Hillside United", KICK_OFF, 1, "Riverside Park")
    assert [c for c in look(world, CALENDAR) if c.tickable] == []


def test_a_recording_moves_to_the_game_that_was_planned_meanwhile(world):
    later = replace(CALENDAR, games=(replace(GAME, starts_at=START + timedelta(days=6)),))
    apply(world, later)
    with world.database.writing() as session:
        # The game is moved in the calendar to when the rig recorded it, by an unplanned session.
        [planned] = session.query(Origin).filter_by(kind="game").all()
        session.get_one(Game, planned.local_id).starts_at = KICK_OFF
    join = next(c for c in look(world, CALENDAR) if c.act is Effect.JOIN)
    assert join.ticked
    assert join.new == {"game": planned.local_id, "from": world.ids["game"]}
    apply(world, CALENDAR)
    assert game_of(world, world.ids["game"]) is None
    assert game_of(world, planned.local_id)[:3] == ("Hillside United", KICK_OFF, 1)
    with world.database.reading() as session:
        assert session.query(Recording).count() == 2
        game = session.get_one(Game, planned.local_id)
        assert (game.our_score, game.their_score, game.processed_at) == (1, 0, NOW)
    assert [c for c in look(world, CALENDAR) if c.tickable] == []


@pytest.mark.parametrize(
    "game",
    [
        replace(GAME, starts_at=START + timedelta(hours=4)),
        replace(GAME, starts_at=START - timedelta(hours=4)),
        replace(GAME, team="t2", opponent="Somebody Else"),
        replace(GAME, cancelled=True),
    ],
)
def test_a_game_that_does_not_fit_takes_no_recording(world, game):
    snapshot = replace(CALENDAR, teams=(U12, TeamSeen("t2", "U14")), games=(game,))
    apply(world, snapshot, lambda c: c.group in (Group.TEAM, Group.VENUE))
    acts = [c.act for c in look(world, snapshot) if c.group is Group.GAME]
    assert acts == ([] if game.cancelled else [Effect.ADD])


def test_a_game_elsewhere_takes_no_recording(world):
    with world.database.writing() as session:
        home = Venue(organization_id=world.ids["ours"], name="Home ground", latitude=48.0, longitude=7.0)
        session.get_one(Game, world.ids["game"]).venue = home
    assert [c.act for c in look(world, CALENDAR) if c.group is Group.GAME] == [Effect.ADD]


def test_a_recorded_game_stays_as_it_is_and_the_change_is_told(world):
    apply(world, CALENDAR)
    moved = replace(CALENDAR, games=(replace(GAME, starts_at=KICK_OFF + timedelta(days=7)),))
    off = replace(CALENDAR, games=(replace(GAME, cancelled=True),))
    for changed in (moved, off):
        [told] = [c for c in look(world, changed) if c.group is Group.GAME]
        assert told.act is Effect.TELL
        assert apply(world, changed, lambda c: True).done == []


def test_a_score_from_the_source_never_writes_over_one_that_somebody_entered(world):
    apply(world, CALENDAR)
    scored = replace(CALENDAR, games=(replace(GAME, our_score=4, their_score=2),))
    with world.database.writing() as session:
        session.get_one(Game, world.ids["game"]).score_source = ScoreSource.HAND
    assert look(world, scored) == []
    with world.database.writing() as session:
        session.get_one(Game, world.ids["game"]).score_source = ScoreSource.EVENTS
    apply(world, scored)
    with world.database.reading() as session:
        game = session.get_one(Game, world.ids["game"])
        assert (game.our_score, game.their_score, game.score_source) == (4, 2, ScoreSource.IMPORT)


def test_a_game_that_was_planned_by_hand_is_not_planned_twice(world):
    with world.database.writing() as session:
        at = START + timedelta(days=7)
        game = Game(
            organization_id=world.ids["ours"], team_id=world.ids["u12"], opponent="Lakes", starts_at=at, made_at=NOW
        )
        session.add(game)
        session.flush()
        by_hand = game.id
    seen = GameSeen("g2", "t1", "Lakeside FC", START + timedelta(days=7, hours=1))
    snapshot = replace(CALENDAR, games=(seen,))
    link = next(c for c in look(world, snapshot) if c.group is Group.GAME and c.act is Effect.LINK)
    assert link.new["game"] == by_hand
    apply(world, snapshot)
    assert game_of(world, by_hand)[:2] == ("Lakeside FC", seen.starts_at)


def test_a_game_that_is_gone_from_the_calendar_is_cancelled_only_by_a_tick(world):
    coming = replace(GAME, starts_at=NOW + timedelta(days=3))
    apply(world, replace(CALENDAR, games=(coming,)))
    apply(world, replace(CALENDAR, games=(coming,)))
    gone = replace(CALENDAR, games=())
    [cancel] = look(world, gone)
    assert cancel.act is Effect.CANCEL
    assert not cancel.ticked
    partly = replace(gone, teams=(replace(U12, games=False),))
    assert look(world, partly) == []


def test_namesakes_are_the_same_child_only_where_more_than_the_name_says_so(world):
    seen = PlayerSeen("p1", "t1", "Robin", "Example", 2014)
    alone = replace(CALENDAR, games=(), players=(seen,))
    link = next(c for c in look(world, alone) if c.group is Group.PLAYER and c.act is Effect.LINK)
    assert link.ticked
    elsewhere = replace(CALENDAR, games=(), teams=(TeamSeen("t9", "U8"),), players=(replace(seen, team="t9"),))
    acts = {c.act: c.ticked for c in look(world, elsewhere) if c.group is Group.PLAYER}
    assert acts == {Effect.LINK: False, Effect.ADD: True}
    with world.database.writing() as session:
        session.get_one(Player, world.ids["robin"]).birth_year = 2009
    assert {c.act: c.ticked for c in look(world, alone) if c.group is Group.PLAYER} == {Effect.ADD: True}


def test_blanks_take_nothing_away(world):
    seen = PlayerSeen("p1", "t1", "Robin", "Example", 2014, "defender", "7")
    apply(world, replace(CALENDAR, games=(), players=(seen,)))
    blank = replace(CALENDAR, games=(), players=(PlayerSeen("p1", "t1", "Robin", "Example"),))
    assert look(world, blank) == []


def test_no_row_of_the_other_club_is_ever_touched_or_told(world):
    sam = replace(
        CALENDAR, teams=(TeamSeen("t1", "Strange team"),), players=(PlayerSeen("p1", "t1", "Sam", "Strange"),)
    )
    assert [c.act for c in look(world, sam) if c.group is Group.PLAYER] == [Effect.ADD]
    apply(world, sam)
    with world.database.reading() as session:
        assert session.query(Player).filter_by(organization_id=world.ids["theirs"]).count() == 1
        assert session.query(Origin).filter_by(organization_id=world.ids["theirs"]).count() == 0


def test_a_snapshot_survives_being_kept_as_json():
    assert read_snapshot(CALENDAR.as_json()) == CALENDAR


# ---------------------------------------------------------------------------------------------- for any snapshot

MAILS = st.sampled_from(["parent@example.org", "coach@example.org", "new@example.org", "p2@example.org"])
WORDS = st.sampled_from(["Robin", "Kim", "Alex", "Zoë", "Example", "Elder", "Jo", "Former", ""])


@st.composite
def snapshots(draw):
    teams = draw(
        st.lists(
            st.builds(TeamSeen, st.sampled_from(["t1", "t2", "t3"]), st.sampled_from(["U12", "U14", "U8"])),
            unique_by=lambda team: team.id,
            min_size=1,
        )
    )
    team_ids = st.sampled_from([team.id for team in teams])
    mails = st.lists(MAILS, max_size=2, unique=True).map(tuple)
    numbers = st.sampled_from(["", "7", "00"])
    player = st.builds(
        PlayerSeen, st.sampled_from("abcdefgh"), team_ids, WORDS, WORDS, st.sampled_from([None, 2014]),
        st.just(""), numbers, mails,
    )  # fmt: skip
    players = draw(st.lists(player, max_size=6, unique_by=lambda p: p.id))
    starts = st.integers(-72, 72).map(lambda hours: datetime(2026, 11, 22, 10, tzinfo=UTC) + timedelta(hours=hours))
    venues = [VenueSeen("v1", "Park"), VenueSeen("v2", "park", "Road 1"), VenueSeen("v3", "Lake", "", 50.0, 7.0)]
    scores = st.sampled_from([None, 0, 3])
    game = st.builds(
        GameSeen, st.sampled_from("uvwxyz"), team_ids, st.sampled_from(["Hillside United", "Lakes"]), starts,
        st.sampled_from(["", "Europe/Berlin"]), st.booleans(), st.sampled_from(["", "v1", "v2", "v3"]), st.booleans(),
        scores, scores,
    )  # fmt: skip
    games = draw(st.lists(game, max_size=5, unique_by=lambda g: g.id))
    parent = st.builds(ParentSeen, st.sampled_from("123"), st.sampled_from("abcdefgh"), WORDS, st.just("mother"), mails)
    coach = st.builds(CoachSeen, st.sampled_from("456"), team_ids, WORDS, st.sampled_from(["coach", "manager"]), mails)
    answer = st.builds(
        AnswerSeen, st.sampled_from("uvwxyz"), st.sampled_from("abcdefgh"), st.sampled_from(["yes", "no", "maybe"])
    )
    return Snapshot(
        "teamsnap",
        tuple(teams),
        tuple(players),
        tuple(draw(st.lists(coach, max_size=2, unique_by=lambda c: c.id))),
        tuple(draw(st.lists(parent, max_size=3, unique_by=lambda p: (p.id, p.player)))),
        tuple(venues),
        tuple(games),
        tuple(draw(st.lists(answer, max_size=4, unique_by=lambda a: (a.game, a.player)))),
        whole=True,
    )


def counts(session):
    tables = (Team, Player, TeamPlayer, ParentPlayer, TeamCoach, User, Venue, Recording, Availability, Origin)
    return {table.__name__: session.scalar(select(func.count()).select_from(table)) for table in tables}


@given(snapshots(), snapshots(), st.sets(st.sampled_from(list(Group))))
@hypothesis_settings(max_examples=15, suppress_health_check=list(HealthCheck))
def test_applying_all_twice_changes_nothing_and_no_snapshot_ever_deletes(world, first, second, some):
    with world.database.writing() as session:
        before = counts(session)
        apply_in(session, world, first)
        after = counts(session)
        assert all(after[table] >= before[table] for table in before)
        left = [c for c in differences(session, world.ids["ours"], first, NOW) if c.tickable]
        assert left == []
        assert counts(session) == after
        # A later look that has seen less, or other things, deletes nothing either, whatever is ticked.
        apply_in(session, world, second, lambda c: c.group in some, NOW + timedelta(days=1))
        assert all(now >= then for then, now in zip(after.values(), counts(session).values(), strict=True))
        session.rollback()


@given(snapshots())
@hypothesis_settings(max_examples=10, suppress_health_check=list(HealthCheck))
def test_the_same_snapshot_always_makes_the_same_changes(world, snapshot):
    shuffled = replace(snapshot, players=snapshot.players[::-1], games=snapshot.games[::-1], teams=snapshot.teams[::-1])
    one, other = look(world, snapshot), look(world, shuffled)
    assert [c.id for c in one] == [c.id for c in other]
    assert len({c.id for c in one}) == len(one)
