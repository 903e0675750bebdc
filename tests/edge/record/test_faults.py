"""What a recording survives, what ends it, and what is left on the disk either way."""

import errno
import shutil
import threading
import time

import numpy as np
import pytest

from edge.encode.libav import LibavCoder
from edge.errors import CameraFault, CoderFault, RecorderFault
from edge.ledger import Ledger
from edge.record import Patience, salvage
from edge.record.fragments import cut_to_fragments
from edge.record.shelf import TRACKS, VIDEO, Shelf
from edge.record.writer import SegmentWriter
from wire.session import SegmentKey, SegmentState
from wire.tracks import decode_tracks


class FrailCoder(LibavCoder):
    """A coder that fails, or waits for `held`, at the frames of the given numbers."""

    def __init__(self, fails_at=(), holds_at=None, held=None):
        super().__init__("h264", 320, 180, 25.0)
        self._fails_at, self._holds_at, self._held = fails_at, holds_at, held

    def encode(self, frame, *, key):
        if frame.index in self._fails_at:
            raise CoderFault(f"the coder choked on frame {frame.index}")
        if frame.index == self._holds_at:
            self._held.wait(30)
        return super().encode(frame, key=key)


def times_in(rig, offer, zero_ns):
    return (
        (decode_tracks(rig.shelf.path(offer.key, TRACKS).read_bytes()).frame_times_ns - zero_ns) // 1_000_000
    ).tolist()


def playable(rig, offer):
    return len(cut_to_fragments(rig.shelf.path(offer.key, VIDEO)))


def test_a_coder_that_fails_is_replaced_where_it_stood(rig, list_camera, frames, make_eyes, zero_ns):
    camera = list_camera(frames(*range(0, 4000, 40)))
    coders = iter([FrailCoder(fails_at=(30,)), FrailCoder()])
    camera.coder = lambda: next(coders)
    recording = rig.record(camera, make_eyes(), zero_ns)
    rig.wait()
    assert [(o.frames, playable(rig, o)) for o in rig.offers()] == [(50, 50), (50, 50)]
    assert recording.fault == "the coder choked on frame 30"
    assert not recording.broken


def test_a_coder_that_always_fails_breaks_the_recording(rig, list_camera, frames, make_eyes, zero_ns):
    camera = list_camera(frames(*range(0, 4000, 40)))
    camera.coder = lambda: FrailCoder(fails_at=range(60, 999))
    recording = rig.record(camera, make_eyes(), zero_ns)
    rig.wait()
    assert recording.broken
    assert [o.frames for o in rig.offers()] == [50, 10]
    assert not rig.ledger.sessions()[0].finished


def test_a_coder_that_hangs_breaks_the_recording_in_time(rig, list_camera, frames, make_eyes, zero_ns):
    held = threading.Event()
    camera = list_camera(frames(*range(0, 4000, 40)))
    camera.coder = lambda: FrailCoder(holds_at=70, held=held)
    recording = rig.record(camera, make_eyes(), zero_ns, patience=Patience(coder_s=0.2))
    rig.wait()
    held.set()
    assert recording.broken
    assert recording.fault == "the coder hangs: no answer for 0.2 s"
    assert [o.frames for o in rig.offers()][:1] == [50]


@pytest.fixture
def failing_file(monkeypatch):
    """Lets the file of a segment fail when it takes its frame of this number, with an error of the system."""

    def fail(sequences, frame, number):
        honest = SegmentWriter.write

        def write(self, packet):
            if self.sequence in sequences and len(self.times_ns) == frame:
                raise RecorderFault(f"cannot write {self.path.name}") from OSError(number, "injected")
            honest(self, packet)

        monkeypatch.setattr(SegmentWriter, "write", write)

    return fail


