"""A made-up TeamSnap beside the small world, and a portal that is registered there."""

from dataclasses import dataclass, replace
from datetime import date
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from tests.fakes.teamsnap import CLIENT, SECRET, FakeTeamSnap, running_fake
from tests.viewer.world import World
from viewer.accounts.models import User
from viewer.clubs.invitations import invite
from viewer.imports import duties
from viewer.imports.models import ImportRun
from viewer.imports.runs import apply_run, changes_of
from viewer.imports.teamsnap.oauth import Tokens, connect, connection_of
from viewer.jobs.duties import Tools
from viewer.jobs.worker import Worker
from viewer.settings import TeamSnapApp


@dataclass
class Connected:
    """The world, the fake, and what a worker would do between them. `slept` are the seconds it waited."""

    world: World
    fake: FakeTeamSnap
    slept: list[float]

    @property
    def club(self) -> int:
        return self.world.ids["ours"]

    @property
    def app(self) -> TeamSnapApp:
        return self.world.portal.settings.teamsnap

    def let_in(self, **tokens) -> int:
        """Connect our club with tokens that the fake knows, without a browser."""
        given = self.fake._new_tokens()
        now = self.world.clock()
        kept = Tokens(given["access_token"], given.get("refresh_token"), None)
        with self.world.database.writing() as session:
            row = connect(session, self.world.portal.seal, self.club, replace(kept, **tokens), None, now)
            return row.id

    def work(self) -> None:
        """Let a worker do what is due; it never really sleeps."""
        portal = self.world.portal
        tools = Tools(portal.database, portal.settings, self.world.clock, portal.seal)
        kinds = [replace(kind, run=lambda work: duties.sync(work, self.slept.append)) for kind in duties.KINDS]
        Worker(tools, None, lambda: False, kinds).drain()

    def sync(self, by: str | None = "club_admin") -> None:
        """Ask for a look at TeamSnap, and let it be done."""
        with self.world.database.writing() as session:
            user = session.get_one(User, self.world.users[by]) if by else None
            assert duties.queue_sync(session, connection_of(session, self.club), self.world.clock(), user)
        self.work()

    def run(self) -> ImportRun | None:
        """The run that waits."""
        with self.world.database.reading() as session:
            waiting = session.query(ImportRun).filter_by(organization_id=self.club, state="open")
            return waiting.order_by(ImportRun.id.desc()).first()

    def changes(self):
        """What it would change."""
        run = self.run()
        return changes_of(run) if run else []

    def apply(self, which=lambda change: change.tickable):
        """Tick the changes that `which` picks and apply them as our club's admin."""
        run = self.run()
        ticked = {change.id for change in changes_of(run) if which(change)}
        with self.world.database.writing() as session:
            by = session.get_one(User, self.world.users["club_admin"])
            now, url = self.world.clock(), self.world.portal.settings.url
            return apply_run(session, run.id, ticked, now, by=by, invite=invite, url=url)

    def connection(self):
        with self.world.database.reading() as session:
            return connection_of(session, self.club)


@pytest.fixture
def fake():
    """A made-up TeamSnap that answers on a free port; its season begins in the world's autumn."""
    from tests.fakes.teamsnap import made_up

    with running_fake(FakeTeamSnap(made_up(date(2026, 11, 28)))) as fake:
        yield fake


@pytest.fixture
def teamsnap(world: World, fake: FakeTeamSnap) -> Connected:
    """Our club's portal, registered at the fake."""
    app = TeamSnapApp(CLIENT, SECRET, fake.url, f"{fake.url}/v3/")
    world.portal.settings = replace(world.portal.settings, teamsnap=app)
    fake.clock = lambda: world.clock().timestamp()
    duties._HREFS.clear()
    return Connected(world, fake, [])


def allow(address: str, *, deny: bool = False) -> dict[str, str]:
    """Do at the fake what a person does: look at its page and allow (or deny); what it sends the browser back with."""
    with httpx.Client() as browser:
        page = browser.get(address)
        assert page.status_code == 200, page.text
        links = [part.split("'")[0] for part in page.text.split("href='")[1:]]
        chosen = links[1] if deny else links[0]
        answer = browser.get(f"{address.split('/oauth', maxsplit=1)[0]}{chosen}")
        assert answer.status_code == 302
        back = urlsplit(answer.headers["location"])
        return {name: values[0] for name, values in parse_qs(back.query).items()}
