"""The pages in a real browser: seeking, the map, the numbers, and what axe says."""

import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page

from wire.pitch_tracks import Role, decode_pitch_tracks

SESSION = "1795344000-0a1b2c3d4e"
AXE = Path(__file__).parents[2] / "viewer" / "node_modules" / "axe-core" / "axe.min.js"
SIZES = [(390, 844), (1280, 800)]
pytestmark = pytest.mark.slow


@pytest.fixture(params=SIZES, ids=lambda size: f"{size[0]}px")
def page(request, chromium, portal_with_match) -> Iterator[Page]:
    """A signed-in browser; any error in a page's scripts, or word from another host, fails the test."""
    width, height = request.param
    touch = width < 600
    context = chromium.new_context(
        viewport={"width": width, "height": height}, base_url=portal_with_match.url, has_touch=touch
    )
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
    page.wait_for_url("**/matches/*")
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


# ---------------------------------------------------------------------------------------------- the zoomed picture

CENTRE = "(s => (s.scrollLeft + s.clientWidth / 2) / s.scrollWidth)(document.querySelector('.screen'))"
FRAME = "(s => s.clientWidth / s.scrollWidth)(document.querySelector('.screen'))"
FOLLOWS = "document.getElementById('follow').getAttribute('aria-pressed') === 'true'"


@pytest.fixture(scope="session")
def ball(made_package):
    """Where the panorama shows the ball, as a share of its width, at each frame; and a run of it from left to right."""
    tracks = decode_pitch_tracks(made_package.files["match.tracks"])
    (ball,) = [track.id for track in tracks.tracks if track.role is Role.BALL]
    _, xy, _ = tracks.of(ball)
    share = made_package.view.project(np.column_stack([xy, np.zeros(len(xy))]))[:, 0] / made_package.width
    # The run's ends are turning points, so that the ball goes one way in between.
    right = int(np.argmax(share[: 15 * 25]))
    left = max(0, right - int(np.argmax(np.diff(share[: right + 1])[::-1] < 0)))
    assert share[right] - share[left] > 0.4
    return share, left / 25, right / 25


def in_reach(page: Page, share: float) -> float:
    """The place nearest to `share` that can be in the middle of the frame."""
    half = page.evaluate(FRAME) / 2
    return min(max(share, half), 1 - half)


def look_at(page: Page, seconds: float, share: float) -> None:
    """Go to a time and wait until the picture has settled on `share`."""
    page.evaluate(f"document.getElementById('video').currentTime = {seconds}")
    until(page, f"Math.abs({CENTRE} - {in_reach(page, share)}) < 0.01")


def zoom_in(page: Page) -> None:
    if page.get_attribute("#zoom", "aria-pressed") == "false":
        page.click("#zoom")


def test_a_phone_starts_close_to_the_ball_and_a_desk_with_the_whole_picture(page):
    open_match(page)
    phone = page.viewport_size["width"] < 600
    assert page.get_attribute("#zoom", "aria-pressed") == str(phone).lower()
    assert page.is_visible("#follow") is phone
    assert (page.evaluate(FRAME) < 0.6) is phone
    page.click("#zoom")
    assert page.is_visible("#follow") is not phone
    assert (page.evaluate(FRAME) < 0.8) is not phone


def test_the_zoomed_picture_glides_after_the_ball_from_left_to_right(page, ball):
    share, left_s, right_s = ball
    open_match(page)
    zoom_in(page)
    look_at(page, left_s, share[int(left_s * 25)])
    page.click("#play")
    seen = []
    while (now := at(page)) < right_s - 0.2:
        seen.append((now, page.evaluate(CENTRE)))
    page.click("#play")
    places = [place for _, place in seen]
    assert all(b > a - 0.01 for a, b in pairwise(places)), "it goes one way"
    steps = sorted({round(place, 2) for place in places})
    assert len(steps) >= 5, "it glides"
    until(page, "document.getElementById('video').paused && !document.getElementById('video').seeking")
    look_at(page, at(page), share[round(at(page) * 25)])
    assert page.evaluate(CENTRE) > places[0] + 0.1


