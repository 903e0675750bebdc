"""Range requests (RFC 9110 section 14): one range at a time; whatever cannot be understood gets the whole file."""

import re
from typing import NamedTuple

_ONE = re.compile(r"bytes=(\d*)-(\d*)")


class Span(NamedTuple):
    """The bytes from `first` up to, not including, `end`."""

    first: int
    end: int


class Unsatisfiable(NamedTuple):
    """A range that begins behind the file's end."""


def wanted_span(header: str | None, size: int) -> Span | Unsatisfiable | None:
    """What `Range` asks of a file of `size` bytes; None for the whole file (no, several or senseless ranges)."""
    found = _ONE.fullmatch((header or "").strip().replace(" ", ""))
    if found is None or found.groups() == ("", "") or max(map(len, found.groups())) > 18:
        return None
    first, last = found.groups()
    if not first:
        length = min(int(last), size)
        return Span(size - length, size) if length else Unsatisfiable()
    if last and int(last) < int(first):
        return None
    if int(first) >= size:
        return Unsatisfiable()
    return Span(int(first), min(int(last) + 1, size) if last else size)


def may_range(if_range: str | None, etag: str) -> bool:
    """Whether `If-Range` still speaks of this file; a date never does, for we promise none."""
    return if_range is None or if_range.strip() == etag


def not_changed(if_none_match: str | None, etag: str) -> bool:
    """Whether the browser's copy is this file."""
    tags = [tag.strip().removeprefix("W/") for tag in (if_none_match or "").split(",")]
    return etag in tags or "*" in tags
