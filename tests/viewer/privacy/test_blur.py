"""Opting out: what hubs are told, who waits meanwhile, and what opens a match again."""

from datetime import UTC, date, datetime, timedelta

import msgspec
import pytest
from sqlalchemy import event, select

from tests.viewer.world import OURS, THEIRS
from viewer.accounts.models import Frequency, User
from viewer.clubs.actor import Actor
from viewer.clubs.models import Player, TeamPlayer
from viewer.games.models import PlayerGameStats, Recording, RecordingFile
from viewer.mail.models import Mail
from viewer.privacy.blur import missing, say_where, withheld
from viewer.privacy.consent import answer
from viewer.privacy.models import NotShown, Scope
from viewer.privacy.pictures import confirm_again, confirmed_in
from viewer.web.subjects import SUBJECTS
from wire.match import PackagedFile
from wire.message import decode
from wire.privacy import BlurOrders, HiddenNumbers, HiddenTracks

BY = Actor(mail="parent@example.org")


def ours(session) -> Recording:
    return session.scalars(select(Recording).where(Recording.session == OURS)).one()


def opt(world, name: str, shown: bool) -> None:
    with world.database.writing() as session:
        session.scalars(select(TeamPlayer).where(TeamPlayer.player_id == world.ids[name])).one().jersey_number = "7"
        answer(session, session.get_one(Player, world.ids[name]), {Scope.TEAM: shown}, BY, world.clock())


def confirm(world, name: str, *tracks: int) -> None:
    with world.database.writing() as session:
        say_where(session, ours(session), world.ids[name], tracks, BY, world.clock())


def orders(world) -> BlurOrders:
    with world.client(None, html=False) as hub:
        answered = hub.get("/api/v1/blur", headers={"Authorization": f"Bearer {world.keys['hub']}"})
    assert answered.status_code == 200
    return decode(answered.content, BlurOrders)


def held(world) -> dict[int, dict[int, frozenset[int]]]:
    with world.database.reading() as session:
        return missing(session, list(session.scalars(select(Recording.id))))


def test_a_hub_hears_numbers_and_confirmed_tracks_and_never_a_name(world):
    assert orders(world) == BlurOrders()
    opt(world, "robin", shown=False)
    confirm(world, "robin", 3)
    told = orders(world)
    assert told.teams == (HiddenNumbers("U12", ("7",)),)
    assert told.sessions == (HiddenTracks(OURS, "ab" * 32, (3,)),)
    assert b"Robin" not in msgspec.json.encode(told)
    opt(world, "robin", shown=True)
    assert orders(world) == BlurOrders()


def test_a_hub_hears_of_its_own_clubs_players_and_its_own_recordings_alone(world):
    opt(world, "sam", shown=False)
    with world.database.writing() as session:
        theirs = session.scalars(select(Recording).where(Recording.session == THEIRS)).one()
        session.get_one(PlayerGameStats, (theirs.id, 3)).player_id = world.ids["sam"]
    assert orders(world) == BlurOrders()


def test_a_hub_that_knows_is_told_nothing_anew(world):
    key = {"Authorization": f"Bearer {world.keys['hub']}"}
    with world.client(None, html=False) as hub:
        tag = hub.get("/api/v1/blur", headers=key).headers["etag"]
        assert hub.get("/api/v1/blur", headers={**key, "If-None-Match": tag}).status_code == 304
        opt(world, "robin", shown=False)
        assert hub.get("/api/v1/blur", headers={**key, "If-None-Match": tag}).status_code == 200
        assert hub.get("/api/v1/blur").status_code == 401


@pytest.mark.parametrize("who", ["parent", "kims_parent", "player"])
def test_members_wait_until_the_blurred_match_is_there_and_the_staff_does_not(world, who):
    paths = [f"/matches/{OURS}", f"/matches/{OURS}/media/panorama.mp4", f"/matches/{OURS}/media/poster.jpg"]

    def opens(person: str) -> set[int]:
        with world.client(person) as browser:
            assert (OURS in browser.get("/").text) == (browser.get(paths[0]).status_code == 200)
            return {browser.get(path).status_code for path in paths}

    assert opens(who) == {200}
    opt(world, "robin", shown=False)
    assert opens(who) == {403}
    assert opens("coach") == opens("club_admin") == {200}
    confirm(world, "robin", 3)
    assert opens(who) == {403}
    with world.database.writing() as session:
        ours(session).blurred = [3]
    assert opens(who) == {200}


