"""The server side of tus 1.0.0 without a web framework: an adapter hands over requests and sends back the answers."""

import asyncio
import errno
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from urllib.parse import urlsplit

from wire.tus import headers as fields
from wire.tus.errors import NoSuchUpload, UploadBusy, UploadRefused
from wire.tus.locks import UploadLocks
from wire.tus.receive import BodyEnd, CheckedSink, PlainSink, in_thread, opened, receive
from wire.tus.store import OpenUpload, Upload, UploadRecord, UploadStore

EXTENSIONS = (
    "creation",
    "creation-defer-length",
    "creation-with-upload",
    "checksum",
    "termination",
    "expiration",
    "concatenation",
)

OnCreate = Callable[[Mapping[str, str], int | None, str], None]
"""Called with metadata, length (None when deferred) and `who` before a whole or final upload is made; raises
`UploadRefused` to refuse it."""
OnComplete = Callable[[Upload], Awaitable[None]]
"""Called once a whole or final upload has all its bytes, and again after a crash or fault before it returned. It links
or copies `Upload.path` (`wire.durable.publish`), never moves it. `UploadRefused` ends the upload with that status."""


async def _no_body() -> AsyncIterator[bytes]:
    return
    yield b""


@dataclass
class TusRequest:
    """One request: `tail` is what follows the base URL, an upload id or empty; `who` is the signed-in sender."""

    method: str
    tail: str
    headers: Mapping[str, str]
    body: AsyncIterator[bytes] = field(default_factory=_no_body)
    who: str = ""

    def __post_init__(self) -> None:
        self.headers = {name.lower(): value for name, value in self.headers.items()}

    def header(self, name: str) -> str | None:
        """The value of header `name`, whatever its letters' case."""
        return self.headers.get(name.lower())


@dataclass(frozen=True)
class TusResponse:
    """The answer to one request; `body` is a sentence in UTF-8 when something was refused, else empty."""

    status: int
    headers: dict[str, str]
    body: bytes = b""


