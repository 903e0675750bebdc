"""The hub as a node sees it: it takes offers, answers receipts, and stores uploads."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from http import HTTPStatus
from pathlib import Path

import aiohttp
from yarl import URL

from edge.errors import HubUnreachable, SegmentRefused
from edge.offload.addresses import HubAddresses, ip_addresses
from edge.offload.bandwidth import Bandwidth
from edge.offload.line import connector
from wire.errors import WireError
from wire.hand_over import DIGEST, SEGMENTS, UPLOADS, content_digest, receipt_path, upload_metadata
from wire.message import decode, encode
from wire.session import SegmentKey, SegmentOffer, SegmentReceipt
from wire.tus.client import TusClient
from wire.tus.errors import UploadFailed, UploadGone, UploadRefused
from wire.tus.headers import CHECKSUM_MISMATCH

CHUNK_BYTES = 1 << 20
"""What a dropped line may cost at most, and what each connection holds in memory: a segment is a few of these."""
SILENCE_S = 30.0
"""Long enough for a hub whose card writes back what it holds, short enough to find a line that is open at one end."""
_LATER = {
    HTTPStatus.UNAUTHORIZED,
    HTTPStatus.FORBIDDEN,
    HTTPStatus.REQUEST_TIMEOUT,
    HTTPStatus.TOO_MANY_REQUESTS,
    CHECKSUM_MISMATCH,
}
"""Refusals that say nothing about the segment: a wrong token, a busy hub or a bad line concern them all."""


class Hub:
    """A client of the hub at a URL, or wherever `HubAddresses` find it; use it as an async context manager.

    What is sent is kept to `bandwidth`, which may be changed; a hub that is silent for `silence_s` seconds counts as
    gone. Everything raises `HubUnreachable` when the hub cannot answer now, `SegmentRefused` when it will not have this
    one.
    """

    def __init__(
        self,
        where: str | HubAddresses,
        token: str,
        *,
        bandwidth: Bandwidth | None = None,
        silence_s: float = SILENCE_S,
    ) -> None:
        self._addresses = where if isinstance(where, HubAddresses) else HubAddresses(where, token)
        self._url: str | None = None
        self.addresses: frozenset[str] = frozenset()
        """The IP addresses under which it was found so far: it may be there by cable and by Wi-Fi."""
        self._finding = asyncio.Lock()
        self._headers = {"Authorization": f"Bearer {token}"}
        self.bandwidth = bandwidth or Bandwidth()
        self._silence_s = silence_s

    async def __aenter__(self) -> "Hub":
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=5, sock_read=self._silence_s)
        self._http = aiohttp.ClientSession(timeout=timeout, connector=connector(self._silence_s))
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._http.close()

    async def locate(self) -> None:
        """Find out where the hub is, so that its `addresses` are known; it need not answer where it was given."""
        async with self._reached() as url:
            if not self.addresses:
                raise HubUnreachable(f"nobody knows the address of {url}")

    async def offer(self, offer: SegmentOffer) -> SegmentReceipt:
        """Promise a segment; the receipt says which files the hub wants."""
        return await self._receipt("POST", SEGMENTS, offer.key, encode(offer))

    async def receipt(self, key: SegmentKey) -> SegmentReceipt:
        """Ask what the hub still wants of an offered segment."""
        return await self._receipt("GET", receipt_path(key), key)

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
        begun. The hub may have got another address since.
        """

        async def send(url: str | None) -> None:
            # What a resumed upload reports first, the hub has held since before.
            acknowledged = None if url else 0

            def progress(now: int, _total: int) -> None:
                nonlocal acknowledged
                if acknowledged is not None:
                    on_sent(max(0, now - acknowledged))
                acknowledged = now

            await tus.upload(path, upload_metadata(key, part), resume_url=url, on_created=on_created, progress=progress)

        async with self._reached() as hub:
            # One attempt: the offloader is the one that waits and tries again, where the upload was broken off.
            tus = TusClient(
                self._http,
                hub + UPLOADS,
                self._headers,
                chunk_bytes=CHUNK_BYTES,
                attempts=1,
                silence_s=self._silence_s,
                pace=self.bandwidth.spend,
            )
            try:
                try:
                    await send(str(URL(hub).join(URL(resume_url).relative())) if resume_url else None)
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

    async def _receipt(self, method: str, path: str, key: SegmentKey, body: bytes | None = None) -> SegmentReceipt:
        async with self._reached() as hub:
            headers = {**self._headers, "Content-Type": "application/json"}
            if body is not None:
                headers[DIGEST] = content_digest(body)
            try:
                async with self._http.request(
                    method, hub + path, data=body, headers=headers, allow_redirects=False
                ) as answer:
                    raw = await answer.read()
                    status, kind = answer.status, answer.content_type
            except (aiohttp.ClientError, TimeoutError, OSError) as fault:
                raise HubUnreachable(f"the hub at {hub} does not answer: {fault or type(fault).__name__}") from fault
            if kind == "text/html" or HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
                raise HubUnreachable(f"what answers at {hub} is a web page, no hub: does this network ask to sign in?")
            if status >= HTTPStatus.BAD_REQUEST:
                raise _refusal(status, raw.decode("utf-8", "replace")[:300])
            try:
                receipt = decode(raw, SegmentReceipt)
            except WireError as fault:
                raise HubUnreachable(f"what answers at {hub} is not a hub: {fault}") from fault
            if receipt.key != key:
                raise HubUnreachable(f"the hub answered for segment {receipt.key.path('')} instead of {key.path('')}")
            return receipt

    @asynccontextmanager
    async def _reached(self) -> AsyncIterator[str]:
        """The hub's address; one that turns out to be of no use is looked for anew the next time."""
        async with self._finding:
            if self._url is None:
                self._url = await self._addresses.find(self._http)
                self.addresses |= await ip_addresses(self._url)
            url = self._url
        try:
            yield url
        except HubUnreachable:
            if self._url == url:
                self._url = None
            raise


def _refusal(status: int, reason: str) -> HubUnreachable | SegmentRefused:
    text = f"the hub answered {status}: {reason}"
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status in _LATER:
        return HubUnreachable(text)
    return SegmentRefused(text)
