import errno
import io
import sqlite3
from fractions import Fraction
from pathlib import Path

import av
import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.capture import Frame
from edge.encode.libav import LibavCoder
from edge.ledger import UNKNOWN, Ledger, Stamping
from edge.record import Shelf, salvage
from edge.record.fragments import complete_bytes, cut_to_fragments
from edge.record.salvage import RESUME_NS
from edge.record.shelf import TRACKS, VIDEO
from edge.record.writer import SegmentWriter
from edge.storage import Storage
from firmware.clock import WORST_UNCERTAINTY_NS
from wire.rigtime import SECOND
from wire.session import SegmentKey, SegmentState
from wire.tracks import decode_tracks

KEY = SegmentKey("s1", "left", 0)
LATER_NS = 1_790_000_000_000_000_000 + 2 * RESUME_NS


@pytest.fixture
def ledger(tmp_path, session_row):
    made = Ledger(tmp_path / "ledger.sqlite")
    made.begin_session(session_row())
    yield made
    made.close()


@pytest.fixture
def shelf(tmp_path):
    return Shelf(tmp_path)


@pytest.fixture
def write_open(shelf, ledger, picture, zero_ns):
    """Writes 50 frames into an open segment, and leaves it as a cut of power would: `whole` or at `length` bytes."""

    def write(key=KEY, length=None, stamping=UNKNOWN):
        ledger.open_segment(key, zero_ns + key.sequence * 2 * SECOND, stamping)
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


def test_at_any_moment_all_but_the_last_half_second_is_whole_in_the_file(tmp_path, picture, zero_ns):
    """Of a picture that takes few bits, as a pitch at night."""
    path = tmp_path / "0.mp4"
    coder, writer = LibavCoder("h264", 320, 180, 25), SegmentWriter(path, 0, "h264", 320, 180, 25)
    behind = []
    for n in range(50):
        for packet in coder.encode(Frame(picture(n), zero_ns + n * 40_000_000, n), key=not n):
            writer.write(packet)
        left = tmp_path / "left.mp4"
        left.write_bytes(path.read_bytes())
        behind.append(len(writer.times_ns) - len(cut_to_fragments(left)))
    writer.finish()
    assert max(behind) <= 25 / 2 + 1


def test_a_cut_segment_keeps_its_complete_fragments(shelf, ledger, log, write_open, zero_ns):
    length = write_open().stat().st_size
    with shelf.open_path(KEY, VIDEO).open("r+b") as file:
        file.truncate(length - 400)
    salvage(shelf, ledger, log, LATER_NS)
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


def test_a_cut_segments_times_are_as_good_as_they_were_before_the_cut(shelf, ledger, log, write_open):
    write_open(stamping=Stamping(1_300_000, -40_000))
    salvage(shelf, ledger, log, LATER_NS)
    [row] = ledger.segments()
    assert (row.offer.clock_uncertainty_ns, row.offer.clock_offset_ns) == (1_300_000, -40_000)


def test_of_a_segment_that_an_older_program_opened_nothing_is_known_of_its_times(shelf, ledger, log, write_open):
    write_open()
    ledger._db.execute("update segments set clock_uncertainty_ns = null, clock_offset_ns = null")
    ledger._db.conn.commit()
    salvage(shelf, ledger, log, LATER_NS)
    [row] = ledger.segments()
    assert (row.offer.clock_uncertainty_ns, row.offer.clock_offset_ns) == (WORST_UNCERTAINTY_NS, None)


@pytest.mark.parametrize("length", [0, 7, 500, 900])
def test_a_segment_without_a_complete_fragment_is_given_up(shelf, ledger, log, write_open, length, log_text):
    write_open(length=length)
    salvage(shelf, ledger, log, LATER_NS)
    assert ledger.segments() == []
    assert not (shelf.root / "open").exists()
    assert "event=segment-lost session=s1 segment=0" in log_text.getvalue()


def test_a_row_without_any_file_is_given_up(shelf, ledger, log, zero_ns):
    ledger.open_segment(KEY, zero_ns)
    salvage(shelf, ledger, log, LATER_NS)
    assert ledger.segments() == []


