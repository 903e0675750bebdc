"""Signed addresses of single files that end by themselves: for where the match's own address does not do.

A link for saving a file is signed with the browser's sign-in: another browser cannot use it, and signing out ends it.
What a mail or a share shows has nobody's sign-in; such links must be asked for by that very purpose.
"""

import base64
from datetime import UTC, datetime, timedelta
from enum import StrEnum

import msgspec

from viewer.errors import BadLink
from viewer.media.types import is_picture
from viewer.sealing import Seal

_LONGEST_TOKEN = 1200


class LinkFor(StrEnum):
    """What a link is for."""

    SAVE = "save"
    MAIL = "mail"
    SHARE = "share"


LASTS = {
    LinkFor.SAVE: timedelta(minutes=10),
    LinkFor.MAIL: timedelta(days=14),
    LinkFor.SHARE: timedelta(minutes=30),
}
"""How long a link is good at most; the page of a share makes fresh ones."""


class Claim(msgspec.Struct, frozen=True, array_like=True):
    """What a link says: one file of the recording of this session, as its folder was then, until when, what for.

    `share` is the share that lets it be seen, 0 for the other purposes.
    """

    purpose: LinkFor
    folder: str
    path: str
    ends: int
    share: int = 0


def media_link(
    seal: Seal, purpose: LinkFor, folder: str, path: str, now: datetime, *, sign_in: str = "", share: int = 0
) -> str:
    """The address, good for `LASTS`. `sign_in` is the key hash of the browser's sign-in, `share` the share's number.

    Raises `BadLink` for a link without the one that its purpose asks for: nothing is open to everybody by an oversight.
    """
    if bool(sign_in) != (purpose is LinkFor.SAVE) or bool(share) != (purpose is LinkFor.SHARE):
        raise BadLink(f"a link to {purpose} a file is bound to something else")
    if purpose is LinkFor.MAIL and not is_picture(path):
        raise BadLink("mails show pictures and no videos")
    ends = int((now + LASTS[purpose]).timestamp())
    claim = Claim(purpose, folder, path, ends, share)
    body = base64.urlsafe_b64encode(msgspec.msgpack.encode(claim)).decode().rstrip("=")
    return f"/media/{body}.{_signature(seal, claim, sign_in)}"


def opened(seal: Seal, token: str, now: datetime, sign_in: str) -> Claim:
    """What the link with this `token` says, for the browser with this sign-in; raises `BadLink`."""
    body, _, signature = token.rpartition(".")
    if len(token) > _LONGEST_TOKEN:
        raise BadLink("This link is damaged.")
    try:
        claim = msgspec.msgpack.decode(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)), type=Claim)
    except (ValueError, msgspec.MsgspecError) as fault:
        raise BadLink("This link is damaged.") from fault
    bound = sign_in if claim.purpose is LinkFor.SAVE else ""
    if not seal.signed(signature, *_said(claim, bound)):
        raise BadLink("This link was not made here, or for another browser.")
    if datetime.fromtimestamp(claim.ends, UTC) <= now:
        raise BadLink("This link has ended.")
    return claim


def _signature(seal: Seal, claim: Claim, sign_in: str) -> str:
    return seal.sign(*_said(claim, sign_in))


def _said(claim: Claim, sign_in: str) -> tuple[str, ...]:
    return ("media", claim.purpose, claim.folder, claim.path, str(claim.ends), str(claim.share), sign_in)
