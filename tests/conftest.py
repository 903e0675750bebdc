import os
from pathlib import Path

import pytest
from hypothesis import settings

# No deadlines: machines are noisy. In CI the same examples every time, so that a failure is the change's own; at a desk
# new ones each time, so that more is found.
settings.register_profile("desk", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") == "true" else "desk")


@pytest.fixture(scope="session")
def footage():
    """The folder of the recorded two-camera clip; tests that need it skip where it is not."""
    beside = Path(__file__).resolve().parents[2] / "shared" / "data" / "two_cameras"
    folder = Path(os.environ.get("TOUCHLINE_FOOTAGE", beside))
    if not (folder / "left.mp4").exists():
        pytest.skip(f"the recorded clip is not at {folder} (set TOUCHLINE_FOOTAGE)")
    return folder
