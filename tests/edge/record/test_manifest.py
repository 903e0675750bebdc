import errno
import hashlib

import cv2
import numpy as np
import pytest

from edge.capture import CameraSource
from edge.capture.details import CameraDetails
from edge.cost import Cost
from edge.frame import Frame
from edge.ledger import Ledger
from edge.record import Recording, Shelf, salvage
from edge.record.manifest import Manifests
from edge.record.shelf import MANIFEST, REFERENCE, TRACKS, VIDEO
from firmware.clock import ClockReading, ClockSource
from wire.session import SegmentKey

DETAILS = CameraDetails(model="imx477", lens="6 mm", mode="2028x1080@50", profile="1080p30")


class Desk:
    """A node's shelf, ledger and manifests; `restart` is what a new process would do first."""

    def __init__(self, root, row, clock, log):
        self.root, self.clock, self.log, self._row = root, clock, log, row
        self.shelf = Shelf(root)
        self.ledger = Ledger(root / "ledger.sqlite")
        self.manifests = Manifests(self.shelf, self.ledger, clock, log, "touchline 1")

    def row(self, zero_ns, name="s1"):
        return self._row(session=name, start_ns=zero_ns, detector="one-ball")

    def begin(self, zero_ns, picture, name="s1"):
        row = self.row(zero_ns, name)
        self.ledger.begin_session(row)
        self.manifests.begin(row, "file:x.mp4", DETAILS, picture)

    def record(self, video, eyes, zero_ns):
        done = []
        recording = Recording(
            session="s1", node="left", start_ns=zero_ns, camera=CameraSource("file", video).open(zero_ns), eyes=eyes,
            shelf=self.shelf, ledger=self.ledger, clock=self.clock, cost=Cost(), log=self.log,
            closed=lambda _offer: None, finished=lambda: done.append(True),
        )  # fmt: skip
        recording.start()
        return done

    def restart(self):
        """What a new process does first, an hour later."""
        salvage(self.shelf, self.ledger, self.log, self.clock.now_ns() + 3600 * 10**9)
        self.manifests.mend()


@pytest.fixture
def desk(tmp_path, session_row, clock, log):
    made = Desk(tmp_path, session_row, clock, log)
    yield made
    made.ledger.close()


def test_the_sums_prove_every_file_of_the_session(desk, video, make_eyes, zero_ns, picture, until):
    desk.begin(zero_ns, Frame(picture(0), zero_ns, 0))
    done = desk.record(video, make_eyes(), zero_ns)
    until(lambda: done)
    desk.manifests.end("s1", 3, over=True)
    told = desk.manifests.read("s1")
    assert (told.complete, told.frames, told.frames_dropped, len(told.segments)) == (True, 125, 3, 3)
    for segment, row in zip(told.segments, desk.ledger.segments(), strict=True):
        for suffix, size, sha256 in (
            (VIDEO, segment.video_bytes, segment.video_sha256),
            (TRACKS, segment.tracks_bytes, segment.tracks_sha256),
        ):
            raw = desk.shelf.path(row.key, suffix).read_bytes()
            assert (len(raw), hashlib.sha256(raw).hexdigest()) == (size, sha256)


def test_the_reference_is_the_picture_at_the_start(desk, zero_ns, picture):
    desk.begin(zero_ns, Frame(picture(4), zero_ns, 4))
    raw = desk.shelf.about("s1", REFERENCE).read_bytes()
    told = desk.manifests.read("s1")
    assert told.reference_sha256 == hashlib.sha256(raw).hexdigest()
    shown = cv2.imdecode(np.frombuffer(raw, np.uint8), cv2.IMREAD_COLOR).astype(int)
    off = [np.abs(shown - cv2.cvtColor(picture(n), cv2.COLOR_YUV2BGR_I420)).mean() for n in (4, 5)]
    assert off[0] < 2
    assert off[1] > 4
    assert told.details == DETAILS


def test_a_clock_whose_offset_nobody_knows_shows_the_zero_as_it_was_ordered(desk, clock, zero_ns, picture):
    clock.reading = ClockReading(source=ClockSource.KERNEL, reference="", offset_ns=None, uncertainty_ns=9)
    desk.begin(zero_ns, None)
    told = desk.manifests.read("s1")
    assert (told.local_start_ns, told.start_ns, told.reference_sha256) == (zero_ns, zero_ns, None)


