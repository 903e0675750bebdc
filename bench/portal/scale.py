"""`python -m bench.portal scale`: every page over the rows of 40 clubs, what each query reads, and p95 of each page."""

import gc
import statistics
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from litestar import Litestar
from litestar.testing import TestClient
from sqlalchemy import text

from bench.portal.asking import APP, LEADS_ON, Asker, NoValue, Question, questions
from bench.portal.crowd import NOW, Size, counted, fill
from bench.portal.plans import faults_of, large_tables, watched
from bench.portal.postgres import private_postgres
from viewer.db import Database
from viewer.db.migrate import upgrade
from viewer.sealing import Seal
from viewer.settings import Settings
from viewer.web.app import build_app
from viewer.web.portal import Portal

REQUESTS = 60
_LOG = "/clubs/{organization_slug}/audit"
MAY_READ = {
    "/platform/storage": ("recording", "game"),
    **dict.fromkeys((f"{_LOG}?act=share", f"{_LOG}?actor=user3@example.org"), ("audit_entry",)),
}
"""Pages that read more of these tables, by an index: one adds up what each club takes that it lists, and who looks for
one act or person in a club's log has that club's log read."""


@dataclass
class Page:
    """A page and what was measured of it; `faults` are what must not be, in words."""

    name: str
    waits: list[float] = field(default_factory=list)
    queries: int = 0
    faults: set[str] = field(default_factory=set)


def main(size: Size | None = None) -> int:
    """Print the table; 1 when a page is not asked or not answered, a query reads too much, or a table is empty."""
    size = size or Size()
    with private_postgres() as url, tempfile.TemporaryDirectory() as folder:
        settings = Settings(data=Path(folder), database=url, teamsnap=APP)
        settings.make_folders()
        database = Database(url)
        upgrade(database)
        began = time.monotonic()
        fill(database, size)
        with database.engine.connect() as connection:
            rows = counted(connection)
            large = large_tables(connection)
            megabytes = int(connection.execute(text("SELECT pg_database_size(current_database())")).scalar_one()) / 1e6
        told = ", ".join(f"{name} {n:,}" for name, n in rows.items())
        print(f"{told}\nwritten in {time.monotonic() - began:.0f} s: {megabytes:.0f} MB, {len(large)} large tables")
        portal = Portal(settings, database, lambda: None, Seal(b"the secret of a bench" * 2), clock=lambda: NOW)
        pages = _measured(build_app(portal), portal, size, large)
        database.close()
    return _told(pages, [name for name, n in rows.items() if n == 0])


def _measured(app: Litestar, portal: Portal, size: Size, large: Mapping[str, float]) -> list[Page]:
    asker, pages = Asker(portal, size), []
    # As `serve` does: else collections walk through all that was built, 150 ms at every tenth match.
    gc.freeze()
    with TestClient(app, raise_server_exceptions=False) as client:
        client.follow_redirects = False
        for question in sorted(questions(app), key=lambda q: q.name):
            page = Page(question.name)
            pages.append(page)
            with watched(portal.database) as noted:
                for n in range(REQUESTS):
                    try:
                        _ask(client, asker, question, page)
                    except NoValue as fault:
                        page.faults.add(str(fault))
                        break
                    if n == 0:
                        page.queries = noted.asked
            found = faults_of(portal.database, noted, large)
            page.faults |= {words for words in found if not _may_be(page.name, words)}
    return pages


def _may_be(name: str, words: str) -> bool:
    return not words.endswith("as a whole") and any(f"rows of {table} " in words for table in MAY_READ.get(name, ()))


def _ask(client: TestClient[Litestar], asker: Asker, question: Question, page: Page) -> None:
    address, headers = asker.address(question), asker.headers(question)
    began = time.perf_counter()
    answer = client.get(address, headers=headers)
    page.waits.append(time.perf_counter() - began)
    client.cookies.clear()
    if answer.status_code != (303 if question.path in LEADS_ON else 200):
        page.faults.add(f"answered {answer.status_code} {answer.headers.get('location', '')}".strip())


def _told(pages: list[Page], empty: list[str]) -> int:
    print(f"{'page':72}{'queries':>8}{'p50 ms':>9}{'p95 ms':>9}  faults")
    measured = [(page, _percentiles(page.waits)) for page in pages]
    for page, (half, most) in measured:
        print(f"{page.name:72}{page.queries:8}{half:9.1f}{most:9.1f}  {', '.join(sorted(page.faults))}".rstrip())
    print(f"\n{len(pages)} pages, each asked {REQUESTS} times; the slowest:")
    for page, (half, most) in sorted(measured, key=lambda pair: -pair[1][1])[:5]:
        print(f"{page.name:80}{half:9.1f}{most:9.1f}")
    faulty = [page.name for page in pages if page.faults]
    print(f"faults: {', '.join(faulty) or 'none'}" + (f"; empty tables: {', '.join(empty)}" if empty else ""))
    return 1 if faulty or empty else 0


def _percentiles(waits: list[float]) -> tuple[float, float]:
    if len(waits) < 2:
        return 0.0, 0.0
    cuts = statistics.quantiles(waits, n=20)
    return cuts[9] * 1e3, cuts[18] * 1e3
