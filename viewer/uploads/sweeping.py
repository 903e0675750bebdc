"""Clearing away uploads that nobody finished."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from wire.tus.protocol import TusProtocol

EVERY_S = 3600.0
log = logging.getLogger("viewer.uploads")


async def sweep_hourly(receiver: TusProtocol, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
    """Sweep the upload folder every `EVERY_S` until cancelled; a sweep that fails is logged and the next one tries."""
    while True:
        await sleep(EVERY_S)
        try:
            removed = await receiver.sweep()
        except Exception:
            log.exception("uploads not swept")
        else:
            if removed:
                log.info("uploads swept removed=%d", removed)