def test_a_session_that_was_cut_off_is_completed_at_the_next_start(desk, zero_ns, picture):
    desk.begin(zero_ns, Frame(picture(0), zero_ns, 0))
    begun = desk.manifests.read("s1")
    desk.restart()
    told = desk.manifests.read("s1")
    assert (told.complete, told.ended, told.frames_dropped) == (True, None, 0)
    assert told.started == begun.started
    raw = desk.shelf.about("s1", MANIFEST).read_bytes()
    desk.restart()
    assert desk.shelf.about("s1", MANIFEST).read_bytes() == raw


def test_a_session_is_not_complete_before_the_segment_that_was_left_open(desk, zero_ns, monkeypatch):
    def refuse(_key):
        raise OSError(errno.EIO, "Input/output error")

    desk.begin(zero_ns, None)
    desk.ledger.open_segment(SegmentKey("s1", "left", 0), zero_ns)
    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(desk.ledger, "forget_segment", refuse)
        desk.restart()
    assert not desk.manifests.read("s1").complete
    desk.restart()
    assert desk.manifests.read("s1").complete


def test_an_older_session_is_completed_behind_newer_ones_that_are(desk, zero_ns):
    for n, name in enumerate(("s1", "s2", "s3")):
        desk.begin(zero_ns + n, None, name)
        desk.ledger.finish_session(name)
    desk.manifests.end("s2", 0, over=True)
    desk.shelf.about("s2", MANIFEST).write_bytes(b"noise")
    desk.manifests.end("s3", 0, over=True)
    desk.restart()
    assert desk.manifests.read("s1").complete
    assert desk.manifests.read("s2") is None


def test_what_is_complete_is_neither_read_nor_written_again(desk, zero_ns, monkeypatch):
    for n, name in enumerate(("s1", "s2")):
        desk.begin(zero_ns + n, None, name)
        desk.ledger.finish_session(name)
        desk.manifests.end(name, 0, over=True)
    touched = []
    monkeypatch.setattr("edge.record.manifest.write_durably", lambda path, _raw: touched.append(path))
    monkeypatch.setattr("edge.record.manifest.decode", lambda raw, _kind: touched.append(raw))
    desk.restart()
    assert touched == []


def test_a_session_that_ended_well_is_left_as_it_ended(desk, zero_ns, picture):
    desk.begin(zero_ns, None)
    desk.ledger.finish_session("s1")
    desk.manifests.end("s1", 0, over=True)
    before = desk.manifests.read("s1")
    desk.restart()
    assert desk.manifests.read("s1") == before
    assert before.ended is not None


def test_a_running_session_and_one_without_a_manifest_are_not_completed(desk, zero_ns):
    desk.ledger.begin_session(desk.row(zero_ns, "s0"))
    desk.ledger.finish_session("s0")
    desk.begin(zero_ns + 1, None)
    desk.manifests.mend()
    assert not desk.manifests.read("s1").complete
    assert desk.manifests.read("s0") is None


def test_a_session_that_is_gone_on_with_keeps_its_beginning_and_counts(desk, clock, zero_ns, picture):
    desk.begin(zero_ns, Frame(picture(0), zero_ns, 0))
    before = desk.manifests.read("s1")
    desk.manifests.end("s1", 3, over=False)
    assert not desk.manifests.read("s1").complete
    clock.ns += 10**9
    desk.manifests.begin(desk.row(zero_ns), "file:y.mp4", CameraDetails(), None)
    desk.manifests.end("s1", 4, over=True)
    after = desk.manifests.read("s1")
    assert (after.resumed, after.frames_dropped, after.complete, after.ended.local_ns) == (1, 7, True, clock.ns)
    assert (after.camera, after.details, after.started, after.reference_sha256) == (
        before.camera, before.details, before.started, before.reference_sha256,
    )  # fmt: skip


def test_a_manifest_that_is_damaged_is_written_anew(desk, zero_ns):
    desk.begin(zero_ns, None)
    desk.shelf.about("s1", MANIFEST).write_bytes(b'{"kind":"session-man')
    assert desk.manifests.read("s1") is None
    desk.manifests.begin(desk.row(zero_ns), "file:x.mp4", DETAILS, None)
    assert desk.manifests.read("s1").details == DETAILS


@pytest.mark.parametrize("step", ["begin", "finish"])
def test_a_disk_that_refuses_a_manifest_is_logged_and_nothing_more(desk, zero_ns, log_text, monkeypatch, step):
    def refuse(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    if step == "finish":
        desk.begin(zero_ns, None)
    monkeypatch.setattr("edge.record.manifest.write_durably", refuse)
    if step == "begin":
        desk.begin(zero_ns, None)
        assert desk.manifests.read("s1") is None
    desk.manifests.end("s1", 0, over=True)
    assert "event=manifest-fault session=s1 fault=" in log_text.getvalue()
    assert "No space left on device" in log_text.getvalue()
