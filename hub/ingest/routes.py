"""Routes of the ingest: segments and uploads; every one needs the rig's token."""

from collections.abc import Awaitable, Callable

from aiohttp import web

from hub.errors import NotOffered, OfferContradicts
from hub.ingest.ingest import Ingest
from hub.token import authorise
from wire.errors import BadId, WireError
from wire.hand_over import DIGEST, SEGMENTS, UPLOADS, content_digest
from wire.ids import NodeId, SessionId
from wire.message import decode, encode
from wire.session import SegmentKey, SegmentOffer, SegmentReceipt
from wire.tus.headers import CHECKSUM_MISMATCH
from wire.tus.protocol import TusRequest

_Handler = Callable[[web.Request], Awaitable[web.Response]]


def ingest_routes(ingest: Ingest) -> list[web.RouteDef]:
    """The routes to mount: `/api/v1/segments` and `/api/v1/uploads`."""

    async def offer(request: web.Request) -> web.Response:
        raw = await request.read()
        if request.headers.get(DIGEST) != content_digest(raw):
            return web.Response(status=CHECKSUM_MISMATCH, text=f"the offer does not fit its {DIGEST}: send it again")
        try:
            return _receipt(await ingest.offer(decode(raw, SegmentOffer)))
        except OfferContradicts as fault:
            return web.Response(status=409, text=str(fault))
        except WireError as fault:
            return web.Response(status=400, text=str(fault))

    async def receipt(request: web.Request) -> web.Response:
        named = request.match_info
        try:
            key = SegmentKey(SessionId(named["session"]), NodeId(named["node"]), int(named["sequence"]))
            return _receipt(await ingest.receipt(key))
        except (BadId, NotOffered) as fault:
            return web.Response(status=404, text=str(fault))

    async def upload(request: web.Request) -> web.Response:
        await ingest.sweep()
        answer = await ingest.uploads.handle(
            TusRequest(
                request.method, request.match_info.get("upload", ""), request.headers, request.content.iter_any(), "rig"
            )
        )
        return web.Response(status=answer.status, headers=answer.headers, body=answer.body or None)

    def guarded(handler: _Handler) -> _Handler:
        async def answer(request: web.Request) -> web.Response:
            authorise(request, ingest.token)
            return await handler(request)

        return answer

    return [
        web.post(SEGMENTS, guarded(offer)),
        web.get(SEGMENTS + "/{session}/{node}/{sequence:[0-9]{1,8}}", guarded(receipt)),
        web.route("*", UPLOADS, guarded(upload)),
        web.route("*", UPLOADS + "/{upload}", guarded(upload)),
    ]


def _receipt(receipt: SegmentReceipt) -> web.Response:
    return web.Response(body=encode(receipt), content_type="application/json")
