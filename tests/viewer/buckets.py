"""A bucket on a server that speaks S3, and media stores of both kinds."""

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from tests.viewer.world import World, make_world
from viewer.db import Database
from viewer.media.folder import FolderStore
from viewer.media.store import MediaStore
from viewer.settings import Settings


@pytest.fixture(scope="session")
def s3() -> Iterator[str]:
    """The address of an S3 server of this process with a bucket called `media`."""
    from moto.server import ThreadedMotoServer

    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("AWS_ACCESS_KEY_ID", "portal")
        patched.setenv("AWS_SECRET_ACCESS_KEY", "a secret of the tests")
        for variable in [name for name in os.environ if name.startswith("AWS_ENDPOINT")]:
            patched.delenv(variable)
        server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        server.start()
        host, port = server.get_host_and_port()
        assert httpx.put(f"http://{host}:{port}/media", timeout=60).status_code == 200
        yield f"http://{host}:{port}"
        server.stop()


@pytest.fixture
def bucket(s3: str, request: pytest.FixtureRequest) -> str:
    """A store's address with a prefix that no other test uses."""
    return f"s3://media/t{abs(hash(request.node.nodeid))}?endpoint={s3}"


@pytest.fixture(params=["folder", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> MediaStore:
    """An empty store, of either kind."""
    if request.param == "folder":
        return FolderStore(tmp_path / "store")
    from viewer.media.s3 import S3Store

    return S3Store(request.getfixturevalue("bucket"))


@pytest.fixture
def s3_world(database: Database, settings: Settings, bucket: str) -> World:
    """The world with its matches' files in a bucket, and nowhere else."""
    world = make_world(database, replace(settings, store=bucket))
    for folder in sorted(settings.media.glob("*/*")):
        world.portal.media.put(folder, folder.relative_to(settings.media).as_posix())
        for path in folder.rglob("*"):
            if path.is_file():
                path.unlink()
    return world
