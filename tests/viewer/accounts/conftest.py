"""Every test of accounts with cheap hashes, and an authenticator app to set up."""

import re

import pyotp
import pytest


@pytest.fixture(autouse=True)
def hashes(cheap_hashes):
    """Hundreds of passwords are hashed here."""


def set_up_app(client, page: str = "/account/second-factor") -> tuple[str, list[str], object]:
    """Set an authenticator app up through its page; its secret, the recovery codes, and the answer."""
    shown = client.get(page)
    assert shown.status_code == 200, shown.headers
    secret = re.search(r'class="secret">([A-Z2-7 ]+)<', shown.text)[1].replace(" ", "")
    sealed = re.search(r'name="sealed" value="([^"]+)"', shown.text)[1]
    clock = client.app.state.portal.clock
    answer = client.post(page, data={"code": pyotp.TOTP(secret).at(clock()), "sealed": sealed})
    return secret, re.findall(r"<li>([A-Z2-9]{5}-[A-Z2-9]{5})</li>", answer.text), answer


@pytest.fixture
def app_set_up():
    """`set_up_app(client)`."""
    return set_up_app
