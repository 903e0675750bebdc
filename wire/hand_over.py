"""How segments are handed over by HTTP: the addresses and fields on which whoever brings them and the hub agree."""

import base64
import hashlib

from wire.session import SegmentKey

SEGMENTS = "/api/v1/segments"
"""Where a segment is offered, and below it where its receipt is."""
UPLOADS = "/api/v1/uploads"
"""Where its files are uploaded by tus."""
PROOF = "/api/v1/proof"
"""Below it, by the nonce, a hub's proof that it is this rig's."""
DIGEST = "Content-Digest"


def receipt_path(key: SegmentKey) -> str:
    """The path of the receipt of `key` on the hub."""
    return f"{SEGMENTS}/{key.session}/{key.node}/{key.sequence}"


def upload_metadata(key: SegmentKey, part: str) -> dict[str, str]:
    """The tus metadata that names an upload as the `part`, video or tracks, of a segment."""
    return {"session": key.session, "node": key.node, "sequence": str(key.sequence), "part": part}


def content_digest(body: bytes) -> str:
    """The `Content-Digest` field (RFC 9530) of an offer's bytes.

    What an offer says is believed for ever, so a digit bent on the way would cost the segment.
    """
    return f"sha-256=:{base64.b64encode(hashlib.sha256(body).digest()).decode()}:"
