"""Columns that unfold to more than their head says are refused before they take any room."""

import subprocess
import sys

import numpy as np
import pytest
import zstandard

from wire.columns import pack, unpack_columns, unpack_head
from wire.errors import MalformedMessage
from wire.message import Message


class Head(Message, frozen=True, kw_only=True):
    KIND = "test-columns"
    VERSION = 1


@pytest.mark.parametrize("rows", [0, 5])
def test_columns_come_back_as_they_were(rows):
    column = np.arange(rows, dtype=np.uint32)
    _, body = unpack_head(b"TEST", pack(b"TEST", Head(), [column]), Head)
    [back] = unpack_columns(body, [(rows, "u4")])
    np.testing.assert_array_equal(back, column)


BOMB = """
import resource, zstandard
from wire.columns import unpack_columns
from wire.errors import MalformedMessage
squeeze = zstandard.ZstdCompressor().compressobj(size=1 << 29)
block = bytes(1 << 20)
bomb = b"".join(squeeze.compress(block) for _ in range(1 << 9)) + squeeze.flush()
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    unpack_columns(memoryview(bomb), [(5, "u4")])
except MalformedMessage:
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


def test_a_bomb_is_refused_without_being_unfolded():
    # In a process of its own: the peak of this one would hide it.
    done = subprocess.run([sys.executable, "-c", BOMB], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 50_000


def test_a_body_that_hides_its_size_is_refused():
    body = zstandard.ZstdCompressor(write_content_size=False).compress(bytes(20))
    with pytest.raises(MalformedMessage, match="do not match"):
        unpack_columns(memoryview(body), [(5, "u4")])


def test_a_body_that_states_less_than_it_holds_is_refused():
    body = bytearray(zstandard.ZstdCompressor().compress(bytes(range(200))))
    at = body.index(200, 4)
    body[at] = 20
    with pytest.raises(MalformedMessage, match="damaged"):
        unpack_columns(memoryview(bytes(body)), [(5, "u4")])
