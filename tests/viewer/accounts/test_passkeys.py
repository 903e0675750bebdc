"""Passkeys, by a software authenticator: bound to the site, to the challenge and to who holds them."""

import hashlib
import json
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url, encode_cbor

from tests.viewer.world import PASSWORD
from viewer.accounts.models import Purpose
from viewer.accounts.passkeys import Site
from viewer.accounts.tickets import VALID
from viewer.settings import Settings
from viewer.web.access import PROVEN_FOR

ORIGIN = "http://localhost:8080"
PRESENT, VERIFIED, ATTESTED = 1, 4, 64


@dataclass
class SoftKey:
    """An authenticator with one passkey; what it says can be spoilt."""

    origin: str = ORIGIN
    host: str = "localhost"
    flags: int = PRESENT | VERIFIED
    count: int = 0
    secret: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    id: bytes = b"a passkey's id.."
    owner: str = ""

    def _said(self, kind: str, challenge: str) -> bytes:
        return json.dumps({"type": kind, "challenge": challenge, "origin": self.origin}).encode()

    def _data(self, flags: int) -> bytes:
        return hashlib.sha256(self.host.encode()).digest() + bytes([flags]) + self.count.to_bytes(4, "big")

    def make(self, options: dict) -> dict:
        """A new credential."""
        self.owner = options["user"]["id"]
        point = self.secret.public_key().public_numbers()
        public = {1: 2, 3: -7, -1: 1, -2: point.x.to_bytes(32, "big"), -3: point.y.to_bytes(32, "big")}
        attested = bytes(16) + len(self.id).to_bytes(2, "big") + self.id + encode_cbor(public)
        whole = {"fmt": "none", "attStmt": {}, "authData": self._data(self.flags | ATTESTED) + attested}
        said = self._said("webauthn.create", options["challenge"])
        return self._told(clientDataJSON=said, attestationObject=encode_cbor(whole))

    def show(self, options: dict) -> dict:
        """An answer to a challenge."""
        self.count += 1
        said, data = self._said("webauthn.get", options["challenge"]), self._data(self.flags)
        signature = self.secret.sign(data + hashlib.sha256(said).digest(), ec.ECDSA(SHA256()))
        told = self._told(clientDataJSON=said, authenticatorData=data, signature=signature)
        told["response"]["userHandle"] = self.owner
        return told

    def _told(self, **response: bytes) -> dict:
        name = bytes_to_base64url(self.id)
        coded = {key: bytes_to_base64url(value) for key, value in response.items()}
        return {"id": name, "rawId": name, "type": "public-key", "clientExtensionResults": {}, "response": coded}


@pytest.fixture
def site(people, world):
    """The portal at an address with a name."""
    world.portal.settings = replace(world.portal.settings, public_url=ORIGIN)
    return people


def make(client, key, name="My phone"):
    options = client.post("/account/passkeys/options").json()
    return client.post("/account/passkeys", json={"credential": key.make(options), "name": name, "next": "/account"})


def show(client, key, page="/sign-in/passkey", next="/account"):
    options = client.post("/sign-in/passkey/options").json()
    return client.post(page, json={"credential": key.show(options), "next": next})


@pytest.fixture
def key(site, world) -> SoftKey:
    """The parent's passkey."""
    key = SoftKey()
    with world.client("parent") as client:
        assert make(client, key).json() == {"to": "/account"}
    return key


def test_a_passkey_alone_signs_in_under_a_fresh_cookie_and_counts_as_second_factor(key, site, world):
    with world.client() as client:
        client.cookies.set("touchline", "ATTACKERCHOSEN", domain="testserver.local", path="/")
        answer = show(client, key)
        assert answer.json() == {"to": "/account"}
        assert client.cookies["touchline"] != "ATTACKERCHOSEN"
        assert "My phone" in client.get("/account/passkeys").text
    assert site.acts("sign-in")[-1].detail == {"by": "passkey"}


