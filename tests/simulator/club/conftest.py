"""A short match that is drawn once."""

from pathlib import Path

import pytest

from simulator.club.footage import Footage, Wanted, draw


@pytest.fixture(scope="session")
def footage(tmp_path_factory: pytest.TempPathFactory) -> list[Footage]:
    """A short and small match, which stands for every form of the game."""
    folder: Path = tmp_path_factory.mktemp("drawn")
    return [draw(Wanted(7, 3, 15.0, 320, every=5), folder / "0")]
