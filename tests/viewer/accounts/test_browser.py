"""The account's pages in a real browser: a passkey from making it to signing in, and what axe says of every page."""

import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pyotp
import pytest
from playwright.sync_api import Page, expect

from tests.viewer.portals import RunningPortal, answers, end, free_port

AXE = Path(__file__).parents[3] / "viewer" / "node_modules" / "axe-core" / "axe.min.js"
TAGS = ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"]
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningPortal]:
    """A portal at an address with a name, which passkeys need."""
    portal = RunningPortal(tmp_path_factory.mktemp("site") / "portal", free_port(), "")
    portal.run("demo-accounts", "--parent-password", portal.parent[1], "--coach-password", portal.coach[1])
    server = portal.start("serve", "--public-url", f"http://localhost:{portal.port}")
    try:
        portal.wait_for(lambda: answers(portal.url), "the portal's start")
        yield portal
    finally:
        end(server)


@pytest.fixture
def page(chromium, site) -> Iterator[Page]:
    """A phone; any error in a page's scripts, or word from another host, fails the test."""
    context = chromium.new_context(
        viewport={"width": 390, "height": 844}, base_url=f"http://localhost:{site.port}", has_touch=True
    )
    context.set_default_timeout(60_000)
    page = context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    own = (f"http://localhost:{site.port}", "data:")
    page.on("request", lambda r: None if r.url.startswith(own) else faults.append(r.url))
    yield page
    context.close()
    assert faults == []


def sign_in(page: Page, who: tuple[str, str]) -> None:
    page.goto("/sign-in?next=/account")
    page.fill("input[name=mail]", who[0])
    page.fill("input[name=password]", who[1])
    with page.expect_navigation():
        page.click("button.main")


def arrive(page: Page, path: str) -> None:
    """Wait for the page at `path`; an address that only names it, as in `?next=/account`, is another."""
    page.wait_for_url(lambda url: urlsplit(url).path == path)


def look(page: Page) -> None:
    """Nothing that axe calls a fault, in the light and in the dark, and nothing that sticks out."""
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        page.evaluate(AXE.read_text() + "; 0")
        # The head, which all pages share, is looked at with the matches' pages.
        found = page.evaluate(f"axe.run({{exclude: ['.top']}}, {{runOnly: {TAGS}}})")["violations"]
        assert [(v["id"], [n["html"][:120] for n in v["nodes"]][:3]) for v in found] == [], page.url
    assert page.evaluate("document.documentElement.scrollWidth") <= 390, page.url


def test_a_passkey_is_made_signs_in_and_opens_nothing_once_it_is_removed(page, site):
    chip = page.context.new_cdp_session(page)
    chip.send("WebAuthn.enable")
    options = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True}
    held = {**options, "isUserVerified": True, "automaticPresenceSimulation": True}
    chip.send("WebAuthn.addVirtualAuthenticator", {"options": held})
    sign_in(page, site.coach)
    page.goto("/account/passkeys")
    page.fill("[data-passkey=make] input[name=name]", "Phone in the pocket")
    page.click("[data-passkey=make] button")
    expect(page.locator("h2", has_text="Phone in the pocket")).to_be_visible()
    look(page)
    page.click("[data-passkey=make] button")
    expect(page.locator("[data-passkey=make] .fault")).to_contain_text("has a passkey for your account already")
    page.click("text=Sign out")
    arrive(page, "/sign-in")
    page.goto("/sign-in?next=/account")
    look(page)
    page.click("text=Sign in with a passkey")
    arrive(page, "/account")
    expect(page.locator("h1")).to_have_text("Account")
    page.goto("/account/prove?next=/account/mail")
    look(page)
    page.click("text=Use a passkey")
    arrive(page, "/account/mail")
    page.goto("/account/passkeys")
    page.click("button.danger")
    expect(page.locator("text=Your first passkey")).to_be_visible()
    page.context.clear_cookies()
    page.goto("/sign-in")
    page.click("text=Sign in with a passkey")
    expect(page.locator("[data-passkey=show] .fault")).to_contain_text("does not open this portal")
    look(page)


def test_an_app_is_set_up_and_asked_for_and_every_page_is_fit_for_all(page, site):
    for path in ("/sign-in/forgotten", "/reset", "/invitation"):
        page.goto(path)
        look(page)
    page.goto("/sign-in/forgotten")
    page.fill("input[name=mail]", "nobody@example.org")
    page.click("button.main")
    look(page)
    sign_in(page, site.parent)
    for path in ("/account", "/account/password", "/account/mail", "/account/passkeys", "/join"):
        page.goto(path)
        look(page)
    page.goto("/account/second-factor")
    page.click("summary")
    look(page)
    assert page.evaluate("document.querySelector('img.qr').naturalWidth") > 100
    secret = page.inner_text(".secret").replace(" ", "")
    page.fill("input[name=code]", pyotp.TOTP(secret).now())
    page.click("text=Set up the app")
    expect(page.locator(".codes li")).to_have_count(10)
    look(page)
    code = page.locator(".codes li").first.inner_text()
    page.click("text=I have kept them")
    page.goto("/account/second-factor")
    look(page)
    page.click("text=Sign out")
    arrive(page, "/sign-in")
    sign_in(page, site.parent)
    expect(page.locator("h1")).to_have_text("One more step")
    look(page)
    page.fill("input[name=code]", code)
    page.click("button.main")
    arrive(page, "/account")
    assert re.search("9 recovery codes left", page.content())


def test_the_staffs_page_and_an_invitation_are_fit_for_all(page, site):
    site.run("user", "invite", "new@example.org", "--role", "parent", "--player", "1")
    with sqlite3.connect(site.data / "portal.db") as rows:
        [text] = rows.execute("SELECT text FROM mail WHERE recipient = 'new@example.org'").fetchone()
        [code] = rows.execute("SELECT code FROM team WHERE id = 1").fetchone()
    page.goto(re.search(r"/invitation/\S+", text)[0])
    look(page)
    page.fill("input[name=name]", "Kim's aunt")
    page.fill("input[name=password]", "wet boots in autumn")
    page.click("text=Accept")
    arrive(page, "/")
    page.goto("/join")
    page.fill("input[name=code]", code)
    page.fill("input[name=words]", "Kim's aunt")
    page.click("button.main")
    expect(page.locator("text=knows that you would like to join")).to_be_visible()
    page.context.clear_cookies()
    sign_in(page, site.coach)
    page.goto("/teams/1/requests")
    look(page)
    page.select_option("select[name=player]", "1")
    page.click("button.main")
    expect(page.locator("text=Nobody is waiting")).to_be_visible()
    look(page)
