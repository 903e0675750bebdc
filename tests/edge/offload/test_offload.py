import asyncio
import sqlite3

import pytest

from edge.errors import HubUnreachable
from edge.offload import Hub
from edge.offload.hub import CHUNK_BYTES
from edge.record.shelf import TRACKS, VIDEO
from edge.storage import Storage
from wire.session import SegmentState
from wire.tracks import read_tracks_head

TOKEN = "open-sesame"


async def test_segments_arrive_whole_oldest_first_and_are_confirmed(station, hub):
    for sequence in (1, 0, 2):
        station.close_segment(sequence, last=sequence == 2)
    async with Hub(hub.url, TOKEN) as there:
        assert not await station.offloader(there).hand_over()
    assert station.states() == [SegmentState.CONFIRMED] * 3
    assert station.same_bytes(hub.path)
    assert [n for what, n in hub.asked if what == "offer"] == [0, 1, 2]
    assert [n for what, n in sorted(hub.asked) if what == "receipt"] == [0, 1, 2]
    if station.connections == 1:
        assert hub.asked == [(what, n) for n in (0, 1, 2) for what in ("offer", "receipt")]
    assert [offer.last for offer in hub.confirmed()] == [False, False, True]
    sizes = sum(row.offer.video_bytes + row.offer.tracks_bytes for row in station.ledger.segments())
    assert station.cost.report("left").bytes_sent == sizes


async def test_tracks_are_written_as_the_hub_reads_them_that_was_heard_last(station, hub):
    async with Hub(hub.url, TOKEN) as there:
        for sequence, reads in enumerate((2, 1, 3, 2)):
            station.close_segment(sequence)
            hub.tracks_version = reads
            assert not await station.offloader(there).hand_over()
    written = [read_tracks_head(hub.path(station.key(n), TRACKS).read_bytes()).VERSION for n in range(4)]
    assert written == [1, 2, 1, 2]


async def test_what_the_hub_already_has_is_not_sent_again(station, hub):
    station.close_segment(0)
    async with Hub(hub.url, TOKEN) as there:
        await station.offloader(there).hand_over()
        received = hub.received
        station.ledger._db.execute("update segments set state = 'closed'")
        assert not await station.offloader(there).hand_over()
    assert hub.received == received
    assert station.states() == [SegmentState.CONFIRMED]


async def test_a_hub_that_dies_in_an_upload_gets_the_rest_when_it_is_back(station, hub, eventually):
    size = 3 * CHUNK_BYTES - 1000
    station.close_segment(0, size=size)
    hub.dies_after = CHUNK_BYTES + CHUNK_BYTES // 2

    async def revive() -> None:
        if len(station.pauses) == 3:
            await hub.stop()
            await hub.start()

    station.before_pause = revive

    async with Hub(hub.url, TOKEN) as there:
        await station.until_confirmed(station.offloader(there), eventually)
    assert station.same_bytes(hub.path)
    assert station.pauses == [0.375, 0.75, 1.5]
    # Only the chunk in which the hub died was begun twice; anew, its first one would have come twice as well.
    assert size < hub.received < size + CHUNK_BYTES
    # Each byte was acknowledged once.
    assert station.cost.report("left").bytes_sent == sum(station.sizes())


async def test_pauses_grow_to_half_a_minute_and_no_further(station, hub, log_text):
    station.close_segment(0)
    await hub.stop()
    enough = asyncio.Event()

    async def count() -> None:
        if len(station.pauses) == 9:
            enough.set()

    station.before_pause = count
    async with Hub(hub.url, TOKEN) as there:
        task = asyncio.create_task(station.offloader(there).run())
        await asyncio.wait_for(enough.wait(), 20)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert station.pauses[:9] == [0.375, 0.75, 1.5, 3, 6, 12, 22.5, 22.5, 22.5]
    assert station.states() == [SegmentState.CLOSED]
    assert "event=hub-unreachable session=s1 segment=0" in log_text.getvalue()


async def test_a_segment_damaged_on_the_way_is_not_confirmed_but_sent_again(station, hub):
    station.close_segment(0)
    hub.spoils = 1
    async with Hub(hub.url, TOKEN) as there:
        offloader = station.offloader(there)
        assert await offloader.hand_over() == {station.key(0)}
        assert station.states() == [SegmentState.SENT]
        assert not await offloader.hand_over()
    assert station.states() == [SegmentState.CONFIRMED]
    assert station.same_bytes(hub.path)


async def test_a_refused_segment_does_not_hold_up_the_others(station, hub, log_text):
    for sequence in (0, 1):
        station.close_segment(sequence)
    hub.refuses.add(0)
    async with Hub(hub.url, TOKEN) as there:
        assert await station.offloader(there).hand_over() == {station.key(0)}
    assert station.states() == [SegmentState.CLOSED, SegmentState.CONFIRMED]
    assert (
        'event=segment-refused session=s1 segment=0 fault="the hub answered 422: not this one"' in log_text.getvalue()
    )


async def test_a_file_lost_from_the_disk_is_said_and_does_not_hold_up_the_others(station, hub, log_text):
    station.shelf.path(station.close_segment(0), VIDEO).unlink()
    station.close_segment(1)
    async with Hub(hub.url, TOKEN) as there:
        assert await station.offloader(there).hand_over() == {station.key(0)}
    assert station.states() == [SegmentState.CLOSED, SegmentState.CONFIRMED]
    assert "00000000.mp4 cannot be read" in log_text.getvalue()