def test_a_video_already_in_its_place_is_closed_from_there(shelf, ledger, log, write_open):
    write_open()
    shelf.place(KEY, VIDEO)
    salvage(shelf, ledger, log, LATER_NS)
    (row,) = ledger.segments()
    assert (row.state, row.offer.frames, row.offer.last) == (SegmentState.CLOSED, 50, True)
    assert shelf.path(KEY, VIDEO).stat().st_size == row.offer.video_bytes


def test_salvage_done_twice_changes_nothing_more(shelf, ledger, log, write_open):
    write_open()
    salvage(shelf, ledger, log, LATER_NS)
    before = ledger.segments()
    salvage(shelf, ledger, log, LATER_NS)
    assert ledger.segments() == before


def test_the_last_segment_is_offered_again_when_the_one_after_it_is_lost(
    shelf, ledger, log, write_open, session_row, zero_ns
):
    write_open()
    salvage_key = SegmentKey("s1", "left", 1)
    salvage(shelf, ledger, log, LATER_NS)
    ledger.move(KEY, SegmentState.CONFIRMED)
    ledger.begin_session(session_row(session="s2"))
    write_open(SegmentKey("s2", "left", 0))
    first = SegmentKey("s2", "left", 0)
    times = zero_ns + np.arange(50, dtype=np.int64) * 40_000_000
    tracks = decode_tracks(shelf.path(KEY, TRACKS).read_bytes())
    shelf.close(
        ledger,
        first,
        shelf.place(first, VIDEO),
        type(tracks)(**{**vars(tracks), "session": "s2", "frame_times_ns": times}),
        frame_ns=40_000_000,
        uncertainty_ns=5,
        last=False,
    )
    ledger.move(first, SegmentState.CONFIRMED)
    ledger.open_segment(SegmentKey("s2", "left", 1), zero_ns + 2_000_000_000)
    salvage(shelf, ledger, log, LATER_NS)
    rows = {row.key: row for row in ledger.segments()}
    assert salvage_key not in rows
    assert rows[KEY].state is SegmentState.CONFIRMED
    assert rows[first].state is SegmentState.CLOSED
    assert rows[first].offer.last


def test_a_session_that_nobody_ended_is_gone_on_with(shelf, ledger, log, write_open, zero_ns):
    write_open()
    found = salvage(shelf, ledger, log, zero_ns + RESUME_NS)
    assert (found.running.session, found.broken_off) == ("s1", None)
    (row,) = ledger.segments()
    assert (row.state, row.offer.last) == (SegmentState.CLOSED, False)
    assert not ledger.sessions()[0].finished
    assert ledger.reach("s1") == (0, zero_ns + 2_000_000_000)


def test_a_session_that_stood_still_for_too_long_is_over_and_that_is_known(shelf, ledger, log, write_open, zero_ns):
    write_open()
    found = salvage(shelf, ledger, log, zero_ns + 2 * SECOND + RESUME_NS)
    assert found.running is None
    session, stood_ns = found.broken_off
    assert (session.session, stood_ns) == ("s1", RESUME_NS)
    assert ledger.sessions()[0].finished
    assert ledger.segments()[0].offer.last
    assert salvage(shelf, ledger, log, zero_ns + 3 * RESUME_NS).broken_off is None


def test_a_session_without_any_segment_is_gone_on_with_from_its_beginning(shelf, ledger, log, zero_ns):
    assert salvage(shelf, ledger, log, zero_ns + 10).running.session == "s1"
    assert ledger.reach("s1") == (-1, zero_ns)


def test_a_clock_that_is_behind_does_not_end_a_session(shelf, ledger, log, write_open, zero_ns):
    write_open()
    assert salvage(shelf, ledger, log, zero_ns - 40 * RESUME_NS).running.session == "s1"


def test_a_session_whose_end_was_asked_for_is_finished_and_not_gone_on_with(shelf, ledger, log, write_open, zero_ns):
    write_open()
    ledger.stop_session("s1")
    found = salvage(shelf, ledger, log, zero_ns + 10)
    assert (found.running, found.broken_off) == (None, None)
    assert ledger.sessions()[0].finished
    assert ledger.segments()[0].offer.last


def test_only_the_newest_of_two_broken_off_sessions_is_gone_on_with(shelf, ledger, log, zero_ns):
    [old] = ledger.sessions()
    ledger.begin_session(msgspec.structs.replace(old, session="s2", start_ns=zero_ns + 50))
    assert salvage(shelf, ledger, log, zero_ns + 100).running.session == "s2"
    assert {row.session: row.finished for row in ledger.sessions()} == {"s1": True, "s2": False}


