from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from hub.spells import OVERLAP_S, SPELL_S, spells
from wire.rigtime import SECOND

START = 1_790_000_000_000_000_000


@given(st.integers(1, 3 * 3600 * SECOND))
def test_spells_fill_the_time_between_and_share_what_lies_around_their_seams(length):
    found = spells(START, START + length)
    assert (found[0].first_ns, found[-1].last_ns) == (START, START + length)
    assert (found[0].from_ns, found[-1].until_ns) == (START, START + length)
    for before, after in pairwise(found):
        assert before.last_ns == after.first_ns
        assert (before.last_ns - START) % SECOND == 0
        assert before.until_ns - after.from_ns == OVERLAP_S * SECOND


@given(st.integers(1, 3 * 3600 * SECOND))
def test_no_spell_is_much_longer_or_shorter_than_meant(length):
    for spell in spells(START, START + length):
        seconds = (spell.last_ns - spell.first_ns) / SECOND
        assert seconds <= 1.5 * SPELL_S
        assert seconds >= min(length / SECOND, 0.6 * SPELL_S)
