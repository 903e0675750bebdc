"""A disk that turns out to be full when a segment is made durable: an end in order, or none where room can be made."""

import errno
import sqlite3

import pytest

from edge.record import Shelf, salvage
from edge.record.manifest import SessionManifest
from edge.record.shelf import MANIFEST, TRACKS, VIDEO
from edge.storage import Level, Storage
from wire.message import decode
from wire.rigtime import SECOND
from wire.session import SegmentKey, SegmentState, StartRecording

MIDDLE = SegmentKey("s1", "left", 1)


@pytest.fixture(params=[VIDEO, TRACKS])
def refuse(at_fsync, request):
    """Refuses the middle segment's video, or its tracks, so many times; the list is of what was refused."""

    def begin(times):
        refused = []

        def strike(path):
            if path.name == f"00000001{request.param}" and len(refused) < times:
                refused.append(path)
                raise OSError(errno.ENOSPC, "No space left on device")

        at_fsync(strike)
        return refused

    return begin


@pytest.fixture
def refuse_ledger(monkeypatch):
    """Lets a step of the ledger find the disk full so many times."""

    def begin(ledger, step, times):
        honest, refused = getattr(ledger, step), []

        def full(*args):
            if len(refused) < times:
                refused.append(args)
                fault = sqlite3.OperationalError("database or disk is full")
                fault.sqlite_errorcode = sqlite3.SQLITE_FULL
                raise fault
            return honest(*args)

        monkeypatch.setattr(ledger, step, full)
        return refused

    return begin


def record(rig, list_camera, frames, make_eyes, zero_ns, **options):
    recording = rig.record(list_camera(frames(*range(0, 6000, 40))), make_eyes(), zero_ns, **options)
    rig.wait()
    return recording


def test_the_session_ends_in_order_and_the_next_start_closes_what_found_no_room(
    rig, list_camera, frames, make_eyes, zero_ns, refuse, log, log_text
):
    refuse(times=1)
    recording = record(rig, list_camera, frames, make_eyes, zero_ns)
    assert not recording.broken
    assert "the disk is full" in recording.fault
    assert "event=disk-full session=s1" in log_text.getvalue()
    assert "recorder-fault" not in log_text.getvalue()
    assert (rig.ledger.sessions()[0].stopped, rig.ledger.sessions()[0].finished) == (True, True)
    assert rig.ledger.state(MIDDLE) is SegmentState.OPEN
    assert [row.key.sequence for row in rig.ledger.segments(SegmentState.CLOSED)][:1] == [0]
    assert salvage(rig.shelf, rig.ledger, log, zero_ns + 10 * SECOND).running is None
    offers = rig.offers()
    assert [offer.frames for offer in offers[:2]] == [50, 50]
    assert [offer.last for offer in offers] == [False] * (len(offers) - 1) + [True]


def test_where_room_can_be_made_nothing_is_lost(rig, list_camera, frames, make_eyes, zero_ns, refuse):
    refused, asked = refuse(times=2), []
    recording = record(rig, list_camera, frames, make_eyes, zero_ns, make_room=lambda: not asked.append(len(refused)))
    assert asked == [1, 2]
    assert not recording.broken
    assert recording.fault is None
    assert [(offer.frames, offer.last) for offer in rig.offers()] == [(50, False), (50, False), (50, True)]


@pytest.mark.parametrize("step", ["open_segment", "close_segment", "finish_session"])
def test_a_full_disk_that_the_ledger_finds_ends_the_session_in_order(
    rig, list_camera, frames, make_eyes, zero_ns, refuse_ledger, step, log
):
    refuse_ledger(rig.ledger, step, times=1)
    recording = record(rig, list_camera, frames, make_eyes, zero_ns)
    assert not recording.broken
    assert "the disk is full" in recording.fault
    assert rig.ledger.sessions()[0].stopped
    assert salvage(rig.shelf, rig.ledger, log, zero_ns + 10 * SECOND).running is None
    assert rig.ledger.sessions()[0].finished
    assert not rig.ledger.segments(SegmentState.OPEN)


@pytest.mark.parametrize("step", ["open_segment", "close_segment", "finish_session"])
def test_where_room_can_be_made_the_ledger_is_asked_again(
    rig, list_camera, frames, make_eyes, zero_ns, refuse_ledger, step
):
    refuse_ledger(rig.ledger, step, times=2)
    recording = record(rig, list_camera, frames, make_eyes, zero_ns, make_room=lambda: True)
    assert not recording.broken
    assert [(offer.frames, offer.last) for offer in rig.offers()] == [(50, False), (50, False), (50, True)]


