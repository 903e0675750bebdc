"""Columns of numbers as compact bytes: a typed JSON head, then each column differenced and compressed by zstd.

Layout: 4 bytes magic, 4 bytes little-endian length of the head, the head, then one zstd frame that holds all columns
one after the other, each as its byte planes (all lowest bytes first): small differences leave the high planes empty.
"""

import struct
from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import zstandard

from wire.errors import MalformedMessage
from wire.message import Message, decode, encode

Column = npt.NDArray[Any]
M = TypeVar("M", bound=Message)
_LIMIT = 1 << 30


def pack(magic: bytes, head: Message, columns: Iterable[Column]) -> bytes:
    """The head and the columns (one-dimensional integer arrays) as bytes."""
    top = encode(head)
    body = b"".join(_planes(column) for column in columns)
    return magic + struct.pack("<I", len(top)) + top + zstandard.ZstdCompressor(level=12).compress(body)


def unpack_head(magic: bytes, raw: bytes, kind: type[M], *older: type[M]) -> tuple[M, memoryview]:
    """The head of `raw`, of `kind` or one of the `older`, and its still compressed body; raises `MalformedMessage` or
    `NewerVersion`."""
    if raw[:4] != magic or len(raw) < 8:
        raise MalformedMessage(f"not a {kind.KIND} file: it does not begin with {magic!r}")
    length = struct.unpack_from("<I", raw, 4)[0]
    if 8 + length > len(raw):
        raise MalformedMessage(f"this {kind.KIND} file is cut short")
    return decode(raw[8 : 8 + length], kind, *older), memoryview(raw)[8 + length :]


def unpack_columns(body: memoryview, shapes: Sequence[tuple[int, str]]) -> list[Column]:
    """The columns of `body`, given each one's length and numpy type; raises `MalformedMessage`."""
    total = sum(length * np.dtype(kind).itemsize for length, kind in shapes)
    if total > _LIMIT or any(length < 0 for length, _ in shapes):
        raise MalformedMessage("the head of this file promises an absurd number of rows")
    frame = bytes(body)
    try:
        # The library makes room for as much as the frame states, whatever limit it is given: look first.
        if zstandard.frame_content_size(frame) != total:
            raise MalformedMessage("the columns of this file do not match its head")
        plain = zstandard.ZstdDecompressor().decompress(frame)
    except zstandard.ZstdError as fault:
        raise MalformedMessage(f"the columns of this file are damaged: {fault}") from fault
    out: list[Column] = []
    at = 0
    for length, kind in shapes:
        size = length * np.dtype(kind).itemsize
        planes = np.frombuffer(plain, np.uint8, size, at).reshape(np.dtype(kind).itemsize, length)
        out.append(np.ascontiguousarray(planes.T).reshape(-1).view(np.dtype(kind).newbyteorder("<")))
        at += size
    return out


def _planes(column: Column) -> bytes:
    plain = np.ascontiguousarray(column.astype(column.dtype.newbyteorder("<")))
    return np.ascontiguousarray(plain.view(np.uint8).reshape(len(plain), plain.itemsize).T).tobytes()


def deltas(values: npt.NDArray[np.integer[Any]], groups: npt.NDArray[np.integer[Any]] | None = None) -> Column:
    """Zigzag-coded int32 differences of successive values along the last axis, starting anew (from 0) wherever `groups`
    changes."""
    wide = values.astype(np.int64, copy=False)
    step: npt.NDArray[np.int64] = np.diff(wide, prepend=0)
    if groups is not None and len(groups):
        fresh = np.flatnonzero(groups[1:] != groups[:-1]) + 1
        step[..., fresh] = wide[..., fresh]
    zigzag = step << 1
    zigzag ^= step >> 63
    if zigzag.size and int(zigzag.max()) > np.iinfo(np.uint32).max:
        raise MalformedMessage("a column's values are too far apart to be stored")
    return zigzag.astype(np.uint32)


def undeltas(coded: Column, groups: npt.NDArray[np.integer[Any]] | None = None) -> npt.NDArray[np.int64]:
    """The inverse of `deltas`."""
    step = coded.astype(np.int64)
    sign = step & 1
    step >>= 1
    step ^= np.negative(sign, out=sign)
    running: npt.NDArray[np.int64] = np.cumsum(step, axis=-1, out=sign)
    if groups is not None and len(groups):
        fresh = np.concatenate([[0], np.flatnonzero(groups[1:] != groups[:-1]) + 1])
        base = running[..., fresh] - step[..., fresh]
        running -= np.repeat(base, np.diff(np.append(fresh, len(groups))), axis=-1)
    return running
