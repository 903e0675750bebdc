"""Consent: what is written down, what it allows, and what a withdrawal ends."""

from datetime import timedelta

import pytest
from sqlalchemy import event, func, select

from tests.viewer.world import NOW
from viewer.audit.models import AuditEntry
from viewer.clubs.actor import Actor
from viewer.clubs.models import Player
from viewer.games.models import PlayerGameStats, Recording
from viewer.privacy.consent import answer, consents_of, shown_in
from viewer.privacy.models import ConsentRecord, ConsentText, Scope
from viewer.privacy.texts import VERSION, words_of
from viewer.shares.models import Share

NOBODY = dict.fromkeys(Scope)
BY = Actor(mail="parent@example.org")


def given(world, name: str, **answers: bool) -> None:
    with world.database.writing() as session:
        player = session.get_one(Player, world.ids[name])
        answer(session, player, {Scope(scope): said for scope, said in answers.items()}, BY, world.clock())


def share_of(session, clip: int, user: int, secret: str) -> Share:
    share = Share(secret_hash=secret, clip_id=clip, made_by=user, made_at=NOW, expires_at=NOW + timedelta(days=7))
    session.add(share)
    session.flush()
    return share


def test_the_newest_answer_counts_and_older_ones_stay(world):
    given(world, "robin", team=True, public=True)
    given(world, "robin", public=False)
    given(world, "robin", public=True)
    given(world, "kim", statistics=False)
    with world.database.reading() as session:
        found = consents_of(session, [world.ids["robin"], world.ids["kim"], world.ids["alex"]])
        rows = session.scalar(select(func.count()).select_from(ConsentRecord))
    assert found == {
        world.ids["robin"]: {**NOBODY, Scope.TEAM: True, Scope.PUBLIC: True},
        world.ids["kim"]: {**NOBODY, Scope.STATISTICS: False},
        world.ids["alex"]: NOBODY,
    }
    assert rows == 5


def test_all_players_answers_take_one_query(world):
    given(world, "robin", team=True)
    statements = []
    event.listen(world.database.engine, "before_cursor_execute", lambda *a: statements.append(a[2][:6]))
    with world.database.reading() as session:
        consents_of(session, [world.ids[name] for name in ("robin", "kim", "alex", "jo")])
        assert consents_of(session, []) == {}
    assert statements.count("SELECT") == 1


def test_unknown_is_the_team_alone(world):
    assert [shown_in(NOBODY, scope) for scope in Scope] == [True, False, False, False]


@pytest.mark.parametrize("scope", Scope)
def test_who_is_refused_to_the_team_is_shown_nowhere(scope):
    assert not shown_in({**dict.fromkeys(Scope, True), Scope.TEAM: False}, scope)
    assert shown_in(dict.fromkeys(Scope, True), scope)


def test_an_answer_names_the_text_it_was_given_to_and_is_audited(world):
    given(world, "robin", public=True)
    with world.database.reading() as session:
        record = session.scalars(select(ConsentRecord)).one()
        text = session.scalars(select(ConsentText)).one()
        entry = session.scalars(select(AuditEntry)).one()
    assert (record.text_version, record.given_by_mail, record.source) == (VERSION, BY.mail, "page")
    assert text.text == words_of(VERSION)
    assert (entry.act, entry.subject_id, entry.actor_mail) == ("consent", world.ids["robin"], BY.mail)
    assert entry.detail["answers"] == {"public": True}


@pytest.mark.parametrize("scope", ["team", "public", "highlights"])
def test_a_withdrawal_ends_links_to_clips_with_the_player_in_the_same_transaction(world, scope):
    with world.database.writing() as session:
        recording = session.scalars(
            select(Recording).join(Recording.clips).where(Recording.device_id.is_not(None))
        ).first()
        session.get_one(PlayerGameStats, (recording.id, 3)).player_id = world.ids["robin"]
        ours = share_of(session, world.ids["clip"], world.users["coach"], "ours").id
        theirs = share_of(session, world.ids["their_clip"], world.users["their_coach"], "theirs").id
    given(world, "kim", **{scope: False})
    given(world, "robin", **{scope: True})
    given(world, "robin", statistics=False)
    with world.database.reading() as session:
        assert session.get_one(Share, ours).revoked_at is None
    given(world, "robin", **{scope: False})
    with world.database.reading() as session:
        assert session.get_one(Share, ours).revoked_at == world.clock()
        assert session.get_one(Share, theirs).revoked_at is None
