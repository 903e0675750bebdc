"""A hub is paired by a code that works once and not for long, and says from then on that it is there."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from viewer.audit.models import AuditEntry
from viewer.devices.keys import revoke
from viewer.devices.models import Device, PairingCode
from viewer.devices.pairing import GOOD_FOR, MOST_TRIES, WINDOW, new_pairing_code

PAIRING = "/api/v1/pairing"
ME = "/api/v1/devices/me"


def code_for(world, name="device") -> str:
    with world.database.writing() as session:
        return new_pairing_code(session, session.get_one(Device, world.ids[name]), world.clock())


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def test_a_hub_gets_a_key_for_the_code_that_an_admin_got(world):
    code = code_for(world)
    with world.client(html=False) as hub:
        answer = hub.post(PAIRING, json={"code": code, "version": "1.4"})
        assert answer.status_code == 201
        told = answer.json()
        assert (told["device"], told["team"], told["club"]) == ("hub", "U12", "Riverside Rovers")
        assert hub.post(ME, json={"version": "1.4"}, headers=bearer(told["key"])).status_code == 200
        assert hub.post(ME, json={}, headers=bearer(world.keys["hub"])).status_code == 401, "its older key goes on"
    with world.database.reading() as session:
        assert session.scalar(select(AuditEntry).where(AuditEntry.act == "pair")).subject_id == world.ids["device"]
        assert session.get_one(Device, world.ids["device"]).version == "1.4"


def test_only_the_hash_of_a_code_is_kept(world):
    code = code_for(world)
    with world.database.reading() as session:
        [kept] = session.scalars(select(PairingCode)).all()
    assert code.replace("-", "") not in kept.code_hash.upper()


@pytest.mark.parametrize("typed", [str.lower, lambda code: code.replace("-", " "), lambda code: f" {code}\n"])
def test_how_a_code_is_typed_does_not_matter(world, typed):
    with world.client(html=False) as hub:
        assert hub.post(PAIRING, json={"code": typed(code_for(world))}).status_code == 201


def test_a_code_works_once(world):
    code = code_for(world)
    with world.client(html=False) as hub:
        assert hub.post(PAIRING, json={"code": code}).status_code == 201
        again = hub.post(PAIRING, json={"code": code})
    assert again.status_code == 403
    assert "works once" in again.json()["fault"]


def test_a_code_ends_after_a_quarter_of_an_hour(world):
    code = code_for(world)
    world.clock.now += GOOD_FOR
    with world.client(html=False) as hub:
        assert hub.post(PAIRING, json={"code": code}).status_code == 403


def test_a_newer_code_ends_the_older_one_of_this_device_alone(world):
    old, other, new = code_for(world), code_for(world, "their_device"), code_for(world)
    with world.client(html=False) as hub:
        statuses = [hub.post(PAIRING, json={"code": code}).status_code for code in (old, other, new)]
    assert statuses == [403, 201, 201]


def test_revoking_a_device_ends_its_code(world):
    code = code_for(world)
    with world.database.writing() as session:
        revoke(session, session.get_one(Device, world.ids["device"]), world.clock())
    with world.client(html=False) as hub:
        assert hub.post(PAIRING, json={"code": code}).status_code == 403


def test_a_revoked_device_is_taken_back_by_a_code_made_afterwards(world):
    with world.database.writing() as session:
        revoke(session, session.get_one(Device, world.ids["device"]), world.clock())
    code = code_for(world)
    with world.client(html=False) as hub:
        key = hub.post(PAIRING, json={"code": code}).json()["key"]
        assert hub.post(ME, json={}, headers=bearer(key)).status_code == 200


def test_guessing_codes_is_throttled_even_for_the_right_one(world):
    code = code_for(world)
    with world.client(html=False) as hub:
        for _ in range(MOST_TRIES):
            assert hub.post(PAIRING, json={"code": "AAAA-AAAA"}).status_code == 403
        throttled = hub.post(PAIRING, json={"code": code})
        assert throttled.status_code == 429
        assert 0 < int(throttled.headers["retry-after"]) <= WINDOW.total_seconds()
        world.clock.now += WINDOW
        assert hub.post(PAIRING, json={"code": code_for(world)}).status_code == 201


@pytest.mark.parametrize("body", ["", "{}", "[]", "not json", '{"code": 7}', '{"code": "' + "A" * 5000 + '"}'])
def test_what_is_no_pairing_request_is_refused(world, body):
    with world.client(html=False) as hub:
        answer = hub.post(PAIRING, content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code in (400, 413)


def test_a_heartbeat_tells_the_wanted_version_and_is_written_down_at_most_each_minute(world):
    with world.database.writing() as session:
        session.get_one(Device, world.ids["device"]).wanted_version = "2.0"

    def seen():
        with world.database.reading() as session:
            device = session.get_one(Device, world.ids["device"])
            return device.seen_at, device.version

    first = world.clock.now
    with world.client(html=False) as hub:
        hub.headers.update(bearer(world.keys["hub"]))
        assert hub.post(ME, json={"version": "1.9"}).json()["wanted_version"] == "2.0"
        assert seen() == (first, "1.9")
        world.clock.now = first + timedelta(seconds=59)
        hub.post(ME, json={"version": "1.9"})
        assert seen() == (first, "1.9")
        world.clock.now = first + timedelta(seconds=60)
        hub.post(ME, json={"version": "1.9"})
        assert seen() == (first + timedelta(seconds=60), "1.9")


TUS = {"Tus-Resumable": "1.0.0", "Upload-Length": "1"}
ASKED = [("GET", "/api/v1/blur", {}), ("GET", "/api/v1/packages/none", {}), ("POST", "/api/v1/uploads", TUS)]


@pytest.mark.parametrize(("method", "path", "headers"), ASKED)
def test_whatever_a_hub_asks_for_is_a_sign_of_life_written_down_at_most_each_five_minutes(world, method, path, headers):
    first = world.clock.now
    seen = []
    with world.client(html=False) as hub:
        assert hub.request(method, path, headers=headers | bearer("tl_nobodys")).status_code == 401
        for late in (timedelta(0), timedelta(minutes=4, seconds=59), timedelta(minutes=5)):
            world.clock.now = first + late
            assert hub.request(method, path, headers=headers | bearer(world.keys["hub"])).status_code != 401
            with world.database.reading() as session:
                device = session.get_one(Device, world.ids["device"])
                seen.append((device.seen_at, device.version))
    assert seen == [(first, ""), (first, ""), (first + timedelta(minutes=5), "")]
    with world.database.reading() as session:
        assert session.get_one(Device, world.ids["their_device"]).seen_at is None


def test_a_heartbeat_with_a_new_version_is_written_down_at_once(world):
    with world.client(html=False) as hub:
        hub.headers.update(bearer(world.keys["hub"]))
        for version in ("1.0", "1.1"):
            hub.post(ME, json={"version": version})
    with world.database.reading() as session:
        assert session.get_one(Device, world.ids["device"]).version == "1.1"


def test_nobody_but_a_device_sends_heartbeats(world):
    for who in (None, "club_admin", "platform_admin"):
        with world.client(who, html=False) as client:
            assert client.post(ME, json={}).status_code == 401
