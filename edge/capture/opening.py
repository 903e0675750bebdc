"""Opening a camera without being held up by its driver."""

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator

from edge.aside import aside
from edge.capture.peeked import PeekedCamera
from edge.capture.source import CameraSource
from edge.errors import CameraFault
from firmware.log import Log

OPEN_S = 20.0
"""How long a camera may take to open or to close; one that is well needs a second or two."""


@contextlib.asynccontextmanager
async def opened(source: CameraSource, start_ns: int, log: Log, *, keep: bool) -> AsyncIterator[PeekedCamera]:
    """The camera of `source`, opened; closed again when the block fails, or at its end unless it is to `keep` it.

    Raises `CameraFault` when it cannot be opened, or does not within its time.
    """
    camera = await _open(source, start_ns, log)
    try:
        yield camera
    except BaseException:
        await _close(camera)
        raise
    if not keep:
        await _close(camera)


async def _open(source: CameraSource, start_ns: int, log: Log) -> PeekedCamera:
    late: list[PeekedCamera] = []
    given_up = threading.Event()

    def open_it() -> PeekedCamera:
        camera = PeekedCamera(source.open(start_ns, log))
        late.append(camera)
        if given_up.is_set():
            # Whoever takes it out of the list closes it.
            late.pop().__exit__()
        return camera

    try:
        async with asyncio.timeout(OPEN_S):
            return await aside(open_it)
    except TimeoutError:
        given_up.set()
        with contextlib.suppress(IndexError):
            await _close(late.pop())
        raise CameraFault(f"the camera does not open within {OPEN_S:g} s: check its cable") from None


async def _close(camera: PeekedCamera) -> None:
    # Whatever a driver does while it closes, the node has to go on answering.
    with contextlib.suppress(Exception):
        async with asyncio.timeout(OPEN_S):
            await aside(camera.__exit__)