class TusProtocol:
    """All of tus 1.0.0 over one `UploadStore`.

    `base_url` begins every Location, absolute or a path. Uploads above `max_bytes` are refused. A request waits
    `lock_wait_s` for the one before it on the same upload; a body that brings nothing for `idle_s` counts as broken.
    An upload shows itself only to the `who` that made it.
    """

    def __init__(
        self,
        store: UploadStore,
        base_url: str,
        *,
        on_create: OnCreate,
        on_complete: OnComplete,
        max_bytes: int,
        lock_wait_s: float = 20.0,
        idle_s: float = 60.0,
    ) -> None:
        self._store = store
        self._base_url = base_url.rstrip("/")
        self._on_create = on_create
        self._on_complete = on_complete
        self._max_bytes = max_bytes
        self._lock_wait_s = lock_wait_s
        self._idle_s = idle_s
        self._locks = UploadLocks()

    async def handle(self, request: TusRequest) -> TusResponse:
        """Answers `request`; raises only what a hook or a failing disk raises."""
        method = (request.header("X-HTTP-Method-Override") or request.method).upper()
        if method == "OPTIONS":
            return self._answer(204, self._abilities())
        if request.header("Tus-Resumable") != fields.VERSION:
            return self._sentence(412, f"this server speaks tus {fields.VERSION}", {"Tus-Version": fields.VERSION})
        handlers = {
            ("POST", False): self._create,
            ("HEAD", True): self._head,
            ("PATCH", True): self._patch,
            ("DELETE", True): self._delete,
        }
        handler = handlers.get((method, bool(request.tail)))
        if handler is None:
            allowed = ", ".join(name for name, on_upload in handlers if on_upload == bool(request.tail))
            return self._sentence(405, f"{method} means nothing here", {"Allow": f"OPTIONS, {allowed}"})
        try:
            return await handler(request)
        except UploadRefused as refusal:
            return self._sentence(refusal.status, refusal.reason, refusal.headers)
        except NoSuchUpload as fault:
            return self._sentence(404, str(fault))
        except UploadBusy as fault:
            return self._sentence(423, str(fault))
        except OSError as fault:
            if fault.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise
            return self._sentence(507, "the disk is full: make room, then continue this upload")

    async def sweep(self, of_no_use: Callable[[UploadRecord], bool] = lambda _: False) -> int:
        """Removes what has expired, and runs the completion hook that a crash prevented; returns how many went.

        Unfinished uploads that are `of_no_use` go as well: a client that never learned the address of what it began
        cannot say that it began anew. Meant for the start of the process and every hour; uploads at work are left
        alone.
        """
        removed = await in_thread(self._store.sweep_orphans)
        for record in await in_thread(lambda: list(self._store.records())):
            if self._locks.held(record.id):
                continue
            try:
                async with self._locks.hold(record.id, self._lock_wait_s):
                    if self._store.expired(record) or await self._is_useless(record, of_no_use):
                        await in_thread(self._store.remove, record.id)
                        removed += 1
                    elif not (record.partial or record.completed):
                        async with opened(self._store, record.id) as upload:
                            await self._finish_if_whole(upload)
            except (NoSuchUpload, UploadBusy, UploadRefused):
                continue
        return removed

    async def _is_useless(self, record: UploadRecord, of_no_use: Callable[[UploadRecord], bool]) -> bool:
        return not (record.partial or record.completed) and await in_thread(of_no_use, record)

    async def _create(self, request: TusRequest) -> TusResponse:
        partial, parts = self._concat(request)
        metadata = fields.metadata(request.header("Upload-Metadata"))
        brings_bytes = not parts and self._brings_bytes(request)
        if parts:
            record = await self._concatenate(request, metadata, parts)
        else:
            length = self._length_at_creation(request)
            if not partial:
                self._on_create(metadata, length, request.who)
            record = await in_thread(
                lambda: self._store.create(length, metadata, request.who, partial=partial),
            )
        more: dict[str, str] = {}
        async with self._locks.hold(record.id, self._lock_wait_s) as stop, opened(self._store, record.id) as upload:
            if brings_bytes:
                try:
                    await self._take(request, upload, stop)
                except UploadRefused:
                    await in_thread(self._store.remove, record.id)
                    raise
                more["Upload-Offset"] = str(upload.offset)
            await self._finish_if_whole(upload)
            more["Upload-Expires"] = fields.http_date(upload.record.expires_ns)
        return self._answer(201, {"Location": f"{self._base_url}/{record.id}", **more})

    async def _head(self, request: TusRequest) -> TusResponse:
        async with self._locks.hold(request.tail, self._lock_wait_s), self._open(request) as upload:
            await self._finish_if_whole(upload)
            record = upload.record
            more = {"Upload-Offset": str(upload.offset), "Cache-Control": "no-store"}
        if record.length is None:
            more["Upload-Defer-Length"] = "1"
        else:
            more["Upload-Length"] = str(record.length)
        if record.metadata:
            more["Upload-Metadata"] = fields.metadata_field(record.metadata)
        if record.partial:
            more["Upload-Concat"] = "partial"
        elif record.parts:
            more["Upload-Concat"] = "final;" + " ".join(f"{self._base_url}/{part}" for part in record.parts)
        return self._answer(200, {**more, "Upload-Expires": fields.http_date(record.expires_ns)})

    async def _patch(self, request: TusRequest) -> TusResponse:
        if (request.header("Content-Type") or "").strip().lower() != fields.CHUNK_TYPE:
            raise UploadRefused(415, f"send the bytes as {fields.CHUNK_TYPE}")
        start = fields.number("Upload-Offset", request.header("Upload-Offset"))
        if start is None:
            raise UploadRefused(400, "Upload-Offset is missing")
        async with self._locks.hold(request.tail, self._lock_wait_s) as stop, self._open(request) as upload:
            if upload.record.parts:
                raise UploadRefused(403, "a concatenated upload takes no more bytes")
            if start != upload.offset:
                raise UploadRefused(409, f"this upload stands at byte {upload.offset}, not at {start}")
            await self._learn_length(request, upload)
            await self._take(request, upload, stop)
            await self._finish_if_whole(upload)
            await in_thread(self._store.touch, upload)
            more = {
                "Upload-Offset": str(upload.offset),
                "Upload-Expires": fields.http_date(upload.record.expires_ns),
            }
        return self._answer(204, more)

    async def _delete(self, request: TusRequest) -> TusResponse:
        async with self._locks.hold(request.tail, self._lock_wait_s), self._open(request):
            await in_thread(self._store.remove, request.tail)
        return self._answer(204, {})

    @asynccontextmanager
    async def _open(self, request: TusRequest) -> AsyncIterator[OpenUpload]:
        async with opened(self._store, request.tail) as upload:
            if upload.record.who != request.who:
                raise NoSuchUpload("there is no such upload, or it has expired")
            if self._store.expired(upload.record):
                raise UploadRefused(410, "this upload has expired: start it anew")
            yield upload

    async def _take(self, request: TusRequest, upload: OpenUpload, stop: asyncio.Event) -> None:
        promised = fields.checksum(request.header("Upload-Checksum"))
        limit = self._max_bytes if upload.record.length is None else upload.record.length
        room = limit - upload.offset
        too_long = UploadRefused(413, f"these bytes go beyond the upload's {limit}")
        if (fields.number("Content-Length", request.header("Content-Length")) or 0) > room:
            raise too_long
        sink = PlainSink(upload) if promised is None else CheckedSink(upload, promised, self._store.root)
        end = await receive(request.body, sink, room, stop, self._idle_s)
        if end is BodyEnd.TOO_LONG:
            raise too_long
        if end is BodyEnd.STOPPED:
            raise UploadRefused(409, "another request took over this upload: ask for its offset, then continue")

    async def _finish_if_whole(self, upload: OpenUpload) -> None:
        record = upload.record
        if record.partial or record.completed or upload.offset != record.length:
            return
        try:
            await self._on_complete(Upload(record, upload.path))
        except UploadRefused:
            await in_thread(self._store.remove, record.id)
            raise
        await in_thread(self._store.complete, upload)

    async def _learn_length(self, request: TusRequest, upload: OpenUpload) -> None:
        length = fields.number("Upload-Length", request.header("Upload-Length"))
        if length is None or length == upload.record.length:
            return
        if upload.record.length is not None or length < upload.offset:
            raise UploadRefused(400, "Upload-Length contradicts what is known of this upload")
        self._check_size(length)
        await in_thread(self._store.set_length, upload, length)

    def _length_at_creation(self, request: TusRequest) -> int | None:
        length = fields.number("Upload-Length", request.header("Upload-Length"))
        deferred = request.header("Upload-Defer-Length")
        if deferred not in (None, "1"):
            raise UploadRefused(400, "Upload-Defer-Length can only be 1")
        if (length is None) == (deferred is None):
            raise UploadRefused(400, "give either Upload-Length or Upload-Defer-Length")
        if length is not None:
            self._check_size(length)
        return length

    def _concat(self, request: TusRequest) -> tuple[bool, list[str]]:
        text = request.header("Upload-Concat")
        if text is None:
            return False, []
        if text.strip() == "partial":
            return True, []
        kind, _, urls = text.partition(";")
        parts = [PurePosixPath(urlsplit(url).path).name for url in urls.split()]
        if kind.strip() != "final" or not parts:
            raise UploadRefused(400, "Upload-Concat must be 'partial', or 'final;' and the URLs of the parts")
        if request.header("Upload-Length") is not None:
            raise UploadRefused(400, "a final upload has the length of its parts: leave Upload-Length out")
        return False, parts

    async def _concatenate(self, request: TusRequest, metadata: Mapping[str, str], parts: list[str]) -> UploadRecord:
        length = 0
        for part in parts:
            async with self._locks.hold(part, self._lock_wait_s), opened(self._store, part) as upload:
                record = upload.record
                if record.who != request.who or not record.partial or upload.offset != record.length:
                    raise UploadRefused(400, "each part must be a finished partial upload of yours")
                length += record.length
        self._check_size(length)
        self._on_create(metadata, length, request.who)
        return await in_thread(lambda: self._store.create(length, metadata, request.who, parts=parts))

    def _brings_bytes(self, request: TusRequest) -> bool:
        size = fields.number("Content-Length", request.header("Content-Length"))
        if (request.header("Content-Type") or "").strip().lower() == fields.CHUNK_TYPE:
            return True
        if size:
            raise UploadRefused(415, f"send the bytes as {fields.CHUNK_TYPE}")
        return False

    def _check_size(self, length: int) -> None:
        if length > self._max_bytes:
            raise UploadRefused(
                413,
                f"{length} bytes are more than the {self._max_bytes} allowed",
                {"Tus-Max-Size": str(self._max_bytes)},
            )

    def _abilities(self) -> dict[str, str]:
        return {
            "Tus-Version": fields.VERSION,
            "Tus-Extension": ",".join(EXTENSIONS),
            "Tus-Max-Size": str(self._max_bytes),
            "Tus-Checksum-Algorithm": ",".join(fields.CHECKSUMS),
        }

    def _answer(self, status: int, more: Mapping[str, str], body: bytes = b"") -> TusResponse:
        return TusResponse(status, {"Tus-Resumable": fields.VERSION, **more}, body)

    def _sentence(self, status: int, reason: str, more: Mapping[str, str] | None = None) -> TusResponse:
        return self._answer(status, {"Content-Type": "text/plain; charset=utf-8", **(more or {})}, reason.encode())
