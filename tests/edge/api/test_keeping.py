"""What a node tells of its segments, and what it gives up on whose word."""

import msgspec
import pytest

from edge.holdings import DeletedSegments
from edge.ledger import SegmentRow
from edge.record.shelf import TRACKS, VIDEO, Shelf
from wire.message import decode, encode
from wire.proof import seal
from wire.session import SegmentKey, SegmentOffer, SegmentState
from wire.stick import ReceiptsTaken, StickReceipts

TOKEN = "open-sesame"
AUTHORISED = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture
def recorded(ledger, session_row, tmp_path, zero_ns):
    """A finished session of three closed segments; their offers."""
    shelf = Shelf(tmp_path)
    ledger.begin_session(session_row())
    offers = []
    for sequence in range(3):
        offer = SegmentOffer(
            key=SegmentKey("s1", "left", sequence),
            start_ns=zero_ns + sequence * 2_000_000_000,
            end_ns=zero_ns + (sequence + 1) * 2_000_000_000,
            frames=50,
            video_bytes=5,
            video_sha256=f"{sequence:064x}",
            tracks_bytes=6,
            tracks_sha256=f"{sequence + 9:064x}",
            clock_uncertainty_ns=1,
            last=sequence == 2,
        )
        ledger.open_segment(offer.key, offer.start_ns)
        ledger.close_segment(offer)
        for suffix, held in ((VIDEO, b"video"), (TRACKS, b"tracks")):
            path = shelf.path(offer.key, suffix)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(held)
        offers.append(offer)
    ledger.finish_session("s1")
    return offers


async def confirm(client, *offers, token=TOKEN):
    raw = seal(StickReceipts(confirmed=offers), token)
    return await client.post("/api/v1/confirm", data=raw, headers=AUTHORISED)


async def test_a_sessions_segments_tell_state_times_frames_and_bytes(client, recorded):
    answer = await client.get("/api/v1/sessions/s1/segments", headers=AUTHORISED)
    rows = msgspec.json.decode(await answer.read(), type=list[SegmentRow])
    assert [row.offer for row in rows] == recorded
    assert {row.state for row in rows} == {SegmentState.CLOSED}


@pytest.mark.parametrize(("session", "status"), [("s2", 404), ("..%2Fs1", 400)])
async def test_a_session_that_is_not_there_is_said(client, recorded, session, status):
    answer = await client.get(f"/api/v1/sessions/{session}/segments", headers=AUTHORISED)
    assert answer.status == status


async def test_the_hubs_sealed_word_confirms_and_may_be_given_again(client, ledger, recorded):
    for _ in range(2):
        answer = await confirm(client, *recorded[:2])
        assert decode(await answer.read(), ReceiptsTaken) == ReceiptsTaken(
            confirmed=tuple(offer.key for offer in recorded[:2]), passed_over=0
        )
    states = [row.state for row in ledger.segments_of("s1")]
    assert states == [SegmentState.CONFIRMED, SegmentState.CONFIRMED, SegmentState.CLOSED]


@pytest.mark.parametrize(
    "change",
    [
        {"video_sha256": "f" * 64},
        {"tracks_sha256": "f" * 64},
        {"video_bytes": 4},
        {"last": True},
    ],
)
async def test_a_word_about_other_bytes_confirms_nothing(client, ledger, recorded, change):
    answer = await confirm(client, msgspec.structs.replace(recorded[0], **change))
    assert decode(await answer.read(), ReceiptsTaken) == ReceiptsTaken(confirmed=(), passed_over=1)
    assert ledger.state(recorded[0].key) is SegmentState.CLOSED


async def test_what_the_node_tells_of_itself_is_not_enough_to_have_it_deleted(client, ledger, recorded):
    assert (await confirm(client, *recorded, token="guessed")).status == 403
    unsealed = encode(StickReceipts(confirmed=tuple(recorded)))
    assert (await client.post("/api/v1/confirm", data=unsealed, headers=AUTHORISED)).status == 400
    assert ledger.count(SegmentState.CLOSED) == 3


async def test_the_receipts_of_a_long_day_are_taken(client, ledger, recorded):
    others = [
        msgspec.structs.replace(recorded[0], key=msgspec.structs.replace(recorded[0].key, node="right", sequence=n))
        for n in range(3000)
    ]
    answer = await confirm(client, *others, *recorded)
    assert decode(await answer.read(), ReceiptsTaken).passed_over == 3000
    assert ledger.count(SegmentState.CONFIRMED) == 3


async def test_only_what_is_confirmed_is_deleted(client, ledger, recorded, tmp_path):
    await confirm(client, *recorded[:2])
    answer = await client.post("/api/v1/delete-confirmed", headers=AUTHORISED)
    assert decode(await answer.read(), DeletedSegments).segments == 2
    left = sorted(path.name for path in (tmp_path / "segments").rglob("*") if path.is_file())
    assert left == ["00000002.mp4", "00000002.tracks"]
    assert [row.state for row in ledger.segments_of("s1")] == [
        SegmentState.DELETED,
        SegmentState.DELETED,
        SegmentState.CLOSED,
    ]