def test_a_segment_whose_file_fails_keeps_what_is_whole_and_the_next_is_complete(
    rig, list_camera, frames, make_eyes, zero_ns, failing_file
):
    failing_file({1}, 40, errno.EIO)
    recording = rig.record(list_camera(frames(*range(0, 6000, 40))), make_eyes(), zero_ns)
    rig.wait()
    offers = rig.offers()
    assert [o.key.sequence for o in offers] == [0, 1, 2]
    assert [offers[0].frames, offers[2].frames] == [50, 50]
    assert 25 <= offers[1].frames <= 40
    assert playable(rig, offers[1]) == offers[1].frames
    assert times_in(rig, offers[1], zero_ns) == list(range(2000, 2000 + 40 * offers[1].frames, 40))
    tracks = decode_tracks(rig.shelf.path(offers[1].key, TRACKS).read_bytes())
    assert tracks.frame.tolist() == list(range(offers[1].frames))
    assert not recording.broken
    assert rig.ledger.sessions()[0].finished


def test_a_segment_of_which_nothing_is_whole_leaves_no_row_and_no_file(
    rig, list_camera, frames, make_eyes, zero_ns, failing_file
):
    failing_file({1}, 0, errno.EIO)
    rig.record(list_camera(frames(*range(0, 6000, 40))), make_eyes(), zero_ns)
    rig.wait()
    assert [(o.key.sequence, o.frames) for o in rig.offers()] == [(0, 50), (2, 50)]
    assert [path for path in (rig.shelf.root / "open").rglob("*") if path.is_file()] == []


def test_files_that_fail_one_after_the_other_break_the_recording(
    rig, list_camera, frames, make_eyes, zero_ns, failing_file
):
    failing_file(set(range(1, 99)), 3, errno.EIO)
    recording = rig.record(list_camera(frames(*range(0, 30_000, 40))), make_eyes(), zero_ns)
    rig.wait()
    assert recording.broken
    assert recording.frames < 750
    assert rig.offers()[0].frames == 50


def test_a_full_disk_ends_the_session_in_order(rig, list_camera, frames, make_eyes, zero_ns, failing_file):
    failing_file({2, 3, 4}, 30, errno.ENOSPC)
    recording = rig.record(list_camera(frames(*range(0, 10_000, 40))), make_eyes(), zero_ns)
    rig.wait()
    assert "the disk is full" in recording.fault
    assert not recording.broken
    assert [o.key.sequence for o in rig.offers()] == [0, 1, 2]
    [session] = rig.ledger.sessions()
    assert (session.stopped, session.finished) == (True, True)
    assert rig.offers()[-1].last


def test_a_full_disk_on_which_room_can_be_made_does_not_end_the_session(
    rig, list_camera, frames, make_eyes, zero_ns, failing_file
):
    failing_file({2}, 30, errno.ENOSPC)
    asked = []
    recording = rig.record(
        list_camera(frames(*range(0, 10_000, 40))), make_eyes(), zero_ns, make_room=lambda: not asked.append(1)
    )
    rig.wait()
    assert asked == [1]
    assert not recording.broken
    assert [o.key.sequence for o in rig.offers()] == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("fault", [CameraFault("the cable came off"), None])
def test_the_end_of_a_live_camera_s_pictures_breaks_the_recording(rig, list_camera, frames, make_eyes, zero_ns, fault):
    shots = [*frames(0, 40, 80), *([fault] if fault else [])]
    recording = rig.record(list_camera(shots, live=True), make_eyes(), zero_ns)
    rig.wait()
    assert recording.broken
    assert recording.fault in ("the cable came off", "the camera stopped giving pictures")
    assert [o.frames for o in rig.offers()] == [3]
    assert not rig.ledger.sessions()[0].finished


def test_a_live_camera_that_falls_silent_breaks_the_recording(rig, list_camera, frames, make_eyes, zero_ns):
    silence = threading.Event()
    camera = list_camera([*frames(0, 40, 80), silence], live=True)
    recording = rig.record(camera, make_eyes(), zero_ns, patience=Patience(camera_s=0.2))
    rig.wait()
    silence.set()
    assert recording.fault == "the camera gives no picture: no answer for 0.2 s"
    assert recording.broken
    assert [o.frames for o in rig.offers()] == [3]


