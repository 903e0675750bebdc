"""The hub's proof that it is its rig's, over real lines."""

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from hub.api import proof_routes
from wire.message import decode
from wire.proof import HubProof, hub_proof

NONCE = "00ff" * 8


@pytest.fixture
async def client():
    app = web.Application()
    app.add_routes(proof_routes("rig-token"))
    async with TestClient(TestServer(app)) as client:
        yield client


async def test_the_hub_proves_itself_without_being_shown_the_token(client):
    async with client.get(f"/api/v1/proof/{NONCE}") as answer:
        proof = decode(await answer.read(), HubProof)
    assert proof == HubProof(nonce=NONCE, proof=hub_proof("rig-token", NONCE, "127.0.0.1", client.port))


async def test_it_proves_the_address_it_really_listens_at_whatever_the_asker_calls_it(client):
    headers = {"Host": "192.0.2.66:8000", "X-Forwarded-For": "192.0.2.66"}
    async with client.get(f"/api/v1/proof/{NONCE}", headers=headers) as answer:
        proof = decode(await answer.read(), HubProof)
    assert proof.proof == hub_proof("rig-token", NONCE, "127.0.0.1", client.port)


@pytest.mark.parametrize("nonce", ["0", NONCE.upper(), NONCE + "0", "rig-token"])
async def test_what_is_no_nonce_is_refused(client, nonce):
    async with client.get(f"/api/v1/proof/{nonce}") as answer:
        assert answer.status == 400
        assert "32 hexadecimal digits" in await answer.text()
