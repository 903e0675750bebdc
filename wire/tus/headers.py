"""The header fields of tus 1.0.0: parsing them strictly, writing them back."""

import base64
import binascii
import hashlib
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import NamedTuple

from wire.rigtime import SECOND
from wire.tus.errors import UploadRefused

VERSION = "1.0.0"
CHUNK_TYPE = "application/offset+octet-stream"
CHECKSUMS = ("sha1", "sha256")
CHECKSUM_MISMATCH = 460
"""Status of the checksum extension, unknown to `http.HTTPStatus`."""

_NUMBER = re.compile(r"[0-9]{1,18}")
_KEY = re.compile(r"[\x21-\x2b\x2d-\x7e]+")


class Checksum(NamedTuple):
    """A promised digest of one request's body."""

    algorithm: str
    digest: bytes


def number(name: str, text: str | None) -> int | None:
    """The non-negative whole number of field `name`, None when the field is absent; raises `UploadRefused` 400."""
    if text is None:
        return None
    if not _NUMBER.fullmatch(text):
        raise UploadRefused(400, f"{name} must be a whole number, not {text!r}")
    return int(text)


def checksum(text: str | None) -> Checksum | None:
    """The promised digest of `Upload-Checksum`; raises `UploadRefused` 400."""
    if text is None:
        return None
    algorithm, _, coded = text.strip().partition(" ")
    if algorithm not in CHECKSUMS:
        raise UploadRefused(400, f"checksum algorithm {algorithm!r} is not one of {', '.join(CHECKSUMS)}")
    digest = _base64("Upload-Checksum", coded)
    if len(digest) != hashlib.new(algorithm, usedforsecurity=False).digest_size:
        raise UploadRefused(400, f"Upload-Checksum does not hold a {algorithm} digest")
    return Checksum(algorithm, digest)


def checksum_field(algorithm: str, data: bytes) -> str:
    """`Upload-Checksum` for `data`."""
    digest = hashlib.new(algorithm, data, usedforsecurity=False).digest()
    return f"{algorithm} {base64.b64encode(digest).decode()}"


def metadata(text: str | None) -> dict[str, str]:
    """The pairs of `Upload-Metadata`, values as UTF-8 text; raises `UploadRefused` 400."""
    pairs: dict[str, str] = {}
    for item in (text or "").split(","):
        key, _, coded = item.strip().partition(" ")
        if not key and not (text or "").strip():
            continue
        if not _KEY.fullmatch(key) or key in pairs:
            raise UploadRefused(400, f"Upload-Metadata has an empty, doubled or odd key {key!r}")
        try:
            pairs[key] = _base64("Upload-Metadata", coded.strip()).decode()
        except UnicodeDecodeError:
            raise UploadRefused(400, f"the value of {key!r} in Upload-Metadata is not UTF-8") from None
    return pairs


def metadata_field(pairs: Mapping[str, str]) -> str:
    """`Upload-Metadata` for `pairs`; raises `ValueError` on a key with a space or a comma."""
    items = []
    for key, value in pairs.items():
        if not _KEY.fullmatch(key):
            raise ValueError(f"{key!r} cannot be a key of upload metadata")
        items.append(f"{key} {base64.b64encode(value.encode()).decode()}".strip())
    return ",".join(items)


def http_date(time_ns: int) -> str:
    """`Upload-Expires` for a time in nanoseconds since the Unix epoch."""
    return format_datetime(datetime.fromtimestamp(time_ns // SECOND, UTC), usegmt=True)


def _base64(name: str, text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise UploadRefused(400, f"{name} holds a value that is not base64") from None
