"""The node's page in a real browser: what a thumb can do with it, what it tells, and what axe says."""

import re
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from playwright.sync_api import Page

from edge.gates import checks
from firmware.health import Battery
from wire.readiness import Finding, Verdict

ROOT = Path(__file__).parents[3]
AXE = ROOT / "viewer" / "node_modules" / "axe-core" / "axe.min.js"
PIN = "374 910"
SIZES = [(360, 740), (1280, 800)]
ALARM = "the camera was knocked: its picture has moved by 34 pixels since the view was locked; point it as before"
pytestmark = pytest.mark.slow


@pytest.fixture(params=SIZES, ids=lambda size: f"{size[0]}px")
def stranger(request, chromium, node) -> Iterator[Page]:
    """The page of somebody who has not signed in; an error in its scripts, or word to another host, fails the test."""
    width, height = request.param
    context = chromium.new_context(
        viewport={"width": width, "height": height}, base_url=node.url, has_touch=width < 600
    )
    context.set_default_timeout(20_000)
    page = context.new_page()
    faults: list[str] = []
    # What the node refuses is an answer as any other; the browser notes each as an error.
    refusals = re.compile("status of (401|403|404|409|503)|net::ERR_FAILED")
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on(
        "console",
        lambda said: faults.append(said.text) if said.type == "error" and not refusals.search(said.text) else None,
    )
    page.on("request", lambda r: None if r.url.startswith((node.url, "data:", "blob:")) else faults.append(r.url))
    page.goto("/")
    yield page
    context.close()
    assert faults == []


@pytest.fixture
def page(stranger) -> Page:
    """A signed-in operator's page."""
    return signed_in(stranger)


def signed_in(page: Page) -> Page:
    page.fill("#pin", PIN)
    page.click("#sign-in button")
    page.wait_for_selector("#record")
    shows(page, "#state", "Ready")
    return page


def until(page: Page, condition: str) -> None:
    """Wait for a condition of the page; the driver's own waiting would need eval, which the page's policy forbids."""
    end = time.monotonic() + 20
    while not page.evaluate(condition):
        assert time.monotonic() < end, condition
        page.wait_for_timeout(30)


def shows(page: Page, selector: str, text: str) -> None:
    until(page, f"document.querySelector({selector!r}).textContent.includes({text!r})")


def visible(page: Page, selector: str) -> bool:
    return page.locator(selector).is_visible()


# ---------------------------------------------------------------------------------------------- who is there


def test_a_stranger_sees_whether_it_records_and_no_picture(stranger, node):
    stranger.wait_for_selector("#sign-in")
    shows(stranger, "#state", "Ready")
    assert not visible(stranger, "#picture")
    assert not visible(stranger, "#record")
    node.records()
    shows(stranger, "#state", "Recording 12:34")
    assert node.asked == []


def test_a_wrong_pin_is_told_and_the_right_one_lets_in_and_out_again(stranger, node):
    stranger.fill("#pin", "000000")
    stranger.press("#pin", "Enter")
    shows(stranger, "#sign-in-fault", "this is not the node's PIN")
    stranger.fill("#pin", PIN)
    stranger.press("#pin", "Enter")
    stranger.wait_for_selector("#record")
    assert not visible(stranger, "#sign-in")
    until(stranger, "document.getElementById('still').naturalWidth === 960")
    stranger.click("#sign-out")
    stranger.wait_for_selector("#sign-in")
    assert not visible(stranger, "#picture")
    assert stranger.get_attribute("#still", "src") is None


# ------------------------------------------------------------------------------------------------ recording


def test_one_tap_records_and_marks_and_holding_stops(page, node):
    page.click("#record")
    shows(page, "#state", "Recording 0:00")
    [order] = node.orders
    assert re.fullmatch(r"1795344000-[0-9a-f]{10}", order.session)
    # The node's clock, not the phone's, gives the zero.
    assert 0 <= order.start_ns - 1_795_344_000_123_456_789 < 30_000_000_000
    node.records(order.session)
    shows(page, "#state", "Recording 12:34")
    page.click("#mark")
    shows(page, "#said", "Marked at 12:34.")
    box = page.locator("#record").bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    shows(page, "#state", "Ready")
    page.mouse.up()
    shows(page, "#said", "The recording is safe.")
    assert not visible(page, "#stop-box")
    assert node.asked == ["POST record/start", "POST mark", "POST record/stop"]


def test_news_from_before_a_start_do_not_take_its_answer_back(page, node):
    """Its answer may overtake an event that was under way; one that still says so later is believed."""
    node.late = node.status
    page.click("#record")
    shows(page, "#state", "Recording 0:00")
    page.click("#mark")
    shows(page, "#said", "Marked at 0:00.")
    page.wait_for_timeout(500)
    assert page.inner_text("#state") == "Recording 0:00"
    assert page.inner_text("#said") == "Marked at 0:00."
    shows(page, "#state", "Ready")


