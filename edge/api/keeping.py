"""Routes to what a node has recorded and still keeps."""

import asyncio

from aiohttp import web

from edge.api.route import Route
from edge.holdings import DeletedSegments, Holdings
from edge.ledger import SegmentRow, SessionRow
from wire.ids import session_id
from wire.proof import Sealed
from wire.stick import ReceiptsTaken

_RECEIPTS_BYTES = 16 << 20
"""Half a kilobyte a segment: a day of three cameras."""


def keeping_routes(holdings: Holdings) -> list[Route]:
    """Sessions and segments, and how they are given up."""

    async def sessions(_request: web.Request) -> list[SessionRow]:
        return await asyncio.to_thread(holdings.sessions)

    async def segments(request: web.Request) -> list[SegmentRow]:
        return await asyncio.to_thread(holdings.segments, session_id(request.match_info["session"]))

    async def confirm(request: web.Request) -> ReceiptsTaken:
        receipts = await request.clone(client_max_size=_RECEIPTS_BYTES).read()
        return await asyncio.to_thread(holdings.confirm, receipts)

    async def delete_confirmed(_request: web.Request) -> DeletedSegments:
        return await asyncio.to_thread(holdings.delete_confirmed)

    return [
        Route("GET", "/api/v1/sessions", "every session that was recorded", sessions, gives=list[SessionRow]),
        Route(
            "GET",
            "/api/v1/sessions/{session}/segments",
            "a session's segments: state, times, frames, bytes and sums",
            segments,
            gives=list[SegmentRow],
            refusals={400: "this is no session's id", 404: "this node has recorded no such session"},
        ),
        Route(
            "POST",
            "/api/v1/confirm",
            "take the hub's sealed receipts (StickReceipts), as a stick brings them back",
            confirm,
            takes=Sealed,
            gives=ReceiptsTaken,
            refusals={
                400: "the receipts cannot be read",
                403: "they were not sealed with the rig's token",
                413: "more than 16 MiB",
            },
        ),
        Route(
            "POST",
            "/api/v1/delete-confirmed",
            "delete every segment that the hub has confirmed",
            delete_confirmed,
            gives=DeletedSegments,
        ),
    ]