async def test_a_wrong_token_sends_nothing(station, hub, log_text):
    station.close_segment(0)
    async with Hub(hub.url, "wrong") as there:
        with pytest.raises(HubUnreachable, match="401"):
            await station.offloader(there).hand_over()
    assert (hub.received, hub.offers) == (0, {})
    assert "the hub answered 401" in log_text.getvalue()


async def test_what_answers_like_no_hub_is_said(station, hub, log_text):
    station.close_segment(0)
    async with Hub(f"{hub.url}/elsewhere", TOKEN) as there:
        assert await station.offloader(there).hand_over() == {station.key(0)}
    assert "the hub answered 404" in log_text.getvalue()


async def test_confirmed_files_stay_unless_deletion_is_asked_for(station, hub, log):
    keys = [station.close_segment(n, last=n == 1) for n in (0, 1)]
    asked = Storage(station.shelf, station.ledger, log, delete_confirmed=True)
    async with Hub(hub.url, TOKEN) as there:
        await station.offloader(there).hand_over()
        assert station.shelf.path(keys[0], VIDEO).exists()
        asked.tend()
        assert station.states() == [SegmentState.DELETED, SegmentState.CONFIRMED]
        station.ledger.finish_session("s1")
        await station.offloader(there).hand_over()
        asked.tend()
    assert station.states() == [SegmentState.DELETED] * 2
    assert not any(station.shelf.path(key, suffix).exists() for key in keys for suffix in (VIDEO, TRACKS))


async def test_a_segment_closed_later_is_handed_over_when_the_offloader_is_woken(station, hub, eventually):
    station.close_segment(0)
    async with Hub(hub.url, TOKEN) as there:
        offloader = station.offloader(there)
        task = asyncio.create_task(offloader.run())
        await eventually(lambda: station.states() == [SegmentState.CONFIRMED])
        station.close_segment(1)
        offloader.wake()
        await eventually(lambda: station.states() == [SegmentState.CONFIRMED] * 2)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert station.pauses == []


async def serve_until(station, offloader, eventually, condition) -> None:
    task = asyncio.create_task(offloader.run())
    await eventually(lambda: condition() or task.done())
    assert not task.done(), task.exception()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_a_segment_that_stays_refused_rests_alone_and_slows_nobody(station, hub, eventually):
    resting, never = asyncio.Event(), asyncio.Event()

    async def rest() -> None:
        resting.set()
        await never.wait()

    station.before_pause = rest
    station.close_segment(0)
    hub.refuses.add(0)
    async with Hub(hub.url, TOKEN) as there:
        offloader = station.offloader(there)
        task = asyncio.create_task(offloader.run())
        await asyncio.wait_for(resting.wait(), 20)
        for sequence in (1, 2):
            station.close_segment(sequence)
            offloader.wake()
            await eventually(lambda n=sequence: station.states()[n] is SegmentState.CONFIRMED)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert station.states()[0] is SegmentState.CLOSED
    assert hub.asked.count(("offer", 0)) == 1, "a segment that rests is not offered at every wake"
    assert station.pauses == [0.375]


async def test_a_refused_segment_is_tried_again_after_growing_pauses_until_it_passes(station, hub, eventually):
    async def relent() -> None:
        if len(station.pauses) == 4:
            hub.refuses.clear()

    station.before_pause = relent
    station.close_segment(0)
    hub.refuses.add(0)
    async with Hub(hub.url, TOKEN) as there:
        await station.until_confirmed(station.offloader(there), eventually)
    assert station.pauses == [0.375, 0.75, 1.5, 3]


@pytest.mark.parametrize("fault", [OSError(28, "No space left"), sqlite3.OperationalError("locked"), KeyError("x")])
async def test_an_unforeseen_fault_is_logged_and_the_offload_goes_on_after_a_pause(
    station, hub, eventually, log_text, monkeypatch, fault
):
    honest = station.ledger.segments

    def broken(*states):
        if len(station.pauses) < 2:
            raise fault
        return honest(*states)

    station.close_segment(0)
    async with Hub(hub.url, TOKEN) as there:
        offloader = station.offloader(there)
        with monkeypatch.context() as patch:
            patch.setattr(station.ledger, "segments", broken)
            await serve_until(station, offloader, eventually, lambda: "segment-confirmed" in log_text.getvalue())
    assert station.states() == [SegmentState.CONFIRMED]
    assert station.pauses == [0.375, 0.75]
    assert log_text.getvalue().count(f'event=offload-fault fault="{type(fault).__name__}: ') == 2


async def test_an_unforeseen_fault_of_one_segment_does_not_hold_up_the_others(
    station, hub, eventually, log_text, monkeypatch
):
    honest = station.ledger.move

    def broken(key, state):
        if key == station.key(0) and len(station.pauses) < 2:
            raise sqlite3.OperationalError("disk I/O error")
        return honest(key, state)

    for sequence in (0, 1):
        station.close_segment(sequence)
    monkeypatch.setattr(station.ledger, "move", broken)

    def confirmed_lines() -> int:
        return log_text.getvalue().count("event=segment-confirmed")

    async with Hub(hub.url, TOKEN) as there:
        await serve_until(station, station.offloader(there), eventually, lambda: confirmed_lines() == 2)
    assert station.states() == [SegmentState.CONFIRMED] * 2
    lines = log_text.getvalue().splitlines()
    confirmed = [line.rsplit("segment=", 1)[1] for line in lines if "event=segment-confirmed" in line]
    assert confirmed == ["1", "0"]
    assert 'event=offload-fault session=s1 segment=0 fault="OperationalError: disk I/O error"' in log_text.getvalue()
