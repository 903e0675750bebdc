"""What revision 0001 held is carried to today's tables and back, whole or not at all, on SQLite and PostgreSQL."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import delete, event, func, inspect, select, text, update

from tests.viewer.db.first_portal import MADE, PLAYED_NS, VIEW, fill, rows, tables
from tests.viewer.world import make_world
from viewer.accounts.models import SignIn, User
from viewer.clubs.models import Organization, ParentPlayer, Player, Team, TeamCoach, TeamPlayer
from viewer.clubs.rights import rights_of
from viewer.clubs.rosters import make_player
from viewer.db import Database
from viewer.db.migrate import current, downgrade, newest, upgrade
from viewer.devices.keys import device_of
from viewer.devices.models import Device, DeviceKey
from viewer.games.models import Game, Recording
from viewer.games.store import recordings_of, whole_recording
from viewer.jobs.models import Job
from viewer.mail.models import Mail


@pytest.fixture
def first(empty_database: Database) -> Database:
    """A database of revision 0001 with rows in every table."""
    upgrade(empty_database, "0001")
    fill(empty_database)
    return empty_database


def forward(database: Database) -> Database:
    upgrade(database)
    return database


def test_every_table_of_the_old_portal_is_tried(first: Database):
    assert all(rows(first).values())


def test_forward_and_back_changes_no_row(first: Database):
    before = rows(first)
    forward(first)
    downgrade(first, "0001")
    assert rows(first) == before


def test_people_keep_their_numbers_passwords_and_sign_ins(first: Database):
    with forward(first).reading() as session:
        users = {user.id: user for user in session.scalars(select(User))}
        assert {n: u.role for n, u in users.items()} == {
            1: "coach", 2: "parent", 5: "coach", 7: "parent", 9: "parent"
        }  # fmt: skip
        pat = users[2]
        assert (pat.mail, pat.name, pat.password_hash) == ("pat.parent@example.org", "Pat Parent", "$argon2id$2")
        assert (pat.notify, pat.time_zone, pat.made_at) == ("at_once", "UTC", MADE + timedelta(days=2))
        assert users[7].disabled_at == MADE + timedelta(days=30)
        signed_in = session.get_one(SignIn, "aa" * 32)
        assert (signed_in.user_id, signed_in.proven_at, signed_in.strong_at) == (2, MADE, None)
        assert signed_in.seen_at == MADE + timedelta(hours=2)


def test_clubs_get_addresses_of_their_own(first: Database):
    with forward(first).reading() as session:
        clubs = session.scalars(select(Organization).order_by(Organization.id)).all()
        assert [(c.id, c.name, c.slug) for c in clubs] == [
            (1, "FC Köln", "fc-koln"),
            (4, "FC Koln", "fc-koln-2"),
            (6, "浦和", "club"),
        ]
        assert {c.made_at for c in clubs} == {MADE}


def test_everybody_still_sees_what_they_saw(first: Database):
    opened = "SELECT DISTINCT m.id FROM match m JOIN match_team t ON t.match_id = m.id "
    opened += "JOIN membership l ON l.team_id = t.team_id WHERE l.account_id = :account"
    with first.reading() as session:
        before = {n: set(session.scalars(text(opened), {"account": n})) for n in (1, 2, 5, 7, 9)}
    with forward(first).reading() as session:
        after = {
            user.id: {r.id for r in recordings_of(session, rights_of(session, user))}
            for user in session.scalars(select(User))
        }
    assert after == before
    assert before[2] == {3, 5, 9, 12}
    assert not before[9]


def test_a_parents_membership_becomes_a_child_on_the_roster(first: Database):
    with forward(first).reading() as session:
        linked = session.execute(
            select(
                ParentPlayer.user_id, Player.first_name, Player.last_name, Player.organization_id, TeamPlayer.team_id
            )
            .join(Player, Player.id == ParentPlayer.player_id)
            .join(TeamPlayer, TeamPlayer.player_id == Player.id)
            .order_by(ParentPlayer.user_id, TeamPlayer.team_id)
        ).all()
        assert [tuple(row) for row in linked] == [
            (2, "Pat Parent's", "child", 1, 1),
            (2, "Pat Parent's", "child", 4, 8),
            (5, "Both Ways's", "child", 1, 2),
            (7, "Gone Away's", "child", 1, 1),
        ]
        coaches = session.execute(select(TeamCoach.user_id, TeamCoach.team_id, TeamCoach.duty)).all()
        assert {tuple(row) for row in coaches} == {(1, 1, "coach"), (1, 2, "coach"), (5, 8, "coach")}


def test_a_device_keeps_its_keys_under_the_number_of_the_one_it_holds(first: Database):
    with forward(first).reading() as session:
        devices = {d.id: d for d in session.scalars(select(Device))}
        assert {(n, d.name, d.organization_id, d.team_id, d.revoked_at) for n, d in devices.items()} == {
            (3, "hub", 1, 1, None),
            (4, "old rig", 4, 8, MADE),
        }
        assert set(session.execute(select(DeviceKey.id, DeviceKey.device_id))) == {(2, 3), (3, 3), (4, 4)}


def test_a_hub_goes_on_with_the_key_that_it_holds(empty_database: Database):
    import hashlib

    upgrade(empty_database, "0001")
    fill(empty_database)
    with empty_database.writing() as session:
        key = tables(empty_database)["device_key"]
        session.execute(update(key).where(key.c.id == 3).values(key_hash=hashlib.sha256(b"tl_held").hexdigest()))
        session.execute(update(key).where(key.c.id == 2).values(key_hash=hashlib.sha256(b"tl_ended").hexdigest()))
    with forward(empty_database).reading() as session:
        held = device_of(session, "tl_held")
        assert held is not None
        assert held.id == 3
        assert device_of(session, "tl_ended") is None


def test_work_that_waits_names_the_device(first: Database):
    with first.writing() as session:
        job = tables(first)["job"]
        # Brought under a key that has been renewed since, and by one that is no longer known.
        session.execute(update(job).where(job.c.id == 1).values(payload={"upload": "1", "device": 2}))
        session.execute(update(job).where(job.c.id == 6).values(payload={"upload": "2", "device": 77}))
    with forward(first).reading() as session:
        done, leased = session.scalars(select(Job).order_by(Job.id)).all()
        assert (done.payload, done.state) == ({"upload": "1", "device": 3}, "done")
        assert leased.payload == {"upload": "2", "device": 0}
        assert (leased.state, leased.lease_token, leased.attempts) == ("leased", "t", 2)
        waiting, sent = session.scalars(select(Mail).order_by(Mail.id)).all()
        assert (waiting.id, waiting.user_id, waiting.unsubscribe, waiting.state) == (11, 2, "", "waiting")
        assert (sent.message_id, sent.sent_at) == ("<2@example.org>", MADE)


def test_a_match_becomes_a_game_and_its_recording(first: Database):
    with forward(first).reading() as session:
        games = {
            g.id: (g.team_id, g.opponent, g.at_home, g.our_score, g.their_score, r.our_side)
            for g, r in session.execute(select(Game, Recording).join(Recording, Recording.game_id == Game.id))
        }
        assert games == {
            3: (1, "Strangers", True, 2, 1, "home"),
            5: (1, "Strangers", False, 0, 1, "away"),
            9: (1, "Hillside United", True, 0, 0, "home"),
            12: (8, "Others", True, 0, 0, "home"),
        }
        whole = whole_recording(session, f"1795344000-{3:010x}")
        game = whole.game
        assert game.starts_at == datetime.fromtimestamp(PLAYED_NS // 10**9, UTC)
        assert (game.title, game.score_source, game.time_zone) == ("Match 3", "events", "UTC")
        assert game.processed_at == game.made_at == whole.received_at == MADE + timedelta(days=90)
        assert (whole.view, whole.bytes, whole.device_id) == (VIEW, 5_000_000_011, None)
        assert [(e.id, e.type, e.side, e.track) for e in whole.events][1] == (2, "goal", "home", 4)
        assert [(c.id, c.path, c.end_s) for c in whole.clips] == [(4, "clips/0.mp4", 6.5)]
        assert [(s.track, s.distance_m) for s in whole.stats] == [(4, 812.5), (17, 812.5)]
        assert {f.path for f in whole.files} == {"panorama.mp4", "match.tracks"}
        assert whole_recording(session, f"1795344000-{5:010x}").view is None


def test_a_match_whose_teams_are_gone_belongs_to_a_team_that_nobody_is_in(first: Database):
    with first.writing() as session:
        session.execute(text("DELETE FROM team WHERE id = 8"))
    with forward(first).reading() as session:
        game = session.get_one(Game, 12)
        assert (game.team.name, game.team.organization_id, game.teams) == ("Unassigned", 4, [])
        for user in session.scalars(select(User)):
            assert 12 not in {r.id for r in recordings_of(session, rights_of(session, user))}
    downgrade(first, "0001")
    assert 12 in {row[0] for row in rows(first)["match"]}


def test_no_number_is_given_twice_after_the_change(first: Database):
    def new_user() -> int:
        with first.writing() as session:
            made = User(mail="new@example.org", name="New", made_at=MADE)
            session.add(made)
            session.flush()
            number = made.id
            session.delete(made)
        return number

    forward(first)
    assert [new_user(), new_user()] == [10, 11]
    with first.writing() as session:
        assert make_player(session, session.get_one(Team, 1), "New", "Player", MADE.date(), MADE).id == 5
        game = Game(organization_id=1, team_id=1, opponent="X", starts_at=MADE, made_at=MADE)
        session.add_all([game, Device(organization_id=1, team_id=1, name="new", made_at=MADE)])
        session.flush()
        assert game.id == 13


def test_numbers_that_postgresql_gave_before_the_change_stay_given(new_postgres_url: str):
    # SQLite's first tables did not remember their deleted rows.
    first = Database(new_postgres_url)
    upgrade(first, "0001")
    fill(first)
    with first.writing() as session:
        session.execute(text("SELECT setval('account_id_seq', 50), setval('match_id_seq', 60)"))
    forward(first)
    downgrade(first, "0001")
    forward(first)
    with first.writing() as session:
        made = User(mail="new@example.org", name="New", made_at=MADE)
        game = Game(organization_id=1, team_id=1, opponent="X", starts_at=MADE, made_at=MADE)
        session.add_all([made, game])
        session.flush()
        assert (made.id, game.id) == (51, 61)
    first.close()


def test_going_back_the_new_portals_rows_come_too(filled):
    with filled.reading() as session:
        people = {u.id: u.mail for u in session.scalars(select(User))}
        links = set(session.execute(select(TeamCoach.user_id, TeamCoach.team_id)))
        recordings = set(session.scalars(select(Recording.session)))
    downgrade(filled, "0001")
    there = rows(filled)
    assert {row[0]: row[1] for row in there["account"]} == people
    assert {row[3] for row in there["account"]} == {"!"}
    assert {row[:2] for row in there["membership"] if row[2] == "coach"} == links
    parents = {people[row[0]].partition("@")[0] for row in there["membership"] if row[2] == "parent"}
    # Jo has left: what a former parent still saw, 0001 cannot say.
    assert parents == {"parent", "kims_parent", "u14_parent", "their_parent"}
    assert {row[1] for row in there["match"]} == recordings
    assert len(there["match_team"]) == 2
    forward(filled)
    with filled.reading() as session:
        assert set(session.scalars(select(User.password_hash))) == {None}


@pytest.fixture
def filled(database: Database, settings) -> Database:
    """The small world in today's tables."""
    make_world(database, settings)
    return database


