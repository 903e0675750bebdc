import sqlite3

import msgspec
import pytest

from edge.errors import LedgerFault
from edge.ledger import Ledger, SessionRow
from wire.session import SegmentKey, SegmentOffer, SegmentState


def session(name: str = "s1") -> SessionRow:
    return SessionRow(
        session=name,
        node="left",
        start_ns=10**18,
        width_px=1920,
        height_px=1080,
        frames_per_second=25.0,
        detector="onnx",
    )


def key(sequence: int, name: str = "s1") -> SegmentKey:
    return SegmentKey(name, "left", sequence)


def offer(sequence: int, name: str = "s1", last: bool = False) -> SegmentOffer:
    return SegmentOffer(
        key=key(sequence, name),
        start_ns=10**18 + sequence,
        end_ns=10**18 + sequence + 1,
        frames=50,
        video_bytes=1000,
        video_sha256="a" * 64,
        tracks_bytes=100,
        tracks_sha256="b" * 64,
        clock_uncertainty_ns=7,
        clock_offset_ns=-3,
        last=last,
    )


@pytest.fixture
def ledger(tmp_path):
    made = Ledger(tmp_path / "ledger.sqlite")
    made.begin_session(session())
    yield made
    made.close()


def closed(ledger: Ledger, sequence: int, last: bool = False) -> None:
    ledger.open_segment(key(sequence), 10**18 + sequence)
    ledger.close_segment(offer(sequence, last=last))


def test_a_segment_walks_from_open_to_deleted_and_keeps_its_promise(ledger):
    ledger.open_segment(key(0), 10**18)
    assert [(row.state, row.offer) for row in ledger.segments()] == [(SegmentState.OPEN, None)]
    ledger.close_segment(offer(0, last=True))
    for state in (SegmentState.SENT, SegmentState.CONFIRMED, SegmentState.DELETED):
        ledger.move(key(0), state)
        assert [(row.key, row.state, row.offer) for row in ledger.segments()] == [(key(0), state, offer(0, last=True))]


@pytest.mark.parametrize("to", [SegmentState.SENT, SegmentState.CONFIRMED, SegmentState.DELETED])
def test_an_open_segment_can_only_be_closed(ledger, to):
    ledger.open_segment(key(0), 10**18)
    with pytest.raises(LedgerFault, match=f"is open and cannot become {to}"):
        ledger.move(key(0), to)


def test_a_segment_never_moves_back(ledger):
    closed(ledger, 0)
    ledger.move(key(0), SegmentState.CONFIRMED)
    for to in (SegmentState.SENT, SegmentState.CONFIRMED, SegmentState.CLOSED):
        with pytest.raises(LedgerFault, match="cannot become"):
            ledger.move(key(0), to)
    with pytest.raises(LedgerFault, match="is confirmed and cannot become closed"):
        ledger.close_segment(offer(0))


@pytest.mark.parametrize("state", [SegmentState.CLOSED, SegmentState.SENT])
def test_the_hubs_word_confirms_what_it_was_given_for(ledger, state):
    closed(ledger, 0)
    if state is SegmentState.SENT:
        ledger.move(key(0), state)
    assert ledger.confirm(offer(0))
    assert [row.state for row in ledger.segments()] == [SegmentState.CONFIRMED]
    assert not ledger.confirm(offer(0)), "it was confirmed before"


def test_the_hubs_word_on_something_else_confirms_nothing(ledger):
    closed(ledger, 0)
    ledger.open_segment(key(1), 0)
    before = ledger.segments()
    assert not ledger.confirm(offer(1)), "it is still open"
    assert not ledger.confirm(offer(2)), "nobody knows it"
    assert not ledger.confirm(offer(0, last=True))
    assert not ledger.confirm(msgspec.structs.replace(offer(0), video_sha256="0" * 64))
    assert ledger.segments() == before


def test_the_word_of_a_hub_that_knows_no_clocks_offset_confirms(ledger):
    closed(ledger, 0)
    word = msgspec.structs.replace(offer(0), clock_offset_ns=None)
    assert ledger.confirm(word)
    assert ledger.is_confirmed(word)
    assert not ledger.is_confirmed(msgspec.structs.replace(offer(0), clock_offset_ns=4))


def test_a_ledger_from_before_the_clocks_offset_is_gone_on_with(tmp_path, ledger):
    closed(ledger, 0)
    ledger._db.execute("alter table segments drop column clock_offset_ns")
    newer = Ledger(tmp_path / "ledger.sqlite")
    closed(newer, 1)
    assert [row.offer for row in newer.segments()] == [
        msgspec.structs.replace(offer(0), clock_offset_ns=None),
        offer(1),
    ]
    newer.close()


def test_a_node_without_data_has_no_ledger(tmp_path):
    with pytest.raises(LedgerFault, match="no node's data"):
        Ledger.of(tmp_path / "none")
    assert not (tmp_path / "none").exists()


def test_an_unknown_segment_cannot_move(ledger):
    with pytest.raises(LedgerFault, match="is unknown"):
        ledger.move(key(9), SegmentState.SENT)


def test_session_ids_are_never_used_twice(ledger):
    with pytest.raises(LedgerFault, match="never reused"):
        ledger.begin_session(session())


