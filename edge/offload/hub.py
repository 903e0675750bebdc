"""The hub as a node sees it: it takes offers, answers receipts, and stores uploads."""

from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path

import aiohttp

from edge.errors import HubUnreachable, SegmentRefused
from wire.errors import WireError
from wire.message import decode, encode
from wire.session import SegmentKey, SegmentOffer, SegmentReceipt
from wire.tus.client import TusClient
from wire.tus.errors import UploadFailed, UploadGone, UploadRefused

_TIMEOUT = aiohttp.ClientTimeout(total=None, sock_connect=5, sock_read=30)
_LATER = {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS}
"""Refusals that say nothing about the segment: a wrong token or a busy hub concern them all."""


class Hub:
    """A client of the hub at `url`; use it as an async context manager.

    Everything raises `HubUnreachable` when the hub cannot answer now, `SegmentRefused` when it will not have this one.
    """

    def __init__(self, url: str, token: str) -> None:
        self._url = url.rstrip("/")
        self._headers = {"Authorization": f"Bearer {token}"}

    async def __aenter__(self) -> "Hub":
        self._http = aiohttp.ClientSession(timeout=_TIMEOUT)
        # One attempt: the offloader is the one that waits and tries again, where the upload was broken off.
        self._tus = TusClient(self._http, f"{self._url}/api/v1/uploads", self._headers, attempts=1)
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._http.close()

    async def offer(self, offer: SegmentOffer) -> SegmentReceipt:
        """Promise a segment; the receipt says which files the hub wants."""
        return await self._receipt("POST", f"{self._url}/api/v1/segments", offer.key, encode(offer))

    async def receipt(self, key: SegmentKey) -> SegmentReceipt:
        """Ask what the hub still wants of an offered segment."""
        return await self._receipt(
            "GET", f"{self._url}/api/v1/segments/{key.path('').rsplit('/', 1)[0]}/{key.sequence}", key
        )

    async def upload(
        self,
        path: Path,
        key: SegmentKey,
        part: str,
        *,
        resume_url: str | None,
        on_created: Callable[[str], None],
        on_sent: Callable[[int], None],
    ) -> None:
        """Send a segment's file as its `part`, video or tracks; `on_sent` gets the bytes the hub acknowledges.

        `resume_url` is an earlier upload's URL, as `on_created` got it; where the hub has lost that one, a new one is
        begun.
        """
        metadata = {"session": key.session, "node": key.node, "sequence": str(key.sequence), "part": part}

        async def send(url: str | None) -> None:
            # What a resumed upload reports first, the hub has held since before.
            acknowledged = None if url else 0

            def progress(now: int, _total: int) -> None:
                nonlocal acknowledged
                if acknowledged is not None:
                    on_sent(max(0, now - acknowledged))
                acknowledged = now

            await self._tus.upload(path, metadata, resume_url=url, on_created=on_created, progress=progress)

        try:
            try:
                await send(resume_url)
            except UploadGone:
                if resume_url is None:
                    raise
                await send(None)
        except UploadFailed as fault:
            raise HubUnreachable(str(fault)) from fault
        except UploadRefused as fault:
            raise _refusal(fault.status, fault.reason) from fault
        except OSError as fault:
            raise SegmentRefused(f"{path.name} cannot be read: {fault.strerror}") from fault

    async def _receipt(self, method: str, url: str, key: SegmentKey, body: bytes | None = None) -> SegmentReceipt:
        headers = {**self._headers, "Content-Type": "application/json"}
        try:
            async with self._http.request(method, url, data=body, headers=headers) as answer:
                raw = await answer.read()
                status = answer.status
        except (aiohttp.ClientError, TimeoutError, OSError) as fault:
            raise HubUnreachable(f"the hub at {self._url} does not answer: {fault or type(fault).__name__}") from fault
        if status >= HTTPStatus.BAD_REQUEST:
            raise _refusal(status, raw.decode("utf-8", "replace")[:300])
        try:
            receipt = decode(raw, SegmentReceipt)
        except WireError as fault:
            raise HubUnreachable(f"what answers at {self._url} is not a hub: {fault}") from fault
        if receipt.key != key:
            raise HubUnreachable(f"the hub answered for segment {receipt.key.path('')} instead of {key.path('')}")
        return receipt


def _refusal(status: int, reason: str) -> HubUnreachable | SegmentRefused:
    text = f"the hub answered {status}: {reason}"
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status in _LATER:
        return HubUnreachable(text)
    return SegmentRefused(text)