THREE = [SegmentKey("s1", "left", n) for n in range(3)]


def states(ledger):
    return [row.state for row in ledger.segments()]


def files(shelf, key):
    """Everything there is of a segment, wherever it lies, past whatever is `failing`."""
    found = {}
    for path in [place(key, suffix) for place in (shelf.open_path, shelf.path) for suffix in (VIDEO, TRACKS)]:
        if path.exists():
            with path.open("rb") as file:
                found[path] = file.read()
    return found


@pytest.fixture
def failing(monkeypatch):
    """Lets a method of `Path` fail for one path, with an error of the system, until it is called off."""

    def fail(method, wanted, number):
        honest = getattr(Path, method)

        def broken(path, *args):
            if path == wanted:
                raise OSError(number, "injected", str(path))
            return honest(path, *args)

        monkeypatch.setattr(Path, method, broken)
        return lambda: monkeypatch.setattr(Path, method, honest)

    return fail


@pytest.fixture
def check_left(shelf, ledger, log, log_text, zero_ns):
    """Salvages three segments of a running session, of which the one `left` has a fault."""

    def check(left, fault):
        running = salvage(shelf, ledger, log, zero_ns + 10 * SECOND).running
        assert running.session == "s1"
        assert ledger.reach("s1")[0] == 2
        want = [SegmentState.OPEN if key == left else SegmentState.CLOSED for key in THREE]
        assert states(ledger) == want
        told = [line for line in log_text.getvalue().splitlines() if "event=segment-left" in line]
        assert len(told) == 1
        assert f"session=s1 segment={left.sequence} fault=" in told[0]
        assert fault in told[0]
        assert "all is kept, the next start tries again" in told[0]
        kept = files(shelf, left)
        Storage(shelf, ledger, log).sweep()
        assert files(shelf, left) == kept

    return check


@pytest.fixture
def check_completed(shelf, ledger, log, zero_ns):
    """Salvages once more, the fault being gone."""

    def check():
        assert salvage(shelf, ledger, log, zero_ns + 10 * SECOND).running.session == "s1"
        assert states(ledger) == [SegmentState.CLOSED] * 3
        assert [row.offer.frames for row in ledger.segments()] == [50] * 3
        assert not (shelf.root / "open").exists()
        for n, key in enumerate(THREE):
            with av.open(str(shelf.path(key, VIDEO))) as container:
                assert len(list(container.decode(video=0))) == 50
            times_ns = decode_tracks(shelf.path(key, TRACKS).read_bytes()).frame_times_ns
            assert times_ns[0] == zero_ns + n * 2 * SECOND

    return check


@pytest.mark.parametrize("key", THREE)
def test_a_segment_that_the_disk_does_not_give_is_left_and_the_others_are_salvaged(
    shelf, write_open, failing, check_left, check_completed, key
):
    for each in THREE:
        write_open(each)
    before = files(shelf, key)
    heal = failing("read_bytes", shelf.open_path(key, VIDEO), errno.EIO)
    check_left(key, "injected")
    heal()
    assert files(shelf, key) == before
    check_completed()


def test_a_disk_that_is_full_when_tracks_are_written_costs_no_video(
    shelf, write_open, failing, check_left, check_completed
):
    for each in THREE:
        write_open(each)
    heal = failing("write_bytes", shelf.open_path(THREE[1], TRACKS), errno.ENOSPC)
    check_left(THREE[1], "injected")
    heal()
    check_completed()


def test_a_disk_that_is_full_for_the_ledger_costs_no_video(
    shelf, ledger, log, log_text, write_open, monkeypatch, check_completed, zero_ns
):
    def full(*_):
        raise sqlite3.OperationalError("database or disk is full")

    for each in THREE:
        write_open(each)
    with monkeypatch.context() as meanwhile:
        for step in ("close_segment", "finish_session"):
            meanwhile.setattr(ledger, step, full)
        assert salvage(shelf, ledger, log, LATER_NS).running is None
    assert states(ledger) == [SegmentState.OPEN] * 3
    assert "event=session-left session=s1 fault=" in log_text.getvalue()
    check_completed()


