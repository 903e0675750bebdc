"""Uploads that nobody finished do not fill the disk of a portal that runs for months."""

import asyncio
import os
from pathlib import Path

import pytest

from viewer.db import Database
from viewer.sealing import Seal
from viewer.settings import Settings
from viewer.uploads.controllers import receiver
from viewer.uploads.sweeping import EVERY_S, sweep_hourly
from viewer.web.app import build_app
from viewer.web.portal import Portal

LONG_AGO = (1_000_000_000, 1_000_000_000)


class Hours:
    """Lets as many hours pass at once as a test gives it; `between` runs at each."""

    def __init__(self, count: int, between) -> None:
        self.left = count
        self.between = between

    async def __call__(self, seconds: float) -> None:
        assert seconds == EVERY_S == 3600
        if not self.left:
            raise asyncio.CancelledError
        self.left -= 1
        self.between()


@pytest.fixture
def portal(tmp_path) -> Portal:
    settings = Settings(data=tmp_path / "portal")
    settings.make_folders()
    return Portal(settings, Database(settings.database_url), lambda: None, Seal(b"a secret"))


def leave_behind(folder: Path) -> Path:
    left = folder / "abc.data"
    left.write_bytes(b"half a match")
    os.utime(left, LONG_AGO)
    return left


async def test_what_was_left_behind_goes_at_the_next_hour(portal):
    left = portal.settings.uploads / "abc.data"
    with pytest.raises(asyncio.CancelledError):
        await sweep_hourly(receiver(portal), Hours(1, lambda: leave_behind(portal.settings.uploads)))
    assert not left.exists()


async def test_a_sweep_that_fails_does_not_end_the_sweeping(caplog):
    class Failing:
        sweeps = 0

        async def sweep(self) -> int:
            self.sweeps += 1
            raise OSError("the disk is gone")

    failing = Failing()
    with pytest.raises(asyncio.CancelledError):
        await sweep_hourly(failing, Hours(3, lambda: None))
    assert failing.sweeps == 3
    assert caplog.text.count("uploads not swept") == 3


async def test_the_portal_sweeps_at_its_start_and_each_hour_until_it_stops(portal, monkeypatch):
    began, ended = asyncio.Event(), asyncio.Event()

    async def hourly(_receiver) -> None:
        began.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    monkeypatch.setattr("viewer.web.app.sweep_hourly", hourly)
    left = leave_behind(portal.settings.uploads)
    app = build_app(portal)
    async with app.lifespan():
        assert not left.exists()
        await asyncio.wait_for(began.wait(), 5)
        assert not ended.is_set()
    assert ended.is_set()
