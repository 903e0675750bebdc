"""Queues of all three kinds, and a portal whose kinds of job tests bring along."""

from collections.abc import Callable
from pathlib import Path

import pytest

from viewer.settings import Settings


@pytest.fixture(params=["file", "postgresql", "redis"])
def queue_settings(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    """Settings with a queue of each kind, over real servers."""
    servers: dict[str, Callable[[], str]] = {
        "file": lambda: "",
        "postgresql": lambda: request.getfixturevalue("new_postgres_url"),
        "redis": lambda: request.getfixturevalue("redis_server").url,
    }
    return Settings(data=tmp_path, queue=servers[request.param]())
