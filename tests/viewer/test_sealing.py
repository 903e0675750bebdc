"""What the portal's secret seals and signs."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from viewer.errors import BadSeal, BadSettings
from viewer.sealing import VARIABLE, Seal, open_seal

SEAL = Seal(b"one secret")


@given(st.text())
def test_what_is_sealed_comes_back_and_cannot_be_read_before(text):
    sealed = SEAL.seal(text)
    assert SEAL.unseal(sealed) == text
    assert len(text) < 4 or text not in sealed


def test_another_secret_opens_nothing_and_signs_differently():
    other = Seal(b"another secret")
    with pytest.raises(BadSeal):
        other.unseal(SEAL.seal("token"))
    assert not other.signed(SEAL.sign("link", 1), "link", 1)


@given(st.lists(st.text(), min_size=1, max_size=3), st.lists(st.text(), min_size=1, max_size=3))
def test_a_signature_is_good_for_its_parts_and_purpose_alone(parts, others):
    signature = SEAL.sign("link", *parts)
    assert SEAL.signed(signature, "link", *parts)
    assert not SEAL.signed(signature, "mail", *parts)
    assert SEAL.signed(signature, "link", *others) == (parts == others)


def test_the_secret_is_made_once_and_readable_by_its_owner_alone(tmp_path, monkeypatch):
    monkeypatch.delenv(VARIABLE, raising=False)
    sealed = open_seal(tmp_path).seal("token")
    assert open_seal(tmp_path).unseal(sealed) == "token"
    assert (tmp_path / "secret.key").stat().st_mode & 0o077 == 0
    assert [p.name for p in tmp_path.iterdir()] == ["secret.key"]


def test_a_short_secret_from_outside_is_refused(tmp_path, monkeypatch):
    monkeypatch.setenv(VARIABLE, "short")
    with pytest.raises(BadSettings):
        open_seal(tmp_path)
