"""How a recording ends when a stage fails just as it is to end: never as if it were whole."""

import threading

import pytest

from edge.encode.libav import LibavCoder
from edge.errors import CoderFault
from edge.record import Recording
from edge.record.writer import SegmentWriter

SOON_S = 0.5


@pytest.fixture
def late_news(rig, monkeypatch):
    """Lets it be known that a stage broke only when all that the others can do before is done."""
    honest = Recording._break

    def late(recording, *fault):
        rig.done(SOON_S)
        honest(recording, *fault)

    monkeypatch.setattr(Recording, "_break", late)


def check_not_finished(rig, recording):
    rig.wait()
    assert recording.broken
    assert not rig.ledger.sessions()[0].finished
    assert not any(offer.last for offer in rig.offers())


def test_a_coder_that_fails_at_the_very_end_leaves_the_session_to_be_gone_on_with(
    rig, list_camera, frames, make_eyes, zero_ns, late_news
):
    class LastStraw(LibavCoder):
        def flush(self):
            raise CoderFault("the coder choked on the rest")

    camera = list_camera(frames(*range(0, 3000, 40)))
    camera.coder = lambda: LastStraw("h264", 320, 180, 25.0)
    check_not_finished(rig, rig.record(camera, make_eyes(), zero_ns))


def test_a_writer_that_fails_at_the_very_end_leaves_the_session_to_be_gone_on_with(
    rig, list_camera, frames, make_eyes, zero_ns, late_news, monkeypatch
):
    honest = SegmentWriter.finish

    def finish(writer):
        if writer.sequence == 1:
            raise MemoryError
        honest(writer)

    monkeypatch.setattr(SegmentWriter, "finish", finish)
    check_not_finished(rig, rig.record(list_camera(frames(*range(0, 3000, 40))), make_eyes(), zero_ns))


def test_a_segment_that_is_closed_after_the_fault_is_not_called_the_last(
    rig, list_camera, frames, make_eyes, zero_ns, monkeypatch
):
    """Here the fault is known at once, and the segment's sight only later."""
    eyes, begun = make_eyes(blocks_at=62), threading.Event()
    honest = SegmentWriter.finish

    def finish(writer):
        honest(writer)
        if writer.sequence == 1:
            begun.wait(30)
            recording._break(MemoryError("elsewhere"))
            eyes.released.set()

    monkeypatch.setattr(SegmentWriter, "finish", finish)
    recording = rig.record(list_camera(frames(*range(0, 2600, 40))), eyes, zero_ns)
    begun.set()
    check_not_finished(rig, recording)
