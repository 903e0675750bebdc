"""What the benches keep, the hub has got in the end, or they fail."""

import numpy as np
import pytest

from bench.keeping import keeping
from edge.encode.libav import LibavCoder
from edge.frame import Frame
from edge.record.shelf import TRACKS, VIDEO
from edge.sight import SegmentSight

WIDTH, HEIGHT, RATE = 320, 180, 25.0


@pytest.fixture
def coded():
    """The packets and times of a short segment."""
    coder = LibavCoder("h264", WIDTH, HEIGHT, RATE)
    random = np.random.default_rng(1)

    def made(first):
        frames = [
            Frame(random.integers(0, 255, (HEIGHT * 3 // 2, WIDTH), np.uint8), number * 40_000_000, number)
            for number in range(first, first + 10)
        ]
        packets = [packet for frame in frames for packet in coder.encode(frame, key=frame is frames[0])]
        return packets, [frame.time_ns for frame in frames]

    return made


async def test_what_is_handed_over_lies_at_the_hub_and_is_confirmed(coded):
    async with keeping(WIDTH, HEIGHT, RATE) as keeper:
        for sequence in range(2):
            keeper.keep(sequence, *coded(10 * sequence), SegmentSight.empty())
            await keeper.hand_over()
        assert [row.state for row in keeper.ledger.segments()] == ["confirmed", "confirmed"]
        for suffix in (VIDEO, TRACKS):
            there = keeper.hub.data / "segments" / keeper.key(1).path(suffix)
            assert there.read_bytes() == keeper.shelf.path(keeper.key(1), suffix).read_bytes()


async def test_segments_that_the_hub_did_not_confirm_fail(coded):
    async def keep_two_and_damage_one():
        async with keeping(WIDTH, HEIGHT, RATE) as keeper:
            keeper.keep(0, *coded(0), SegmentSight.empty())
            video = keeper.shelf.path(keeper.key(0), VIDEO)
            video.write_bytes(bytes(video.stat().st_size))
            await keeper.hand_over()
            keeper.keep(1, *coded(10), SegmentSight.empty())

    with pytest.raises(RuntimeError, match=r"(?s)not confirmed: 2.*SHA-256 that was offered"):
        await keep_two_and_damage_one()