def test_clubs_and_teams_of_one_name_are_told_apart_going_back(filled: Database):
    with filled.writing() as session:
        session.execute(update(Organization).values(name="Rovers"))
        # In another season a club may have a team of the same name again.
        session.execute(update(Team).where(Team.name == "U14").values(name="U12", season_id=None))
    downgrade(filled, "0001")
    there = rows(filled)
    assert sorted(row[1] for row in there["club"]) == ["Rovers", "Rovers (2)"]
    names = sorted((row[1], row[0], row[2]) for row in there["team"])
    assert names == [(1, 1, "U12 (2)"), (1, 2, "U12"), (2, 3, "U12")]


def test_what_the_old_portal_cannot_hold_stays_behind(filled: Database):
    with filled.writing() as session:
        hub = session.scalars(select(Device.id).order_by(Device.id)).first()
        work = {"subject": "s", "due_at": MADE, "made_at": MADE}
        session.add(Job(kind="intake", key="intake:1", payload={"upload": "1", "device": hub}, **work))
        session.add(Job(kind="export", key="export:1", payload={}, **work))
        mail = {"recipient": "x@example.org", "text": "", "message_id": "<1@x>", "due_at": MADE, "made_at": MADE}
        session.add(Mail(key="invitation:1", user_id=None, subject="Come in", **mail))
        session.add(Mail(key="match-ready:1", user_id=1, subject="Ready", **mail))
        held = session.scalar(select(DeviceKey.id).where(DeviceKey.device_id == hub))
    downgrade(filled, "0001")
    there = tables(filled)
    with filled.reading() as session:
        assert session.execute(select(there["job"].c.key, there["job"].c.payload)).all() == [
            ("intake:1", {"upload": "1", "device": held})
        ]
        assert session.scalars(select(there["mail"].c.key)).all() == ["match-ready:1"]