@pytest.fixture
def placed(shelf, write_open):
    """Three segments left open, of which the middle one's video is in its place already, with these tracks."""

    def place(raw):
        for each in THREE:
            write_open(each)
        shelf.place(THREE[1], VIDEO)
        tracks = shelf.path(THREE[1], TRACKS)
        tracks.write_bytes(raw)
        return tracks

    return place


NOISE = b"TLtk, and then noise"


def test_damaged_tracks_cost_their_segment_the_sight_and_are_put_aside(
    shelf, ledger, log, placed, check_completed, log_text
):
    tracks = placed(NOISE)
    check_completed()
    assert len(decode_tracks(tracks.read_bytes()).frame) == 0
    aside = shelf.root / "damaged" / THREE[1].path(TRACKS)
    assert aside.read_bytes() == NOISE
    assert f"event=tracks-damaged session=s1 segment=1 kept={aside} " in log_text.getvalue()
    assert 'fault="this tracks file is cut short"' in log_text.getvalue()
    Storage(shelf, ledger, log).sweep()
    assert aside.exists()


def test_what_was_put_aside_before_is_never_written_over(shelf, placed, check_completed):
    before = shelf.root / "damaged" / THREE[1].path(TRACKS)
    before.parent.mkdir(parents=True)
    before.write_bytes(b"of an earlier start")
    placed(NOISE)
    check_completed()
    assert before.read_bytes() == b"of an earlier start"
    assert [path.read_bytes() for path in before.parent.iterdir() if path != before] == [NOISE]


def test_tracks_that_the_disk_does_not_give_are_put_aside_too(shelf, ledger, log, placed, failing, zero_ns):
    heal = failing("read_bytes", placed(NOISE), errno.EIO)
    salvage(shelf, ledger, log, zero_ns + 10 * SECOND)
    heal()
    assert states(ledger) == [SegmentState.CLOSED] * 3
    assert (shelf.root / "damaged" / THREE[1].path(TRACKS)).read_bytes() == NOISE


def test_tracks_of_a_newer_version_leave_their_segment_to_a_program_that_can_read_them(
    shelf, placed, check_left, check_completed
):
    head = b'{"kind":"tracks","version":99,"body":{}}'
    tracks = placed(b"TLtk" + len(head).to_bytes(4, "little") + head)
    before = files(shelf, THREE[1])
    check_left(THREE[1], "NewerVersion")
    assert files(shelf, THREE[1]) == before
    tracks.unlink()
    check_completed()


def test_a_session_whose_newest_segment_was_left_stood_still_only_since_that_one(
    shelf, ledger, log, write_open, failing, zero_ns
):
    """Half-time was long, and power was cut soon after it."""
    write_open()
    key = SegmentKey("s1", "left", 900)
    write_open(key)
    failing("read_bytes", shelf.open_path(key, VIDEO), errno.EIO)
    begun_ns = zero_ns + 1800 * SECOND
    assert salvage(shelf, ledger, log, begun_ns + 60 * SECOND).running.session == "s1"
    assert ledger.reach("s1") == (900, begun_ns)


@pytest.mark.parametrize("length", [None, 0])
def test_a_finished_session_knows_its_last_segment_once_what_was_left_is_saved_or_lost(
    shelf, ledger, log, write_open, failing, length
):
    for key in THREE[:2]:
        write_open(key)
    last = shelf.open_path(THREE[1], VIDEO)
    heal = failing("read_bytes", last, errno.EIO)
    assert salvage(shelf, ledger, log, LATER_NS).running is None
    assert ledger.sessions()[0].finished
    assert [row.offer and row.offer.last for row in ledger.segments()] == [False, None]
    heal()
    if length is not None:
        last.write_bytes(b"")
    salvage(shelf, ledger, log, LATER_NS)
    assert [row.offer.last for row in ledger.segments()] == ([False, True] if length is None else [True])


def test_what_no_open_segment_has_left_is_swept_away_beside_one_that_has(shelf, ledger, log, write_open, failing):
    kept = write_open()
    failing("read_bytes", kept, errno.EIO)
    stray = shelf.open_path(SegmentKey("s0", "left", 7), VIDEO)
    stray.parent.mkdir(parents=True)
    for path in (stray, kept.with_name("00000001.mp4")):
        path.write_bytes(b"nobody's")
    salvage(shelf, ledger, log, LATER_NS)
    assert [path for path in (shelf.root / "open").rglob("*") if path.is_file()] == [kept]
    assert not stray.parent.exists()


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
