import asyncio
import gc
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings
from playwright.sync_api import Browser, sync_playwright

pytest_plugins = ["tests.viewer.buckets", "tests.viewer.databases", "tests.viewer.redis_server"]
AXE = Path(__file__).parents[1] / "viewer" / "node_modules" / "axe-core" / "axe.min.js"

# No deadlines: machines are noisy. In CI the same examples every time, so that a failure is the change's own; at a desk
# new ones each time, so that more is found.
settings.register_profile("desk", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") == "true" else "desk")


def pytest_collection_finish() -> None:
    """Spare the collector the modules and tests, which stay: it would walk through all of them in each test anew."""
    gc.freeze()


@pytest.fixture(scope="session")
def footage():
    """The folder of the recorded two-camera clip; tests that need it skip where it is not."""
    beside = Path(__file__).resolve().parents[2] / "shared" / "data" / "two_cameras"
    folder = Path(os.environ.get("TOUCHLINE_FOOTAGE", beside))
    if not (folder / "left.mp4").exists():
        pytest.skip(f"the recorded clip is not at {folder} (set TOUCHLINE_FOOTAGE)")
    return folder


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """A real browser; tests that need it skip where it, or axe-core, is not."""
    with sync_playwright() as playwright:
        own = playwright.chromium.executable_path
        path = shutil.which("chromium") or shutil.which("google-chrome") or (own if Path(own).is_file() else None)
        if path is None or not AXE.is_file():
            words = "Chromium (apt-get install chromium) or axe-core (python -m viewer.build) is missing"
            if os.environ.get("CI") == "true":
                pytest.fail(words)
            pytest.skip(words)
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def eventually():
    """Waits in the event loop for a condition that other tasks bring about."""

    async def wait(condition, limit_s: float = 20) -> None:
        async with asyncio.timeout(limit_s):
            while not condition():  # noqa: ASYNC110 - what is awaited has no event to wait for
                await asyncio.sleep(0.005)

    return wait