def test_everything_is_still_there_after_the_process_ended(tmp_path):
    first = Ledger(tmp_path / "ledger.sqlite")
    first.begin_session(session())
    closed(first, 0)
    first.close()
    second = Ledger(tmp_path / "ledger.sqlite")
    assert [row.offer for row in second.segments()] == [offer(0)]
    assert second.sessions() == [session()]
    second.close()


def test_it_is_kept_in_wal_mode_and_synced_fully(tmp_path, ledger):
    with sqlite3.connect(tmp_path / "ledger.sqlite") as other:
        assert other.execute("pragma journal_mode").fetchone() == ("wal",)
    assert ledger._db.execute("pragma synchronous").fetchone() == (2,)


def test_reading_does_not_wait_for_a_step_that_the_disk_holds_up(ledger):
    closed(ledger, 0)
    with ledger._lock:
        assert ledger.count(SegmentState.CLOSED) == 1
        assert ledger.state(key(0)) is SegmentState.CLOSED
        assert not ledger.is_confirmed(offer(0))
        assert [row.session for row in ledger.sessions()] == ["s1"]


def test_segments_come_oldest_first_and_by_state(ledger):
    ledger.begin_session(session("s0"))
    for sequence in (1, 0, 2):
        closed(ledger, sequence)
    ledger.move(key(1), SegmentState.SENT)
    assert [row.key.sequence for row in ledger.segments()] == [0, 1, 2]
    assert [row.key.sequence for row in ledger.segments(SegmentState.CLOSED)] == [0, 2]
    assert ledger.count(SegmentState.CLOSED, SegmentState.SENT) == 3
    assert ledger.count(SegmentState.SENT) == 1


def test_finishing_marks_the_highest_segment_as_last_and_offers_it_again(ledger):
    for sequence in (0, 1):
        closed(ledger, sequence)
        ledger.move(key(sequence), SegmentState.CONFIRMED)
    ledger.finish_session("s1")
    assert [(row.state, row.offer.last) for row in ledger.segments()] == [
        (SegmentState.CONFIRMED, False),
        (SegmentState.CLOSED, True),
    ]


def test_finishing_leaves_alone_what_was_handed_over_as_last(ledger):
    closed(ledger, 0, last=True)
    ledger.move(key(0), SegmentState.CONFIRMED)
    ledger.finish_session("s1")
    assert ledger.segments()[0].state is SegmentState.CONFIRMED


def marked_last(ledger: Ledger) -> list[int]:
    """The segments whose rows say that they are the last of their session."""
    return [row["sequence"] for row in ledger._select("select sequence from segments where last = 1", [])]


def test_a_session_that_is_finished_with_its_newest_segment_open_has_no_last_one_yet(ledger):
    closed(ledger, 0)
    ledger.open_segment(key(1), 0)
    ledger.finish_session("s1")
    assert marked_last(ledger) == []


@pytest.mark.parametrize("lost", [False, True])
def test_the_last_segment_of_a_finished_session_is_known_with_the_end_of_its_newest(ledger, lost):
    closed(ledger, 0)
    ledger.move(key(0), SegmentState.CONFIRMED)
    ledger.open_segment(key(1), 0)
    ledger.finish_session("s1")
    if lost:
        ledger.forget_segment(key(1))
        assert [(row.state, row.offer.last) for row in ledger.segments()] == [(SegmentState.CLOSED, True)]
    else:
        ledger.close_segment(offer(1))
        assert marked_last(ledger) == [1]


def test_an_older_segment_that_closes_late_is_not_the_last(ledger):
    ledger.open_segment(key(0), 0)
    closed(ledger, 1)
    ledger.finish_session("s1")
    ledger.close_segment(offer(0))
    assert marked_last(ledger) == [1]


@pytest.mark.parametrize("finished", [False, True])
def test_what_may_become_the_last_segment_is_not_deletable_while_the_one_after_it_is_open(ledger, finished):
    for sequence in (0, 1):
        closed(ledger, sequence)
        ledger.move(key(sequence), SegmentState.CONFIRMED)
    ledger.open_segment(key(2), 0)
    if finished:
        ledger.finish_session("s1")
    assert [row.key.sequence for row in ledger.deletable()] == [0]


def test_the_newest_segment_of_a_running_session_is_not_deletable(ledger):
    for sequence in (0, 1):
        closed(ledger, sequence, last=sequence == 1)
        ledger.move(key(sequence), SegmentState.CONFIRMED)
    assert [row.key.sequence for row in ledger.deletable()] == [0]
    ledger.finish_session("s1")
    assert [row.key.sequence for row in ledger.deletable()] == [0, 1]


def test_only_open_segments_are_forgotten(ledger):
    ledger.open_segment(key(0), 10**18)
    ledger.forget_segment(key(0))
    assert ledger.segments() == []
    closed(ledger, 1)
    with pytest.raises(LedgerFault, match="cannot become forgotten"):
        ledger.forget_segment(key(1))


def test_what_is_no_ledger_is_refused_in_words(tmp_path):
    path = tmp_path / "ledger.sqlite"
    path.write_text("Dear coach, " * 100)
    with pytest.raises(LedgerFault, match=r"ledger\.sqlite cannot be opened"):
        Ledger(path)
