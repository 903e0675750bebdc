"""A node that comes back in the middle of a session."""

import asyncio
import errno
import threading
from pathlib import Path

import pytest

import edge.node
from edge.errors import AlreadyRecording, NotRecording
from edge.ledger import Ledger
from edge.record import Shelf, salvage
from edge.record.shelf import VIDEO
from firmware.panel.signals import TROUBLED, WARNING
from wire.session import SegmentKey, SegmentState, StartRecording


@pytest.fixture
def ledger(tmp_path, session_row):
    made = Ledger(tmp_path / "ledger.sqlite")
    made.begin_session(session_row(detector="one-ball"))
    yield made
    made.close()


@pytest.fixture
def node(make_node, ledger, video):
    return make_node(f"file:{video}", ledger)


async def test_a_session_is_gone_on_with_to_its_end(node, ledger, clock, zero_ns, eventually):
    clock.ns = zero_ns + 10
    await node.resume(ledger.sessions()[0])
    assert (await node.status()).recording == "s1"
    await eventually(lambda: ledger.sessions()[0].finished)
    assert [row.offer.frames for row in ledger.segments()] == [50, 50, 25]


async def test_a_session_that_is_not_gone_on_with_is_told_until_the_next_one(
    node, ledger, panel, video, zero_ns, eventually
):
    node.tell_broken_off(ledger.sessions()[0], 47 * 60 * 10**9)
    status = await node.status()
    assert status.recording is None
    assert status.fault.startswith("session s1 was broken off 47 minutes before this start")
    assert (panel.beeped, panel.lit[-1]) == ([WARNING], TROUBLED)
    await node.start(StartRecording(session="s2", start_ns=zero_ns))
    assert (await node.status()).fault is None
    await eventually(lambda: ledger.sessions()[-1].finished)


async def test_a_clock_that_is_behind_is_waited_for(node, ledger, clock, zero_ns, eventually):
    clock.ns = zero_ns - 5
    resuming = asyncio.create_task(node.resume(ledger.sessions()[0]))
    await asyncio.sleep(0)
    assert (await node.status()).recording == "s1"
    with pytest.raises(AlreadyRecording, match="about to go on with session s1"):
        await node.start(StartRecording(session="s2", start_ns=zero_ns))
    assert ledger.segments() == []
    clock.ns = zero_ns + 1
    await resuming
    await eventually(lambda: ledger.sessions()[0].finished)


async def test_a_clock_that_stays_behind_does_not_keep_a_node_from_recording(
    node, ledger, clock, zero_ns, eventually, monkeypatch, log_text
):
    monkeypatch.setattr(edge.node, "_CLOCK_PATIENCE_S", 0.0)
    clock.ns = zero_ns - 7_000_000_000
    await node.resume(ledger.sessions()[0])
    await eventually(lambda: ledger.sessions()[0].finished)
    assert "event=recording-resumed session=s1 after=-1 behind_ms=7000" in log_text.getvalue()


async def test_a_session_that_is_stopped_before_it_goes_on_is_over(node, ledger, clock, zero_ns):
    clock.ns = zero_ns - 5
    resuming = asyncio.create_task(node.resume(ledger.sessions()[0]))
    await asyncio.sleep(0)
    await node.stop()
    await resuming
    assert ledger.sessions()[0].finished
    assert ledger.segments() == []
    with pytest.raises(NotRecording):
        await node.stop()


async def test_a_session_that_is_stopped_while_its_camera_opens_ends_as_soon_as_it_has_begun(
    make_node, video, ledger, clock, zero_ns, held_eyes, eventually
):
    node = make_node(f"file:{video}", ledger, eyes_for=held_eyes)
    clock.ns = zero_ns + 10
    resuming = asyncio.create_task(node.resume(ledger.sessions()[0]))
    assert await asyncio.to_thread(held_eyes.loading.wait, 20)
    await node.stop()
    held_eyes.loaded.set()
    await resuming
    assert ledger.sessions()[0].stopped
    await eventually(lambda: ledger.sessions()[0].finished)


async def test_a_session_that_is_stopped_while_it_begins_to_record_again_ends(
    make_node, ledger, clock, zero_ns, video, make_eyes, monkeypatch, eventually
):
    eyes = make_eyes(blocks_at=60)
    node = make_node(f"file:{video}", ledger, eyes_for=lambda _camera, _first: eyes)
    asked, written, stop_session = threading.Event(), threading.Event(), ledger.stop_session

    def slow(session):
        asked.set()
        written.wait(20)
        stop_session(session)

    monkeypatch.setattr(ledger, "stop_session", slow)
    clock.ns = zero_ns - 5
    resuming = asyncio.create_task(node.resume(ledger.sessions()[0]))
    await asyncio.sleep(0)
    stopping = asyncio.create_task(node.stop())
    assert await asyncio.to_thread(asked.wait, 20)
    clock.ns = zero_ns + 1
    await resuming
    recording = node._recording
    written.set()
    await eventually(recording.stopping.is_set)
    eyes.released.set()
    await stopping
    assert node._recording is None
    assert ledger.sessions()[0].finished


async def test_a_segment_that_the_salvage_had_to_leave_is_not_recorded_over(
    node, ledger, log, clock, tmp_path, zero_ns, monkeypatch, eventually
):
    def broken(path, honest=Path.read_bytes):
        if path == left:
            raise OSError(errno.EIO, "injected")
        return honest(path)

    shelf, key = Shelf(tmp_path), SegmentKey("s1", "left", 1)
    left = shelf.open_path(key, VIDEO)
    ledger.open_segment(key, zero_ns + 2_000_000_000)
    left.parent.mkdir(parents=True)
    left.write_bytes(b"what may still be read another day")
    clock.ns = zero_ns + 3_000_000_000
    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(Path, "read_bytes", broken)
        running = salvage(shelf, ledger, log, clock.ns).running
    await node.resume(running)
    await eventually(lambda: ledger.sessions()[0].finished)
    rows = ledger.segments()
    assert [(row.key.sequence, row.state) for row in rows] == [(1, SegmentState.OPEN), (2, SegmentState.CLOSED)]
    assert rows[1].offer.frames == 25
    assert left.read_bytes() == b"what may still be read another day"
