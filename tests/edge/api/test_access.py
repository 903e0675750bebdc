"""The guard of the node's API, tried both ways."""

import pytest
from aiohttp.test_utils import make_mocked_request

from edge.api.access import (
    COOKIE,
    MOST_SESSIONS,
    MOST_TRIES,
    PAUSE_S,
    SESSION_S,
    Access,
    BadPin,
    OperatorPin,
    SignInRefused,
)

PIN = "374 910"


@pytest.fixture
def pin(tmp_path):
    made = OperatorPin(tmp_path / "operator.json")
    made.set(PIN)
    return made


@pytest.fixture
def access(pin, now):
    return Access("open-sesame", pin, now)


def ask(method="GET", **headers):
    return make_mocked_request(method, "/api/v1/x", headers={"Host": "node.local:8080", **headers})


def as_operator(secret, method="GET", **headers):
    return ask(method, Cookie=f"{COOKIE}={secret}", **headers)


def test_the_rig_is_known_by_its_token(access):
    assert access.allows(ask("POST", Authorization="Bearer open-sesame"))
    for wrong in ("Bearer open-sesam", "Bearer open-sesame ", "open-sesame", "Bearer ", "Basic open-sesame"):
        assert not access.allows(ask(Authorization=wrong))
    assert not access.allows(ask())


def test_an_operator_who_signed_in_may_read_and_change(access):
    secret = access.sign_in(PIN)
    assert access.allows(as_operator(secret))
    assert access.allows(as_operator(secret, "POST", **{"Sec-Fetch-Site": "same-origin"}))
    assert access.allows(as_operator(secret, "POST", Origin="http://node.local:8080"))


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {},
    ],
)
def test_another_site_changes_nothing_in_an_operators_name(access, headers):
    assert not access.allows(as_operator(access.sign_in(PIN), "POST", **headers))


def test_a_wrong_or_empty_pin_is_refused(access):
    for wrong in ("374 911", "", "374910"):
        with pytest.raises(SignInRefused, match="not the node's PIN"):
            access.sign_in(wrong)


def test_nobody_signs_in_where_no_pin_was_set(tmp_path, now):
    access = Access("t", OperatorPin(tmp_path / "none.json"), now)
    for guess in ("", "000000"):
        with pytest.raises(SignInRefused):
            access.sign_in(guess)


@pytest.mark.parametrize("kept", [b"", b"{}", b"[]", b'{"salt": "zz", "hash": ""}', b'{"salt": "", "hash": ""}'])
def test_a_damaged_pin_file_lets_nobody_in(tmp_path, now, kept):
    (tmp_path / "operator.json").write_bytes(kept)
    with pytest.raises(SignInRefused):
        Access("t", OperatorPin(tmp_path / "operator.json"), now).sign_in("")


def test_guessing_is_slow(access, now):
    for _ in range(MOST_TRIES):
        with pytest.raises(SignInRefused, match="not the node's PIN"):
            access.sign_in("wrong!")
    with pytest.raises(SignInRefused, match="too many wrong PINs"):
        access.sign_in(PIN)
    now.s += PAUSE_S
    assert access.sign_in(PIN)


def test_a_session_ends_by_itself_and_by_signing_out(access, now):
    first, second = access.sign_in(PIN), access.sign_in(PIN)
    assert first != second
    access.sign_out(as_operator(first))
    assert not access.allows(as_operator(first))
    assert access.allows(as_operator(second))
    now.s += SESSION_S
    assert not access.allows(as_operator(second))


def test_a_new_pin_ends_what_was_begun_with_the_old_one(access, pin):
    before = access.sign_in(PIN)
    pin.set("925 130")
    assert not access.allows(as_operator(before))
    assert access.allows(as_operator(access.sign_in("925 130")))


def test_a_pin_that_is_gone_lets_nobody_stay(access, tmp_path):
    before = access.sign_in(PIN)
    (tmp_path / "operator.json").unlink()
    assert not access.allows(as_operator(before))


def test_sessions_do_not_pile_up(access, now):
    secrets = []
    for _ in range(MOST_SESSIONS + 3):
        now.s += 1
        secrets.append(access.sign_in(PIN))
    assert [access.allows(as_operator(secret)) for secret in secrets].count(True) == MOST_SESSIONS
    assert access.allows(as_operator(secrets[-1]))


def test_a_short_pin_is_refused_and_the_file_does_not_tell_the_pin(pin, tmp_path):
    with pytest.raises(BadPin):
        pin.set("12345")
    assert pin.fits(PIN)
    assert PIN not in (tmp_path / "operator.json").read_text()
