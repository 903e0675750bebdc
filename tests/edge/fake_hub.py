"""The hub of the node's tests."""

import hashlib
import secrets
from collections.abc import Callable
from pathlib import Path

from aiohttp import web

from wire.message import decode, encode
from wire.session import SegmentKey, SegmentOffer, SegmentReceipt
from wire.tracks import TracksHead
from wire.tus.protocol import TusProtocol, TusRequest
from wire.tus.store import UploadStore


class FakeHub:
    """A hub that keeps its word: real tus, real SHA-256, everything on disk, so that it may die and come back.

    `dies_after` bytes of uploads it hangs up and stops answering until it is started again; `spoils` makes it damage
    the next so many files it stores; `refuses` holds sequences it answers with 422; `tracks_version` is what it reads.
    """

    def __init__(self, root: Path, token: str, now_ns: Callable[[], int]) -> None:
        self.root = root
        self.token = token
        self.port = 0
        self.received = 0
        self.dies_after: int | None = None
        self.spoils = 0
        self.refuses: set[int] = set()
        self.tracks_version = TracksHead.VERSION
        self.asked: list[tuple[str, int]] = []
        self.offers: dict[SegmentKey, SegmentOffer] = {}
        self._runner: web.AppRunner | None = None
        store = UploadStore(root / "uploads", now_ns, secrets.token_bytes)
        self._tus = TusProtocol(
            store, "/api/v1/uploads", on_create=lambda *_: None, on_complete=self._complete, max_bytes=1 << 30
        )

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        app = web.Application(client_max_size=1 << 30)
        app.router.add_post("/api/v1/segments", self._offer)
        app.router.add_get("/api/v1/segments/{session}/{node}/{sequence}", self._ask)
        app.router.add_route("*", "/api/v1/uploads{tail:.*}", self._upload)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port).start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        if self._runner:
            await self._runner.cleanup()
            self._runner = None

    def path(self, key: SegmentKey, suffix: str) -> Path:
        return self.root / "segments" / key.path(suffix)

    def confirmed(self) -> list[SegmentOffer]:
        return [offer for key, offer in sorted(self.offers.items()) if self._receipt(key).confirmed]

    def _receipt(self, key: SegmentKey) -> SegmentReceipt:
        offer = self.offers[key]

        def wanted(suffix: str, sha256: str) -> bool:
            path = self.path(key, suffix)
            return not path.exists() or hashlib.sha256(path.read_bytes()).hexdigest() != sha256

        return SegmentReceipt(
            key=key,
            video_wanted=wanted(".mp4", offer.video_sha256),
            tracks_wanted=wanted(".tracks", offer.tracks_sha256),
            tracks_version=self.tracks_version,
        )

    def _guard(self, request: web.Request) -> None:
        if request.headers.get("Authorization") != f"Bearer {self.token}":
            raise web.HTTPUnauthorized(text="this needs the rig's token")

    async def _offer(self, request: web.Request) -> web.Response:
        self._guard(request)
        offer = decode(await request.read(), SegmentOffer)
        self.asked.append(("offer", offer.key.sequence))
        if offer.key.sequence in self.refuses:
            raise web.HTTPUnprocessableEntity(text="not this one")
        self.offers[offer.key] = offer
        return web.Response(body=encode(self._receipt(offer.key)))

    async def _ask(self, request: web.Request) -> web.Response:
        self._guard(request)
        parts = request.match_info
        key = SegmentKey(parts["session"], parts["node"], int(parts["sequence"]))
        self.asked.append(("receipt", key.sequence))
        return web.Response(body=encode(self._receipt(key)))

    async def _upload(self, request: web.Request) -> web.Response:
        self._guard(request)
        tail = request.match_info["tail"].strip("/")
        answer = await self._tus.handle(TusRequest(request.method, tail, request.headers, self._body(request)))
        return web.Response(status=answer.status, headers=answer.headers, body=answer.body)

    async def _body(self, request: web.Request):
        async for chunk in request.content.iter_chunked(4096):
            self.received += len(chunk)
            if self.dies_after is not None and self.received > self.dies_after:
                self.dies_after = None
                request.transport.abort()
                await self._runner.sites.copy().pop().stop()
            yield chunk

    async def _complete(self, upload) -> None:
        told = upload.record.metadata
        key = SegmentKey(told["session"], told["node"], int(told["sequence"]))
        target = self.path(key, {"video": ".mp4", "tracks": ".tracks"}[told["part"]])
        target.parent.mkdir(parents=True, exist_ok=True)
        raw = upload.path.read_bytes()
        if self.spoils:
            self.spoils -= 1
            raw = raw[:-1] + bytes([raw[-1] ^ 1])
        target.write_bytes(raw)
