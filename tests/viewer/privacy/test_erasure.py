"""Erasing players and accounts: what goes, what must stay, and that a backup does not bring it back."""

import json
from datetime import timedelta

import pytest
from sqlalchemy import select

from tests.viewer.privacy.test_blur import confirm, held, opt, ours
from tests.viewer.world import NOW, OURS, World
from viewer.accounts.models import User
from viewer.audit.log import note
from viewer.audit.models import AuditEntry
from viewer.clubs.actor import Actor
from viewer.clubs.models import ParentPlayer, Player, TeamPlayer
from viewer.games.models import GameEvent, HeatMap, PlayerGameStats, Recording
from viewer.imports.models import ImportRun, Origin
from viewer.imports.runs import RunState, make_run
from viewer.imports.snapshot import ParentSeen, PlayerSeen, Snapshot, TeamSeen
from viewer.privacy.consent import answer
from viewer.privacy.erasure import DELIVERY, erase_again, erase_player, erase_user, finish
from viewer.privacy.horizon import Entry, Horizon, entries_in, horizon_of
from viewer.privacy.models import ConsentRecord, Erasure, Scope

BY = Actor(mail="somebody@example.org")


def horizon(world: World) -> Horizon:
    return horizon_of(world.portal.settings)


def erase(world: World, name: str) -> None:
    with world.database.writing() as session:
        player = session.get_one(Player, world.ids[name])
        erase_player(session, player, BY, world.clock(), horizon(world), world.portal.seal)


@pytest.fixture
def known(world: World) -> World:
    """Robin is found in the match, has answered twice, and came from TeamSnap."""
    confirm(world, "robin", 3)
    with world.database.writing() as session:
        robin = session.get_one(Player, world.ids["robin"])
        session.scalars(select(GameEvent)).first().player_id = robin.id
        by = Actor(world.users["parent"], "parent@example.org")
        for given in (True, False):
            answer(session, robin, {Scope.PUBLIC: given}, by, world.clock())
        session.add(
            Origin(
                organization_id=world.ids["ours"],
                source="teamsnap",
                kind="player",
                external_id="991",
                local_id=robin.id,
                seen_at=NOW,
            )
        )
    return world


def test_nothing_tells_any_more_who_an_erased_player_was(known):
    erase(known, "robin")
    with known.database.reading() as session:
        player = session.get_one(Player, known.ids["robin"])
        assert (player.first_name, player.last_name, player.birth_year, player.user_id) == ("erased", "", None, None)
        assert player.inactive_at is not None
        for table in (ParentPlayer, TeamPlayer):
            assert session.scalars(select(table).where(table.player_id == player.id)).all() == []
        for table in (PlayerGameStats, GameEvent):
            assert session.scalars(select(table).where(table.player_id == player.id)).all() == []
        assert session.scalars(select(Origin)).all() == []
        recording = ours(session)
        assert session.get(HeatMap, (recording.id, 3)) is None
        # The other club's player keeps theirs.
        assert len(session.scalars(select(HeatMap)).all()) == 1
        erasures = session.scalars(select(Erasure).order_by(Erasure.id)).all()
        assert [(e.kind, e.horizon_at) for e in erasures] == [(k, NOW + timedelta(days=30)) for k in ("player", "user")]
    line = (known.portal.settings.data / "erasures.jsonl").read_text()
    assert "Robin" not in line
    # Robin's own account, which was nothing but Robin's, went along.
    erased = [("player", player.id), ("user", known.users["player"])]
    assert [(e.kind, e.subject_id) for e in entries_in(known.portal.settings.data)] == erased


@pytest.mark.parametrize("first", ["Kim", "Émile"])
def test_what_waits_to_be_imported_names_nobody_who_was_erased(world, first):
    """Kim came from no other service: only the names tell."""
    seen = Snapshot(
        "table",
        teams=(TeamSeen("t1", "U12"),),
        players=(PlayerSeen("p1", "t1", first, "Example"), PlayerSeen("p2", "t1", "Robin", "Example")),
        parents=(ParentSeen("m1", "p1", "A Father", "father", ("Kims_Parent@example.org",)),),
    )

    def waiting() -> list[int]:
        with world.database.reading() as session:
            return list(session.scalars(select(ImportRun.id).where(ImportRun.state == RunState.OPEN)))

    def look() -> None:
        with world.database.writing() as session:
            session.get_one(Player, world.ids["kim"]).first_name = first
            make_run(session, world.ids["ours"], seen, world.clock(), by=None, asked=True)

    look()
    erase(world, "alex")
    assert len(waiting()) == 1
    with world.database.writing() as session:
        user = session.get_one(User, world.users["kims_parent"])
        erase_user(session, user, BY, world.clock(), horizon(world), world.portal.seal)
    assert waiting() == []
    look()
    erase(world, "kim")
    assert waiting() == []


def test_the_newest_consent_stays_provable_without_a_name(known):
    erase(known, "robin")
    with known.database.reading() as session:
        [record] = session.scalars(select(ConsentRecord)).all()
    assert (record.scope, record.given, record.text_version, record.at) == ("public", False, 1, NOW)
    assert record.given_by is None
    assert record.given_by_mail.startswith("erased-")