def test_more_tracks_of_the_player_hold_the_match_back_again(world):
    opt(world, "robin", shown=False)
    confirm(world, "robin", 3)
    with world.database.writing() as session:
        recording = ours(session)
        recording.blurred = [3]
        recording.stats.append(PlayerGameStats(track=8, side="home", distance_m=1, top_speed_mps=1, followed_s=1))
    assert held(world) == {}
    confirm(world, "robin", 3, 8)
    assert list(held(world).values()) == [{world.ids["robin"]: frozenset({3, 8})}]


def test_a_word_that_the_player_is_not_in_the_match_opens_it(world):
    opt(world, "robin", shown=False)
    confirm(world, "robin")
    assert held(world) == {}
    confirm(world, "robin", 3)
    assert held(world) != {}


def test_who_left_before_the_game_or_plays_elsewhere_holds_nothing_back(world):
    opt(world, "jo", shown=False)
    opt(world, "alex", shown=False)
    assert held(world) == {}
    with world.database.writing() as session:
        # A guest of another team whom somebody recognised is in the picture all the same.
        session.get_one(PlayerGameStats, (ours(session).id, 3)).player_id = world.ids["alex"]
    assert list(held(world).values()) == [{world.ids["alex"]: frozenset({3})}]


@pytest.mark.parametrize(
    ("zone", "starts_at", "seat"),
    [
        # Saturday morning in Sydney is Friday in UTC, Saturday evening in Los Angeles is Sunday.
        ("Australia/Sydney", datetime(2026, 10, 9, 21, 0, tzinfo=UTC), {"joined_on": date(2026, 10, 10)}),
        ("America/Los_Angeles", datetime(2026, 10, 11, 0, 30, tzinfo=UTC), {"left_on": date(2026, 10, 10)}),
    ],
)
def test_days_on_a_roster_are_those_of_the_place_where_is_played(world, zone, starts_at, seat):
    with world.database.writing() as session:
        game = ours(session).game
        game.starts_at, game.time_zone = starts_at, zone
        listed = session.scalars(select(TeamPlayer).where(TeamPlayer.player_id == world.ids["robin"])).one()
        for name, day in seat.items():
            setattr(listed, name, day)
    with world.client("parent") as mother:
        assert mother.get(f"/matches/{OURS}").status_code == 200
        assert OURS in mother.get("/").text
    opt(world, "robin", shown=False)
    assert list(held(world).values()) == [{world.ids["robin"]: frozenset()}]
    with world.client("kims_parent") as other:
        assert other.get(f"/matches/{OURS}").status_code == 403
        assert OURS not in other.get("/").text
    with world.database.writing() as session:
        game = ours(session).game
        game.starts_at += timedelta(days=-1 if "joined_on" in seat else 1)
    assert held(world) == {}
    if "left_on" in seat:
        with world.client("parent") as mother:
            assert mother.get(f"/matches/{OURS}").status_code == 404
            assert OURS not in mother.get("/").text


def test_a_word_about_a_player_can_be_put_right(world):
    opt(world, "robin", shown=False)
    page, robin = f"/matches/{OURS}/players", str(world.ids["robin"])
    with world.client("manager") as browser:
        assert browser.post(page, data={"player": robin, "absent": "yes"}).status_code == 303
        assert held(world) == {}
        assert "Somebody has looked: not in this match." in browser.get(page).text
        assert browser.post(page, data={"player": robin, "tracks": "3"}).status_code == 303
        assert list(held(world).values()) == [{world.ids["robin"]: frozenset({3})}]
        with world.database.writing() as session:
            piece = PlayerGameStats(track=4, side="home", distance_m=1, top_speed_mps=1, followed_s=1)
            recording = ours(session)
            recording.stats.append(piece)
            recording.blurred = [3]
        assert "Blurred." in browser.get(page).text
        assert browser.post(page, data={"player": robin, "tracks": "3 4"}).status_code == 303
    assert list(held(world).values()) == [{world.ids["robin"]: frozenset({3, 4})}]


def test_members_are_told_of_a_match_that_a_word_of_the_staff_opens(world):
    opt(world, "robin", shown=False)
    with world.database.writing() as session:
        ours(session).game.processed_at = world.clock()
        session.get_one(User, world.users["kims_parent"]).notify = Frequency.AT_ONCE
    page, robin = f"/matches/{OURS}/players", str(world.ids["robin"])
    ready = select(Mail.recipient).where(Mail.key.like(f"match-ready:{OURS}:%"))
    with world.client("manager") as browser:
        browser.post(page, data={"player": robin, "tracks": "3"})
        with world.database.reading() as session:
            assert session.scalars(ready).all() == []
        for _ in range(2):
            browser.post(page, data={"player": robin, "absent": "yes"})
    with world.database.reading() as session:
        assert session.scalars(ready).all().count("kims_parent@example.org") == 1


