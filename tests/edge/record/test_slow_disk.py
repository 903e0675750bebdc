"""A disk that stands still while it is recorded on: for a while, or for good."""

import threading
from collections import deque

import pytest

import edge.record.coding
from edge.record import Patience
from edge.record.shelf import TRACKS, VIDEO
from edge.record.writer import SegmentWriter

HELD_BYTES = 100_000


@pytest.fixture
def back():
    """Set once the disk answers again, at the end of the test at the latest."""
    event = threading.Event()
    yield event
    event.set()


@pytest.fixture(params=["a file", "the video's fsync", "the tracks' fsync", "the ledger", "everything"])
def stall(request, rig, at_fsync, monkeypatch):
    """Lets the disk stand still, at segment 1, over the one or the other until it is `back`; set when it does."""

    def begin(back):
        still = threading.Event()

        def wait(here):
            if here and not back.is_set():
                still.set()
                back.wait(30)

        mux, close = SegmentWriter._mux, rig.ledger.close_segment
        match request.param:
            case "a file":
                monkeypatch.setattr(
                    SegmentWriter, "_mux", lambda self, coded: (wait(self.sequence == 1), mux(self, coded))
                )
            case "the ledger":
                monkeypatch.setattr(
                    rig.ledger, "close_segment", lambda offer: (wait(offer.key.sequence == 1), close(offer))
                )
            case "the video's fsync":
                at_fsync(lambda path: wait(path.name == f"00000001{VIDEO}"))
            case "the tracks' fsync":
                at_fsync(lambda path: wait(path.name == f"00000001{TRACKS}"))
            case "everything":
                at_fsync(lambda path: wait(path.name == f"00000001{VIDEO}"))
                monkeypatch.setattr(SegmentWriter, "_mux", lambda self, coded: (wait(still.is_set()), mux(self, coded)))
        return still

    return begin


def test_what_memory_holds_is_recorded_when_the_disk_is_back(
    rig, list_camera, frames, make_eyes, zero_ns, stall, back, until
):
    still = stall(back)
    recording = rig.record(list_camera(frames(*range(0, 10_000, 40))), make_eyes(), zero_ns)
    assert still.wait(20)
    until(lambda: recording.frames == 250)
    back.set()
    rig.wait()
    assert [offer.frames for offer in rig.offers()] == [50] * 5
    assert recording.fault is None
    assert rig.ledger.sessions()[0].finished


def test_a_disk_that_stands_still_is_told_until_it_is_back(
    rig, list_camera, frames, make_eyes, zero_ns, stall, back, until
):
    told, more = [], threading.Event()
    shots = frames(*range(0, 10_000, 40))
    still = stall(back)
    recording = rig.record(
        list_camera([*shots[:200], more, *shots[200:]]), make_eyes(), zero_ns,
        patience=Patience(disk_s=10), slow=lambda: told.append(recording.slow_disk),
    )  # fmt: skip
    assert still.wait(20)
    until(lambda: told)
    assert "the disk is too slow: video waits for it in memory" in recording.slow_disk
    back.set()
    until(lambda: recording.slow_disk is None)
    more.set()
    rig.wait()
    assert len(told) == 1
    assert not recording.broken


def test_a_disk_that_never_answers_breaks_the_recording_in_time(
    rig, list_camera, frames, make_eyes, zero_ns, stall, back
):
    stall(back)
    recording = rig.record(
        list_camera(frames(*range(0, 10_000, 40))), make_eyes(), zero_ns, patience=Patience(disk_s=0.4)
    )
    rig.wait()
    assert recording.broken
    assert recording.fault.startswith("the disk does not ")
    assert recording.fault.endswith(": no answer for 0.4 s")
    assert not rig.ledger.sessions()[0].finished


def test_a_disk_that_never_answers_the_end_of_a_session_breaks_the_recording_in_time(
    rig, list_camera, frames, make_eyes, zero_ns, back, monkeypatch
):
    monkeypatch.setattr(rig.ledger, "finish_session", lambda _session: back.wait(30))
    recording = rig.record(list_camera(frames(0, 40)), make_eyes(), zero_ns, patience=Patience(disk_s=0.4))
    rig.wait()
    assert recording.broken


class ImpatientCamera:
    """A live camera that lends four frames and, while `hurried`, drops and counts what comes when all are out."""

    width, height, frames_per_second = 320, 180, 25.0
    ahead_ns, waits_s, live = 0, 0.0, True

    def __init__(self, camera, shots, hurried) -> None:
        self.coder = camera.coder
        self.frames_dropped = 0
        self.over = threading.Event()
        self._shots = shots
        self._hurried = hurried
        self._lent = deque()
        self._changed = threading.Condition()

    def __enter__(self):
        threading.Thread(target=self._expose, daemon=True).start()
        return self

    def __exit__(self, *exc: object) -> None: ...

    def _expose(self) -> None:
        for shot in self._shots:
            with self._changed:
                self._changed.wait_for(lambda: len(self._lent) < 4 or self._hurried.is_set(), 30)
                if len(self._lent) < 4:
                    self._lent.append(shot)
                else:
                    self.frames_dropped += 1
                self._changed.notify_all()
        self.over.set()

    def hurry(self) -> None:
        with self._changed:
            self._hurried.set()
            self._changed.notify_all()

    def __iter__(self):
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._lent or self.over.is_set(), 30)
                if not self._lent:
                    return
                shot = self._lent.popleft()
                self._changed.notify_all()
            yield shot


def test_what_memory_does_not_hold_is_lost_and_counted(
    rig, list_camera, frames, make_eyes, zero_ns, at_fsync, monkeypatch, back, until
):
    monkeypatch.setattr(edge.record.coding, "_HELD_BYTES", HELD_BYTES)
    honest, hurried = SegmentWriter._mux, threading.Event()
    most = []

    def mux(writer, coded):
        if writer.sequence == 1 and not back.is_set():
            # From now on the camera waits for nobody, once everything that may wait is full.
            until(lambda: recording._coding.packets.fullness > 0.9)
            camera.hurry()
            back.wait(30)
            most.append(recording._coding.packets.fullness)
        honest(writer, coded)

    monkeypatch.setattr(SegmentWriter, "_mux", mux)
    camera = ImpatientCamera(list_camera([]), frames(*range(0, 40_000, 40)), hurried)
    recording = rig.record(camera, make_eyes(), zero_ns)
    until(camera.over.is_set)
    assert recording.slow_disk
    back.set()
    rig.wait()
    assert max(most) <= 1
    assert camera.frames_dropped > 0
    assert sum(offer.frames for offer in rig.offers()) + camera.frames_dropped == 1000
