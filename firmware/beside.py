"""What a process does beside its duty: it can do without, but never in silence."""

import asyncio
from collections.abc import Awaitable, Callable

from firmware.log import Log

_AGAIN_S = 30.0


async def keep_at(part: str, work: Callable[[], Awaitable[None]], log: Log, *, again_s: float = _AGAIN_S) -> None:
    """Do `work` until it is done: a fault is logged as `part`'s, and `again_s` seconds later it begins anew."""
    task = asyncio.current_task()
    while True:
        try:
            return await work()
        except Exception as fault:
            log.event(f"{part}-fault", fault=f"{type(fault).__name__}: {fault}")
            # What fails at taking its leave must not stay for it.
            if task and task.cancelling():
                return
        await asyncio.sleep(again_s)
