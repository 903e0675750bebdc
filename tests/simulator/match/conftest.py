import pytest

from simulator.match.engine import play
from wire.pitch import Pitch, default_pitch

# Between them: every form of the game, odd sizes, and a length for each promise that `play` makes.
PLAYED = {
    "11 a side, 60 s": (default_pitch(11), 60.0, 5),
    "11 a side on a narrow pitch, 60 s": (Pitch(90.0, 45.0, 11), 60.0, 1),
    "9 a side, 60 s": (default_pitch(9), 60.0, 2),
    "7 a side, 60 s": (default_pitch(7), 60.0, 3),
    "7 a side on a small pitch, 60 s": (Pitch(45.0, 30.0, 7), 60.0, 4),
    "9 a side, 4 min": (Pitch(64.0, 46.0, 9), 240.0, 6),
}


@pytest.fixture(scope="session", params=list(PLAYED))
def match(request):
    """A played match of each kind."""
    pitch, seconds, seed = PLAYED[request.param]
    return play(pitch, seconds, seed)
