"""The client side of tus 1.0.0 over aiohttp: sends one file, and goes on after whatever interrupts it."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from http import HTTPStatus
from pathlib import Path

import aiohttp
from yarl import URL

from wire.tus import headers as fields
from wire.tus.errors import UploadFailed, UploadGone, UploadRefused

CHUNK_BYTES = 8 << 20
"""A chunk travels whole or not at all once it carries a checksum, so this is what a dropped line may cost."""
_BLOCK = 64 << 10
_TIMEOUT = aiohttp.ClientTimeout(total=None, sock_connect=10)
_STRANGE = {400, 404, 405, 410}
"""Refusals that mean something only from a tus server: others say so of requests that are strange to them, or bent."""
_PASSING = {408, 423, 425, 429, fields.CHECKSUM_MISMATCH}


class _Gone(Exception):
    """The upload is not on the server any more."""


class _Interrupted(Exception):
    """This attempt failed, another may succeed."""


async def _at_once(_size: int) -> None:
    """No pace at all."""


class TusClient:
    """Sends files to the tus endpoint `endpoint` (absolute URL), each request with `headers`.

    Every chunk carries its `checksum` (sha1, sha256, or None for none). After a fault it waits `pause_s` doubled each
    time up to `longest_pause_s`, less up to half by chance, asks for the offset and goes on; `attempts` faults without
    one more byte acknowledged end it.

    `pace` is awaited with the size of each block of at most 64 KiB before it leaves. A server that neither takes the
    next block nor answers for `silence_s` seconds counts as gone, however slow it is otherwise.
    """

    def __init__(
        self,
        http: aiohttp.ClientSession,
        endpoint: str,
        headers: Mapping[str, str],
        *,
        checksum: str | None = "sha256",
        chunk_bytes: int = CHUNK_BYTES,
        attempts: int = 8,
        pause_s: float = 0.5,
        longest_pause_s: float = 30.0,
        silence_s: float = 180.0,
        pace: Callable[[int], Awaitable[None]] = _at_once,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._http = http
        self._endpoint = URL(endpoint)
        self._headers = dict(headers)
        self._checksum = checksum
        self._chunk_bytes = chunk_bytes
        self._attempts = attempts
        self._pause_s = pause_s
        self._longest_pause_s = longest_pause_s
        self._silence_s = silence_s
        self._pace = pace
        self._sleep = sleep
        self._chance = chance

    async def upload(
        self,
        path: Path,
        metadata: Mapping[str, str],
        *,
        resume_url: str | None = None,
        on_created: Callable[[str], None] | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> str:
        """Sends the file `path` whole and returns its upload URL.

        `resume_url` goes on with an earlier upload of the same file while the server still has it; `on_created` gets
        each URL as soon as it exists, to be kept for that; `progress` gets acknowledged and total bytes.
        Raises `UploadRefused` with the server's status and sentence, `UploadFailed` when the attempts are used up
        (`UploadGone` when the last one found the upload missing), and `OSError` when the file cannot be read.
        """
        total = (await asyncio.to_thread(path.stat)).st_size
        url = URL(resume_url) if resume_url else None
        offset: int | None = None
        best = faults = 0
        while True:
            try:
                if url is None:
                    url, offset = await self._create(path, total, metadata)
                    if on_created:
                        on_created(str(url))
                elif offset is None:
                    offset = await self._ask(url, total)
                else:
                    offset = await self._send(url, path, offset, total)
                if progress:
                    progress(offset, total)
                if offset == total:
                    return str(url)
                if offset > best:
                    best, faults = offset, 0
            except _Gone:
                url, offset, best = None, None, 0
                faults = await self._rest(path, faults, "the server lost this upload", UploadGone)
            except (_Interrupted, aiohttp.ClientError, TimeoutError, ConnectionError) as fault:
                offset = None
                faults = await self._rest(path, faults, str(fault) or type(fault).__name__)

    async def _rest(self, path: Path, faults: int, reason: str, last_word: type[UploadFailed] = UploadFailed) -> int:
        if faults + 1 >= self._attempts:
            tried = "" if self._attempts == 1 else f" in {self._attempts} attempts"
            raise last_word(f"{path.name} could not be sent{tried}: {reason}")
        pause = min(self._longest_pause_s, self._pause_s * 2**faults)
        await self._sleep(pause * (1 - self._chance() / 2))
        return faults + 1

    async def _create(self, path: Path, total: int, metadata: Mapping[str, str]) -> tuple[URL, int]:
        headers = {"Upload-Length": str(total)}
        if metadata:
            headers["Upload-Metadata"] = fields.metadata_field(metadata)
        chunk = b""
        if 0 < total <= self._chunk_bytes:
            chunk = await self._read(path, 0, total)
            headers |= await asyncio.to_thread(self._chunk_headers, chunk)
        answer = await self._request("POST", self._endpoint, headers, chunk)
        location = answer.headers.get("Location")
        if answer.status != HTTPStatus.CREATED or location is None:
            raise UploadFailed(f"{self._endpoint} does not answer like a tus server (status {answer.status})")
        try:
            url = self._endpoint.join(URL(location))
        except ValueError:
            raise UploadFailed(f"{self._endpoint} answers with an impossible address {location!r}") from None
        if url.origin() != self._endpoint.origin():
            raise UploadFailed(f"{self._endpoint} sends uploads to another host, {url.origin()}")
        # A server without creation-with-upload ignores the body and leaves this field out.
        return url, self._offset(answer, total) if "Upload-Offset" in answer.headers else 0

    async def _ask(self, url: URL, total: int) -> int:
        answer = await self._request("HEAD", url, {})
        if answer.status != HTTPStatus.OK or not answer.by_tus:
            raise _Interrupted(f"what answers at {url} is not a tus server")
        if answer.headers.get("Upload-Length") != str(total):
            raise _Gone
        return self._offset(answer, total)

    async def _send(self, url: URL, path: Path, offset: int, total: int) -> int:
        chunk = await self._read(path, offset, min(self._chunk_bytes, total - offset))
        headers = await asyncio.to_thread(self._chunk_headers, chunk)
        answer = await self._request("PATCH", url, {"Upload-Offset": str(offset), **headers}, chunk)
        return self._offset(answer, total)

    async def _request(self, method: str, url: URL, headers: Mapping[str, str], body: bytes = b"") -> "_Answer":
        # aiohttp has no time-out for a peer that stops reading, and a bound of the whole would end a slow line too.
        async with (
            asyncio.timeout(self._silence_s) as silence,
            self._http.request(
                method,
                url,
                headers={**self._headers, "Tus-Resumable": fields.VERSION, **headers},
                data=self._blocks(body, silence) if body else None,
                timeout=_TIMEOUT,
                allow_redirects=False,
            ) as response,
        ):
            answer = _Answer(response.status, response.headers)
            reason = (await response.text(errors="replace"))[:500] if answer.status >= HTTPStatus.BAD_REQUEST else ""
        if answer.status < HTTPStatus.BAD_REQUEST:
            return answer
        reason = reason.strip() or f"the server answered {answer.status}"
        if answer.status in _STRANGE and not answer.by_tus:
            raise _Interrupted(reason)
        if answer.status in (HTTPStatus.NOT_FOUND, HTTPStatus.GONE) and method != "POST":
            raise _Gone
        overtaken = answer.status == HTTPStatus.CONFLICT and method == "PATCH"
        if overtaken or answer.status in _PASSING or answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise _Interrupted(reason)
        raise UploadRefused(answer.status, reason)

    async def _blocks(self, data: bytes, silence: asyncio.Timeout) -> AsyncIterator[bytes]:
        view = memoryview(data)
        for at in range(0, len(data), _BLOCK):
            block = bytes(view[at : at + _BLOCK])
            # To wait for our own turn is not the server's silence.
            silence.reschedule(None)
            await self._pace(len(block))
            silence.reschedule(asyncio.get_running_loop().time() + self._silence_s)
            yield block

    def _chunk_headers(self, chunk: bytes) -> dict[str, str]:
        headers = {"Content-Type": fields.CHUNK_TYPE, "Content-Length": str(len(chunk))}
        if self._checksum is not None:
            headers["Upload-Checksum"] = fields.checksum_field(self._checksum, chunk)
        return headers

    def _offset(self, answer: "_Answer", total: int) -> int:
        text = answer.headers.get("Upload-Offset", "")
        if not text.isdecimal() or int(text) > total:
            raise UploadFailed(f"{self._endpoint} answers with an impossible offset {text!r}")
        return int(text)

    async def _read(self, path: Path, offset: int, size: int) -> bytes:
        def read() -> bytes:
            with open(path, "rb") as file:
                file.seek(offset)
                return file.read(size)

        chunk = await asyncio.to_thread(read)
        if len(chunk) != size:
            raise UploadFailed(f"{path.name} became shorter while it was sent")
        return chunk


class _Answer:
    def __init__(self, status: int, headers: Mapping[str, str]) -> None:
        self.status = status
        self.headers = headers

    @property
    def by_tus(self) -> bool:
        """Whether a tus server speaks: it must say its version with everything it says."""
        return "Tus-Resumable" in self.headers
