"""Who watches a match is written down once an hour, and nobody who may not watch it is."""

from datetime import timedelta

import pytest
from sqlalchemy import event, select

from tests.viewer.world import OURS
from viewer.audit.models import AuditEntry
from viewer.games.watching import ONCE_IN, Watching

PAGE = f"/matches/{OURS}"


def views(world) -> list[AuditEntry]:
    with world.database.reading() as session:
        return list(session.scalars(select(AuditEntry).where(AuditEntry.act == "view").order_by(AuditEntry.id)))


def test_watching_is_written_down_with_who_what_and_where_from(world):
    with world.client("parent") as browser:
        browser.get(PAGE)
    [entry] = views(world)
    assert (entry.actor_id, entry.actor_mail) == (world.users["parent"], "parent@example.org")
    assert (entry.kind, entry.organization_id, entry.at) == ("recording", world.ids["ours"], world.clock())
    assert entry.address


def test_each_person_counts_once_an_hour_however_often_they_look(world):
    with world.client("parent") as parent, world.client("coach") as coach:
        for browser in (parent, coach):
            for _ in range(3):
                browser.get(PAGE)
                browser.get(f"{PAGE}/media/panorama.mp4", headers={"Range": "bytes=0-9"})
        assert len(views(world)) == 2
        world.clock.now += ONCE_IN
        parent.get(PAGE)
        assert len(views(world)) == 3


@pytest.mark.parametrize(("path", "counted"), [("panorama.mp4", 1), ("clips/000.mp4", 1), ("poster.jpg", 0)])
def test_a_video_without_its_page_counts_and_a_picture_in_the_list_does_not(world, path, counted):
    with world.client("parent") as browser:
        assert browser.get(f"{PAGE}/media/{path}").status_code == 200
    assert len(views(world)) == counted


def test_another_process_does_not_count_the_same_hour_again(world):
    with world.client("parent") as browser:
        browser.get(PAGE)
        world.clock.now += timedelta(minutes=59)
        world.app.state.watching = Watching(world.database)
        browser.get(PAGE)
        assert len(views(world)) == 1
        world.clock.now += timedelta(minutes=1)
        browser.get(PAGE)
    assert len(views(world)) == 2


def test_whoever_may_not_watch_has_not_watched(world):
    for who in (None, "their_parent", "platform_admin"):
        with world.client(who) as browser:
            browser.get(PAGE)
            browser.get(f"{PAGE}/media/panorama.mp4")
    assert views(world) == []


def test_counting_again_within_the_hour_asks_the_database_nothing(world):
    with world.client("parent") as browser:
        browser.get(PAGE)
        asked = []
        event.listen(world.database.engine, "before_cursor_execute", lambda *a: asked.append(a[2]))
        browser.get(PAGE)
    assert not [words for words in asked if "audit_entry" in words]