def test_the_staff_says_who_everybody_is_and_takes_it_back(world):
    page, kim = f"/matches/{OURS}/players", str(world.ids["kim"])
    with world.database.writing() as session:
        ours(session).events[0].track = 3

    def named() -> tuple[int | None, int | None]:
        with world.database.reading() as session:
            recording = ours(session)
            return session.get_one(PlayerGameStats, (recording.id, 3)).player_id, recording.events[0].player_id

    with world.client("coach") as browser:
        assert "Kim Example" in browser.get(page).text
        assert browser.post(page, data={"player": kim, "tracks": "3"}).status_code == 303
        assert named() == (world.ids["kim"], world.ids["kim"])
        assert browser.post(page, data={"player": kim, "tracks": "99"}).status_code == 422
        assert browser.post(page, data={"player": str(world.ids["alex"]), "tracks": "3"}).status_code == 404
        assert named() == (world.ids["kim"], world.ids["kim"])
        assert browser.post(page, data={"player": kim, "tracks": ""}).status_code == 303
    assert named() == (None, None)
    with world.database.reading() as session:
        assert session.scalars(select(NotShown)).all() == []


def test_the_staff_says_who_it_is_on_a_page_and_nobody_else_does(world):
    opt(world, "robin", shown=False)
    page, form = f"/matches/{OURS}/players", {"player": str(world.ids["robin"]), "tracks": "3"}
    for who, status in (("parent", 403), ("their_coach", 404), ("platform_admin", 403)):
        with world.client(who) as browser:
            assert browser.get(page).status_code == browser.post(page, data=form).status_code == status, who
    with world.client("manager") as browser:
        assert "Robin" in browser.get(page).text
        for wrong in ("99", "", "three"):
            assert browser.post(page, data={**form, "tracks": wrong}).status_code == 422, wrong
        assert browser.post(page, data={**form, "player": str(world.ids["sam"])}).status_code == 404
        assert browser.post(page, data=form).status_code == 303
    assert list(held(world).values()) == [{world.ids["robin"]: frozenset({3})}]


def test_a_new_package_with_the_same_tracks_keeps_who_was_confirmed_and_with_others_does_not(world, made_package):
    confirm(world, "robin", 3)
    for sha256, kept in (("ab" * 32, world.ids["robin"]), ("cd" * 32, None)):
        manifest = made_package.manifest()
        manifest = msgspec.structs.replace(
            manifest, tracks="match.tracks", files=(PackagedFile("match.tracks", 1, sha256),)
        )
        with world.database.writing() as session:
            recording = ours(session)
            assert session.get_one(RecordingFile, (recording.id, "match.tracks")).sha256 == "ab" * 32
            known = confirmed_in(session, recording, manifest)
            recording.stats.clear()
            session.flush()
            fresh = PlayerGameStats(track=3, side="home", distance_m=1, top_speed_mps=1, followed_s=1)
            recording.stats = [fresh]
            confirm_again(recording, known)
            assert fresh.player_id == kept


def test_the_guard_asks_who_is_held_back_only_where_somebody_opted_out_and_then_always(world):
    statements = []
    event.listen(world.database.engine, "before_cursor_execute", lambda *a: statements.append(a[2][:6]))

    def guarded(key: str, of: str | int) -> tuple[bool, int]:
        statements.clear()
        with world.database.reading() as session:
            held_back = SUBJECTS[key](session, of).withheld
        return held_back, statements.count("SELECT")

    things = (("match_session", OURS), ("clip_id", world.ids["clip"]))
    assert [guarded(*thing) for thing in things] == [(False, 1), (False, 1)]
    # Found in a recording of a team that Alex is not in: only the track tells.
    confirm(world, "alex", 3)
    opt(world, "alex", shown=False)
    for thing in things:
        assert guarded(*thing)[0] is True
    opt(world, "alex", shown=True)
    opt(world, "robin", shown=False)
    for thing in things:
        assert guarded(*thing)[0] is True
    assert guarded("match_session", THEIRS) == (False, 1)


def test_where_nobody_opted_out_a_list_asks_one_question_more(world):
    statements = []
    event.listen(world.database.engine, "before_cursor_execute", lambda *a: statements.append(a[2][:6]))
    with world.database.reading() as session:
        assert withheld(session, [1, 2]) == frozenset()
    assert statements.count("SELECT") == 1
