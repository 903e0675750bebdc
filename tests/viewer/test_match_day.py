"""A match from a hub's upload to a parent's page, through real processes."""

import httpx
import pytest

SESSION = "1795344000-0a1b2c3d4e"


@pytest.mark.slow
def test_a_parent_finds_the_uploaded_match_with_its_score_events_and_clips(portal_with_match):
    with portal_with_match.signed_in(portal_with_match.parent) as browser:
        home = browser.get("/").text
        assert f"/matches/{SESSION}" in home
        page = browser.get(f"/matches/{SESSION}").text
    assert "Riverside Rovers" in page
    assert 'aria-label="1 to 0"' in page
    assert page.count('class="moment"') == 6
    assert page.count('class="clip"') == 2


@pytest.mark.slow
def test_parent_and_coach_each_got_one_mail_with_the_matchs_address(portal_with_match):
    portal_with_match.wait_for(
        lambda: httpx.get(f"{portal_with_match.url}/mailbox").text.count("<article") == 2, "the mails"
    )
    mailbox = httpx.get(f"{portal_with_match.url}/mailbox").text
    assert "to parent@example.org" in mailbox
    assert "to coach@example.org" in mailbox
    assert '<a class="button" href="/">To my matches</a>' in mailbox
    assert f"{portal_with_match.url}/matches/{SESSION}" in mailbox
