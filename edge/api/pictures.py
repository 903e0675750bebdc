"""Routes that show what the camera sees."""

import asyncio
import time
from collections.abc import Awaitable, Callable

from aiohttp import web

from edge.api.route import Route
from edge.api.streams import Streams
from edge.node import Node
from firmware.log import Log

VIEWERS = 4
EVERY_S = 0.25
"""Enough to point a camera by; each picture is coded once for all who look on."""
_BOUNDARY = "picture"
MJPEG = f"multipart/x-mixed-replace; boundary={_BOUNDARY}"


class _Newest:
    """The newest picture, taken no more often than it is shown. `now_s` is a clock that never steps."""

    def __init__(self, take: Callable[[], Awaitable[bytes]], now_s: Callable[[], float]) -> None:
        self._take = take
        self._now_s = now_s
        self._taking = asyncio.Lock()
        self._picture = b""
        self._until_s = float("-inf")

    async def part(self) -> bytes:
        """The picture as a part of the stream."""
        async with self._taking:
            if self._now_s() >= self._until_s:
                self._picture = await self._take()
                self._until_s = self._now_s() + EVERY_S
            head = f"--{_BOUNDARY}\r\nContent-Type: image/jpeg\r\nContent-Length: {len(self._picture)}\r\n\r\n"
            return head.encode() + self._picture + b"\r\n"


def picture_routes(node: Node, log: Log) -> list[Route]:
    """The camera's picture, for whoever points it."""

    async def take() -> bytes:
        return await node.preview()

    async def preview(_request: web.Request) -> bytes:
        return await take()

    async def moving(request: web.Request) -> web.StreamResponse:
        return await viewers.serve(request, MJPEG, newest.part, EVERY_S)

    viewers, newest = Streams(VIEWERS, log), _Newest(take, time.monotonic)
    return [
        Route(
            "GET",
            "/api/v1/preview.jpg",
            "the latest picture, or one taken for the purpose",
            preview,
            gives="image/jpeg",
            refusals={409: "the node tests itself", 503: "the camera cannot be opened"},
        ),
        Route(
            "GET",
            "/api/v1/preview.mjpeg",
            "the latest pictures, at most four a second, one JPEG after the other",
            moving,
            gives=MJPEG,
            refusals={
                409: "the node tests itself",
                503: "the camera cannot be opened, or four look on already",
            },
            endless=True,
        ),
    ]
