"""A position in a picture or video is found wherever cameras write it, and none is found where there is none."""

import struct
from dataclasses import replace
from pathlib import Path

import av
import pytest
from hypothesis import given
from hypothesis import strategies as st

from viewer.errors import BadPackage
from viewer.games.package import unpack
from viewer.games.whereabouts import tells_place

GPS = 0x8825


def jpeg(*segments: bytes) -> bytes:
    """A JPEG of these APP1 segments and no picture."""
    parts = (b"\xff\xe1" + struct.pack(">H", len(s) + 2) + s for s in segments)
    return b"\xff\xd8" + b"".join(parts) + b"\xff\xda\x00\x02\xff\xd9"


def exif(order: str, *tags: int) -> bytes:
    """An Exif segment of these tags, in either order of bytes."""
    entries = b"".join(struct.pack(order + "HHII", tag, 4, 1, 0) for tag in tags)
    head = {"<": b"II", ">": b"MM"}[order] + struct.pack(order + "HI", 42, 8)
    return b"Exif\0\0" + head + struct.pack(order + "H", len(tags)) + entries + bytes(4)


def box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content) + 8) + kind + content


def large_box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", 1) + kind + struct.pack(">Q", len(content) + 16) + content


PLACE = box(b"\xa9xyz", b"\0\x12\x15\xc7+48.1371+011.5754/")
APPLE = box(b"meta", bytes(4) + box(b"keys", b"mdtacom.apple.quicktime.location.ISO6709"))


@pytest.mark.parametrize(
    ("name", "content", "tells"),
    [
        ("a.jpg", jpeg(), False),
        ("a.jpg", jpeg(exif("<", 0x10F, 0x110)), False),
        ("a.jpg", jpeg(exif("<", 0x10F, GPS)), True),
        ("a.jpg", jpeg(b"http://ns.adobe.com/xap/1.0/\0<x/>", exif(">", GPS)), True),
        ("a.jpg", jpeg(b'http://ns.adobe.com/xap/1.0/\0<r exif:GPSLatitude="48,8N"/>'), True),
        ("a.jpg", jpeg(b"Exif\0\0II*\0\xff\xff\xff\xff"), False),
        ("a.mp4", box(b"ftyp", b"isom") + box(b"moov", box(b"udta", PLACE)), True),
        ("a.mp4", box(b"moov", box(b"trak", box(b"udta", box(b"loci", bytes(20))))), True),
        ("a.mp4", large_box(b"mdat", b"x" * 99) + box(b"moov", APPLE), True),
        # Four bytes of a picture or of an index that read like a box are none.
        ("a.mp4", box(b"mdat", PLACE + b"loci") + box(b"moov", box(b"trak", box(b"stbl", PLACE))), False),
        ("a.mp4", box(b"moov", box(b"udta", box(b"\xa9too", b"Lavf"))), False),
        ("a.mp4", struct.pack(">I", 3) + b"moov" + PLACE, False),
        ("match.tracks", jpeg(exif("<", GPS)), False),
    ],
)
def test_a_position_is_found_where_it_is(tmp_path, name, content, tells):
    path = tmp_path / name
    path.write_bytes(content)
    assert tells_place(path) is tells


@given(st.binary(max_size=300), st.sampled_from(["a.jpg", "a.mp4"]))
def test_no_bytes_whatever_break_the_search(tmp_path_factory, content, name):
    path = tmp_path_factory.mktemp("any") / name
    path.write_bytes(content)
    assert tells_place(path) in (True, False)


def test_what_a_phone_writes_is_refused_and_the_same_without_it_is_not(made_package, tmp_path):
    plain = tmp_path / "plain.mp4"
    plain.write_bytes(made_package.files["panorama.mp4"])
    phone = tmp_path / "phone.mp4"
    with av.open(str(plain)) as source, av.open(str(phone), "w") as out:
        out.metadata["location"] = "+48.1371+011.5754/"
        stream = out.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.dts is not None:
                packet.stream = stream
                out.mux(packet)
    assert tells_place(phone)
    assert not tells_place(plain)
    told = replace(made_package)
    told.files = {**told.files, "panorama.mp4": phone.read_bytes()}
    with pytest.raises(BadPackage, match=r"panorama\.mp4 says where it was taken"):
        unpack(told.tar(tmp_path / "told.tar"), _folder(tmp_path / "told"), lambda: None)
    unpack(made_package.tar(tmp_path / "plain.tar"), _folder(tmp_path / "kept"), lambda: None)


def _folder(path: Path) -> Path:
    path.mkdir()
    return path