def failing_at(database: Database, words: str):
    """Make the statement that begins with `words` fail, as a full disk would."""

    def fail(_connection, _cursor, statement, *_rest):
        if statement.strip().startswith(words):
            raise RuntimeError("injected")

    event.listen(database.engine, "before_cursor_execute", fail)
    return lambda: event.remove(database.engine, "before_cursor_execute", fail)


def shape(database: Database) -> object:
    """Tables, columns, indexes and constraints, as the database tells them."""
    found = inspect(database.engine)
    return {
        name: (
            [(c["name"], str(c["type"]), c["nullable"], c["default"]) for c in found.get_columns(name)],
            sorted(map(repr, found.get_indexes(name))),
            sorted(map(repr, found.get_unique_constraints(name))),
            sorted(map(repr, found.get_foreign_keys(name))),
            sorted(map(repr, found.get_check_constraints(name))),
            found.get_pk_constraint(name),
        )
        for name in found.get_table_names()
    }


@pytest.mark.parametrize("where", ["INSERT INTO recording_file", 'DROP TABLE "old_account"', "INSERT INTO device"])
def test_an_upgrade_that_fails_half_way_leaves_everything_as_it_was(first: Database, where: str):
    before, looked = rows(first), shape(first)
    undo = failing_at(first, where)
    with pytest.raises(RuntimeError, match="injected"):
        forward(first)
    undo()
    assert (rows(first), shape(first), current(first)) == (before, looked, "0001")
    forward(first)
    with first.reading() as session:
        assert session.scalar(select(func.count()).select_from(Recording)) == 4


