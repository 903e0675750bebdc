"""What the hub's final pass over a long match needs, on `.tracks` that nodes would have written."""

import pytest

from bench.long_match import growth, run_final_pass, write_match
from wire.pitch import default_pitch

SPELL_S = (20, 10)
"""So short that one minute has a first, a middle and a last spell."""
MOST_BYTES_PER_MINUTE = 12e6
"""A minute's tracks are 16 x 1500 rows of 33 bytes, and as much again while they are joined and written: 2 MB. The
compressor takes its 20 MB at once, which a match of minutes does not hide. With one spell as long as the match it was
25 MB a minute."""


@pytest.mark.slow
def test_a_longer_match_costs_the_hub_hardly_more_memory(tmp_path):
    costs = []
    for minutes in (1.0, 4.0):
        data = tmp_path / f"{minutes:g}"
        data.mkdir()
        write_match(data, default_pitch(7), minutes * 60, seed=3)
        costs.append(run_final_pass(data, minutes, SPELL_S))
    assert growth(*costs) * 1e6 < MOST_BYTES_PER_MINUTE
