"""Links to clips: only with consent, for some days, and as long as it lasts."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from tests.viewer.privacy.test_blur import confirm, opt
from tests.viewer.privacy.test_consent import given
from tests.viewer.world import FILES, OURS, World
from viewer.audit.models import AuditEntry
from viewer.games.models import GameEvent
from viewer.mail.models import Mail
from viewer.privacy.models import RemovalRequest
from viewer.privacy.removals import MOST_FROM_OUTSIDE
from viewer.shares.models import Share


@pytest.fixture
def agreed(world: World) -> World:
    """Robin is found in the match and agrees to everything."""
    confirm(world, "robin", 3)
    given(world, "robin", team=True, highlights=True, public=True)
    return world


def shared(world: World, who: str = "parent", **form: str) -> str:
    """The path of a fresh link."""
    with world.client(who) as browser:
        page = browser.post(f"/clips/{world.ids['clip']}/share", data={"days": "7", **form})
    assert page.status_code == 200
    return "/s/" + page.text.split("/s/")[1].split('"')[0]


def opens(world: World, path: str) -> int:
    with world.client() as anybody:
        return anybody.get(path).status_code


def test_a_link_shows_one_clip_to_anybody_with_who_shares_it_over_the_picture(agreed):
    link = shared(agreed)
    with agreed.client() as anybody:
        page = anybody.get(link)
        assert page.status_code == 200
        assert "Shared by Parent" in page.text
        assert "Download" not in page.text
        assert anybody.get(f"{link}/clip.mp4").content == FILES["clips/000.mp4"]
        assert anybody.get(f"{link}/clip.mp4", headers={"Range": "bytes=0-3"}).status_code == 206
        assert anybody.get(f"{link}/clip.mp4?download=1").status_code == 404
        assert anybody.get(f"/matches/{OURS}/media/clips/000.mp4").status_code == 303
    with agreed.database.reading() as session:
        assert session.scalars(select(Share.views)).one() == 1
        acts = session.scalars(select(AuditEntry.act).where(AuditEntry.act.startswith("share"))).all()
    assert acts == ["share", "share-view"]


def test_a_download_needs_the_makers_leave_and_is_noted(agreed):
    link = shared(agreed, may_download="yes")
    with agreed.client() as anybody:
        fetched = anybody.get(f"{link}/clip.mp4?download=1")
    assert fetched.headers["content-disposition"].startswith("attachment")
    with agreed.database.reading() as session:
        assert "share-download" in session.scalars(select(AuditEntry.act)).all()


def test_a_link_ends_by_itself_by_its_maker_and_by_a_withdrawal(agreed):
    link = shared(agreed)
    start = agreed.clock.now
    agreed.clock.now = start + timedelta(days=7)
    assert opens(agreed, link) == 404
    agreed.clock.now = start
    assert opens(agreed, link) == 200
    with agreed.database.reading() as session:
        share = session.scalars(select(Share.id)).one()
    end = f"/clips/{agreed.ids['clip']}/share/{share}/end"
    for who, status in (("kims_parent", 404), ("their_admin", 404), ("parent", 303)):
        with agreed.client(who) as browser:
            assert browser.post(end).status_code == status, who
    assert opens(agreed, link) == 404
    again = shared(agreed)
    given(agreed, "robin", public=False)
    assert opens(agreed, again) == 404
    assert opens(agreed, "/s/made-up") == 404


def test_a_clip_without_everybodys_consent_is_not_shared(world):
    def refused() -> bool:
        with world.client("parent") as browser:
            return browser.post(f"/clips/{world.ids['clip']}/share", data={"days": "7"}).status_code == 422

    # Nobody knows who is in it.
    assert refused()
    confirm(world, "robin", 3)
    assert refused()
    given(world, "robin", public=True)
    assert refused()
    given(world, "robin", highlights=True)
    assert not refused()
    # A team-mate nobody has found in it refuses.
    given(world, "kim", highlights=False)
    assert refused()
    given(world, "kim", highlights=True)
    assert not refused()


def test_somebody_found_later_without_consent_closes_the_links(agreed):
    link = shared(agreed)
    with agreed.database.writing() as session:
        session.scalars(select(GameEvent).order_by(GameEvent.id)).first().player_id = agreed.ids["kim"]
    assert opens(agreed, link) == 404


def test_a_match_that_is_held_back_opens_by_no_link(agreed):
    link = shared(agreed)
    opt(agreed, "kim", shown=False)
    assert opens(agreed, link) == 404
    assert opens(agreed, f"{link}/clip.mp4") == 404


@pytest.mark.parametrize("days", ["0", "31", "", "x"])
def test_a_link_has_an_end(agreed, days):
    with agreed.client("parent") as browser:
        assert browser.post(f"/clips/{agreed.ids['clip']}/share", data={"days": days}).status_code == 422


def test_whoever_follows_a_link_may_ask_for_removal_and_hears_what_was_decided(agreed):
    link = shared(agreed)
    with agreed.client() as anybody:
        assert f'href="{link}/removal"' in anybody.get(link).text
        assert anybody.get(f"{link}/removal").status_code == 200
        for form in ({"contact": "no address", "words": "x"}, {"contact": "n@example.org", "words": " "}, {}):
            assert anybody.post(f"{link}/removal", data=form).status_code == 422
        sent = {"contact": "Neighbour@example.org", "words": "My child\r\nis in it."}
        done = anybody.post(f"{link}/removal", data=sent)
        assert done.status_code == 303
        assert "with the club" in anybody.get(done.headers["location"]).text
    with agreed.database.reading() as session:
        request = session.scalars(select(RemovalRequest)).one()
        assert (request.clip_id, request.user_id) == (agreed.ids["clip"], None)
        assert (request.contact, request.words) == ("neighbour@example.org", "My child\nis in it.")
        asked = session.scalars(select(Mail.recipient).where(Mail.key.startswith("removal:"))).all()
    assert asked == ["club_admin@example.org"]
    with agreed.client("club_admin") as browser:
        assert "neighbour@example.org" in browser.get("/clubs/riverside-rovers/removals").text
        assert browser.post(f"/removals/{request.id}", data={"outcome": "hide_clip"}).status_code == 303
    with agreed.database.reading() as session:
        told = session.scalars(select(Mail).where(Mail.key == f"removal-decided:{request.id}")).one()
    assert told.recipient == "neighbour@example.org"
    assert opens(agreed, link) == opens(agreed, f"{link}/removal") == 404


def test_a_link_that_went_astray_does_not_fill_the_clubs_mailbox(agreed):
    link = shared(agreed)
    sent = {"contact": "n@example.org", "words": "Please"}
    with agreed.client() as anybody:
        told = [anybody.post(f"{link}/removal", data=sent).status_code for _ in range(MOST_FROM_OUTSIDE + 1)]
        assert told == [303] * MOST_FROM_OUTSIDE + [422]
        assert anybody.post("/s/made-up/removal", data=sent).status_code == 404