def test_a_coach_may_set_up_a_passkey_instead_of_an_app(site, world):
    key = SoftKey()
    with world.client("coach", strong=False) as client:
        weak = client.cookies["touchline"]
        assert make(client, key).status_code == 200
        assert client.cookies["touchline"] != weak
        assert client.get("/account").status_code == 200
    with world.client() as client:
        client.post("/sign-in", data={"mail": "coach@example.org", "password": PASSWORD})
        assert client.get("/account").headers["location"].startswith("/sign-in/second")
        assert show(client, key).status_code == 200
        assert client.get("/account").status_code == 200


@pytest.mark.parametrize(
    "spoilt",
    [
        {"origin": "http://evil.example"},
        {"host": "evil.example"},
        {"flags": PRESENT},
        {"flags": 0},
        {"secret": ec.generate_private_key(ec.SECP256R1())},
        {"id": b"somebody's key.."},
        {"owner": bytes_to_base64url(b"touchline-1")},
        {"count": -2},
    ],
    ids=lambda spoilt: next(iter(spoilt)),
)
def test_what_is_wrong_in_any_way_does_not_sign_in(key, world, spoilt):
    key.count = 5
    with world.client() as client:
        assert show(client, key).status_code == 200
    if "count" in spoilt:
        spoilt = {"count": 3}
    with world.client() as client:
        answer = show(client, replace(key, **spoilt))
        assert answer.status_code == 403
        assert "set-cookie" not in answer.headers
        assert "does not open this portal" in answer.json()["fault"]


@pytest.mark.parametrize("flags", [PRESENT, 0])
def test_a_key_that_does_not_check_its_holder_is_not_kept(site, world, flags):
    with world.client("parent") as client:
        assert make(client, SoftKey(flags=flags)).status_code == 400


def test_a_challenge_counts_once_and_not_for_long(key, world):
    with world.client() as client:
        shown = key.show(client.post("/sign-in/passkey/options").json())
        assert client.post("/sign-in/passkey", json={"credential": shown}).status_code == 200
        assert client.post("/sign-in/passkey", json={"credential": shown}).status_code == 403
        shown = key.show(client.post("/sign-in/passkey/options").json())
        world.clock.now += VALID[Purpose.PASSKEY]
        assert client.post("/sign-in/passkey", json={"credential": shown}).status_code == 403


def test_a_challenge_for_making_one_signs_nobody_in_and_is_good_for_its_user_alone(key, world):
    with world.client("kims_parent") as client:
        options = client.post("/account/passkeys/options").json()
        assert client.post("/sign-in/passkey", json={"credential": key.show(options)}).status_code == 403
        options = client.post("/account/passkeys/options").json()
        with world.client("manager") as other:
            made = SoftKey(id=b"another one.....").make(options)
            assert other.post("/account/passkeys", json={"credential": made}).status_code == 400


def test_a_passkey_belongs_to_one_account(key, world):
    with world.client("kims_parent") as client:
        assert make(client, key).status_code == 400


def test_making_and_removing_asks_for_proof_and_a_passkey_is_one(key, site, world):
    with world.client() as client:
        show(client, key)
        world.clock.now += PROVEN_FOR + timedelta(seconds=1)
        assert client.post("/account/passkeys/options", headers={"Accept": "application/json"}).status_code == 403
        assert client.post("/account/passkeys/1/remove").headers["location"].startswith("/account/prove")
        assert show(client, key, "/account/prove/passkey", "/account/passkeys").status_code == 200
        assert client.get("/account/passkeys").status_code == 200
    with world.client("kims_parent") as client:
        assert show(client, key, "/account/prove/passkey").status_code == 403, "somebody else's proves nothing"


