"""Every page that a link leads to, as everybody of the demo club: no link is dead, and axe finds nothing."""

import re
from collections import Counter, deque
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

import httpx
import pytest

from simulator.club.making import make_club, sign_ins
from simulator.console import Console
from tests.conftest import AXE
from tests.viewer.portals import RunningPortal, answers, end, free_port
from viewer.clock import now
from viewer.db import Database
from viewer.db.migrate import upgrade
from viewer.jobs.duties import Tools
from viewer.sealing import open_seal
from viewer.settings import Settings

pytestmark = pytest.mark.slow
OF_A_KIND = 12
"""Addresses that are asked for of each kind of page."""


class Links(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.found += [value for name, value in attrs if name in ("href", "src", "poster") and value]


def kind_of(address: str) -> str:
    """An address without what tells one thing of a kind from another."""
    path = re.sub(r"(/matches|/clubs)/[^/]+", r"\1/X", urlsplit(address).path)
    return re.sub(r"/(media|static)/.*", r"/\1/X", re.sub(r"/\d+(?=/|$)", "/N", path))


@pytest.fixture(scope="module")
def served(tmp_path_factory, footage):
    """A portal with the club, up; and who can sign in."""
    folder = tmp_path_factory.mktemp("club")
    settings = Settings(data=folder / "portal")
    settings.make_folders()
    database = Database(settings.database_url)
    upgrade(database)
    tools = Tools(database, settings, now, open_seal(settings.data))
    with (folder / "said").open("w") as said:
        make_club(tools, 1, footage, Console(said))
    people = {account.who: account for account in sign_ins(tools, operator=True)}
    database.close()
    portal = RunningPortal(settings.data, free_port(), "")
    server = portal.start("serve")
    portal.wait_for(lambda: answers(portal.url), "the portal's start")
    yield portal, people
    end(server)


WHO = ("admin", "coach", "manager", "parent", "player", "platform admin")


def walk(client: httpx.Client) -> tuple[dict[str, str], list[str]]:
    """One page of each kind that links lead to, and what did not open."""
    todo, asked, pages, dead = deque(["/", "/account", "/join"]), Counter(), {}, []
    seen = set(todo)
    while todo:
        address = todo.popleft()
        asked[kind_of(address)] += 1
        if asked[kind_of(address)] > OF_A_KIND:
            continue
        answer = client.get(address)
        if answer.status_code >= 400:
            dead.append(f"{answer.status_code} {address}")
        links = [answer.headers["location"]] if answer.is_redirect else []
        if "text/html" in answer.headers.get("content-type", ""):
            pages.setdefault(kind_of(address), address)
            links = Links(answer.text).found
        for link in links:
            parts = urlsplit(urljoin(f"{client.base_url}{address}", link))
            here = f"{parts.path}?{parts.query}" if parts.query else parts.path
            if parts.netloc == client.base_url.netloc.decode() and here not in seen:
                seen.add(here)
                todo.append(here)
    return pages, dead


@pytest.mark.parametrize("who", WHO)
def test_no_link_is_dead_and_axe_is_content(served, chromium, who):
    portal, people = served
    account = people[who]
    with portal.signed_in((account.mail, account.password)) as client:
        pages, dead = walk(client)
        cookies = [
            {"name": c.name, "value": c.value, "url": portal.url} for c in client.cookies.jar if c.value is not None
        ]
    assert dead == []
    assert len(pages) >= {"admin": 40, "platform admin": 30, "coach": 20, "manager": 20}.get(who, 12), sorted(pages)
    assert faults_of(portal, chromium, cookies, pages) == []


def test_what_a_link_to_a_clip_opens_is_sound_too(served, chromium):
    portal, people = served
    with portal.signed_in((people["parent"].mail, people["parent"].password)) as client:
        matches = [a for a in Links(client.get("/").text).found if a.startswith("/matches/")]
        forms = {a for match in matches for a in Links(client.get(match).text).found if a.endswith("/share")}
        made = [client.post(form, data={"days": "7"}).text for form in sorted(forms)]
    links = [found.group() for found in (re.search(r"/s/[\w-]+", page) for page in made) if found]
    assert links, "the demo has a clip that may be shared"
    pages = {
        "/s/X": links[0],
        "/s/X/removal": f"{links[0]}/removal",
        "/s/X/removal asked": f"{links[0]}/removal?asked=1",
    }
    assert faults_of(portal, chromium, [], pages) == []


def faults_of(portal: RunningPortal, chromium, cookies: list[dict[str, str]], pages: dict[str, str]) -> list[str]:
    """What axe finds on the pages as a phone shows them, and which are too wide for it."""
    faults = []
    context = chromium.new_context(viewport={"width": 390, "height": 844}, base_url=portal.url, bypass_csp=True)
    context.add_cookies(cookies)
    page = context.new_page()
    page.set_default_timeout(60_000)
    for kind, address in sorted(pages.items()):
        answer = page.goto(address)
        faults += [] if answer and answer.ok else [f"{kind} did not open"]
        page.add_script_tag(path=str(AXE))
        found = page.evaluate("axe.run().then(r => r.violations.map(v => `${v.id}: ${v.nodes[0].html}`))")
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        faults += [f"{kind} {fault}" for fault in found] + ([f"{kind} is {wide} px too wide"] if wide > 0 else [])
    context.close()
    return faults
