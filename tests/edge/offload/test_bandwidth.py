import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.offload import Bandwidth, Hub
from wire.session import SegmentState


class Time:
    """A clock that goes on only when somebody sleeps, and then by as much."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        until = self.now + seconds
        await asyncio.sleep(0)
        self.now = max(self.now, until)


def of(time: Time, bytes_per_s: float | None) -> Bandwidth:
    return Bandwidth(bytes_per_s, now=time, sleep=time.sleep)


async def test_without_a_limit_nobody_waits():
    time = Time()
    bandwidth = of(time, None)
    for _ in range(1000):
        await bandwidth.spend(1 << 20)
    assert time.slept == []


@given(
    st.lists(st.integers(1, 1 << 16), min_size=1, max_size=60),
    st.integers(1, 5),
    st.integers(10_000, 10_000_000),
)
async def test_however_many_send_no_more_goes_than_the_limit_allows(sizes, connections, bytes_per_s):
    time = Time()
    bandwidth = of(time, bytes_per_s)
    waiting = iter(sizes)
    gone: list[tuple[float, int]] = []

    async def connection() -> None:
        for size in waiting:
            await bandwidth.spend(size)
            gone.append((time.now, size))

    began = time.now
    await asyncio.gather(*(connection() for _ in range(connections)))
    sent = 0
    for at, size in gone:
        # What has left before this block, all but a tenth of a second's burst, took its time.
        assert sent <= (at - began + 0.1) * bytes_per_s + 1
        sent += size
    assert time.now - began == pytest.approx(max(0, (sum(sizes) - gone[-1][1]) / bytes_per_s - 0.1), abs=0.2)


async def test_time_that_was_not_used_is_not_saved_up():
    time = Time()
    bandwidth = of(time, 1000)
    await bandwidth.spend(100)
    time.now += 3600
    await bandwidth.spend(1000)
    await bandwidth.spend(1000)
    assert time.slept == [pytest.approx(0.9)]


async def test_the_limit_can_be_changed_and_taken_away_meanwhile():
    time = Time()
    bandwidth = of(time, 1000)
    await bandwidth.spend(1000)
    bandwidth.bytes_per_s = 10_000
    await bandwidth.spend(10_000)
    await bandwidth.spend(10_000)
    bandwidth.bytes_per_s = None
    await bandwidth.spend(1 << 30)
    assert time.slept == [1.0, 1.0]


async def test_a_hand_over_takes_as_long_as_its_bandwidth_says(station, hub):
    time = Time()
    for sequence in range(4):
        station.close_segment(sequence, size=250_000, last=sequence == 3)
    async with Hub(hub.url, "open-sesame", bandwidth=of(time, 125_000)) as there:
        await station.offloader(there).hand_over()
    assert station.states() == [SegmentState.CONFIRMED] * 4
    assert station.same_bytes(hub.path)
    seconds = sum(station.sizes()) / 125_000
    # The last block of 64 KiB may leave at once and is on its way then.
    assert seconds - (64 << 10) / 125_000 - 0.2 <= time.now - 1000 <= seconds