def test_who_is_yet_to_be_blurred_is_forgotten_only_once_that_is_done(known):
    opt(known, "robin", shown=False)
    erase(known, "robin")
    robin = known.ids["robin"]
    assert list(held(known).values()) == [{robin: frozenset({3})}]
    with known.database.writing() as session:
        finish(session, NOW, known.portal.seal)
        assert session.get_one(PlayerGameStats, (ours(session).id, 3)).player_id == robin
        ours(session).blurred = [3]
    with known.database.writing() as session:
        finish(session, NOW, known.portal.seal)
    assert held(known) == {}
    with known.database.writing() as session:
        finish(session, NOW + DELIVERY + timedelta(days=2), known.portal.seal)
    assert held(known) == {}
    with known.database.reading() as session:
        assert session.get_one(PlayerGameStats, (ours(session).id, 3)).player_id is None
        assert session.scalars(select(TeamPlayer).where(TeamPlayer.player_id == robin)).all() == []


def test_a_match_that_comes_after_the_erasure_waits_for_the_blur_and_a_later_one_does_not(known):
    opt(known, "kim", shown=False)
    erase(known, "kim")
    with known.database.writing() as session:
        game = ours(session).game
        late = Recording(**{c.key: getattr(ours(session), c.key) for c in Recording.__table__.columns if c.key != "id"})
        late.session, late.game_id = "1795009999-00000000aa", game.id
        session.add(late)
        session.flush()
        number = late.id
        finish(session, NOW, known.portal.seal)
    assert held(known)[number] == {known.ids["kim"]: frozenset()}
    with known.database.writing() as session:
        session.get_one(Recording, number).game.starts_at = NOW + timedelta(days=3)
    assert number not in held(known)
    with known.database.writing() as session:
        finish(session, NOW + DELIVERY + timedelta(days=2), known.portal.seal)
        seats = session.scalars(select(TeamPlayer).where(TeamPlayer.player_id == known.ids["kim"])).all()
        assert seats == []


def test_an_erased_account_is_gone_and_its_acts_stay_under_a_pseudonym(known):
    with known.client("parent") as browser:
        browser.get(f"/matches/{OURS}")
    with known.client("kims_parent") as browser:
        browser.get(f"/matches/{OURS}")
    with known.database.writing() as session:
        note(session, "sign-in-refused", "account", None, NOW, address="192.0.2.1", mail="parent@example.org")
        user = session.get_one(User, known.users["parent"])
        erase_user(session, user, Actor(user.id, user.mail), NOW, horizon(known), known.portal.seal)
    with known.database.reading() as session:
        assert session.get(User, known.users["parent"]) is None
        assert session.scalars(select(ParentPlayer).where(ParentPlayer.user_id == known.users["parent"])).all() == []
        entries = session.scalars(select(AuditEntry).order_by(AuditEntry.id)).all()
        told = json.dumps([(e.actor_mail, e.address, e.detail) for e in entries])
        mine = [e for e in entries if e.actor_mail.startswith("erased-")]
        assert [e.act for e in mine] == ["identify", "consent", "consent", "view", "erase"]
        assert len({e.actor_mail for e in mine}) == 1
        assert {e.address for e in mine} == {""}
        assert '"parent@example.org"' not in told
        assert "kims_parent@example.org" in told
        assert {r.given_by_mail[:7] for r in session.scalars(select(ConsentRecord))} == {"erased-"}
        assert session.get_one(Player, known.ids["robin"]).first_name == "Robin"


def test_a_restored_backup_is_erased_again_and_twice_changes_nothing(known):
    entries = [
        Entry("player", known.ids["robin"], NOW),
        Entry("user", known.users["parent"], NOW),
        Entry("recording", 0, NOW, OURS),
    ]
    for found in (3, 0):
        with known.database.writing() as session:
            assert erase_again(session, entries, NOW, horizon(known), known.portal.seal) == found
    with known.database.reading() as session:
        assert session.get_one(Player, known.ids["robin"]).first_name == "erased"
        assert session.get(User, known.users["parent"]) is None
        assert session.scalar(select(Recording).where(Recording.session == OURS)) is None


def test_a_player_is_erased_by_a_form_that_asks_twice_and_for_the_password(known):
    page = f"/players/{known.ids['robin']}/erase"
    with known.client("parent") as browser:
        assert browser.post(page, data={"sure": "yes"}).status_code == 422
        known.clock.now += timedelta(minutes=16)
        stale = browser.post(page, data={"sure": "erase"})
        assert stale.status_code in (303, 403)
        assert not stale.headers.get("location", "").startswith("/account/data")
    with known.client("parent") as browser:
        done = browser.post(page, data={"sure": "Erase", "blur": "yes"})
        assert done.headers["location"] == "/account/data"
    with known.database.reading() as session:
        assert session.get_one(Player, known.ids["robin"]).first_name == "erased"
        answers = session.scalars(select(ConsentRecord).where(ConsentRecord.scope == "team")).all()
    assert [record.given for record in answers] == [False]
    assert list(held(known).values()) == [{known.ids["robin"]: frozenset({3})}]


def test_an_account_erases_itself_and_is_signed_out_by_it(known):
    with known.client("parent") as browser:
        assert browser.post("/account/erase", data={"sure": "erase"}).status_code == 303
        assert browser.get("/").status_code == 303
