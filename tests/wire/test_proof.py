import pytest
from hypothesis import given
from hypothesis import strategies as st

from wire.errors import MalformedMessage, NotProven, WireError
from wire.ids import node_id, session_id
from wire.message import decode, encode
from wire.proof import Sealed, hub_proof, seal, unseal
from wire.session import SegmentKey, SegmentReceipt

NONCE = "0123456789abcdef" * 2
KEY = SegmentKey(session_id("s1"), node_id("left"), 7)
RECEIPT = SegmentReceipt(key=KEY, video_wanted=False, tracks_wanted=False)


def test_a_proof_holds_for_one_token_one_nonce_and_one_address_alone():
    proof = hub_proof("token", NONCE, "192.0.2.1", 8000)
    others = [
        hub_proof("other", NONCE, "192.0.2.1", 8000),
        hub_proof("token", NONCE[::-1], "192.0.2.1", 8000),
        hub_proof("token", NONCE, "192.0.2.2", 8000),
        hub_proof("token", NONCE, "192.0.2.1", 8001),
    ]
    assert len({proof, *others}) == 5
    assert proof == hub_proof("token", NONCE, "192.0.2.1", 8000)


@pytest.mark.parametrize(
    ("asked", "answered"),
    [("192.0.2.1", "::ffff:192.0.2.1"), ("fe80::1%eth0", "fe80::1%2"), ("2001:db8::1", "2001:DB8:0::1")],
)
def test_an_address_is_the_same_however_each_end_writes_it(asked, answered):
    assert hub_proof("token", NONCE, asked, 8000) == hub_proof("token", NONCE, answered, 8000)


@pytest.mark.parametrize("nonce", ["", NONCE[:-1], NONCE.upper(), NONCE + "0", "x" * 32, "٣" * 32])
def test_another_nonce_is_refused(nonce):
    with pytest.raises(MalformedMessage, match="32 hexadecimal"):
        hub_proof("token", nonce, "192.0.2.1", 8000)


def test_a_host_without_an_address_is_refused():
    with pytest.raises(MalformedMessage, match="no IP address"):
        hub_proof("token", NONCE, "hub.local", 8000)


def test_what_was_sealed_with_the_token_is_read_with_it_and_with_no_other():
    assert unseal(seal(RECEIPT, "token"), SegmentReceipt, "token") == RECEIPT
    with pytest.raises(NotProven):
        unseal(seal(RECEIPT, "token"), SegmentReceipt, "Token")


def test_what_was_changed_after_sealing_is_not_believed():
    sealed = decode(seal(RECEIPT, "token"), Sealed)
    changed = Sealed(text=sealed.text.replace('"sequence":7', '"sequence":8'), seal=sealed.seal)
    assert changed.text != sealed.text
    with pytest.raises(NotProven):
        unseal(encode(changed), SegmentReceipt, "token")


@given(st.text())
def test_a_made_up_seal_is_not_believed(made_up):
    with pytest.raises(NotProven):
        unseal(encode(Sealed(text=encode(RECEIPT).decode(), seal=made_up)), SegmentReceipt, "token")


@given(st.binary(max_size=200))
def test_junk_is_refused_in_words(junk):
    with pytest.raises(WireError):
        unseal(junk, SegmentReceipt, "token")