def test_passkeys_are_renamed_and_removed_by_their_owner_alone(key, site, world):
    with world.client("kims_parent") as client:
        for act in ("rename", "remove"):
            assert client.post(f"/account/passkeys/1/{act}", data={"name": "stolen"}).status_code == 404
    with world.client("parent") as client:
        assert client.post("/account/passkeys/1/rename", data={"name": " Old \x00 phone "}).status_code == 303
        assert "Old phone" in client.get("/account/passkeys").text
        assert client.post("/account/passkeys/1/remove").status_code == 303
    with world.client() as client:
        assert show(client, key).status_code == 403
    assert "A passkey was removed" in [mail.subject for mail in site.mails("parent@example.org")]


def test_removing_the_last_one_leads_a_coach_back_to_setting_one_up(site, world):
    with world.client("coach", strong=False) as client:
        make(client, SoftKey())
        client.post("/account/passkeys/1/remove")
        assert client.get("/").headers["location"].startswith("/account/second-factor")


def test_a_disabled_account_is_not_opened_by_its_passkey(key, world):
    from viewer.accounts.administration import disable
    from viewer.accounts.models import User

    with world.database.writing() as session:
        disable(session, session.get_one(User, world.users["parent"]), world.clock())
    with world.client() as client:
        assert show(client, key).status_code == 403


@pytest.mark.parametrize(
    "junk",
    [
        {},
        {"response": {}},
        {"response": "x"},
        {"response": {"clientDataJSON": "%%%"}},
        {"response": {"clientDataJSON": bytes_to_base64url(b"[" * 50_000)}},
        {"response": {"clientDataJSON": bytes_to_base64url(b'{"type":"x","challenge":7,"origin":"x"}')}},
        {"rawId": 7, "response": {"clientDataJSON": bytes_to_base64url(b"[]")}},
    ],
    ids=range(7),
)
def test_junk_is_refused_and_breaks_nothing(site, world, junk):
    with world.client("parent") as client:
        assert client.post("/sign-in/passkey", json={"credential": junk}).status_code == 403
        assert client.post("/account/passkeys", json={"credential": junk}).status_code == 400


def test_junk_around_a_good_challenge_is_refused_too(key, world):
    with world.client("parent") as client:
        for name in ("authenticatorData", "signature", "userHandle"):
            for value in ("", "%%", 7, bytes_to_base64url(b"\xff" * 40)):
                shown = key.show(client.post("/sign-in/passkey/options").json())
                shown["response"][name] = value
                answer = client.post("/sign-in/passkey", json={"credential": shown})
                assert answer.status_code == 403, (name, value)
        for value in ("", "%%", bytes_to_base64url(b"\xff" * 40), bytes_to_base64url(b"\x81" * 5000)):
            made = SoftKey(id=b"another one.....").make(client.post("/account/passkeys/options").json())
            made["response"]["attestationObject"] = value
            assert client.post("/account/passkeys", json={"credential": made}).status_code == 400, value[:9]


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://portal.example", "portal.example"),
        ("https://portal.example:8443", "portal.example"),
        ("http://localhost:8080", "localhost"),
        ("http://portal.example", None),
        ("http://127.0.0.1:8080", None),
        ("https://192.0.2.7", None),
    ],
)
def test_passkeys_are_offered_only_where_browsers_make_them(tmp_path, url, host):
    site = Site.of(Settings(data=tmp_path, public_url=url))
    assert (site.host if site else None) == host
    assert site is None or site.origin == url


def test_without_a_site_the_pages_offer_none(people, world):
    with world.client("parent") as client:
        assert "data-passkey" not in client.get("/account/passkeys").text
        assert client.post("/account/passkeys/options").status_code == 404
        assert client.post("/sign-in/passkey/options").status_code == 404
        assert "data-passkey" not in client.get("/sign-in").text


def test_what_the_browser_is_asked_for_names_its_owner_and_checks_its_holder(site, world):
    with world.client("parent") as client:
        options = client.post("/account/passkeys/options").json()
    assert base64url_to_bytes(options["user"]["id"]) == f"touchline-{world.users['parent']}".encode()
    assert options["authenticatorSelection"]["userVerification"] == "required"
    assert options["authenticatorSelection"]["residentKey"] == "required"