def test_a_video_whose_new_name_the_disk_refused_is_placed_again(
    rig, list_camera, frames, make_eyes, zero_ns, at_fsync
):
    refused = []

    def strike(path):
        placed = rig.shelf.path(MIDDLE, VIDEO)
        if path == placed.parent and placed.exists() and not refused:
            refused.append(path)
            raise OSError(errno.ENOSPC, "No space left on device")

    at_fsync(strike)
    recording = record(rig, list_camera, frames, make_eyes, zero_ns, make_room=lambda: True)
    assert refused
    assert not recording.broken
    assert [offer.frames for offer in rig.offers()] == [50, 50, 50]


@pytest.fixture
def looks_at(log, tmp_path, ledger, disk):
    """Tells a node how its disk stands with so many bytes free."""

    async def look(node, free):
        disk.free = free
        await node.storage_told(Storage(Shelf(tmp_path), ledger, log, statvfs=disk).tend())

    return look


async def test_a_disk_that_cannot_be_asked_for_a_moment_ends_no_recording(
    make_node, video, make_eyes, ledger, disk, log, tmp_path, zero_ns, eventually
):
    eyes = make_eyes(blocks_at=60)
    node = make_node(f"file:{video}", ledger, eyes_for=lambda _camera, _first: eyes)
    await node.start(StartRecording(session="s1", start_ns=zero_ns))
    disk.fault = OSError(errno.ENOMEM, "Cannot allocate memory")
    state = Storage(Shelf(tmp_path), ledger, log, statvfs=disk).tend()
    assert state.level is Level.UNKNOWN
    await node.storage_told(state)
    assert not ledger.sessions()[0].stopped
    eyes.released.set()
    await eventually(lambda: not node.session)
    assert [row.offer.frames for row in ledger.segments()] == [50, 50, 25]
    assert node._fault is None


async def test_a_node_closes_by_itself_what_found_no_room_as_soon_as_there_is_some(
    make_node, video, ledger, refuse, looks_at, tmp_path, zero_ns, eventually, log_text
):
    refuse(times=1)
    node = make_node(f"file:{video}", ledger)
    await node.start(StartRecording(session="s1", start_ns=zero_ns))
    await eventually(lambda: not node.session)
    await looks_at(node, free=1 << 20)
    assert ledger.state(MIDDLE) is SegmentState.OPEN
    for _ in range(2):
        await looks_at(node, free=50 << 30)
        rows = ledger.segments_of("s1")
        assert {row.state for row in rows} == {SegmentState.CLOSED}
        assert [row.offer.frames for row in rows][:2] == [50, 50]
        assert [row.offer.last for row in rows] == [False] * (len(rows) - 1) + [True]
    assert log_text.getvalue().count("event=segment-salvaged") == 1
    told = decode((tmp_path / "sessions" / "s1" / MANIFEST).read_bytes(), SessionManifest)
    assert (told.complete, len(told.segments)) == (True, len(rows))


async def test_a_session_whose_end_the_ledger_had_no_room_for_is_ended_later(
    make_node, video, ledger, refuse_ledger, looks_at, zero_ns, eventually
):
    refuse_ledger(ledger, "finish_session", times=1)
    refuse_ledger(ledger, "stop_session", times=2)
    node = make_node(f"file:{video}", ledger)
    await node.start(StartRecording(session="s1", start_ns=zero_ns))
    await eventually(lambda: not node.session)
    with pytest.raises(sqlite3.OperationalError):
        await looks_at(node, free=50 << 30)
    assert not ledger.sessions()[0].stopped
    await looks_at(node, free=50 << 30)
    assert ledger.sessions()[0].finished


async def test_nothing_is_closed_so_beside_a_running_recording(
    make_node, video, ledger, make_eyes, refuse, looks_at, zero_ns, eventually
):
    refuse(times=1)
    slow = make_eyes(blocks_at=60)
    eyes = iter([make_eyes(), slow])
    node = make_node(f"file:{video}", ledger, eyes_for=lambda _camera, _first: next(eyes))
    await node.start(StartRecording(session="s1", start_ns=zero_ns))
    await eventually(lambda: not node.session)
    await node.start(StartRecording(session="s2", start_ns=zero_ns + 60 * SECOND))
    await eventually(slow.blocked.is_set)
    await looks_at(node, free=50 << 30)
    assert ledger.state(MIDDLE) is SegmentState.OPEN
    slow.released.set()
    await eventually(lambda: not node.session)
    await looks_at(node, free=50 << 30)
    assert [row.offer.frames for row in ledger.segments_of("s1")][:2] == [50, 50]
    assert [row.offer.frames for row in ledger.segments_of("s2")] == [50, 50, 25]
