import pytest

from edge.errors import HubUnreachable
from edge.serve import elsewhere, locate, on_this_machine


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1:8000", "http://127.8.9.1", "http://[::1]:8000", "http://localhost:8000", "https://LOCALHOST"],
)
def test_a_hub_on_loopback_shares_this_machines_clock(url):
    assert on_this_machine(url)


@pytest.mark.parametrize(
    "url", ["http://10.42.0.1:8000", "http://hub.local", "http://localhost.example.org", "http://[fe80::1]", "hub", ""]
)
def test_any_other_hub_has_a_clock_of_its_own(url):
    assert not on_this_machine(url)


class Hub:
    """A hub at these addresses, which is not found before it was looked for `misses` times."""

    def __init__(self, *addresses, misses=0):
        self.addresses = frozenset(addresses)
        self.misses = misses
        self.looks = 0

    async def locate(self):
        self.looks += 1
        if self.looks <= self.misses:
            raise HubUnreachable("no hub of this rig is found on the network")


@pytest.mark.parametrize(
    ("addresses", "told"),
    [((), set()), (("192.0.2.1", "fd00::1"), {"192.0.2.1", "fd00::1"}), (("192.0.2.1", "127.0.0.1"), set())],
)
def test_a_hub_that_was_found_on_this_machine_is_not_elsewhere(addresses, told):
    assert set(elsewhere(Hub(*addresses))) == told


async def test_the_hub_is_looked_for_until_it_is_found(monkeypatch):
    monkeypatch.setattr("edge.serve._LOCATE_EVERY_S", 0)
    hub = Hub(misses=3)
    await locate(hub)
    assert hub.looks == 4