def test_a_short_tap_asks_before_it_stops(page, node):
    node.records()
    shows(page, "#state", "Recording")
    page.click("#record")
    page.click("#go-on")
    assert node.status.recording
    page.focus("#record")
    page.keyboard.press("Enter")
    page.click("#stop")
    shows(page, "#state", "Ready")
    assert node.asked == ["POST record/stop"]


def test_a_closed_gate_says_why_and_can_be_passed_knowingly(page, node):
    node.refuses = True
    page.click("#record")
    shows(page, "#refused", "the clock follows nobody")
    # Only what keeps it from recording.
    assert page.locator("#refused-gates li").count() == 1
    assert page.evaluate("document.activeElement.id") == "refused-title"
    assert page.inner_text("#state") == "Ready"
    page.click("#override")
    shows(page, "#state", "Recording")
    assert not visible(page, "#refused")
    assert [order.override for order in node.orders] == [(), ("clock",)]
    assert node.orders[0].session != node.orders[1].session


def test_nobody_is_offered_to_pass_a_gate_that_stays_closed(page, node):
    clock, battery, _ = node.gates.gates
    camera = Finding(
        code="camera", verdict=Verdict.FAIL, sentence="there is no camera on this board", overridable=False
    )
    node.gates = msgspec.structs.replace(node.gates, gates=(camera, clock, battery))
    node.refuses = True
    page.click("#record")
    shows(page, "#refused", "there is no camera on this board")
    shows(page, "#refused", "the clock follows nobody")
    assert not visible(page, "#override")
    # Plugged in again.
    node.gates = msgspec.structs.replace(node.gates, gates=(clock, battery))
    page.click("#record")
    until(page, "document.querySelectorAll('#refused-gates li').length === 1")
    assert visible(page, "#override")


def test_how_long_it_will_be_is_told_to_the_gates_and_remembered(page, node):
    page.click("#record")
    shows(page, "#state", "Recording")
    assert [order.planned_minutes for order in node.orders] == [None]
    node.status = msgspec.structs.replace(node.status, recording=None)
    page.select_option("#planned", "120")
    page.reload()
    page.wait_for_selector("#record")
    assert page.input_value("#planned") == "120"
    shows(page, "#state", "Ready")
    page.click("#record")
    shows(page, "#state", "Recording")
    assert [order.planned_minutes for order in node.orders] == [None, 120]


# -------------------------------------------------------------------------------------------------- how it is


def test_the_node_is_told_in_figures(page, node):
    shows(page, "#space", "5 h left")
    shows(page, "#temperature", "52 °C")
    shows(page, "#clock", "−0.2 ms")
    shows(page, "#clock", "within 1.1 ms, by 10.42.0.1")
    shows(page, "#battery", "81 %")
    shows(page, "#supply", "5.12 V")
    node.board = msgspec.structs.replace(
        node.board, temperature_c=78.0, supply=None, battery=Battery(percent=8, discharging=True)
    )
    node.clock = msgspec.structs.replace(node.clock, offset_ns=None, uncertainty_ns=16_000_000_000)
    node.clock_verdict = Verdict.FAIL
    node.storage = msgspec.structs.replace(node.storage, minutes_left=17.9, level="low")
    shows(page, "#temperature", "78 °C")
    shows(page, "#supply", "not told")
    shows(page, "#clock", "offset unknown")
    shows(page, "#clock", "within 16 s")
    shows(page, "#space", "17 min left")
    verdicts = {id: page.get_attribute(f"#{id}", "data-verdict") for id in ("temperature", "battery", "clock", "space")}
    assert verdicts == {"temperature": "warn", "battery": "fail", "clock": "fail", "space": "warn"}


def test_lost_frames_are_told_when_there_are_any_and_took_their_time(page, node):
    node.records()
    shows(page, "#state", "Recording 12:34")
    assert not visible(page, "#lost")
    node.records(frames=25 * 754 - 34, frames_dropped=34)
    shows(page, "#lost", "Lost frames34 of 18850, less than 1 %")
    assert visible(page, "#lost")
    node.records(frames=25 * 500, frames_dropped=25 * 254)
    shows(page, "#lost", "6350 of 18850, 34 %")
    assert page.inner_text("#state") == "Recording 12:34"
    node.status = msgspec.structs.replace(node.status, recording=None)
    shows(page, "#state", "Ready")
    assert not visible(page, "#lost")


def test_an_alarm_is_told_while_it_lasts(page, node):
    node.records(alarms=(ALARM,), fault="the coder choked on frame 30")
    shows(page, "#alarms", ALARM)
    assert page.locator("#alarms .alarm").count() == 2
    assert page.evaluate("document.getElementById('alarms').getAttribute('role')") == "alert"
    node.records()
    until(page, "document.getElementById('alarms').children.length === 0")


