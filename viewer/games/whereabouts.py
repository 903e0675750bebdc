"""Whether a picture or video says where it was taken: phones and cameras write that into it, and it is nobody's."""

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

_GPS = 0x8825
"""Tag of Exif's directory of positions (CIPA DC-008, 4.6.3)."""
_PLACES = {b"\xa9xyz", b"loci"}
"""Boxes of positions: QuickTime File Format, "User data atoms", and 3GPP TS 26.244, 8.10."""
_CONTAINERS = {b"moov", b"trak", b"udta"}
_WORDS = (b"location.ISO6709", b"GPSLatitude", b"GPSLongitude")
"""How Apple's metadata and XMP name positions."""
_MOST = 1 << 20


def tells_place(path: Path) -> bool:
    """Whether the JPEG or MP4 at `path` holds a position; other files hold none."""
    with path.open("rb") as file:
        if path.suffix == ".jpg":
            return any(_segment_tells(segment) for segment in _segments(file))
        return path.suffix == ".mp4" and _boxes_tell(file, 0, path.stat().st_size)


def _segments(file: BinaryIO) -> Iterator[bytes]:
    """APP1 segments of a JPEG up to its picture."""
    file.seek(2)
    while len(head := file.read(4)) == 4 and head[0] == 0xFF and head[1] not in (0xDA, 0xD9):
        content = file.read(max(struct.unpack(">H", head[2:])[0] - 2, 0))
        if head[1] == 0xE1:
            yield content


def _segment_tells(segment: bytes) -> bool:
    if any(word in segment for word in _WORDS):
        return True
    if not segment.startswith(b"Exif\0\0") or len(segment) < 14:
        return False
    tiff = segment[6:]
    order = "<" if tiff[:2] == b"II" else ">"
    (at,) = struct.unpack(order + "I", tiff[4:8])
    entries = tiff[at + 2 :]
    count = struct.unpack(order + "H", tiff[at : at + 2])[0] if at + 2 <= len(tiff) else 0
    tags = (entries[n * 12 : n * 12 + 2] for n in range(count))
    return any(len(tag) == 2 and struct.unpack(order + "H", tag)[0] == _GPS for tag in tags)


def _boxes_tell(file: BinaryIO, at: int, end: int) -> bool:
    while at + 8 <= end:
        file.seek(at)
        head = file.read(16)
        size, kind, start = int.from_bytes(head[:4]), head[4:8], 8
        if size == 1:
            size, start = int.from_bytes(head[8:16]), 16
        elif size == 0:
            size = end - at
        if size < start:
            return False
        if kind in _PLACES:
            return True
        if kind in _CONTAINERS and _boxes_tell(file, at + start, min(at + size, end)):
            return True
        if kind == b"meta":
            file.seek(at + start)
            words = file.read(min(size - start, _MOST))
            if any(word in words for word in _WORDS):
                return True
        at += size
    return False