def test_a_live_camera_may_wait_for_its_rig_before_its_first_frame_but_no_longer(
    rig, list_camera, frames, make_eyes, zero_ns
):
    silence = threading.Event()
    camera = list_camera([silence, *frames(0, 40, 80)], live=True)
    camera.waits_s = 1.0
    began = time.monotonic()
    recording = rig.record(camera, make_eyes(), zero_ns, patience=Patience(camera_s=0.2))
    rig.wait()
    silence.set()
    assert recording.fault == "the camera gives no picture: no answer for 1.2 s"
    assert time.monotonic() - began > 1.0


def test_slow_eyes_do_not_hold_up_a_live_camera(rig, list_camera, frames, make_eyes, zero_ns):
    eyes = make_eyes(blocks_at=0)
    recording = rig.record(list_camera(frames(*range(0, 4000, 40)), live=True), eyes, zero_ns)
    rig.wait()
    eyes.released.set()
    assert recording.frames == 100
    assert recording.frames_unseen >= 97
    assert sum(o.frames for o in rig.offers()) == 100


@pytest.fixture
def unseen(rig, list_camera, frames, make_eyes, zero_ns, until):
    """A recording with two finished segments and an open one, whose eyes do not answer; the finished videos' places."""
    eyes, hold = make_eyes(blocks_at=0), threading.Event()
    camera = list_camera([*frames(*range(0, 6000, 40)), hold], live=True)
    rig.record(camera, eyes, zero_ns, patience=Patience(eyes_s=60, camera_s=60))
    until(lambda: len(rig.ledger.segments()) == 3)
    yield [rig.shelf.path(SegmentKey("s1", "left", sequence), VIDEO) for sequence in (0, 1)]
    hold.set()
    eyes.released.set()
    rig.wait()


def test_finished_videos_are_made_durable_while_the_eyes_do_not_answer(rig, unseen, until):
    until(lambda: all(video.exists() for video in unseen))
    assert [row.state for row in rig.ledger.segments()] == [SegmentState.OPEN] * 3


def test_a_cut_of_power_while_the_eyes_do_not_answer_costs_only_the_open_segment(
    rig, unseen, until, log, zero_ns, tmp_path_factory
):
    until(lambda: all(video.exists() for video in unseen))
    left = tmp_path_factory.mktemp("left") / "data"
    # Nothing under `open/` was ever made durable.
    shutil.copytree(rig.shelf.root, left, ignore=shutil.ignore_patterns("open"))
    ledger = Ledger.of(left)
    salvage(Shelf(left), ledger, log, zero_ns)
    assert [(row.key.sequence, row.offer.frames) for row in ledger.segments()] == [(0, 50), (1, 50)]
    ledger.close()


def test_rows_stay_with_their_frames_when_the_eyes_missed_some(rig, list_camera, frames, make_eyes, zero_ns, until):
    """Frame 3 holds the eyes up; two more wait, and the rest of the segment passes them by."""
    eyes = make_eyes(blocks_at=3)
    shots = frames(*range(0, 4000, 40))

    class Looked(threading.Event):
        def __init__(self, least):
            super().__init__()
            self._least = least

        def wait(self, _timeout=None):
            until(lambda: eyes.looked >= self._least)

    slowly = [step for n in range(3) for step in (shots[n], Looked(n + 1))]
    again = threading.Event()
    camera = list_camera([*slowly, shots[3], eyes.blocked, *shots[4:50], again, *shots[50:]], live=True)
    recording = rig.record(camera, eyes, zero_ns)
    until(lambda: recording.frames == 50)
    eyes.released.set()
    until(lambda: eyes.looked == 6)
    again.set()
    rig.wait()
    first = decode_tracks(rig.shelf.path(rig.offers()[0].key, TRACKS).read_bytes())
    assert first.frame.tolist() == [0, 1, 2, 3, 4, 5]
    assert len(first.frame_times_ns) == 50


