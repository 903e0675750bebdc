import io
from fractions import Fraction

import av
import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.capture import Frame
from edge.encode.libav import LibavCoder
from edge.ledger import Ledger, SessionRow
from edge.record import Shelf, salvage
from edge.record.fragments import complete_bytes
from edge.record.salvage import RESUME_NS
from edge.record.shelf import TRACKS, VIDEO
from edge.record.writer import SegmentWriter
from wire.session import SegmentKey, SegmentState
from wire.tracks import decode_tracks

KEY = SegmentKey("s1", "left", 0)
LATER_NS = 1_790_000_000_000_000_000 + 2 * RESUME_NS


@pytest.fixture
def ledger(tmp_path, zero_ns):
    made = Ledger(tmp_path / "ledger.sqlite")
    made.begin_session(
        SessionRow(
            session="s1",
            node="left",
            start_ns=zero_ns,
            width_px=320,
            height_px=180,
            frames_per_second=25,
            detector="motion",
        )
    )
    yield made
    made.close()


@pytest.fixture
def shelf(tmp_path):
    return Shelf(tmp_path)


@pytest.fixture
def write_open(shelf, ledger, picture, zero_ns):
    """Writes 50 frames into an open segment, and leaves it as a cut of power would: `whole` or at `length` bytes."""

    def write(key=KEY, length=None):
        ledger.open_segment(key, zero_ns)
        path = shelf.open_path(key, VIDEO)
        coder, writer = LibavCoder("h264", 320, 180, 25), SegmentWriter(path, key.sequence, "h264", 320, 180, 25)
        for n in range(50):
            for packet in coder.encode(Frame(picture(n), zero_ns + n * 40_000_000, n), key=not n):
                writer.write(packet)
        writer.finish()
        if length is not None:
            path.write_bytes(path.read_bytes()[:length])
        return path

    return write


def test_a_cut_segment_keeps_its_complete_fragments(shelf, ledger, log, write_open, zero_ns):
    length = write_open().stat().st_size
    with shelf.open_path(KEY, VIDEO).open("r+b") as file:
        file.truncate(length - 400)
    salvage(shelf, ledger, log, LATER_NS, 5)
    (row,) = ledger.segments()
    assert row.state is SegmentState.CLOSED
    assert 25 <= row.offer.frames < 50
    assert row.offer.last
    with av.open(str(shelf.path(KEY, VIDEO))) as container:
        assert len(list(container.decode(video=0))) == row.offer.frames
    tracks = decode_tracks(shelf.path(KEY, TRACKS).read_bytes())
    assert (tracks.frame_times_ns - zero_ns).tolist() == [n * 40_000_000 for n in range(row.offer.frames)]
    assert tracks.detector == "motion"
    assert len(tracks.frame) == 0
    assert ledger.sessions()[0].finished


@pytest.mark.parametrize("length", [0, 7, 500, 900])
def test_a_segment_without_a_complete_fragment_is_given_up(shelf, ledger, log, write_open, length, log_text):
    write_open(length=length)
    salvage(shelf, ledger, log, LATER_NS, 5)
    assert ledger.segments() == []
    assert not (shelf.root / "open").exists()
    assert "event=segment-lost session=s1 segment=0" in log_text.getvalue()


def test_a_row_without_any_file_is_given_up(shelf, ledger, log, zero_ns):
    ledger.open_segment(KEY, zero_ns)
    salvage(shelf, ledger, log, LATER_NS, 5)
    assert ledger.segments() == []


def test_a_video_already_in_its_place_is_closed_from_there(shelf, ledger, log, write_open):
    write_open()
    shelf.place(KEY, VIDEO)
    salvage(shelf, ledger, log, LATER_NS, 5)
    (row,) = ledger.segments()
    assert (row.state, row.offer.frames, row.offer.last) == (SegmentState.CLOSED, 50, True)
    assert shelf.path(KEY, VIDEO).stat().st_size == row.offer.video_bytes


def test_salvage_done_twice_changes_nothing_more(shelf, ledger, log, write_open):
    write_open()
    salvage(shelf, ledger, log, LATER_NS, 5)
    before = ledger.segments()
    salvage(shelf, ledger, log, LATER_NS, 5)
    assert ledger.segments() == before


