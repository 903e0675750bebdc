"""What a club has taken away stays away, whatever its hub sends later."""

from dataclasses import replace

import pytest
from sqlalchemy import event, select

from tests.viewer.world import OURS, World
from viewer.games.intake import queue_intake
from viewer.games.models import Clip, Recording
from viewer.jobs.duties import Tools
from viewer.jobs.lease import State
from viewer.jobs.models import Job
from viewer.jobs.worker import Worker
from viewer.privacy.models import RemovalRequest


@pytest.fixture
def bring(world: World, made_package):
    """`bring("name")` has a package of our match taken in, with three clips."""
    package = replace(made_package, clips_of=(0, 1, 3))

    def brought(upload: str, **changes: object) -> None:
        package.tar(world.portal.settings.incoming / f"{upload}.tar", session=OURS, **changes)
        with world.database.writing() as session:
            queue_intake(session, upload, OURS, world.ids["device"], world.clock())
        tools = Tools(world.database, world.portal.settings, world.clock, world.portal.seal)
        Worker(tools, None, lambda: False).drain()
        with world.database.reading() as session:
            states = session.scalars(select(Job.state).where(Job.kind == "intake"))
            assert set(states) == {State.DONE}

    return brought


def clips(world: World) -> list[Clip]:
    with world.database.reading() as session:
        recording = select(Recording.id).where(Recording.session == OURS).scalar_subquery()
        return list(session.scalars(select(Clip).where(Clip.recording_id == recording).order_by(Clip.start_s)))


def opens(world: World, path: str) -> bool:
    with world.client("parent") as browser:
        return browser.get(f"/matches/{OURS}/media/{path}").status_code == 200


def decided(world: World, clip: Clip, outcome: str) -> None:
    with world.client("parent") as browser:
        browser.post(f"/matches/{OURS}/removal", data={"words": "Not this one.", "clip": str(clip.id)})
    with world.database.reading() as session:
        request = session.scalars(select(RemovalRequest.id).order_by(RemovalRequest.id.desc())).first()
    with world.client("club_admin") as browser:
        assert browser.post(f"/removals/{request}", data={"outcome": outcome}).status_code == 303


def test_clips_that_were_taken_away_stay_away_when_their_hub_sends_the_match_anew(world, bring):
    bring("first")
    hidden, deleted, other = clips(world)
    decided(world, hidden, "hide_clip")
    decided(world, deleted, "delete_clip")
    bring("anew", statistics=())
    anew = {clip.start_s: clip for clip in clips(world)}
    assert [(c.hidden_at is not None, c.removed) for c in (anew[c.start_s] for c in (hidden, deleted, other))] == [
        (True, False),
        (True, True),
        (False, False),
    ]
    assert [opens(world, clip.path) for clip in (hidden, deleted, other)] == [False, False, True]
    kept = {path.name for path in (world.portal.settings.media / OURS).rglob("*.mp4")}
    assert other.path.rpartition("/")[2] in kept
    assert deleted.path.rpartition("/")[2] not in kept


def asked_for(world: World) -> RemovalRequest:
    with world.database.reading() as session:
        return session.scalars(select(RemovalRequest).order_by(RemovalRequest.id.desc())).first()


@pytest.mark.parametrize("words", ["  ", "\n", "unseen \0", "long" * 501])
def test_words_that_nobody_could_read_are_refused_with_the_form_given_back(world, words):
    with world.client("parent") as browser:
        page = browser.post(f"/matches/{OURS}/removal", data={"words": words})
        assert page.status_code == 422
        assert 'name="words"' in page.text
        assert asked_for(world) is None
        browser.post(f"/matches/{OURS}/removal", data={"words": " She is in it. \r\n\r\n Twice,  even. "})
    assert asked_for(world).words == "She is in it.\n\nTwice, even."
    with world.client("club_admin") as browser:
        answer = browser.post(f"/removals/{asked_for(world).id}", data={"outcome": "refuse", "words": "no\0"})
    assert answer.status_code == 422
    assert asked_for(world).decided_at is None


def test_a_club_that_was_asked_often_is_asked_of_the_database_as_little_as_one_that_was_asked_once(world, bring):
    bring("first")

    def ask(clip: Clip) -> None:
        with world.client("parent") as browser:
            browser.post(f"/matches/{OURS}/removal", data={"words": "Not this one.", "clip": str(clip.id)})

    def statements() -> int:
        asked: list[str] = []

        def note(_connection, _cursor, statement: str, *_more: object) -> None:
            asked.append(statement)

        with world.client("club_admin") as browser:
            page = "/clubs/riverside-rovers/removals"
            browser.get(page)
            event.listen(world.database.engine, "before_cursor_execute", note)
            answer = browser.get(page)
            event.remove(world.database.engine, "before_cursor_execute", note)
        assert answer.text.count("the clip at ") == len(wanted)
        return len(asked)

    wanted = clips(world)[:1]
    ask(wanted[0])
    once = statements()
    for clip in clips(world)[1:]:
        wanted.append(clip)
        ask(clip)
    assert len(wanted) == 3
    assert statements() == once