def test_a_pause_leaves_the_session_to_be_gone_on_with(rig, list_camera, frames, make_eyes, zero_ns, until):
    hold = threading.Event()
    recording = rig.record(list_camera([*frames(*range(0, 400, 40)), hold]), make_eyes(), zero_ns)
    until(lambda: recording.frames == 10)
    recording.pause()
    rig.wait()
    hold.set()
    [session] = rig.ledger.sessions()
    assert (session.stopped, session.finished) == (False, False)
    assert [(o.frames, o.last) for o in rig.offers()] == [(10, False)]


def test_a_stop_is_durable_before_anything_else_happens(rig, list_camera, frames, make_eyes, zero_ns, until):
    hold, held = threading.Event(), threading.Event()
    camera = list_camera([*frames(*range(0, 400, 40)), hold])
    camera.coder = lambda: FrailCoder(holds_at=9, held=held)
    recording = rig.record(camera, make_eyes(), zero_ns)
    until(lambda: recording.frames == 10)
    recording.stop()
    [session] = rig.ledger.sessions()
    assert (session.stopped, session.finished) == (True, False)
    held.set()
    hold.set()
    rig.wait()


def test_a_recording_that_goes_on_passes_over_what_it_has_and_shifts_a_clock_that_is_behind(
    rig, list_camera, frames, make_eyes, zero_ns
):
    shots = frames(*range(-4000, 4000, 40))
    rig.record(list_camera(shots, live=False), make_eyes(), zero_ns, after=0, shift_ns=4_000_000_000)
    rig.wait()
    assert [(o.key.sequence, o.frames) for o in rig.offers()] == [(1, 50), (2, 50), (3, 50)]
    assert times_in(rig, rig.offers()[0], zero_ns)[0] == 2000


def test_out_of_memory_in_the_eyes_costs_only_the_tracks(rig, list_camera, frames, make_eyes, zero_ns):
    eyes = make_eyes()
    honest = eyes.look

    def look(frame):
        if frame.index == 20:
            raise MemoryError
        honest(frame)

    eyes.look = look
    recording = rig.record(list_camera(frames(*range(0, 4000, 40))), eyes, zero_ns)
    rig.wait()
    assert [o.frames for o in rig.offers()] == [50, 50]
    assert not recording.broken


def test_out_of_memory_in_the_writer_breaks_the_recording_and_keeps_what_is_whole(
    rig, list_camera, frames, make_eyes, zero_ns, monkeypatch, log
):
    honest = SegmentWriter._mux

    def mux(writer, coded):
        if writer.sequence == 2 and len(writer.times_ns) == 40:
            raise MemoryError
        honest(writer, coded)

    monkeypatch.setattr(SegmentWriter, "_mux", mux)
    recording = rig.record(list_camera(frames(*range(0, 6000, 40))), make_eyes(), zero_ns)
    rig.wait()
    assert recording.broken
    assert "MemoryError" in recording.fault
    assert [o.frames for o in rig.offers()] == [50, 50]
    assert salvage(rig.shelf, rig.ledger, log, zero_ns + 6_000_000_000).running.session == "s1"
    assert [row.key.sequence for row in rig.ledger.segments()] == [0, 1, 2]
    assert 25 <= rig.offers()[2].frames <= 40


def test_out_of_memory_in_the_coder_breaks_the_recording_and_keeps_what_was_closed(
    rig, list_camera, frames, make_eyes, zero_ns
):
    camera = list_camera(frames(*range(0, 6000, 40)))

    class Greedy(LibavCoder):
        def encode(self, frame, *, key):
            if frame.index == 120:
                raise MemoryError
            return super().encode(frame, key=key)

    camera.coder = lambda: Greedy("h264", 320, 180, 25.0)
    recording = rig.record(camera, make_eyes(), zero_ns)
    rig.wait()
    assert recording.broken
    assert [o.frames for o in rig.offers()] == [50, 50, 20]
    assert rig.ledger.segments(SegmentState.OPEN) == []
    assert np.all(np.diff(times_in(rig, rig.offers()[-1], zero_ns)) == 40)
