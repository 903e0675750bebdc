"""The node's page on a node as it runs: what the page believes of the API holds."""

import contextlib
import time

import pytest

from bench.faults.campaign import SupervisedNode
from edge.api.access import PIN_FILE, OperatorPin
from edge.ledger import Ledger

PIN = "374 910"
pytestmark = pytest.mark.slow


@pytest.fixture
def node(tmp_path):
    data = tmp_path / "node"
    data.mkdir()
    OperatorPin(data / PIN_FILE).set(PIN)
    with SupervisedNode(data, tmp_path / "node.log") as running:
        yield running


def until(page, condition) -> None:
    end = time.monotonic() + 30
    while not page.evaluate(condition):
        assert time.monotonic() < end, (condition, page.inner_text("body"))
        page.wait_for_timeout(30)


def shows(page, selector, text) -> None:
    until(page, f"document.querySelector({selector!r}).textContent.includes({text!r})")


def test_an_operator_signs_in_looks_locks_records_marks_and_stops(chromium, node):
    context = chromium.new_context(viewport={"width": 390, "height": 844}, base_url=node.url, has_touch=True)
    page = context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("response", lambda answer: faults.append(answer.url) if answer.status in (400, 404, 405, 500) else None)
    page.goto("/")
    page.fill("#pin", PIN)
    page.press("#pin", "Enter")
    page.wait_for_selector("#record")
    shows(page, "#state", "Ready")
    until(page, "document.getElementById('still').naturalWidth === 320")
    shows(page, "#space", "GB")
    page.click("#lock")
    shows(page, "#view", "locked")
    page.click("#record")
    shows(page, "#state", "Recording")
    page.click("#mark")
    shows(page, "#said", "Marked at")
    page.click("#watch")
    until(page, "document.getElementById('live').videoWidth === 320 && document.getElementById('live').currentTime > 0")
    page.click("#record")
    page.click("#stop")
    shows(page, "#said", "The recording is safe.")
    shows(page, "#state", "Ready")
    page.click("#sign-out")
    page.wait_for_selector("#sign-in")
    context.close()
    assert faults == []
    with contextlib.closing(Ledger(node.data / "ledger.sqlite")) as ledger:
        [session] = ledger.sessions()
        assert session.finished
        assert len(ledger.marks(session.session)) == 1
