"""Turns at an upload: one at a time, the newest asks the others to stop."""

import asyncio

import pytest

from wire.tus.errors import UploadBusy
from wire.tus.locks import UploadLocks


async def test_who_waits_asks_the_holder_to_stop():
    locks = UploadLocks()
    async with locks.hold("a", 1) as stop:
        assert not stop.is_set()
        waiting = asyncio.create_task(_take_turn(locks))
        await asyncio.wait_for(stop.wait(), 1)
        assert not waiting.done()
    assert await waiting is False


async def test_a_turn_that_others_wait_for_begins_with_the_wish_to_stop():
    locks = UploadLocks()
    async with locks.hold("a", 1) as stop:
        waiting = [asyncio.create_task(_take_turn(locks)) for _ in range(3)]
        await asyncio.wait_for(stop.wait(), 1)
        await asyncio.sleep(0)
    assert await asyncio.gather(*waiting) == [True, True, False]


async def test_another_upload_is_not_disturbed():
    locks = UploadLocks()
    async with locks.hold("a", 1) as stop, locks.hold("b", 1):
        assert not stop.is_set()


async def test_a_holder_that_does_not_let_go_makes_busy():
    locks = UploadLocks()
    async with locks.hold("a", 1):
        with pytest.raises(UploadBusy, match="try again"):
            async with locks.hold("a", 0.01):
                pass
        assert locks.held("a")


async def test_no_trace_is_left_of_finished_or_cancelled_turns():
    locks = UploadLocks()
    async with locks.hold("a", 1):
        waiting = [asyncio.create_task(_take_turn(locks)) for _ in range(3)]
        await asyncio.sleep(0)
        waiting[1].cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    assert not locks.held("a")
    async with locks.hold("a", 1) as stop:
        assert not stop.is_set()


async def _take_turn(locks):
    async with locks.hold("a", 1) as stop:
        return stop.is_set()
