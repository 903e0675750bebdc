"""A true address for every page of the portal, and somebody whom it opens to."""

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

import numpy as np
from litestar import Litestar
from litestar.routes import HTTPRoute
from sqlalchemy import select
from sqlalchemy.orm import Session

from bench.portal.crowd import NOW, Size
from viewer.accounts.models import Purpose, Role, User
from viewer.accounts.people import make_user
from viewer.accounts.service import key_hash, new_sign_in
from viewer.accounts.tickets import issue
from viewer.clubs.actor import Actor
from viewer.clubs.invitations import invite
from viewer.clubs.models import OrganizationAdmin, TeamPlayer
from viewer.devices.keys import make_key
from viewer.devices.models import Device
from viewer.games.models import Clip, Recording
from viewer.imports.runs import make_run
from viewer.imports.sheets import Sheet, example, read_sheet
from viewer.imports.teamsnap import oauth
from viewer.jobs.lease import State
from viewer.jobs.models import Job
from viewer.mail.models import Mail
from viewer.mail.unsubscribing import MATCHES, unsubscribe_url
from viewer.media.links import LinkFor, media_link
from viewer.privacy.export import ask_export, export_path
from viewer.settings import Settings, TeamSnapApp
from viewer.shares.links import make_share
from viewer.web.access import Access, cookie_name
from viewer.web.portal import Portal
from wire.pitch_tracks import PitchTracks, TeamSide, Track, encode_pitch_tracks
from wire.pitch_tracks import Role as OnPitch

APP = TeamSnapApp("bench", "bench")
LEADS_ON = {"/invitation/{secret}", "/mail-change/{secret}", "/reset/{secret}"}
"""Links of mails, which answer with a redirect; everything else is a page, a file or data."""
_CALLBACK = "/imports/teamsnap/callback"
_NOBODYS = {"/invitation", "/sign-in", "/sign-in/forgotten"}
_CARRIED = {"/invitation": "invitation", "/invitation/mine": "invitation", "/mail-change": "mail", "/reset": "reset"}
"""Pages that take the secret of a mailed link from a cookie, and which secret."""
_MORE = {
    "/": (f"before={int(NOW.timestamp()) - 70 * 86400}000000000",),
    "/clubs/{organization_slug}/audit": (
        *("act=share", "actor=user3@example.org", "since=2026-03-01&until=2026-03-31", "before=100000"),
    ),
    "/clubs/{organization_slug}/people": ("circle=parents", "circle=staff"),
    "/clubs/{organization_slug}/removals": ("decided=true",),
    "/platform/jobs": ("kind=mail",),
    "/platform/mail": ("which=done", "which=failed", "which=done&before=5000"),
    "/platform/storage": ("club=club-1",),
}
"""What else is asked of a page, where that is another question to the database."""


class NoValue(Exception):
    """A path parameter for which nothing is known here."""


@dataclass(frozen=True)
class Question:
    """A page to ask for: its path as the route has it, whom it is for, and what follows the path."""

    path: str
    access: str
    query: str = ""

    @property
    def name(self) -> str:
        """As the table prints it."""
        return self.path + (f"?{self.query}" if self.query else "")


def questions(app: Litestar) -> Iterator[Question]:
    """Every route that answers GET."""
    for route in app.routes:
        if not isinstance(route, HTTPRoute):
            continue
        path = re.sub(r":\w+}", "}", route.path_format)
        for handler in route.route_handlers:
            access = handler.opt.get("access")
            if access is not None and "GET" in handler.http_methods:
                for query in ("", *_MORE.get(path, ())):
                    yield Question(path, access, query)


