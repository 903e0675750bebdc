"""Signing in: throttling, session fixation, time-outs, and telling nobody who exists."""

import base64
import hashlib
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from sqlalchemy import select, update

from viewer.accounts import passwords
from viewer.accounts.models import SignIn, User
from viewer.accounts.pages import inside
from viewer.accounts.people import make_user
from viewer.accounts.service import IDLE, LONGEST_STAY, mark_seen, sign_in, sign_out, signed_in
from viewer.accounts.throttle import MOST_PER_ACCOUNT, MOST_PER_ADDRESS, WINDOW
from viewer.db import Database
from viewer.errors import Throttled, WrongSignIn

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
MAIL, PASSWORD = "parent@example.org", "green grass 11"


@pytest.fixture
def people(database: Database) -> Database:
    with database.writing() as session:
        make_user(session, " Parent@Example.org ", "Parent", PASSWORD, NOW)
    return database


def whose(database: Database, key: str, now: datetime = NOW) -> str | None:
    with database.reading() as session:
        found = signed_in(session, key, now)
        return found.user.mail if found else None


def test_the_right_password_opens_and_signing_out_closes(people):
    key = sign_in(people, MAIL.upper(), PASSWORD, "a", NOW)
    assert whose(people, key) == MAIL
    sign_out(people, key)
    assert whose(people, key) is None


def test_unknown_people_and_wrong_passwords_are_refused_alike(people, monkeypatch):
    looked = []
    real = passwords._hasher.verify

    def verify(self, kept, given):
        looked.append(kept)
        return real.__func__(self, kept, given)

    monkeypatch.setattr(type(passwords._hasher), "verify", verify)
    with pytest.raises(WrongSignIn) as wrong:
        sign_in(people, MAIL, "nope", "a", NOW)
    with pytest.raises(WrongSignIn) as unknown:
        sign_in(people, "nobody@example.org", "the password of nobody", "a", NOW)
    assert str(wrong.value) == str(unknown.value)
    assert len(looked) == 2, "a hash must be verified for unknown people too"


def test_a_cookie_chosen_by_somebody_else_never_becomes_a_signed_in_one(people):
    key = sign_in(people, MAIL, PASSWORD, "a", NOW, replaces="ATTACKERCHOSEN")
    assert key != "ATTACKERCHOSEN"
    assert whose(people, "ATTACKERCHOSEN") is None


def test_signing_in_again_ends_the_cookie_held_before(people):
    old = sign_in(people, MAIL, PASSWORD, "a", NOW)
    new = sign_in(people, MAIL, PASSWORD, "a", NOW, replaces=old)
    assert whose(people, old) is None
    assert whose(people, new) == MAIL


def test_the_database_does_not_hold_what_the_cookie_says(people):
    key = sign_in(people, MAIL, PASSWORD, "a", NOW)
    with people.reading() as session:
        assert session.scalars(select(SignIn.key_hash)).all() == [hashlib.sha256(key.encode()).hexdigest()]
    assert len(base64.urlsafe_b64decode(f"{key}=")) == 256 // 8


def test_an_account_is_throttled_after_its_tries_and_free_again_later(people):
    for _ in range(MOST_PER_ACCOUNT):
        with pytest.raises(WrongSignIn):
            sign_in(people, MAIL, "nope", "a", NOW)
    with pytest.raises(Throttled) as throttled:
        sign_in(people, MAIL, PASSWORD, "another address", NOW)
    assert throttled.value.wait_s == WINDOW.total_seconds()
    assert whose(people, sign_in(people, MAIL, PASSWORD, "a", NOW + WINDOW + timedelta(seconds=1))) == MAIL


def test_an_address_is_throttled_over_all_accounts_together(people, monkeypatch):
    monkeypatch.setattr("viewer.accounts.service.matches", lambda password, kept: False)
    for n in range(MOST_PER_ADDRESS):
        with pytest.raises(WrongSignIn):
            sign_in(people, f"{n}@example.org", "nope", "a", NOW)
    with pytest.raises(Throttled):
        sign_in(people, "one-more@example.org", "nope", "a", NOW)
    with pytest.raises(WrongSignIn):
        sign_in(people, "one-more@example.org", "nope", "b", NOW)


def test_a_good_sign_in_gives_the_account_its_tries_back(people):
    for _ in range(MOST_PER_ACCOUNT - 1):
        with pytest.raises(WrongSignIn):
            sign_in(people, MAIL, "nope", "a", NOW)
    sign_in(people, MAIL, PASSWORD, "a", NOW)
    with pytest.raises(WrongSignIn):
        sign_in(people, MAIL, "nope", "a", NOW)


def test_a_sign_in_ends_when_idle_too_long_and_at_last_anyway(people):
    key = sign_in(people, MAIL, PASSWORD, "a", NOW)
    assert whose(people, key, NOW + IDLE) == MAIL
    assert whose(people, key, NOW + IDLE + timedelta(seconds=1)) is None
    at = NOW
    while at < NOW + LONGEST_STAY:
        at = min(at + IDLE / 2, NOW + LONGEST_STAY)
        with people.reading() as session:
            mark_seen(people, signed_in(session, key, at), at)
    assert whose(people, key, at + timedelta(seconds=1)) is None


def test_a_disabled_account_is_signed_out_everywhere(people):
    key = sign_in(people, MAIL, PASSWORD, "a", NOW)
    with people.writing() as session:
        session.execute(update(User).values(disabled_at=NOW))
    assert whose(people, key) is None
    with pytest.raises(WrongSignIn):
        sign_in(people, MAIL, PASSWORD, "a", NOW)


@pytest.mark.parametrize(
    ("wanted", "page"),
    [
        ("/matches/x", "/matches/x"),
        ("", "/"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("https://evil.example/", "/"),
        ("/\t/evil.example", "/"),
        ("javascript:alert(1)", "/"),
    ],
)
def test_signing_in_leads_only_to_pages_of_the_portal(wanted, page):
    assert inside(wanted) == page


@pytest.mark.slow
def test_over_http_the_cookie_is_fresh_guarded_and_set_only_at_sign_in(portal_with_match):
    portal = portal_with_match
    planted = {"Cookie": "touchline=ATTACKERCHOSEN"}
    assert "set-cookie" not in httpx.get(f"{portal.url}/sign-in").headers
    form = {"mail": portal.parent[0], "password": portal.parent[1], "next": "//evil.example"}
    answer = httpx.post(f"{portal.url}/sign-in", data=form, headers=planted)
    assert answer.headers["location"] == "/"
    cookie = answer.headers["set-cookie"]
    assert "ATTACKERCHOSEN" not in cookie
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert httpx.get(f"{portal.url}/", headers=planted).status_code == 401


@pytest.mark.slow
def test_over_http_too_many_tries_say_when_to_come_back(portal_with_match):
    portal = portal_with_match
    form = {"mail": "guessed@example.org", "password": "nope"}
    answers = [httpx.post(f"{portal.url}/sign-in", data=form) for _ in range(MOST_PER_ACCOUNT + 1)]
    assert [a.status_code for a in answers] == [403] * MOST_PER_ACCOUNT + [429]
    assert int(answers[-1].headers["retry-after"]) > 0
    assert "Too many tries" in answers[-1].text
