"""A small match package, portals that run as real processes, and the small world of two clubs."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from argon2 import PasswordHasher

from tests.viewer.packages import PackageMaker
from tests.viewer.people import People, make_people
from tests.viewer.portals import RunningPortal, running_portal, send
from tests.viewer.things import add_things
from tests.viewer.world import World, make_world
from viewer.accounts import passwords
from viewer.db import Database
from viewer.settings import Settings


@pytest.fixture(scope="session")
def made_package() -> PackageMaker:
    """A match of 20 s; copy it (`dataclasses.replace` makes it anew) before changing anything."""
    return PackageMaker()


@pytest.fixture(params=["SQLite and a file", "PostgreSQL and Redis"])
def portal(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[RunningPortal]:
    """A portal of processes without a worker: as on one machine, and as on many."""
    many = request.param != "SQLite and a file"
    database = request.getfixturevalue("new_postgres_url") if many else ""
    queue = request.getfixturevalue("redis_server").url if many else ""
    with running_portal(tmp_path, database, worker=False, queue=queue) as portal:
        yield portal


@pytest.fixture(scope="session")
def portal_with_match(tmp_path_factory: pytest.TempPathFactory, made_package: PackageMaker) -> Iterator[RunningPortal]:
    """A portal that has taken in one match through a real upload; tests only read from it."""
    folder = tmp_path_factory.mktemp("with-match")
    with running_portal(folder, "", worker=True) as portal:
        send(portal, made_package.tar(folder / "package.tar"))
        portal.wait_for(lambda: portal.package_state()["state"] == "done", "the intake")
        yield portal


@pytest.fixture(scope="session")
def send_package() -> Callable[..., str]:
    """`send(portal, package, session)`: uploads as a hub does."""
    return send


@pytest.fixture(scope="session")
def make_package() -> type[PackageMaker]:
    """`PackageMaker`, for packages other than the usual one."""
    return PackageMaker


@pytest.fixture
def world(database: Database, settings: Settings) -> World:
    """Two clubs with everybody in them, on both databases; `world.client("coach")` is signed in."""
    return make_world(database, settings)


@pytest.fixture
def full(world: World) -> World:
    """The world with one of everything that a route can name."""
    add_things(world)
    return world


@pytest.fixture
def cheap_hashes(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """argon2 with its least parameters: what it costs is measured elsewhere."""
    monkeypatch.setattr(passwords, "_hasher", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    passwords._nobodys.cache_clear()
    yield
    passwords._nobodys.cache_clear()


@pytest.fixture
def people(world: World, cheap_hashes: None) -> People:
    """`world` whose people all have `PASSWORD`."""
    return make_people(world)