class Asker:
    """Who asks, by cookies and keys, and what for: things of the first club and its first team.

    See `crowd`: user 1 runs the first club, user 2 is a parent of its first team, the last of the team its coach.
    """

    def __init__(self, portal: Portal, size: Size) -> None:
        self._portal, self._size, self._draw = portal, size, random.Random(1)
        self._coach = size.players_a_team + 1
        _write_files(portal.settings, size)
        with portal.database.writing() as session:
            # The page of all clubs leads on by itself whoever runs a single one.
            session.add(OrganizationAdmin(organization_id=2, user_id=1, made_at=NOW))
            platform = make_user(session, "platform@example.org", "Platform", None, NOW, Role.PLATFORM_ADMIN)
            session.flush()
            who = {"coach": self._coach, "admin": 1, "parent": 2, "platform": platform.id}
            self._keys = {name: new_sign_in(session, user, NOW, strong_at=NOW) for name, user in who.items()}
            self._keys["half"] = new_sign_in(session, self._coach, NOW)
            self._device = make_key(session, session.get_one(Device, 1), NOW)
        with portal.database.writing() as session:
            self._secrets = self._made_secrets(session)
            self._named = self._made_values(session)

    def address(self, question: Question) -> str:
        """The path with everything filled in; raises `NoValue`."""
        game = self._draw.randint(1, self._size.games_a_team)
        first = (game - 1) * self._size.clips_a_game
        match = _session_of(game)
        drawn = {
            "game_id": str(game),
            "clip_id": str(first + self._draw.randint(1, self._size.clips_a_game)),
            "match_session": match,
            "package_session": match,
        }
        values = self._named | drawn | self._fitting(question.path)

        def value(found: re.Match[str]) -> str:
            if found[1] not in values:
                raise NoValue(f"nothing to put for {found[1]}")
            return values[found[1]]

        query = self._fresh_state() if question.path == _CALLBACK else question.query
        return re.sub(r"{(\w+)}", value, question.path) + (f"?{query}" if query else "")

    def headers(self, question: Question) -> dict[str, str]:
        """What opens the page: a cookie, or a device's key."""
        if question.access == Access.DEVICE:
            return {"Authorization": f"Bearer {self._device}", "Accept": "application/json"}
        cookies = {}
        if (who := self._reader(question)) is not None:
            cookies[cookie_name(self._portal)] = self._keys[who]
        if question.path in _CARRIED:
            page = "/invitation" if question.path.startswith("/invitation") else question.path
            cookies[f"touchline{page.replace('/', '-')}"] = self._secrets[_CARRIED[question.path]]
        return {"Cookie": "; ".join(f"{n}={v}" for n, v in cookies.items()), "Accept": "text/html"}

    def _reader(self, question: Question) -> str | None:
        if question.access == Access.PUBLIC or question.path in _NOBODYS:
            return None
        if question.path in ("/clubs", _CALLBACK):
            return "admin"
        of = {Access.HALF: "half", Access.STAFF: "coach", Access.PLATFORM: "platform"}
        of |= dict.fromkeys((Access.COACH, Access.CLUB, Access.OWN_CLUB), "admin")
        return of.get(Access(question.access), "parent")

    def _fitting(self, path: str) -> dict[str, str]:
        # What the same name stands for differs from path to path.
        found = {}
        if "/people/admins/" in path:
            found["user_id"] = "1"
        if "/people/teams/" in path:
            found["user_id"] = str(self._coach)
        for start, name in (("/invitation/", "invitation"), ("/mail-change/", "mail"), ("/reset/", "reset")):
            if path.startswith(start):
                found["secret"] = self._secrets[name]
        if path.startswith("/static/"):
            css = next(p for p in self._portal.assets.folder.rglob("*.css") if "vendor" not in p.parts)
            found["path"] = css.relative_to(self._portal.assets.folder).as_posix()
        if path.startswith("/platform/jobs/"):
            found["kind"] = "job"
        return found

    def _made_secrets(self, session: Session) -> dict[str, str]:
        invitations = self._invited(session)
        return {
            "invitation": invitations,
            "mail": issue(session, Purpose.CHANGE_MAIL, 2, NOW, "new@example.org"),
            "reset": issue(session, Purpose.RESET, 2, NOW),
        }

    def _invited(self, session: Session) -> str:
        # The secret is told in the mail alone.
        mail = "somebody-new@example.org"
        invite(session, mail, Role.PARENT, now=NOW, url=self._portal.settings.url, player_id=2)
        session.flush()
        sent = session.scalars(select(Mail).where(Mail.recipient == mail)).one()
        link = re.search(r"/invitation/(\S+)", sent.text)
        assert link is not None
        return link[1]

    def _made_values(self, session: Session) -> dict[str, str]:
        settings, seal = self._portal.settings, self._portal.seal
        parent = session.get_one(User, 2)
        reader = Actor(parent.id, parent.mail)
        key = ask_export(session, "user", parent.id, reader, NOW)
        export = session.scalars(select(Job).where(Job.key == key)).one()
        export.state = State.DONE
        copy = export_path(settings, export)
        copy.parent.mkdir(exist_ok=True)
        copy.write_bytes(b"zip")
        recording = session.get_one(Recording, 1)
        picture = media_link(seal, LinkFor.MAIL, recording.folder, recording.poster, NOW)
        table = read_sheet(Sheet.PLAYERS, example(Sheet.PLAYERS), "Europe/Berlin")
        run, _ = make_run(session, 1, table, NOW, by=session.get_one(User, 1), asked=True)
        assert run is not None
        dead = session.scalars(select(Job.id).where(Job.state == State.FAILED).limit(1)).one()
        entry = session.scalars(select(TeamPlayer.id).where(TeamPlayer.player_id == 2, TeamPlayer.team_id == 1)).one()
        return {
            **{"organization_slug": "club-1", "team_id": "1", "season_id": "1", "venue_id": "1", "device_id": "1"},
            **{"player_id": "2", "user_id": "2", "entry_id": str(entry), "track": "3"},
            **{"path": "poster.jpg", "sheet": "players.csv", "version": self._portal.assets.version},
            **{"run_id": str(run.id), "export_id": str(export.id), "work_id": str(dead), "what": "disable"},
            **{"reader": "2", "kind": MATCHES, "signature": unsubscribe_url(seal, "", parent).rpartition("/")[2]},
            "token": picture.removeprefix("/media/"),
            "secret": make_share(session, session.get_one(Clip, 1), reader, NOW),
        }

    def _fresh_state(self) -> str:
        # Good once: TeamSnap sends somebody back who has declined.
        own = key_hash(self._keys["admin"])
        with self._portal.database.writing() as session:
            address = oauth.begin(session, self._portal.seal, APP, 1, own, self._portal.settings.url + _CALLBACK, NOW)
        return f"state={parse_qs(urlsplit(address).query)['state'][0]}"


def _session_of(game: int) -> str:
    return f"{1795000000 + game}-{game:010x}"


def _write_files(settings: Settings, size: Size) -> None:
    # Of the first team's games: the files that its pages read.
    xy = np.random.default_rng(1).uniform(-30, 30, (2500, 2))
    tracks = PitchTracks(
        0, 25.0, (Track(3, OnPitch.PLAYER, TeamSide.HOME),), np.arange(2500), np.full(2500, 3), xy, np.ones(2500, bool)
    )
    for game in range(1, size.games_a_team + 1):
        folder = settings.media / _session_of(game) / "0123456789abcdef"
        (folder / "clips").mkdir(parents=True)
        (folder / "match.tracks").write_bytes(encode_pitch_tracks(tracks))
        for name in ("poster.jpg", "clips/1.mp4"):
            (folder / name).write_bytes(bytes(1000))
