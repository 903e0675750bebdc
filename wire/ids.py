"""Ids of sessions, nodes and segments: made once, never reused, safe in a path and in a URL."""

import re
from collections.abc import Callable
from typing import NewType

from wire.errors import BadId

SessionId = NewType("SessionId", str)
NodeId = NewType("NodeId", str)

_SAFE = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")


def session_id(text: str) -> SessionId:
    """`text` as a session id; raises `BadId` unless it is 1 to 63 of a-z, 0-9 and '-'."""
    return SessionId(_checked(text, "session"))


def node_id(text: str) -> NodeId:
    """`text` as a node id; the same letters as a session id."""
    return NodeId(_checked(text, "node"))


def new_session_id(start_ns: int, random_bytes: Callable[[int], bytes]) -> SessionId:
    """A fresh session id that sorts by its start (rig time) and carries 40 random bits."""
    return SessionId(f"{start_ns // 1_000_000_000:010d}-{random_bytes(5).hex()}")


def _checked(text: str, what: str) -> str:
    if not _SAFE.fullmatch(text):
        raise BadId(f"{text!r} is not a {what} id: use 1 to 63 of a-z, 0-9 and '-'")
    return text