def test_numbers_look_bad_where_the_gates_find_them_bad():
    limits = dict(
        re.findall(r"(\w+): (\d+)", re.search(r"LIMITS = {(.+)}", (ROOT / "edge/page/show.js").read_text())[1])
    )
    assert {name: float(value) for name, value in limits.items()} == {
        "hotC": checks.HOT_C,
        "warmC": checks.WARM_C,
        "batteryEmpty": checks.BATTERY_EMPTY,
        "batteryLow": checks.BATTERY_LOW,
    }


# ------------------------------------------------------------------------------------------- pictures and checks


def test_the_live_picture_plays_and_says_why_it_is_off(page, node):
    page.click("#watch")
    until(page, "document.getElementById('live').currentTime > 0 && document.getElementById('live').videoWidth === 960")
    assert visible(page, "#live")
    node.off = "the board is 78 °C warm: the live picture is off, and tries again by itself"
    shows(page, "#live-says", "78 °C warm")
    # Single pictures are shown meanwhile.
    until(page, "document.getElementById('live').hidden && document.getElementById('still').naturalWidth === 960")
    node.off = None
    until(page, "!document.getElementById('live').hidden")
    page.click("#watch")
    assert not visible(page, "#live")
    assert page.get_attribute("#watch", "aria-pressed") == "false"


def test_the_assistant_says_what_to_do_and_the_view_is_locked(page, node):
    shows(page, "#view", "No view is locked: each recording is compared with its own")
    page.click("#frame")
    shows(page, "#advice", "Tilt")
    until(page, "document.getElementById('still').naturalWidth === 640")
    assert page.get_attribute("#frame", "aria-pressed") == "true"
    node.framing = msgspec.structs.replace(
        node.framing, framing=msgspec.structs.replace(node.framing.framing, good=True, score=1.0, sentences=())
    )
    shows(page, "#advice", "The picture is good")
    page.click("#lock")
    shows(page, "#view", "The view is locked")
    page.click("#frame")
    until(page, "document.getElementById('frame').getAttribute('aria-pressed') === 'false'")
    assert node.asked == ["POST framing/start", "POST view/lock", "POST framing/stop"]


def test_gates_and_self_test_are_told_finding_by_finding(page, node):
    page.click("#ask-gates")
    shows(page, "#checked", "The node would not record.")
    assert page.locator("#findings li").all_inner_texts()[1].startswith("⚠ look")
    page.click("#self-test")
    shows(page, "#checked", "Testing")
    shows(page, "#checked", "Something has failed.")
    assert page.locator("#findings .fail").count() == 1


def test_the_gates_are_asked_for_as_long_as_is_chosen(page, node):
    page.click("#ask-gates")
    shows(page, "#checked", "The node would not record.")
    page.select_option("#planned", "360")
    assert page.inner_text("#checked") == ""
    assert page.locator("#findings li").count() == 0
    page.click("#ask-gates")
    shows(page, "#checked", "The node would not record.")
    assert node.gates_asked == ["", "planned_minutes=360"]


def test_a_node_that_falls_silent_is_told(page):
    page.route("**/api/v1/**", lambda route: route.abort())
    page.click("#record")
    shows(page, "#said", "The node does not answer.")


# ----------------------------------------------------------------------------------------------------- for all


STATES = {
    "signed out": lambda _page, _node: None,
    "idle": lambda _page, _node: None,
    "gate closed": lambda page, node: (setattr(node, "refuses", True), page.click("#record")),
    "recording": lambda _page, node: node.records(),
    "alarm": lambda _page, node: node.records(alarms=(ALARM,)),
    "stopping": lambda page, node: (node.records(), shows(page, "#state", "Recording"), page.click("#record")),
    "checked": lambda page, _node: (page.click("#frame"), page.click("#ask-gates")),
}
SIGNS = {
    "signed out": ("#state", "Ready"),
    "idle": ("#battery", "81 %"),
    "gate closed": ("#refused", "follows nobody"),
    "recording": ("#state", "Recording"),
    "alarm": ("#alarms", "knocked"),
    "stopping": ("#stop-box", "Stop"),
    "checked": ("#checked", "would not"),
}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("state", STATES)
def test_axe_finds_nothing_nothing_sticks_out_and_every_target_is_a_thumbs(stranger, node, state, scheme):
    page = stranger if state == "signed out" else signed_in(stranger)
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    STATES[state](page, node)
    shows(page, *SIGNS[state])
    page.evaluate(AXE.read_text() + "; 0")
    found = page.evaluate("axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa']})")
    assert [(v["id"], [n["html"][:120] for n in v["nodes"]][:3]) for v in found["violations"]] == []
    width = page.viewport_size["width"]
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    for button in page.locator("button:visible").all():
        assert button.bounding_box()["height"] >= 48
