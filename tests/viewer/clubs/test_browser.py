"""Pages of clubs, teams and the platform in a real browser: what axe says, and that nothing sticks out."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext
from sqlalchemy import select

from viewer.accounts.models import Role
from viewer.accounts.people import make_user
from viewer.clock import now
from viewer.clubs.models import Organization, Player, Season, Team, TeamPlayer, Venue
from viewer.clubs.rosters import make_admin
from viewer.db import Database
from viewer.games.models import Game
from viewer.settings import Settings

AXE = Path(__file__).parents[3] / "viewer" / "node_modules" / "axe-core" / "axe.min.js"
ADMIN, PLATFORM = ("club-admin@example.org", "corner flag 44"), ("platform@example.org", "goal posts 55")
CLUB_PAGES = (
    *("/clubs/{slug}", "/clubs/{slug}/teams", "/clubs/{slug}/teams/{team}", "/clubs/{slug}/people?circle=parents"),
    *("/clubs/{slug}/people/invitations", "/clubs/{slug}/players", "/clubs/{slug}/devices"),
    *("/clubs/{slug}/devices/1", "/clubs/{slug}/devices/1/revoke", "/clubs/{slug}/seasons", "/clubs/{slug}/venues"),
    *("/clubs/{slug}/settings", "/teams/{team}", "/teams/{team}/games", "/teams/{team}/games/{game}"),
    *("/teams/{team}/games/new", "/teams/{team}/roster/new", "/teams/{team}/roster/{entry}", "/teams/{team}/former"),
    "/players/{player}",
)
PLATFORM_PAGES = (
    *("/platform", "/platform/clubs", "/platform/users", "/platform/users/1", "/platform/users/1/disable"),
    *("/platform/jobs", "/platform/mail?which=done", "/platform/storage", "/platform/settings"),
)
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def places(portal_with_match) -> dict[str, str | int]:
    """A club with a little of everything and its two admins; what the pages' addresses are filled with."""
    database = Database(Settings(data=portal_with_match.data).database_url)
    with database.writing() as session:
        club = session.scalars(select(Organization).order_by(Organization.id)).first()
        make_admin(session, make_user(session, ADMIN[0], "Admin", ADMIN[1], now(), Role.CLUB_ADMIN), club, now())
        make_user(session, PLATFORM[0], "Platform", PLATFORM[1], now(), Role.PLATFORM_ADMIN)
        day = now().date()
        session.add(
            Season(organization_id=club.id, name="2026/27", starts_on=day, ends_on=day.replace(year=day.year + 1))
        )
        session.add(Venue(organization_id=club.id, name="Riverside Park", latitude=47.4, longitude=8.5))
        game = session.scalars(select(Game)).first()
        entry = session.scalars(select(TeamPlayer).join(Player)).first()
        team = session.get_one(Team, entry.team_id)
        filled = {"slug": club.slug, "team": team.id, "game": game.id, "entry": entry.id, "player": entry.player_id}
        assert game.team_id == team.id
    database.close()
    return filled


@pytest.fixture(params=[390, 1280], ids="{}px".format)
def context(request, chromium, portal_with_match) -> Iterator[BrowserContext]:
    """A browser of a phone's or a desk's width."""
    size = {"width": request.param, "height": 800}
    context = chromium.new_context(viewport=size, base_url=portal_with_match.url, has_touch=request.param < 600)
    context.set_default_timeout(60_000)
    yield context
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("who", "pages"), [(ADMIN, CLUB_PAGES), (PLATFORM, PLATFORM_PAGES)], ids=["club", "platform"])
def test_axe_finds_nothing_on_any_page_and_nothing_sticks_out(context, places, who, pages, scheme):
    page = context.new_page()
    faults: list[str] = []
    page.on("console", lambda said: faults.append(said.text) if said.type == "error" else None)
    page.emulate_media(color_scheme=scheme)
    page.goto("/sign-in")
    page.fill("input[name=mail]", who[0])
    page.fill("input[name=password]", who[1])
    page.click("button.main")
    page.wait_for_load_state("networkidle")
    for address in pages:
        wanted = address.format_map(places)
        answer = page.goto(wanted)
        assert (answer.status, answer.request.redirected_from) == (200, None), wanted
        page.evaluate(AXE.read_text() + "; 0")
        found = page.evaluate("axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa']})")
        said = [(v["id"], [n["html"][:120] for n in v["nodes"]][:3]) for v in found["violations"]]
        assert said == [], wanted
        assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"], wanted
    assert faults == []


def test_a_player_is_added_with_the_form_and_a_mistake_is_told_beside_its_field(context, places):
    page = context.new_page()
    page.goto("/sign-in")
    page.fill("input[name=mail]", ADMIN[0])
    page.fill("input[name=password]", ADMIN[1])
    page.click("button.main")
    page.wait_for_load_state("networkidle")
    page.goto(f"/teams/{places['team']}/roster/new")
    name = f"Noa {page.viewport_size['width']}"
    page.get_by_label("First name").fill(name)
    page.get_by_label("Last name").fill("New")
    page.get_by_label("Plays here since").fill("2099-01-01")
    page.get_by_role("button", name="Add").click()
    assert page.get_by_role("alert").inner_text().startswith("Not saved.")
    field = page.get_by_label("Plays here since")
    assert field.get_attribute("aria-invalid") == "true"
    assert page.locator(f"#{field.get_attribute('aria-describedby')}").inner_text() == "That day has not come yet."
    assert page.get_by_label("First name").input_value() == name
    field.fill("2026-01-01")
    page.get_by_role("button", name="Add").click()
    assert page.get_by_role("status").inner_text() == "Added."
    assert page.get_by_role("link", name=f"{name} New").is_visible()
