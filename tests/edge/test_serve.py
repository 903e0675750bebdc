import pytest

from edge.serve import on_this_machine


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