@pytest.mark.parametrize("where", ["INSERT INTO match_file", 'DROP TABLE "old_user_account"', "CREATE TABLE team"])
def test_a_downgrade_that_fails_half_way_leaves_everything_as_it_was(filled: Database, where: str):
    before, looked = rows(filled), shape(filled)
    undo = failing_at(filled, where)
    with pytest.raises(RuntimeError, match="injected"):
        downgrade(filled, "0001")
    undo()
    assert (rows(filled), shape(filled), current(filled)) == (before, looked, newest())
    with filled.writing() as session:
        # The sequences are where they were.
        session.add(User(mail="new@example.org", name="New", made_at=MADE))


def test_a_table_is_the_same_whichever_way_it_came(first: Database, tmp_path, request):
    looked = shape(first)
    forward(first)
    carried = shape(first)
    downgrade(first, "0001")
    assert shape(first) == looked
    downgrade(first, "base")
    upgrade(first)
    assert shape(first) == carried
    assert not [name for name in carried if name.startswith("old_")]


def test_nothing_that_was_set_aside_is_left(first: Database):
    forward(first)
    with first.reading() as session:
        if first.engine.dialect.name == "sqlite":
            left = session.scalars(text("SELECT name FROM sqlite_master WHERE name LIKE 'old!_%' ESCAPE '!'"))
        else:
            left = session.scalars(text("SELECT relname FROM pg_class WHERE relname LIKE 'old!_%' ESCAPE '!'"))
        assert left.all() == []


def test_erased_rows_of_the_carried_portal_can_be_deleted(first: Database):
    forward(first)
    with first.writing() as session:
        session.execute(delete(Organization).where(Organization.id == 1))
    with first.reading() as session:
        assert set(session.scalars(select(Recording.id))) == {12}
