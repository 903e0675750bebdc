"""Which passwords are taken."""

import pytest

from viewer.accounts.common import _BYTES, _FILE, is_common
from viewer.accounts.passwords import LONGEST, check_new, hash_password, matches
from viewer.errors import WeakPassword

MAIL = "robins-mother@example.org"


@pytest.mark.parametrize(
    "password",
    [
        "short77",
        "password1",
        "PassWord1",
        "qwertyuiop",
        "11111111111111",
        "robins-mother99",
        "x robins-mother@example.org x",
        "long" * 64 + "x",
    ],
)
def test_what_others_would_guess_is_refused_with_a_reason(password):
    with pytest.raises(WeakPassword) as fault:
        check_new(password, MAIL)
    assert len(str(fault.value)) > 20


@pytest.mark.parametrize(
    "password", ["green grass 11", "zebrafjord", "ünïcödé wörds", "1 2 3 four", "a b" * 85, "only lower case words"]
)
def test_no_recipe_of_digits_and_signs_is_asked_for(password):
    check_new(password, MAIL)


def test_a_short_name_in_the_address_does_not_spoil_passwords():
    check_new("the job of jo is done", "jo@example.org")


def test_the_list_holds_well_over_the_three_thousand_most_common_that_are_long_enough():
    assert _FILE.stat().st_size >= 3000 * _BYTES
    assert all(is_common(word) for word in ("password", "12345678", "sunshine", "football", "iloveyou"))
    assert not is_common("green grass 11")


def test_a_password_beyond_the_longest_never_matches_by_its_beginning():
    long = "x" * LONGEST
    kept = hash_password(long)
    assert matches(long, kept)
    assert not matches(long + "y", kept)
    assert not matches(long, None)
