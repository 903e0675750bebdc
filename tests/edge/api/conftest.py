"""A node and somebody who calls it over HTTP."""

import pytest
from aiohttp.test_utils import TestClient, TestServer


class Steady:
    """A clock that stands until it is set."""

    def __init__(self):
        self.s = 1000.0

    def __call__(self):
        return self.s


@pytest.fixture
def now():
    return Steady()


@pytest.fixture
async def make_client(make_node, make_api, ledger, make_eyes):
    """Serves a node with the given camera; its eyes are the one-ball ones, `eyes`, or those of `eyes_for`."""
    clients = []

    async def make(camera: str, eyes=None, eyes_for=None) -> TestClient:
        node = make_node(camera, ledger, eyes_for=eyes_for or (lambda _camera, _first: eyes or make_eyes()))
        client = TestClient(TestServer(make_api(node, ledger)))
        await client.start_server()
        clients.append(client)
        return client

    yield make
    for client in clients:
        await client.close()


@pytest.fixture
async def client(make_client, video):
    return await make_client(f"file:{video}")
