"""`python -m bench.portal scale`: every page over the rows of 40 clubs, each query's plan, and p95 of each page."""

import random
import re
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from litestar import Litestar
from litestar.routes import HTTPRoute
from litestar.testing import TestClient
from sqlalchemy import Connection, event, text

from bench.portal.crowd import Size, counted, fill
from bench.portal.postgres import private_postgres
from viewer.accounts.models import Role
from viewer.accounts.people import make_user
from viewer.accounts.service import new_sign_in
from viewer.clock import now
from viewer.db import Database
from viewer.db.migrate import upgrade
from viewer.sealing import Seal
from viewer.settings import Settings
from viewer.web.access import Access, cookie_name
from viewer.web.app import build_app
from viewer.web.portal import Portal
from wire.pitch_tracks import PitchTracks, TeamSide, Track, encode_pitch_tracks
from wire.pitch_tracks import Role as OnPitch

REQUESTS = 60
FEW = 2000
"""Rows of a table from which on reading all of it is a fault."""
_PLAIN = {"path": "poster.jpg", "track": "3", "sheet": "players.csv"}


@dataclass
class Page:
    """A page and what was measured of it; `refused` counts answers of 400 and more, `scans` are tables
    that a query read as a whole."""

    path: str
    waits: list[float] = field(default_factory=list)
    queries: int = 0
    refused: int = 0
    scans: set[str] = field(default_factory=set)


@dataclass(frozen=True)
class Reader:
    """Who asks, by the cookie of a sign-in."""

    coach: str
    admin: str
    parent: str
    platform: str

    def of(self, access: str) -> str:
        """Whose page it is."""
        chosen = {Access.STAFF: self.coach, Access.COACH: self.coach, Access.CLUB: self.admin, Access.CARE: self.admin}
        return {**chosen, Access.PLATFORM: self.platform}.get(Access(access), self.parent)


def main() -> int:
    """Print the table; 1 when a query reads a large table as a whole."""
    size = Size()
    with private_postgres() as url, tempfile.TemporaryDirectory() as folder:
        settings = Settings(data=Path(folder), database=url)
        settings.make_folders()
        database = Database(url)
        upgrade(database)
        began = time.monotonic()
        fill(database, size)
        with database.engine.connect() as connection:
            rows = {name: f"{n:,}" for name, n in counted(connection).items()}
            large = _large(connection)
            megabytes = int(connection.execute(text("SELECT pg_database_size(current_database())")).scalar_one()) / 1e6
        print(f"{rows} written in {time.monotonic() - began:.0f} s: {megabytes:.0f} MB")
        portal = Portal(settings, database, lambda: None, Seal(b"the secret of a bench" * 2))
        pages = _measured(build_app(portal), portal, size, large)
        database.close()
    return _told(pages)


def _measured(app: Litestar, portal: Portal, size: Size, large: set[str]) -> list[Page]:
    _write_files(portal.settings.media, size)
    reader = _signed_in(portal.database, size)
    draw = random.Random(1)
    pages = []
    with TestClient(app, raise_server_exceptions=True) as client:
        client.follow_redirects = False
        for path, access in sorted(_get_routes(app)):
            named = re.findall(r"{(\w+)}", path)
            if any(name not in _values(draw, size) for name in named):
                continue
            page = Page(path)
            client.cookies.set(cookie_name(portal), reader.of(access))
            with _watched(portal.database) as statements:
                for n in range(REQUESTS):
                    values = _values(draw, size)
                    where = re.sub(r"{(\w+)}", lambda found: values[found[1]], path)  # noqa: B023 - used at once
                    began = time.perf_counter()
                    answer = client.get(where, headers={"Accept": "text/html"})
                    page.waits.append(time.perf_counter() - began)
                    page.refused += answer.status_code >= 400
                    if n == 0:
                        page.queries = len(statements)
            page.scans = _scans(portal.database, statements, large)
            pages.append(page)
    return pages