def test_the_last_segment_is_offered_again_when_the_one_after_it_is_lost(shelf, ledger, log, write_open, zero_ns):
    write_open()
    salvage_key = SegmentKey("s1", "left", 1)
    salvage(shelf, ledger, log, LATER_NS, 5)
    ledger.move(KEY, SegmentState.CONFIRMED)
    ledger.begin_session(
        SessionRow(
            session="s2",
            node="left",
            start_ns=zero_ns,
            width_px=320,
            height_px=180,
            frames_per_second=25,
            detector="motion",
        )
    )
    write_open(SegmentKey("s2", "left", 0))
    first = SegmentKey("s2", "left", 0)
    times = zero_ns + np.arange(50, dtype=np.int64) * 40_000_000
    tracks = decode_tracks(shelf.path(KEY, TRACKS).read_bytes())
    shelf.close(
        ledger,
        first,
        type(tracks)(**{**vars(tracks), "session": "s2", "frame_times_ns": times}),
        frame_ns=40_000_000,
        uncertainty_ns=5,
        last=False,
    )
    ledger.move(first, SegmentState.CONFIRMED)
    ledger.open_segment(SegmentKey("s2", "left", 1), zero_ns + 2_000_000_000)
    salvage(shelf, ledger, log, LATER_NS, 5)
    rows = {row.key: row for row in ledger.segments()}
    assert salvage_key not in rows
    assert rows[KEY].state is SegmentState.CONFIRMED
    assert rows[first].state is SegmentState.CLOSED
    assert rows[first].offer.last


def test_a_session_that_nobody_ended_is_gone_on_with(shelf, ledger, log, write_open, zero_ns):
    write_open()
    running = salvage(shelf, ledger, log, zero_ns + RESUME_NS, 5)
    assert running.session == "s1"
    (row,) = ledger.segments()
    assert (row.state, row.offer.last) == (SegmentState.CLOSED, False)
    assert not ledger.sessions()[0].finished
    assert ledger.reach("s1") == (0, zero_ns + 2_000_000_000)


def test_a_session_without_any_segment_is_gone_on_with_from_its_beginning(shelf, ledger, log, zero_ns):
    assert salvage(shelf, ledger, log, zero_ns + 10, 5).session == "s1"
    assert ledger.reach("s1") == (-1, zero_ns)


def test_a_clock_that_is_behind_does_not_end_a_session(shelf, ledger, log, write_open, zero_ns):
    write_open()
    assert salvage(shelf, ledger, log, zero_ns - 40 * RESUME_NS, 5).session == "s1"


def test_a_session_whose_end_was_asked_for_is_finished_and_not_gone_on_with(shelf, ledger, log, write_open, zero_ns):
    write_open()
    ledger.stop_session("s1")
    assert salvage(shelf, ledger, log, zero_ns + 10, 5) is None
    assert ledger.sessions()[0].finished
    assert ledger.segments()[0].offer.last


def test_only_the_newest_of_two_broken_off_sessions_is_gone_on_with(shelf, ledger, log, zero_ns):
    [old] = ledger.sessions()
    ledger.begin_session(msgspec.structs.replace(old, session="s2", start_ns=zero_ns + 50))
    assert salvage(shelf, ledger, log, zero_ns + 100, 5).session == "s2"
    assert {row.session: row.finished for row in ledger.sessions()} == {"s1": True, "s2": False}


@pytest.fixture(scope="module")
def fragmented() -> bytes:
    out = io.BytesIO()
    out.name = "memory.mp4"
    options = {"movflags": "frag_keyframe+empty_moov+default_base_moof", "frag_duration": "100000"}
    with av.open(out, "w", format="mp4", options=options) as container:
        stream = container.add_stream("libx264", rate=25, options={"bf": "0"})
        stream.width, stream.height = 64, 48
        for n in range(20):
            shown = av.VideoFrame.from_ndarray(np.full((72, 64), 10 * n, np.uint8), format="yuv420p")
            shown.pts, shown.time_base = n, Fraction(1, 25)
            container.mux(stream.encode(shown))
        container.mux(stream.encode(None))
    return out.getvalue()


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_a_cut_anywhere_leaves_a_file_that_plays(fragmented, data):
    length = data.draw(st.integers(0, len(fragmented)))
    whole = complete_bytes(fragmented[:length])
    assert whole <= length
    if whole:
        with av.open(io.BytesIO(fragmented[:whole])) as container:
            frames = len(list(container.decode(video=0)))
        assert frames > 0
        # Nothing that is whole is thrown away: the next fragment does not fit into what was left.
        more = complete_bytes(fragmented[: length + 1])
        assert more >= whole


@given(st.binary(max_size=200))
def test_noise_holds_no_complete_fragment_beyond_its_end(raw):
    assert 0 <= complete_bytes(raw) <= len(raw)
