"""What files are told to be, by their names: what a browser could run is never among a match's files."""

_PICTURES = {".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".png": "image/png", ".webp": "image/webp"}
_OTHERS = {
    ".mp4": "video/mp4",
    ".json": "application/json",
    ".csv": "text/csv; charset=utf-8",
    ".txt": "text/plain; charset=utf-8",
}
_HEADS = {
    ".mp4": (4, (b"ftyp",)),
    ".jpg": (0, (b"\xff\xd8\xff",)),
    ".jpeg": (0, (b"\xff\xd8\xff",)),
    ".png": (0, (b"\x89PNG\r\n\x1a\n",)),
    ".webp": (8, (b"WEBP",)),
}
UNKNOWN = "application/octet-stream"


def media_type(path: str) -> str:
    """The content type of a match's file."""
    suffix = _suffix(path)
    return _PICTURES.get(suffix) or _OTHERS.get(suffix, UNKNOWN)


def is_picture(path: str) -> bool:
    """Whether the file is a still picture."""
    return _suffix(path) in _PICTURES


def begins_right(path: str, head: bytes) -> bool:
    """Whether a file of this name may begin with these bytes (at least 12 of them, or all there are)."""
    at, wanted = _HEADS.get(_suffix(path), (0, (b"",)))
    return head[at:].startswith(wanted)


def _suffix(path: str) -> str:
    name = path.rpartition("/")[2]
    return f".{name.rpartition('.')[2].lower()}" if "." in name else ""
