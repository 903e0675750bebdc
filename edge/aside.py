"""Work that may hang in a driver, done where it cannot keep the node from answering or from ending."""

import asyncio
import contextlib
import threading
from collections.abc import Callable
from typing import TypeVar, cast

T = TypeVar("T")


def tell(loop: asyncio.AbstractEventLoop, what: Callable[[], None]) -> None:
    """Call `what` in the loop, from any thread; a loop that is closed already has no one left to tell."""
    with contextlib.suppress(RuntimeError):
        loop.call_soon_threadsafe(what)


async def aside(work: Callable[[], T]) -> T:
    """Run `work` in a daemon thread: unlike the loop's own threads, one that hangs in a camera's driver does not keep
    the process from ending."""
    loop = asyncio.get_running_loop()
    outcome: asyncio.Future[T] = loop.create_future()

    def settle(result: T | None, fault: Exception | None) -> None:
        if outcome.done():
            return
        if fault is not None:
            outcome.set_exception(fault)
        else:
            outcome.set_result(cast(T, result))

    def run() -> None:
        try:
            result = work()
        except Exception as fault:
            caught = fault
            tell(loop, lambda: settle(None, caught))
        else:
            tell(loop, lambda: settle(result, None))

    threading.Thread(target=run, name="aside", daemon=True).start()
    return await outcome
