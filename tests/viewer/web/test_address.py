"""Whose address counts: the peer's, or what a proxy says that the portal was told to trust."""

from dataclasses import replace
from types import SimpleNamespace

import pytest
from litestar.datastructures import Headers, State

from viewer.errors import BadSettings
from viewer.settings import Settings
from viewer.web.address import client_address


def asked(tmp_path, peer, *forwarded, trusted=()):
    settings = replace(Settings(data=tmp_path), trusted_proxies=trusted)
    raw = [(b"x-forwarded-for", value.encode()) for value in forwarded]
    return client_address(
        SimpleNamespace(
            client=SimpleNamespace(host=peer) if peer else None,
            headers=Headers(raw),
            app=SimpleNamespace(state=State({"portal": SimpleNamespace(settings=settings)})),
        )
    )


@pytest.mark.parametrize(
    ("peer", "forwarded", "trusted", "address"),
    [
        ("203.0.113.5", [], [], "203.0.113.5"),
        ("203.0.113.5", ["198.51.100.1"], [], "203.0.113.5"),
        ("203.0.113.5", ["198.51.100.1"], ["127.0.0.1"], "203.0.113.5"),
        ("127.0.0.1", ["198.51.100.1"], ["127.0.0.1"], "198.51.100.1"),
        ("127.0.0.1", ["1.2.3.4, 198.51.100.1"], ["127.0.0.1"], "198.51.100.1"),
        ("127.0.0.1", ["1.2.3.4", "198.51.100.1"], ["127.0.0.1"], "198.51.100.1"),
        ("10.0.0.9", ["198.51.100.1, 10.0.0.7"], ["10.0.0.0/8"], "198.51.100.1"),
        ("10.0.0.9", ["1.2.3.4, 198.51.100.1, 10.0.0.7"], ["10.0.0.0/8"], "198.51.100.1"),
        ("127.0.0.1", ["nonsense"], ["127.0.0.1"], "127.0.0.1"),
        ("127.0.0.1", ["198.51.100.1, <script>"], ["127.0.0.1"], "127.0.0.1"),
        ("127.0.0.1", [""], ["127.0.0.1"], "127.0.0.1"),
        ("::1", ["2001:db8::7"], ["::1"], "2001:db8::7"),
        (None, ["198.51.100.1"], ["127.0.0.1"], "?"),
    ],
)
def test_only_a_trusted_proxy_says_who_asks(tmp_path, peer, forwarded, trusted, address):
    assert asked(tmp_path, peer, *forwarded, trusted=tuple(trusted)) == address


@pytest.mark.parametrize("proxy", ["localhost", "10.0.0.0/99", "10.0.0.1/8", ""])
def test_a_proxy_that_is_no_address_is_refused_at_the_start(tmp_path, proxy):
    with pytest.raises(BadSettings, match="--trusted-proxy"):
        Settings(data=tmp_path, trusted_proxies=(proxy,))


@pytest.mark.parametrize("path", ["media", "/media", "media/"])
def test_nginx_s_internal_place_is_a_path(tmp_path, path):
    with pytest.raises(BadSettings, match="--x-accel"):
        Settings(data=tmp_path, x_accel=path)
