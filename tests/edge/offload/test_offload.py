import asyncio

import numpy as np
import pytest

from edge.cost import Cost
from edge.ledger import Ledger, SessionRow
from edge.offload import Hub, Offloader
from edge.record.shelf import TRACKS, VIDEO, Shelf
from edge.sight import SegmentSight
from wire.session import SegmentKey, SegmentState
from wire.tracks import SegmentTracks

TOKEN = "open-sesame"


class Station:
    """A node's shelf and ledger with segments that wait, and its offloader."""

    def __init__(self, root, log, zero_ns) -> None:
        self.shelf = Shelf(root)
        self.ledger = Ledger(root / "ledger.sqlite")
        self.cost = Cost()
        self.pauses: list[float] = []
        self.before_pause = None
        self._log = log
        self._zero_ns = zero_ns
        self.ledger.begin_session(
            SessionRow(
                session="s1",
                node="left",
                start_ns=zero_ns,
                width_px=320,
                height_px=180,
                frames_per_second=25,
                detector="motion",
                finished=False,
            )
        )

    def close_segment(self, sequence: int, *, size: int = 40_000, last: bool = False) -> SegmentKey:
        key = SegmentKey("s1", "left", sequence)
        times = self._zero_ns + sequence * 2_000_000_000 + np.arange(50, dtype=np.int64) * 40_000_000
        self.ledger.open_segment(key, int(times[0]))
        path = self.shelf.open_path(key, VIDEO)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(np.random.default_rng(sequence).bytes(size))
        sight = SegmentSight.empty()
        tracks = SegmentTracks(
            "s1", "left", sequence, 320, 180, "motion", (), times, sight.frame, sight.tracklet, sight.box, sight.score
        )
        self.shelf.close(self.ledger, key, tracks, frame_ns=40_000_000, uncertainty_ns=0, last=last)
        return key

    def offloader(self, hub: Hub, **options) -> Offloader:
        async def sleep(seconds: float) -> None:
            self.pauses.append(seconds)
            if self.before_pause:
                await self.before_pause()
            await asyncio.sleep(0)

        return Offloader(hub, self.ledger, self.shelf, self.cost, self._log, sleep=sleep, chance=lambda: 0.5, **options)

    def states(self) -> list[SegmentState]:
        return [row.state for row in self.ledger.segments()]


@pytest.fixture
def station(tmp_path, log, zero_ns):
    (tmp_path / "node").mkdir()
    made = Station(tmp_path / "node", log, zero_ns)
    yield made
    made.ledger.close()


def same_bytes(station, hub) -> bool:
    return all(
        hub.path(row.key, suffix).read_bytes() == station.shelf.path(row.key, suffix).read_bytes()
        for row in station.ledger.segments()
        for suffix in (VIDEO, TRACKS)
    )


async def until_confirmed(station, offloader, eventually) -> None:
    task = asyncio.create_task(offloader.run())
    await eventually(lambda: set(station.states()) == {SegmentState.CONFIRMED})
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_segments_arrive_whole_oldest_first_and_are_confirmed(station, hub):
    for sequence in (1, 0, 2):
        station.close_segment(sequence, last=sequence == 2)
    async with Hub(hub.url, TOKEN) as there:
        assert await station.offloader(there).hand_over()
    assert station.states() == [SegmentState.CONFIRMED] * 3
    assert same_bytes(station, hub)
    assert hub.asked == [(what, n) for n in (0, 1, 2) for what in ("offer", "receipt")]
    assert [offer.last for offer in hub.confirmed()] == [False, False, True]
    sizes = sum(row.offer.video_bytes + row.offer.tracks_bytes for row in station.ledger.segments())
    assert station.cost.report("left").bytes_sent == sizes


async def test_what_the_hub_already_has_is_not_sent_again(station, hub):
    station.close_segment(0)
    async with Hub(hub.url, TOKEN) as there:
        await station.offloader(there).hand_over()
        received = hub.received
        station.ledger._db.execute("update segments set state = 'closed'")
        assert await station.offloader(there).hand_over()
    assert hub.received == received
    assert station.states() == [SegmentState.CONFIRMED]


async def test_a_hub_that_dies_in_an_upload_gets_the_rest_when_it_is_back(station, hub, eventually):
    for sequence in (0, 1):
        station.close_segment(sequence, size=400_000)
    hub.dies_after = 500_000

    async def revive() -> None:
        if len(station.pauses) == 3:
            await hub.stop()
            await hub.start()

    station.before_pause = revive

    async with Hub(hub.url, TOKEN) as there:
        await until_confirmed(station, station.offloader(there), eventually)
    assert same_bytes(station, hub)
    assert station.pauses[:3] == [0.375, 0.75, 1.5]
    # The first segment's 400 kB went through once; of the second one only what the hub had not kept was sent again.
    assert hub.received < 1_300_000


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
        assert not await offloader.hand_over()
        assert station.states() == [SegmentState.SENT]
        assert await offloader.hand_over()
    assert station.states() == [SegmentState.CONFIRMED]
    assert same_bytes(station, hub)


async def test_a_refused_segment_does_not_hold_up_the_others(station, hub, log_text):
    for sequence in (0, 1):
        station.close_segment(sequence)
    hub.refuses.add(0)
    async with Hub(hub.url, TOKEN) as there:
        assert not await station.offloader(there).hand_over()
    assert station.states() == [SegmentState.CLOSED, SegmentState.CONFIRMED]
    assert (
        'event=segment-refused session=s1 segment=0 fault="the hub answered 422: not this one"' in log_text.getvalue()
    )


async def test_a_file_lost_from_the_disk_is_said_and_does_not_hold_up_the_others(station, hub, log_text):
    station.shelf.path(station.close_segment(0), VIDEO).unlink()
    station.close_segment(1)
    async with Hub(hub.url, TOKEN) as there:
        assert not await station.offloader(there).hand_over()
    assert station.states() == [SegmentState.CLOSED, SegmentState.CONFIRMED]
    assert "00000000.mp4 cannot be read" in log_text.getvalue()


async def test_a_wrong_token_sends_nothing(station, hub, log_text):
    station.close_segment(0)
    async with Hub(hub.url, "wrong") as there:
        assert not await station.offloader(there).hand_over()
    assert (hub.received, hub.offers) == (0, {})
    assert "the hub answered 401" in log_text.getvalue()


async def test_what_answers_like_no_hub_is_said(station, hub, log_text):
    station.close_segment(0)
    async with Hub(f"{hub.url}/elsewhere", TOKEN) as there:
        assert not await station.offloader(there).hand_over()
    assert "the hub answered 404" in log_text.getvalue()


async def test_confirmed_files_stay_unless_deletion_is_asked_for(station, hub):
    keys = [station.close_segment(n, last=n == 1) for n in (0, 1)]
    async with Hub(hub.url, TOKEN) as there:
        await station.offloader(there).hand_over()
        assert station.shelf.path(keys[0], VIDEO).exists()
        await station.offloader(there, delete_confirmed=True).hand_over()
        assert station.states() == [SegmentState.DELETED, SegmentState.CONFIRMED]
        station.ledger.finish_session("s1")
        await station.offloader(there, delete_confirmed=True).hand_over()
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