@pytest.mark.parametrize("by", ["wheel", "arrow keys", "mouse", "touch"])
def test_moving_the_picture_by_hand_stops_following_until_asked_again(page, ball, by):
    if by == "touch" and page.viewport_size["width"] > 600:
        pytest.skip("this screen has no touch")
    share, left_s, right_s = ball
    open_match(page)
    zoom_in(page)
    look_at(page, left_s, share[int(left_s * 25)])
    assert page.evaluate(FOLLOWS)
    page.click("#play")
    move(page, by)
    until(page, f"!({FOLLOWS})")
    page.click("#play")
    assert page.evaluate("document.getElementById('video').paused"), "a drag is no tap on the picture"
    # The scrolling that the browser itself animates comes to rest first.
    page.wait_for_timeout(400)
    kept = page.evaluate(CENTRE)
    page.evaluate(f"document.getElementById('video').currentTime = {right_s}")
    until(page, "!document.getElementById('video').seeking")
    page.wait_for_timeout(300)
    assert page.evaluate(CENTRE) == pytest.approx(kept, abs=0.01)
    page.click("#follow")
    assert page.evaluate(FOLLOWS)
    until(page, f"Math.abs({CENTRE} - {in_reach(page, share[int(right_s * 25)])}) < 0.01")


def move(page: Page, by: str) -> None:
    """Push the picture a little, as people do."""
    page.evaluate("document.querySelector('.screen').scrollIntoView()")
    box = page.locator(".screen").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    if by == "wheel":
        page.mouse.move(x, y)
        page.mouse.wheel(60, 0)
    elif by == "arrow keys":
        page.focus(".screen")
        page.keyboard.press("ArrowRight")
    elif by == "mouse":
        page.mouse.move(x, y)
        page.mouse.down()
        page.mouse.move(x - 60, y, steps=4)
        page.mouse.up()
    else:
        finger = page.context.new_cdp_session(page)
        places = [{"x": x - 12 * step, "y": y} for step in range(6)]
        finger.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": places[:1]})
        for place in places[1:]:
            finger.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": [place]})
        finger.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


def test_full_screen_and_back_is_no_hand_on_the_picture(page, ball):
    share, left_s, right_s = ball
    open_match(page)
    zoom_in(page)
    look_at(page, left_s, share[int(left_s * 25)])
    page.click("#play")
    for full in ("true", "false"):
        page.click("#full")
        until(page, f"Boolean(document.fullscreenElement) === {full}")
        # The picture takes on its new size a few frames later.
        page.wait_for_timeout(500)
        assert page.evaluate(FOLLOWS), full
    page.click("#play")
    look_at(page, right_s, share[int(right_s * 25)])


def test_without_a_ball_the_picture_shows_the_middle_of_the_players(page):
    def without_ball(route) -> None:
        chunk = route.fetch().json()
        chunk["tracks"] = [
            {**track, "at": 0, "xy": [4000, 0] * chunk["samples"]}
            for track in chunk["tracks"]
            if track["role"] == "player"
        ]
        route.fulfill(json=chunk)

    page.route("**/tracks.json*", without_ball)
    open_match(page)
    zoom_in(page)
    until(page, f"{CENTRE} > 0.5 + 0.1 * (1 - {FRAME})")


def test_those_who_want_less_motion_get_rare_jumps(page, ball):
    share, left_s, right_s = ball
    page.emulate_media(reduced_motion="reduce")
    open_match(page)
    zoom_in(page)
    look_at(page, left_s, share[int(left_s * 25)])
    page.click("#play")
    places = []
    while at(page) < right_s - 0.2:
        places.append(page.evaluate(CENTRE))
    assert len({round(place, 2) for place in places}) <= 2 + (right_s - left_s) / 2


def test_the_page_stays_where_it_is_when_the_picture_is_in_sight(page):
    open_match(page)
    page.evaluate("scrollTo(0, 14)")
    page.evaluate("document.querySelector('.moment[data-type=corner]').click()")
    assert page.evaluate("scrollY") == 14
    page.evaluate("scrollTo(0, document.body.scrollHeight)")
    page.evaluate("document.querySelector('.moment[data-type=corner]').click()")
    top = page.evaluate("document.querySelector('.screen').getBoundingClientRect().top")
    assert top == pytest.approx(0, abs=1)


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
    assert found_by_axe(page) == []
    if page.query_selector("#zoom"):
        page.click("#zoom")
        assert found_by_axe(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= context.pages[0].viewport_size["width"]


def found_by_axe(page: Page) -> list[tuple[str, list[str]]]:
    found = page.evaluate("axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa']})")
    return [(v["id"], [n["html"][:120] for n in v["nodes"]][:3]) for v in found["violations"]]
