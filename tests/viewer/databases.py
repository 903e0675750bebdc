"""Databases of both kinds, empty and with today's tables, and settings over them."""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from viewer.db import Database
from viewer.settings import Settings


def _postgres_binaries() -> Path | None:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda p: int(p.parts[4]))
    return found[-1].parent if found else None


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """A private PostgreSQL on a socket in a temporary folder; yields that folder."""
    binaries = _postgres_binaries()
    if binaries is None:
        if os.environ.get("CI") == "true":
            pytest.fail("PostgreSQL is not installed: apt-get install postgresql")
        pytest.skip("PostgreSQL is not installed (apt-get install postgresql)")
    folder = Path(tempfile.mkdtemp(prefix="touchline-pg-"))
    # initdb refuses to run as root.
    as_other = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"] if os.geteuid() == 0 else []
    if as_other:
        shutil.chown(folder, "nobody", "nogroup")
    cluster = folder / "cluster"
    env = {"PATH": os.environ["PATH"], "LC_ALL": "C", "HOME": str(folder)}

    def call(*command: str) -> None:
        done = subprocess.run([*as_other, *command], cwd=folder, env=env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr

    call(str(binaries / "initdb"), "-D", str(cluster), "-U", "touchline", "--auth=trust", "--encoding=UTF8", "-N")
    options = f"-k {folder} -c listen_addresses='' -c fsync=off -c shared_buffers=16MB -c max_connections=40"
    call(str(binaries / "pg_ctl"), "-D", str(cluster), "-o", options, "-l", str(folder / "log"), "-w", "start")
    try:
        yield str(folder)
    finally:
        call(str(binaries / "pg_ctl"), "-D", str(cluster), "-m", "immediate", "-w", "stop")
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _new_postgres(server: str, template: str = "template1") -> Iterator[str]:
    import psycopg

    name = f"t_{time.monotonic_ns()}"
    with psycopg.connect(host=server, user="touchline", dbname="postgres", autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        yield f"postgresql+psycopg://touchline@/{name}?host={server}"
        admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def new_postgres_url(postgres_server: str) -> Iterator[str]:
    """An empty database of its own on the private server."""
    with _new_postgres(postgres_server) as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def database_kind(request: pytest.FixtureRequest) -> str:
    """Either kind of database in turn."""
    return str(request.param)


@pytest.fixture
def database_url(database_kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty database, of either kind."""
    if database_kind == "postgresql":
        return str(request.getfixturevalue("new_postgres_url"))
    return f"sqlite:///{tmp_path / 'empty.db'}"


@pytest.fixture
def empty_database(database_url: str) -> Iterator[Database]:
    """A database without tables."""
    database = Database(database_url)
    yield database
    database.close()


def _with_tables(url: str) -> None:
    from viewer.db.migrate import upgrade

    database = Database(url)
    upgrade(database)
    database.close()


@pytest.fixture(scope="session")
def sqlite_tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with today's tables to copy: the migrations are tried elsewhere, and cost more than most tests."""
    file = tmp_path_factory.mktemp("tables") / "tables.db"
    _with_tables(f"sqlite:///{file}")
    return file


@pytest.fixture(scope="session")
def postgres_tables(postgres_server: str) -> str:
    """A database with today's tables on the private server, to copy."""
    import psycopg

    with psycopg.connect(host=postgres_server, user="touchline", dbname="postgres", autocommit=True) as admin:
        admin.execute("CREATE DATABASE with_tables")
    _with_tables(f"postgresql+psycopg://touchline@/with_tables?host={postgres_server}")
    return "with_tables"


@pytest.fixture
def database(database_kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A database with today's tables, of either kind."""
    with ExitStack() as stack:
        if database_kind == "postgresql":
            template = request.getfixturevalue("postgres_tables")
            url = stack.enter_context(_new_postgres(request.getfixturevalue("postgres_server"), template))
        else:
            file = shutil.copyfile(request.getfixturevalue("sqlite_tables"), tmp_path / "tables.db")
            url = f"sqlite:///{file}"
        database = Database(url)
        stack.callback(database.close)
        yield database


@pytest.fixture
def settings(tmp_path: Path, database: Database) -> Settings:
    """Settings over `database`."""
    settings = Settings(data=tmp_path / "portal", database=database.engine.url.render_as_string(hide_password=False))
    settings.make_folders()
    return settings
