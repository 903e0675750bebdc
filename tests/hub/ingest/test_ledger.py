import pytest

from hub.ingest import Ledger, SegmentShelf
from hub.ingest.ledger import PARTS
from wire.ids import node_id, session_id
from wire.session import SegmentKey, SegmentOffer

SESSION, NODE = session_id("s"), node_id("left")


@pytest.fixture
def ledger(tmp_path):
    ledger = Ledger(tmp_path / "ledger.db")
    yield ledger
    ledger.close()


def hold(ledger: Ledger, sequence: int, *, last: bool = False, parts=PARTS, clock_offset_ns=None) -> None:
    key = SegmentKey(SESSION, NODE, sequence)
    offer = SegmentOffer(
        key=key, start_ns=0, end_ns=1, frames=1, video_bytes=1, video_sha256="0" * 64, tracks_bytes=1,
        tracks_sha256="0" * 64, clock_uncertainty_ns=0, last=last,
        clock_offset_ns=clock_offset_ns,
    )  # fmt: skip
    ledger.offer(offer, 0)
    for part in parts:
        ledger.hold(key, part, 0)


def test_a_ledger_from_before_the_clocks_offset_is_gone_on_with(ledger, tmp_path):
    hold(ledger, 0, parts=("video",))
    ledger._db.execute("alter table segments drop column clock_offset_ns")
    newer = Ledger(tmp_path / "ledger.db")
    assert newer.hold(SegmentKey(SESSION, NODE, 0), "tracks", 0).clock_offset_ns is None
    hold(newer, 1, parts=("video",), clock_offset_ns=-3)
    assert newer.hold(SegmentKey(SESSION, NODE, 1), "tracks", 0).clock_offset_ns == -3
    newer.close()


def settled(shelf, sequences):
    return [shelf.settled(SESSION, NODE, sequence) for sequence in sequences]


def test_a_number_that_was_passed_over_will_never_come_but_the_next_may(ledger, tmp_path):
    shelf = SegmentShelf(tmp_path, ledger)
    assert settled(shelf, range(2)) == [False, False]
    hold(ledger, 0)
    hold(ledger, 2)
    assert settled(shelf, range(4)) == [True, True, True, False]


def test_an_offered_segment_whose_files_are_on_their_way_is_not_settled(ledger, tmp_path):
    shelf = SegmentShelf(tmp_path, ledger)
    hold(ledger, 0, parts=("video",))
    hold(ledger, 1)
    assert settled(shelf, range(2)) == [False, True]


def test_after_the_last_segment_nothing_is_waited_for(ledger, tmp_path):
    shelf = SegmentShelf(tmp_path, ledger)
    hold(ledger, 0, last=True)
    assert shelf.last(SESSION, NODE) == 0
    assert settled(shelf, range(3)) == [True, True, True]


def test_a_node_taken_for_finished_is_believed_when_it_speaks_again(ledger, tmp_path):
    shelf = SegmentShelf(tmp_path, ledger)
    shelf.finish(SESSION, NODE)
    assert shelf.last(SESSION, NODE) == -1
    assert settled(shelf, [0]) == [True]
    hold(ledger, 3, last=True)
    assert shelf.last(SESSION, NODE) == 3


def steps(ledger, ask) -> int:
    """How many instructions of SQLite's machine it takes to answer."""
    count = 0

    def step() -> int:
        nonlocal count
        count += 1
        return 0

    ledger._db.conn.set_progress_handler(step, 1)
    try:
        ask()
    finally:
        ledger._db.conn.set_progress_handler(None, 1)
    return count


@pytest.mark.parametrize("ask", ["settled", "passed over", "last", "end"])
def test_what_is_asked_for_every_window_costs_the_same_late_in_a_long_match(ledger, tmp_path, ask):
    shelf = SegmentShelf(tmp_path, ledger)
    ledger._db.execute("pragma synchronous=off")
    hold(ledger, 0)

    def once():
        if ask == "settled":
            assert shelf.settled(SESSION, NODE, 0)
        elif ask == "passed over":
            assert not shelf.settled(SESSION, NODE, 999)
        elif ask == "last":
            assert shelf.last(SESSION, NODE) is None
        else:
            assert shelf.end_ns(SESSION, NODE) == 1

    early = steps(ledger, once)
    for sequence in range(1, 100):
        hold(ledger, sequence)
    assert steps(ledger, once) <= early + 5
