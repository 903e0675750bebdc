import numpy as np

from simulator.match.engine import play
from wire.pitch import default_pitch


def test_the_same_seed_gives_the_same_match_and_another_seed_another():
    pitch = default_pitch(7)
    one, again, other = play(pitch, 6, 3), play(pitch, 6, 3), play(pitch, 6, 4)
    np.testing.assert_array_equal(one.xy, again.xy)
    np.testing.assert_array_equal(one.ball, again.ball)
    assert one.events == again.events
    assert not np.array_equal(one.xy, other.xy)
