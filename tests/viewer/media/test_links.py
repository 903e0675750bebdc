"""Signed links: for one file, for some minutes, for the browser they were made for."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import delete, select, update

from tests.viewer.world import FILES, OURS
from viewer.accounts.service import key_hash
from viewer.audit.models import AuditEntry
from viewer.clubs.actor import Actor
from viewer.clubs.models import ParentPlayer, Player
from viewer.errors import BadLink
from viewer.games.models import PlayerGameStats, Recording
from viewer.media.links import LASTS, LinkFor, media_link, opened
from viewer.privacy.consent import answer
from viewer.privacy.models import Scope
from viewer.sealing import Seal
from viewer.shares.models import Share
from viewer.web.access import cookie_name

FOLDER = f"{OURS}/0123456789abcdef"
CLIP = "clips/000.mp4"


def save(world, who="parent"):
    """A client that has asked for the clip, and the link it got."""
    client = world.client(who)
    browser = client.__enter__()
    answer = browser.post(f"/clips/{world.ids['clip']}/download")
    assert answer.status_code == 303
    return browser, answer.headers["location"]


def shared(world, **changes) -> Share:
    """A link to the clip; Robin, whom somebody has found in it, agrees."""
    with world.database.writing() as session:
        session.query(PlayerGameStats).filter_by(track=3).update({"player_id": world.ids["robin"]})
        robin, agreed = session.get_one(Player, world.ids["robin"]), {Scope.HIGHLIGHTS: True, Scope.PUBLIC: True}
        answer(session, robin, agreed, Actor(), world.clock())
        values = {
            "secret_hash": "x" * 64,
            "clip_id": world.ids["clip"],
            "made_by": world.users["coach"],
            "made_at": world.clock(),
            "expires_at": world.clock() + timedelta(days=7),
        }
        share = Share(**values | changes)
        session.add(share)
    return share


def test_saving_a_clip_leads_to_a_file_named_after_the_match_and_the_minute(world):
    browser, link = save(world)
    answer = browser.get(link)
    assert (answer.status_code, answer.content) == (200, FILES[CLIP])
    told = answer.headers["content-disposition"]
    assert 'filename="Riverside Rovers - Hillside United, 2026-11-22, minute 1.mp4"' in told
    assert told.startswith("attachment; ")
    assert "Robin" not in told
    assert browser.get(link, headers={"Range": "bytes=3-5"}).content == FILES[CLIP][3:6]


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize("where", ["s3_world"])
def test_what_is_saved_from_a_bucket_goes_through_the_portal_for_its_name(request, where):
    browser, link = save(request.getfixturevalue(where))
    answer = browser.get(link)
    assert (answer.status_code, answer.content) == (200, FILES[CLIP])
    assert "minute 1.mp4" in answer.headers["content-disposition"]


def test_saving_is_written_down(world):
    save(world)
    with world.database.reading() as session:
        [entry] = session.scalars(select(AuditEntry).where(AuditEntry.act == "download"))
    assert (entry.actor_id, entry.organization_id) == (world.users["parent"], world.ids["ours"])
    assert entry.detail == {"path": CLIP, "clip": world.ids["clip"]}


def test_the_whole_match_is_for_the_teams_staff_to_save(world):
    for who, status in (("coach", 303), ("manager", 303), ("club_admin", 303), ("parent", 403), ("their_coach", 404)):
        with world.client(who) as browser:
            answer = browser.post(f"/matches/{OURS}/download")
            assert answer.status_code == status, who
            if status == 303:
                assert browser.get(answer.headers["location"]).content == FILES["panorama.mp4"]


@pytest.mark.parametrize(("who", "status"), [(None, 303), ("their_parent", 404), ("former_parent", 404)])
def test_nobody_else_gets_a_link(world, who, status):
    with world.client(who) as browser:
        answer = browser.post(f"/clips/{world.ids['clip']}/download")
        assert answer.status_code == status
        assert "/media/" not in answer.headers.get("location", "")


def test_a_link_is_of_no_use_in_another_browser(world):
    _, link = save(world)
    for who in (None, "parent", "coach", "their_parent"):
        with world.client(who) as other:
            assert other.get(link).status_code == 403, who
            assert other.head(link).status_code == 403, who


def test_a_link_ends(world):
    browser, link = save(world)
    world.clock.now += LASTS[LinkFor.SAVE]
    assert browser.get(link).status_code == 403
    world.clock.now -= timedelta(seconds=1)
    assert browser.get(link).status_code == 200


def test_a_link_ends_with_the_sign_in(world):
    browser, link = save(world)
    held = browser.cookies[cookie_name(world.portal)]
    browser.post("/sign-out")
    browser.cookies.set(cookie_name(world.portal), held)
    assert browser.get(link, headers={"Accept": "*/*"}).status_code == 401


def test_a_link_ends_with_the_right_to_see_the_match(world):
    browser, link = save(world)
    with world.database.writing() as session:
        session.execute(delete(ParentPlayer).where(ParentPlayer.user_id == world.users["parent"]))
    assert browser.get(link).status_code == 404


def test_a_link_ends_with_the_recording_or_when_another_takes_its_place(world):
    browser, link = save(world)
    with world.database.writing() as session:
        session.execute(update(Recording).where(Recording.session == OURS).values(folder=f"{OURS}/another"))
    assert browser.get(link).status_code == 404
    with world.database.writing() as session:
        session.delete(session.scalars(select(Recording).where(Recording.session == OURS)).one())
    assert browser.get(link).status_code == 404


def test_no_character_of_a_link_can_be_changed(world):
    browser, link = save(world)
    token = link.removeprefix("/media/")
    body, signature = token.split(".")
    for spoilt in (
        *(body[:at] + ("A" if body[at] != "A" else "B") + body[at + 1 :] + "." + signature for at in range(len(body))),
        *(body + "." + signature[:at] + ("A" if signature[at] != "A" else "B") + signature[at + 1 :] for at in (0, 9)),
        body,
        f"{body}.",
        f".{signature}",
        "x",
        "é.é",
        "A" * 5000,
    ):
        assert browser.get(f"/media/{spoilt}").status_code == 403, spoilt


def test_a_share_shows_its_clip_to_anybody_until_it_is_revoked(world):
    share = shared(world)
    link = media_link(world.portal.seal, LinkFor.SHARE, FOLDER, CLIP, world.clock(), share=share.id)
    with world.client() as stranger:
        answer = stranger.get(link)
        assert (answer.status_code, answer.content) == (200, FILES[CLIP])
        assert answer.headers["content-disposition"] == "inline"
        with world.database.writing() as session:
            session.get_one(Share, share.id).revoked_at = world.clock()
        assert stranger.get(link).status_code == 403


def test_a_share_shows_nothing_but_its_clip_and_nothing_after_its_end(world):
    share = shared(world, expires_at=world.clock() + timedelta(minutes=5))
    whole = media_link(world.portal.seal, LinkFor.SHARE, FOLDER, "panorama.mp4", world.clock(), share=share.id)
    clip = media_link(world.portal.seal, LinkFor.SHARE, FOLDER, CLIP, world.clock(), share=share.id)
    made_up = media_link(world.portal.seal, LinkFor.SHARE, FOLDER, CLIP, world.clock(), share=share.id + 1)
    with world.client() as stranger:
        assert [stranger.get(link).status_code for link in (whole, made_up, clip)] == [403, 403, 200]
        world.clock.now += timedelta(minutes=5)
        assert stranger.get(clip).status_code == 403


def test_a_mail_shows_a_picture_and_never_a_video(world):
    link = media_link(world.portal.seal, LinkFor.MAIL, FOLDER, "poster.jpg", world.clock())
    with world.client() as reader:
        assert reader.get(link).content == FILES["poster.jpg"]
        world.clock.now += LASTS[LinkFor.MAIL]
        assert reader.get(link).status_code == 403
    with pytest.raises(BadLink):
        media_link(world.portal.seal, LinkFor.MAIL, FOLDER, CLIP, world.clock())


@pytest.mark.parametrize(
    ("purpose", "named"),
    [
        (LinkFor.SAVE, {}),
        (LinkFor.SAVE, {"share": 1}),
        (LinkFor.MAIL, {"sign_in": "a" * 64}),
        (LinkFor.SHARE, {}),
        (LinkFor.SHARE, {"sign_in": "a" * 64}),
        (LinkFor.SHARE, {"sign_in": "a" * 64, "share": 1}),
    ],
)
def test_a_link_that_is_bound_to_nothing_it_should_be_is_not_made(world, purpose, named):
    with pytest.raises(BadLink):
        media_link(world.portal.seal, purpose, FOLDER, "poster.jpg", world.clock(), **named)


def test_another_portals_links_are_not_ours(world):
    link = media_link(Seal(b"another portal's secret"), LinkFor.MAIL, FOLDER, "poster.jpg", world.clock())
    with pytest.raises(BadLink):
        opened(world.portal.seal, link.removeprefix("/media/"), world.clock(), "")


def test_a_signed_in_browser_has_no_key_that_is_empty(world):
    # Without a cookie the hash must not be that of the empty text, which anybody could sign in with.
    link = media_link(world.portal.seal, LinkFor.SAVE, FOLDER, CLIP, world.clock(), sign_in=key_hash(""))
    with world.client() as nobody:
        assert nobody.get(link).status_code == 403


def test_the_page_offers_to_save_what_one_may_save(world):
    for who, whole in (("coach", True), ("parent", False)):
        with world.client(who) as browser:
            page = browser.get(f"/matches/{OURS}").text
        assert (f'action="/matches/{OURS}/download"' in page) == whole, who
        assert re.findall(r'action="(/clips/\d+/download)"', page) == [f"/clips/{world.ids['clip']}/download"]
