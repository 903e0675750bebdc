"""The pages in a real browser: seeking, the map, the numbers, and what axe says."""

import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

SESSION = "1795344000-0a1b2c3d4e"
AXE = Path(__file__).parents[2] / "viewer" / "node_modules" / "axe-core" / "axe.min.js"
SIZES = [(390, 844), (1280, 800)]
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    path = shutil.which("chromium") or shutil.which("google-chrome")
    if path is None or not AXE.is_file():
        words = "Chromium (apt-get install chromium) or axe-core (python -m viewer.build) is missing"
        if os.environ.get("CI") == "true":
            pytest.fail(words)
        pytest.skip(words)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(params=SIZES, ids=lambda size: f"{size[0]}px")
def page(request, chromium, portal_with_match) -> Iterator[Page]:
    """A signed-in browser; any error in a page's scripts, or word from another host, fails the test."""
    width, height = request.param
    context = chromium.new_context(viewport={"width": width, "height": height}, base_url=portal_with_match.url)
    context.set_default_timeout(60_000)
    page = context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on(
        "console", lambda said: faults.append(said.text) if said.type == "error" and "404" not in said.text else None
    )
    page.on("response", lambda r: None if r.status < 400 or r.url.endswith("/nowhere") else faults.append(r.url))
    page.on("request", lambda r: None if r.url.startswith((portal_with_match.url, "data:")) else faults.append(r.url))
    page.goto("/sign-in")
    page.fill("input[name=mail]", portal_with_match.parent[0])
    page.fill("input[name=password]", portal_with_match.parent[1])
    page.click("button.main")
    page.wait_for_url(portal_with_match.url + "/")
    yield page
    context.close()
    assert faults == []


def until(page: Page, condition: str) -> None:
    """Wait for a condition of the page; the driver's own waiting would need eval, which the pages' policy forbids."""
    end = time.monotonic() + 60
    while not page.evaluate(condition):
        assert time.monotonic() < end, condition
        page.wait_for_timeout(50)


def open_match(page: Page) -> None:
    page.click("a.card")
    # The controls show as soon as the page's modules have run.
    until(page, "!document.getElementById('controls').hidden && document.getElementById('video').readyState >= 1")


def at(page: Page) -> float:
    return page.evaluate("document.getElementById('video').currentTime")


def test_tapping_a_moment_seeks_the_video_and_the_buttons_lead_on(page):
    open_match(page)
    page.click('.moment[data-type="goal"]')
    until(page, "!document.getElementById('video').seeking")
    assert at(page) == pytest.approx(8.2 - 3, abs=0.1)
    assert "Goal" in page.inner_text("#now")
    assert page.evaluate("document.getElementById('video').getBoundingClientRect().top") > -1, "the video is in sight"
    page.click("#next")
    until(page, "!document.getElementById('video').seeking")
    assert at(page) == pytest.approx(14.0 - 3, abs=0.1)
    page.click("#previous")
    until(page, "!document.getElementById('video').seeking")
    assert at(page) < 14.0 - 3


def test_the_marks_on_the_bar_and_the_keyboard_seek_too(page):
    open_match(page)
    page.click("#marks .mark.type-corner")
    until(page, "!document.getElementById('video').seeking")
    assert at(page) == pytest.approx(11, abs=0.1)
    page.focus("#scrub")
    page.keyboard.press("ArrowRight")
    until(page, "!document.getElementById('video').seeking")
    assert at(page) == pytest.approx(13, abs=0.1)
    assert page.get_attribute("#scrub", "aria-valuetext") == "0:13"


def test_the_map_draws_everybody_and_keeps_step_with_the_video(page):
    open_match(page)
    until(page, "Number(document.getElementById('map').dataset.drawn) > 0")
    picture = "document.getElementById('map').toDataURL()"
    before = page.evaluate(picture)
    page.click('.moment[data-type="corner"]')
    until(page, f"{picture} !== {before!r}")
    # Tracks 1, 6, 11, 16 and 21 of the made-up match pause from second 17 on.
    assert page.get_attribute("#map", "data-drawn") == "24"
    page.evaluate("document.getElementById('video').currentTime = 18.5")
    until(page, "document.getElementById('map').dataset.drawn === '19'")


def test_playing_moves_the_clock(page):
    open_match(page)
    page.click("#play")
    until(page, "document.getElementById('video').currentTime > 1")
    until(page, "document.getElementById('clock').textContent !== '0:00'")
    assert page.get_attribute("#play", "aria-label") == "Pause"
    page.click("#play")
    until(page, "document.getElementById('video').paused")


def test_picking_a_player_shows_the_heat_map_and_the_same_in_numbers(page):
    open_match(page)
    page.click('.pick[data-track="3"]')
    until(page, "document.getElementById('heat').dataset.track === '3'")
    shares = page.locator("#thirds tbody td").all_inner_texts()
    assert 97 <= sum(int(share.removesuffix(" %")) for share in shares) <= 103


def test_a_clip_plays_on_a_tap_and_closes(page):
    open_match(page)
    page.click(".clip >> nth=0")
    until(page, "document.getElementById('clip-video').currentTime > 0")
    page.keyboard.press("Escape")
    until(page, "!document.getElementById('clip-box').open")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", ["/", f"/matches/{SESSION}", "/mailbox", "/sign-in", "/nowhere"])
def test_axe_finds_nothing_serious_and_nothing_sticks_out(page, path, scheme):
    page.emulate_media(color_scheme=scheme)
    context = page.context
    # axe comes in through the browser's own door; the pages' policy would refuse it as a script of the page.
    answer = page.goto(path)
    assert answer.status in (200, 404)
    page.wait_for_load_state("networkidle")
    page.evaluate(AXE.read_text() + "; 0")
    found = page.evaluate("axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa']})")
    bad = [(v["id"], [n["html"][:120] for n in v["nodes"]][:3]) for v in found["violations"]]
    assert bad == []
    assert page.evaluate("document.documentElement.scrollWidth") <= context.pages[0].viewport_size["width"]
