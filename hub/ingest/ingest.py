"""From a node's offer to a confirmed segment: the one place that decides what the hub accepts."""

import asyncio
import hashlib
import re
import secrets
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

from hub.errors import HubError, NotOffered
from hub.ingest.ledger import PARTS, Ledger
from hub.ingest.shelf import SegmentShelf
from wire.durable import publish
from wire.errors import BadId, MalformedMessage
from wire.hand_over import UPLOADS
from wire.ids import NodeId, SessionId
from wire.rigtime import SECOND
from wire.session import SegmentKey, SegmentOffer, SegmentReceipt
from wire.tus.errors import UploadRefused
from wire.tus.protocol import TusProtocol
from wire.tus.store import Upload, UploadRecord, UploadStore

MOST_BYTES = 1 << 30
"""A segment is 2 s of video; nothing near this size is one."""
_LIFETIME_NS = 86_400 * SECOND
_LATEST_NS = 1 << 62
"""The year 2116: what SQLite's integers can hold with room to spare."""
_SWEEP_NS = 3600 * SECOND
_SEQUENCE = re.compile(r"[0-9]{1,8}")
_SHA256 = re.compile(r"[0-9a-f]{64}")

Confirmed = Callable[[SegmentKey, SegmentOffer], Awaitable[None]]


class Ingest:
    """Takes segments into the folder `data`: `segments/` (the shelf), `uploads/` and `ledger.db`.

    `token` is what the rig's nodes show, `now_ns` the hub's clock. `on_confirmed` is awaited once for each segment when
    both its files are held, and again when a confirmed one turns out to be its node's last; a crash may swallow a call,
    so ask the `shelf` at the start. Raises `HubError` when the token is empty or the ledger cannot be used.
    """

    def __init__(
        self,
        data: Path,
        token: str,
        now_ns: Callable[[], int],
        on_confirmed: Confirmed,
        random_bytes: Callable[[int], bytes] = secrets.token_bytes,
    ) -> None:
        if not token:
            raise HubError("the hub needs a token that its nodes can show: an empty one would let anybody in")
        data.mkdir(parents=True, exist_ok=True)
        self.token = token
        self.now_ns = now_ns
        self._on_confirmed = on_confirmed
        self._ledger = Ledger(data / "ledger.db")
        self.shelf = SegmentShelf(data / "segments", self._ledger)
        store = UploadStore(data / "uploads", now_ns, random_bytes, lifetime_ns=_LIFETIME_NS)
        self.uploads = TusProtocol(
            store, UPLOADS, on_create=self._may_begin, on_complete=self._take, max_bytes=MOST_BYTES
        )
        self._swept_ns: int | None = None

    def close(self) -> None:
        """Closes the ledger."""
        self._ledger.close()

    def nodes(self, session: SessionId) -> dict[NodeId, int | None]:
        """Each node that offered a segment of the session, with its last sequence number once that is known."""
        return self._ledger.nodes(session)

    async def offer(self, offer: SegmentOffer) -> SegmentReceipt:
        """Takes a node's promise; raises `MalformedMessage`, or `OfferContradicts` when it promised other bytes."""
        for size, digest in ((offer.video_bytes, offer.video_sha256), (offer.tracks_bytes, offer.tracks_sha256)):
            if not 0 < size <= MOST_BYTES or not _SHA256.fullmatch(digest):
                raise MalformedMessage("an offer needs two files of 1 byte to 1 GiB with their SHA-256 in lower case")
        span = (0, offer.start_ns, offer.end_ns, _LATEST_NS)
        if sorted(span) != list(span) or not (0 <= offer.frames <= MOST_BYTES):
            raise MalformedMessage("an offer needs a start before its end, and a count of frames")
        if not 0 <= offer.clock_uncertainty_ns <= _LATEST_NS:
            raise MalformedMessage("an offer needs a clock uncertainty of 0 or more")
        if abs(offer.clock_offset_ns or 0) > _LATEST_NS:
            raise MalformedMessage("an offer needs a clock offset that a clock can have")
        receipt, became_last = await asyncio.to_thread(self._ledger.offer, offer, self.now_ns())
        if became_last:
            await self._on_confirmed(offer.key, offer)
        return receipt

    async def receipt(self, key: SegmentKey) -> SegmentReceipt:
        """What is still wanted of an offered segment; raises `NotOffered`."""
        return await asyncio.to_thread(self._ledger.receipt, key)

    async def sweep(self) -> None:
        """Once an hour, beginning with the first call: finishes what a crash left whole, removes what has expired and
        what was begun for a file that came by another upload."""
        now = self.now_ns()
        if self._swept_ns is None or now - self._swept_ns >= _SWEEP_NS:
            self._swept_ns = now
            await self.uploads.sweep(self._of_no_use)

    def _of_no_use(self, record: UploadRecord) -> bool:
        key, part = _named(record.metadata)
        try:
            receipt = self._ledger.receipt(key)
        except NotOffered:
            return True
        return not (receipt.video_wanted if part == "video" else receipt.tracks_wanted)

    def _may_begin(self, metadata: Mapping[str, str], length: int | None, _who: str) -> None:
        key, part = _named(metadata)
        try:
            promise = self._ledger.promise(key, part)
        except NotOffered as fault:
            raise UploadRefused(422, f"{fault}: offer it first") from None
        if length != promise.bytes:
            raise UploadRefused(422, f"the {part} of segment {key.path('')} was offered with {promise.bytes} bytes")

    async def _take(self, upload: Upload) -> None:
        key, part = _named(upload.record.metadata)
        offer = await asyncio.to_thread(self._verify_and_hold, key, part, upload.path)
        if offer is not None:
            await self._on_confirmed(key, offer)

    def _verify_and_hold(self, key: SegmentKey, part: str, path: Path) -> SegmentOffer | None:
        with open(path, "rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        if digest != self._ledger.promise(key, part).sha256:
            raise UploadRefused(
                422, f"the {part} of segment {key.path('')} does not have the SHA-256 that was offered: send it again"
            )
        publish(path, self.shelf.path(key, part))
        return self._ledger.hold(key, part, self.now_ns())


def _named(metadata: Mapping[str, str]) -> tuple[SegmentKey, str]:
    try:
        number = metadata.get("sequence", "")
        if not _SEQUENCE.fullmatch(number):
            raise BadId(f"{number!r} is not a segment's sequence number")
        key = SegmentKey(SessionId(metadata.get("session", "")), NodeId(metadata.get("node", "")), int(number))
    except BadId as fault:
        raise UploadRefused(422, str(fault)) from None
    part = metadata.get("part", "")
    if part not in PARTS:
        raise UploadRefused(422, f"{part!r} is no part of a segment: there are video and tracks")
    return key, part
