"""Signing in and out over HTTP, as a browser on the node's page and as one that was sent from elsewhere."""

import asyncio

import pytest

from edge.api.access import COOKIE, MOST_TRIES, PIN_FILE, OperatorPin
from edge.api.signing_in import SignIn
from wire.message import encode

PIN = "374 910"
OWN_PAGE = {"Sec-Fetch-Site": "same-origin"}


@pytest.fixture(autouse=True)
def pin(tmp_path):
    OperatorPin(tmp_path / PIN_FILE).set(PIN)


def sign_in(client, pin=PIN, headers=OWN_PAGE):
    return client.post("/api/v1/sign-in", data=encode(SignIn(pin=pin)), headers=headers)


async def test_an_operator_signs_in_sees_and_signs_out(client):
    answer = await sign_in(client)
    assert (answer.status, await answer.read()) == (204, b"")
    cookie = answer.cookies[COOKIE]
    assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "Strict", "/")
    signed_in = {"Cookie": f"{COOKIE}={cookie.value}"}
    assert (await client.get("/api/v1/sessions", headers=signed_in)).status == 200
    out = await client.post("/api/v1/sign-out", headers={**signed_in, **OWN_PAGE})
    assert (out.status, out.cookies[COOKIE].value) == (204, "")
    assert (await client.get("/api/v1/sessions", headers=signed_in)).status == 401


async def test_a_wrong_pin_opens_nothing(client):
    answer = await sign_in(client, "374 911")
    assert (answer.status, await answer.text()) == (403, "this is not the node's PIN")
    assert COOKIE not in answer.cookies


@pytest.mark.parametrize("headers", [{}, {"Sec-Fetch-Site": "cross-site"}, {"Origin": "http://evil.example"}])
async def test_another_sites_page_cannot_even_try(client, headers):
    for _ in range(MOST_TRIES):
        assert (await sign_in(client, "wrong!", headers)).status == 403
    assert (await sign_in(client)).status == 204, "the tries did not count"


async def test_many_tries_at_once_are_counted_one_by_one(client):
    answers = await asyncio.gather(*(sign_in(client, f"guess {n}") for n in range(MOST_TRIES + 3)))
    assert sorted(answer.status for answer in answers) == [403] * MOST_TRIES + [429] * 3
    assert (await sign_in(client)).status == 429


async def test_a_pin_is_never_logged(client, log_text):
    await sign_in(client, "guess 1")
    unreadable = b'{"kind":"sign-in","version":1,"body":{"pin":["guess 1"]}}'
    assert (await client.post("/api/v1/sign-in", data=unreadable, headers=OWN_PAGE)).status == 400
    assert "request-refused" in log_text.getvalue()
    assert "guess" not in log_text.getvalue()
