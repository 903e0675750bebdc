"""Takes in what nodes have put on a stick, by the same door as everything that comes over the network."""

from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path

import aiohttp

from hub.errors import HubError
from wire.durable import write_durably
from wire.errors import WireError
from wire.hand_over import DIGEST, SEGMENTS, UPLOADS, content_digest, receipt_path, upload_metadata
from wire.marks import NodeMarks
from wire.message import M, decode, encode
from wire.proof import seal, unseal
from wire.session import SegmentOffer, SegmentReceipt
from wire.stick import MARKS, OFFER, RECEIPTS, TRACKS, VIDEO, StickReceipts, marks_path
from wire.tus.client import TusClient
from wire.tus.errors import UploadFailed, UploadRefused

_MOST_BYTES = 1 << 16
"""Of an offer: a larger file is none."""
_MOST_MARKS_BYTES = 1 << 20
"""Of a node's marks, room for thousands: the hub reads no larger message."""
_TIMEOUT = aiohttp.ClientTimeout(total=None, sock_connect=10, sock_read=180)


class LeftOut(HubError):
    """A segment, or a node's marks, of a stick that are not taken in; others may be."""


class _Unknown(HubError):
    """The hub has no such place."""


class StickUnusable(HubError):
    """A stick that cannot be read, or that takes no receipts."""


class Stick:
    """The stick's `folder`, whose marks and segments are handed over to the hub at `url` with the rig's token."""

    def __init__(self, folder: Path, url: str, token: str, http: aiohttp.ClientSession) -> None:
        self._folder = folder
        self._url = url.rstrip("/")
        self._token = token
        self._http = http
        self._headers = {"Authorization": f"Bearer {token}"}
        self._tus = TusClient(http, self._url + UPLOADS, self._headers)

    async def take_in(self, told: Callable[[int, int], None]) -> list[LeftOut]:
        """Hand over all marks, then every segment, each node's oldest first, and leave the hub's receipts; what was
        left out and why.

        `told` gets how many segments are done of how many. May be repeated: what the hub holds already is only
        confirmed again. Raises `HubError` when the hub does not answer; what it confirmed until then is on the stick.
        """
        if not self._folder.is_dir():
            raise StickUnusable(f"{self._folder} is not there: is the stick plugged in and mounted?")
        places = sorted(self._folder.glob(f"*/*/*{OFFER}"))
        confirmed: list[SegmentOffer] = []
        left_out: list[LeftOut] = []
        try:
            # With its last segment a session may be complete, and its events are made with the marks known by then.
            for place in sorted(self._folder.glob(f"*/*/{MARKS}")):
                try:
                    await self._marks(place)
                except LeftOut as fault:
                    left_out.append(fault)
            for count, place in enumerate(places):
                told(count, len(places))
                try:
                    confirmed.append(await self._segment(place))
                except LeftOut as fault:
                    left_out.append(fault)
        finally:
            self._leave_receipts(confirmed)
        told(len(places), len(places))
        return left_out

    async def _marks(self, place: Path) -> None:
        told = self._unsealed(place, NodeMarks, "a list of marks", _MOST_MARKS_BYTES)
        if self._folder / marks_path(told.session, told.node) != place:
            raise LeftOut(f"{place} holds the marks of session {told.session} and node {told.node}")
        try:
            await self._answer("POST", f"/api/v1/sessions/{told.session}/marks", place, encode(told))
        except _Unknown as fault:
            raise LeftOut(
                f"{place}: the hub takes no marks of this session, or is too old to take any: {fault}"
            ) from None

    async def _segment(self, place: Path) -> SegmentOffer:
        offer = self._offer(place)
        receipt = await self._receipt("POST", SEGMENTS, place, encode(offer))
        for wanted, part, suffix in (
            (receipt.video_wanted, "video", VIDEO),
            (receipt.tracks_wanted, "tracks", TRACKS),
        ):
            if wanted:
                await self._send(place.with_suffix(suffix), offer, part)
        if not (await self._receipt("GET", receipt_path(offer.key), place)).confirmed:
            raise LeftOut(f"{place}: the hub did not confirm what it was sent")
        return offer

    def _offer(self, place: Path) -> SegmentOffer:
        offer = self._unsealed(place, SegmentOffer, "an offer", _MOST_BYTES)
        if self._folder / offer.key.path(OFFER) != place:
            raise LeftOut(f"{place} is the offer of another segment, {offer.key.path('')}")
        return offer

    def _unsealed(self, place: Path, kind: type[M], what: str, most_bytes: int) -> M:
        try:
            if place.stat().st_size > most_bytes:
                raise LeftOut(f"{place} is too large to be {what}")
            return unseal(place.read_bytes(), kind, self._token)
        except (OSError, WireError) as fault:
            raise LeftOut(f"{place} is not {what} of this rig's node: {fault}") from None

    async def _send(self, path: Path, offer: SegmentOffer, part: str) -> None:
        try:
            await self._tus.upload(path, upload_metadata(offer.key, part))
        except OSError as fault:
            raise LeftOut(f"{path} cannot be read: {fault.strerror}") from None
        except UploadRefused as fault:
            raise LeftOut(f"{path}: {fault.reason}") from None
        except UploadFailed as fault:
            raise HubError(f"the hub at {self._url} broke off: {fault}") from None

    async def _receipt(self, method: str, path: str, place: Path, body: bytes | None = None) -> SegmentReceipt:
        return decode(await self._answer(method, path, place, body), SegmentReceipt)

    async def _answer(self, method: str, path: str, place: Path, body: bytes | None = None) -> bytes:
        headers = {**self._headers, **({DIGEST: content_digest(body)} if body is not None else {})}
        try:
            async with self._http.request(
                method, self._url + path, data=body, headers=headers, timeout=_TIMEOUT, allow_redirects=False
            ) as answer:
                raw, status = await answer.read(), answer.status
        except (aiohttp.ClientError, TimeoutError, OSError) as fault:
            raise HubError(f"the hub at {self._url} does not answer: {fault or type(fault).__name__}") from None
        if status in (HTTPStatus.BAD_REQUEST, HTTPStatus.CONFLICT):
            raise LeftOut(f"{place}: {raw.decode(errors='replace')}")
        if status not in (HTTPStatus.OK, HTTPStatus.NO_CONTENT):
            kind = _Unknown if status == HTTPStatus.NOT_FOUND else HubError
            raise kind(f"the hub at {self._url} answered {status}: {raw.decode(errors='replace')[:300]}")
        return raw

    def _leave_receipts(self, confirmed: list[SegmentOffer]) -> None:
        place = self._folder / RECEIPTS
        try:
            earlier = unseal(place.read_bytes(), StickReceipts, self._token).confirmed
        except (OSError, WireError):
            earlier = ()
        # What was confirmed once stays so, also when this time the hub broke off before it.
        receipts = StickReceipts(confirmed=tuple(dict.fromkeys((*earlier, *confirmed))))
        try:
            write_durably(place, seal(receipts, self._token))
        except OSError as fault:
            raise StickUnusable(f"the receipts cannot be written to {self._folder}: {fault.strerror}") from None