def _write_files(media: Path, size: Size) -> None:
    # Of the first team's games: the files that its pages read.
    xy = np.random.default_rng(1).uniform(-30, 30, (2500, 2))
    tracks = PitchTracks(
        0, 25.0, (Track(3, OnPitch.PLAYER, TeamSide.HOME),), np.arange(2500), np.full(2500, 3), xy, np.ones(2500, bool)
    )
    for game in range(1, size.games_a_team + 1):
        folder = media / str(game) / "0123456789abcdef"
        folder.mkdir(parents=True)
        (folder / "match.tracks").write_bytes(encode_pitch_tracks(tracks))
        (folder / "poster.jpg").write_bytes(bytes(1000))


def _get_routes(app: Litestar) -> Iterator[tuple[str, str]]:
    for route in app.routes:
        if not isinstance(route, HTTPRoute):
            continue
        path = re.sub(r":\w+}", "}", route.path_format)
        for handler in route.route_handlers:
            access = handler.opt.get("access")
            if access is not None and "GET" in handler.http_methods and access != Access.DEVICE:
                yield path, access


def _values(draw: random.Random, size: Size) -> dict[str, str]:
    # Everything of the first club and its first team, whose people ask.
    game = draw.randint(1, size.games_a_team)
    return {
        **_PLAIN,
        "organization_slug": "club-1",
        "team_id": "1",
        "season_id": "1",
        "device_id": "1",
        "game_id": str(game),
        "clip_id": str((game - 1) * size.clips_a_game + draw.randint(1, size.clips_a_game)),
        "player_id": "2",
        "match_session": f"{1795000000 + game}-{game:010x}",
    }


def _signed_in(database: Database, size: Size) -> Reader:
    # See `crowd`: user 1 runs the first club, user 2 is a parent of its first team, the last of the team its coach.
    with database.writing() as session:
        admin = make_user(session, "platform@example.org", "Platform", None, now(), Role.PLATFORM_ADMIN)
        keys = [
            new_sign_in(session, user, now(), strong_at=now()) for user in (size.players_a_team + 1, 1, 2, admin.id)
        ]
    return Reader(*keys)


@contextmanager
def _watched(database: Database) -> Iterator[list[tuple[str, Any]]]:
    statements: list[tuple[str, Any]] = []

    def note(_conn: Any, _cursor: Any, statement: str, values: Any, *_more: Any) -> None:
        if statement.lstrip().upper().startswith(("SELECT", "WITH", "(SELECT")):
            statements.append((statement, values))

    event.listen(database.engine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        event.remove(database.engine, "before_cursor_execute", note)


def _scans(database: Database, statements: list[tuple[str, Any]], large: set[str]) -> set[str]:
    found: set[str] = set()
    # Plans depend on values hardly at all here: one of each text.
    once = {statement: values for statement, values in statements}
    with database.engine.connect() as connection:
        for statement, values in once.items():
            plan = connection.exec_driver_sql(f"EXPLAIN {statement}", values).scalars()
            found |= {m[1] for line in plan if (m := re.search(r"Seq Scan on (\w+)", line)) and m[1] in large}
    return found


def _large(connection: Connection) -> set[str]:
    tables = text("SELECT relname FROM pg_class WHERE relkind = 'r' AND reltuples > :few")
    return set(connection.execute(tables, {"few": FEW}).scalars())


def _told(pages: list[Page]) -> int:
    print(f"{'page':58}{'queries':>8}{'p50 ms':>9}{'p95 ms':>9}  reads as a whole")
    for page in pages:
        cuts = statistics.quantiles(page.waits, n=20)
        whole = ", ".join(sorted(page.scans)) + (f"  ({page.refused} refused)" if page.refused else "")
        print(f"{page.path:58}{page.queries:8}{cuts[9] * 1e3:9.1f}{cuts[18] * 1e3:9.1f}  {whole}")
    return 1 if any(page.scans for page in pages) else 0
