"""The second factor: compulsory for some, asked of all who have one, each code good for once."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from tests.viewer.world import PASSWORD
from viewer.accounts.models import RecoveryCode, Totp
from viewer.accounts.second_factor import CODES, SetUp, new_codes
from viewer.accounts.throttle import WINDOW
from viewer.errors import WrongCode
from viewer.web.access import PROVEN_FOR

PAGE = "/account/second-factor"


def sign_in(client, who):
    return client.post("/sign-in", data={"mail": f"{who}@example.org", "password": PASSWORD})


def second(client, code, next="/account"):
    return client.post("/sign-in/second", data={"code": code, "next": next})


@pytest.mark.parametrize("who", ["coach", "club_admin", "platform_admin"])
def test_admins_and_coaches_are_led_to_set_one_up_before_anything_else(people, world, who):
    with world.client() as client:
        sign_in(client, who)
        for page in ("/", "/account", "/join", "/account/password"):
            assert client.get(page).headers["location"] == f"{PAGE}?next={page}", page
        assert client.get(PAGE).status_code == 200


@pytest.mark.parametrize("who", ["parent", "manager", "player"])
def test_others_may_do_without(people, world, who):
    with world.client() as client:
        sign_in(client, who)
        assert client.get("/account").status_code == 200


def test_setting_up_shows_ten_codes_once_and_opens_the_portal_under_a_fresh_cookie(people, world, app_set_up):
    with world.client() as client:
        sign_in(client, "coach")
        before = client.cookies["touchline"]
        _, codes, answer = app_set_up(client)
        assert len(set(codes)) == CODES
        assert answer.headers["cache-control"] == "no-store"
        assert client.cookies["touchline"] != before
        assert client.get("/account").status_code == 200
        assert not any(code in client.get(PAGE).text for code in codes)
        client.cookies.set("touchline", before, domain="testserver.local", path="/")
        assert client.get("/account").headers["location"].startswith("/sign-in?")


@pytest.mark.parametrize("who", ["coach", "parent"])
def test_whoever_has_one_is_asked_for_it_and_gets_a_fresh_cookie(people, world, app_set_up, who):
    with world.client(who, strong=who == "parent") as client:
        app_set_up(client)
    world.clock.now += timedelta(minutes=1)
    with world.client() as client:
        sign_in(client, who)
        weak = client.cookies["touchline"]
        assert client.get("/account").headers["location"] == "/sign-in/second?next=/account"
        assert client.get("/sign-in/second").status_code == 200
        answer = second(client, people.code(who))
        assert (answer.status_code, answer.headers["location"]) == (303, "/account")
        assert client.cookies["touchline"] != weak
        assert client.get("/account").status_code == 200
        client.cookies.set("touchline", weak, domain="testserver.local", path="/")
        assert client.get("/account").headers["location"].startswith("/sign-in?")
    assert people.acts("second-factor")[-1].detail == {"by": "app"}


def test_a_password_alone_can_neither_see_replace_nor_remove_a_second_factor(people, world, app_set_up):
    with world.client("parent") as client:
        app_set_up(client)
    with world.client() as client:
        sign_in(client, "parent")
        to_second = "/sign-in/second?next="
        for page in (PAGE, "/account/passkeys", "/account/prove", "/account/mail"):
            assert client.get(page).headers["location"] == to_second + page
        for page in (PAGE, f"{PAGE}/remove", "/account/recovery-codes", "/account/passkeys/options"):
            answer = client.post(page, data={"code": "1", "sealed": "x"})
            assert answer.headers["location"] == to_second + "/account", page
    with world.database.reading() as session:
        assert session.get(Totp, world.users["parent"]) is not None


def test_a_code_counts_once(people, world, app_set_up):
    with world.client("parent") as client:
        app_set_up(client)
    world.clock.now += timedelta(minutes=1)
    code = people.code("parent")
    with world.client() as one, world.client() as other:
        sign_in(one, "parent")
        sign_in(other, "parent")
        assert second(one, code).status_code == 303
        assert second(other, code).status_code == 403
        world.clock.now += timedelta(seconds=30)
        assert second(other, code).status_code == 403
        assert second(other, people.code("parent")).status_code == 303


def test_the_code_that_set_the_app_up_is_spent_too(people, world, app_set_up):
    with world.client("parent") as client:
        app_set_up(client)
        code = people.code("parent")
    with world.client() as client:
        sign_in(client, "parent")
        assert second(client, code).status_code == 403


@pytest.mark.parametrize(("later", "status"), [(-2, 403), (-1, 303), (1, 303), (2, 403)])
def test_a_phones_clock_may_be_off_by_half_a_minute(people, world, app_set_up, later, status):
    with world.client("parent") as client:
        app_set_up(client)
    world.clock.now += timedelta(minutes=5)
    with world.client() as client:
        sign_in(client, "parent")
        assert second(client, people.code("parent", later)).status_code == status


def test_a_recovery_code_stands_for_the_app_once_however_it_is_typed(people, world, app_set_up):
    with world.client("parent") as client:
        _, codes, _ = app_set_up(client)
    with world.client() as client:
        sign_in(client, "parent")
        assert second(client, f" {codes[0].lower().replace('-', ' ')} ").status_code == 303
        sign_in(client, "parent")
        assert second(client, codes[0]).status_code == 403
        assert second(client, codes[1]).status_code == 303
        assert f"{CODES - 2} recovery codes left" in client.get("/account").text


def test_a_new_set_of_codes_ends_the_old_one(people, world, app_set_up):
    with world.client("parent") as client:
        _, codes, _ = app_set_up(client)
        assert client.post("/account/recovery-codes").status_code == 200
        sign_in(client, "parent")
        assert second(client, codes[0]).status_code == 403


def test_codes_are_kept_so_that_the_database_alone_tells_none(people, world):
    portal = world.portal
    with world.database.writing() as session:
        codes = new_codes(session, portal.seal, people.user("parent"), world.clock())
        again = new_codes(session, portal.seal, people.user("coach"), world.clock())
    with world.database.reading() as session:
        kept = set(session.scalars(select(RecoveryCode.code_hash)))
    assert len(kept) == 2 * CODES
    assert not kept & {code.replace("-", "") for code in codes + again}


def test_codes_are_throttled_for_the_account_whatever_the_address(people, world, app_set_up):
    with world.client("parent") as client:
        app_set_up(client)
    world.clock.now += timedelta(minutes=5)
    with world.client() as client:
        sign_in(client, "parent")
        assert [second(client, "000000").status_code for _ in range(6)] == [403] * 5 + [429]
        refused = second(client, people.code("parent"))
        assert refused.status_code == 429
        assert int(refused.headers["retry-after"]) > 0
        world.clock.now += WINDOW + timedelta(seconds=1)
        assert second(client, people.code("parent")).status_code == 303
    assert len(people.acts("second-factor-refused")) == 5


def test_setting_up_asks_for_the_password_again_after_a_while(people, world):
    with world.client("parent") as client:
        world.clock.now += PROVEN_FOR + timedelta(seconds=1)
        assert client.get(PAGE).headers["location"] == f"/account/prove?next={PAGE}"
        before = client.cookies["touchline"]
        refused = client.post("/account/prove", data={"password": "nope", "next": PAGE})
        assert refused.status_code == 403
        answer = client.post("/account/prove", data={"password": PASSWORD, "next": PAGE})
        assert answer.headers["location"] == PAGE
        assert client.cookies["touchline"] != before
        assert client.get(PAGE).status_code == 200


def test_a_wrong_first_code_keeps_nothing(people, world):
    with world.client("parent") as client:
        sealed = SetUp.fresh(world.portal.seal, world.users["parent"], "x", world.clock()).sealed
        assert client.post(PAGE, data={"code": "000000", "sealed": sealed}).status_code == 400
    with world.database.reading() as session:
        assert session.get(Totp, world.users["parent"]) is None


def test_a_secret_that_was_shown_to_somebody_else_or_long_ago_is_not_taken(people, world):
    seal, now = world.portal.seal, world.clock()
    sealed = SetUp.fresh(seal, 1, "x", now).sealed
    assert SetUp.again(seal, 1, "x", sealed, now).sealed == sealed
    for user, when, text in ((2, now, sealed), (1, now + timedelta(minutes=31), sealed), (1, now, "junk é")):
        with pytest.raises(WrongCode):
            SetUp.again(seal, user, "x", text, when)


def test_removing_the_last_one_leads_a_coach_back_to_setting_one_up(people, world, app_set_up):
    with world.client("coach", strong=False) as client:
        app_set_up(client)
        assert client.post(f"{PAGE}/remove").headers["location"] == PAGE
        assert client.get("/").headers["location"] == f"{PAGE}?next=/"
        with world.database.reading() as session:
            assert session.scalars(select(RecoveryCode)).all() == []
    assert "A second factor was removed" in [mail.subject for mail in people.mails("coach@example.org")]


def test_a_second_app_is_refused_while_there_is_one(people, world, app_set_up):
    with world.client("parent") as client:
        seal, now = world.portal.seal, world.clock()
        spare = SetUp.fresh(seal, world.users["parent"], "x", now)
        app_set_up(client)
        import pyotp

        answer = client.post(PAGE, data={"code": pyotp.TOTP(spare.secret).at(now), "sealed": spare.sealed})
        assert answer.status_code == 400
        assert "Remove it first" in answer.text


def test_the_steps_lead_nowhere_outside(people, world, app_set_up):
    with world.client("parent") as client:
        _, codes, _ = app_set_up(client)
    with world.client() as client:
        sign_in(client, "parent")
        assert second(client, codes[0], next="//evil.example").headers["location"] == "/"
        evil = {"password": PASSWORD, "next": "https://evil.example"}
        assert client.post("/account/prove", data=evil).headers["location"] == "/"
        assert "evil" not in client.get("/account/prove?next=//evil.example").text
