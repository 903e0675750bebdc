import os

import numpy as np
import pytest

from edge.ledger import Ledger
from edge.record.shelf import VIDEO, Shelf, Shelved
from edge.sight import SegmentSight
from wire.session import SegmentKey
from wire.tracks import SegmentTracks


@pytest.fixture
def ledger(tmp_path, session_row):
    made = Ledger(tmp_path / "ledger.sqlite")
    made.begin_session(session_row())
    yield made
    made.close()


def close(shelf, ledger, sequence, zero_ns):
    key = SegmentKey("s1", "left", sequence)
    ledger.open_segment(key, zero_ns)
    path = shelf.open_path(key, VIDEO)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"video")
    none = SegmentSight.empty()
    times = zero_ns + np.arange(50, dtype=np.int64)
    tracks = SegmentTracks(
        "s1", "left", sequence, 320, 180, "motion", (), times, none.frame, none.tracklet, none.box, none.score
    )
    shelf.close(ledger, key, shelf.place(key, VIDEO), tracks, frame_ns=1, uncertainty_ns=0, last=False)


def test_how_long_the_disk_took_over_a_segment_is_remembered_apart_from_the_rest(
    tmp_path, ledger, zero_ns, monkeypatch
):
    clock = [0.0]
    honest, slowness = os.fsync, [0.25]

    def fsync(fd):
        clock[0] += slowness[0]
        honest(fd)

    def closing(offer, honest=ledger.close_segment):
        clock[0] += 2
        honest(offer)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(ledger, "close_segment", closing)
    shelf = Shelf(tmp_path, timer=lambda: clock[0])
    close(shelf, ledger, 0, zero_ns)
    # Two files, their folder once for each, and the three folders that were new.
    assert list(shelf.shelved) == [Shelved(0.25 * 7, 0.25 * 7 + 2)]
    slowness[0] = 0.5
    close(shelf, ledger, 1, zero_ns)
    assert shelf.shelved[-1] == Shelved(2.0, 4.0)


def test_only_the_last_minute_is_remembered(tmp_path, ledger, zero_ns):
    shelf = Shelf(tmp_path)
    for sequence in range(31):
        close(shelf, ledger, sequence, zero_ns)
    assert len(shelf.shelved) == 30
