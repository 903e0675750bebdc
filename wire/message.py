"""Encoding of typed messages as JSON, each stamped with its kind and version.

Every document that is stored or sent is a `Message`: reading one of another kind, or of a newer version than this
program knows, is refused with a sentence instead of being half understood.
"""

from typing import ClassVar, TypeVar

import msgspec

from wire.errors import MalformedMessage, NewerVersion


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """Base of what crosses machines; a subclass states its `KIND` and `VERSION` once, at the class."""

    KIND: ClassVar[str] = ""
    VERSION: ClassVar[int] = 1


class _Envelope(msgspec.Struct):
    kind: str
    version: int
    body: msgspec.Raw


M = TypeVar("M", bound=Message)


def encode(message: Message, *, indent: int = 0) -> bytes:
    """The message as UTF-8 JSON `{"kind", "version", "body"}`, pretty-printed when `indent` is positive."""
    envelope = _Envelope(message.KIND, message.VERSION, msgspec.Raw(msgspec.json.encode(message)))
    raw = msgspec.json.encode(envelope)
    return msgspec.json.format(raw, indent=indent) if indent else raw


def decode(raw: bytes, kind: type[M], *older: type[M]) -> M:
    """The message in `raw`; raises `MalformedMessage`, or `NewerVersion` when this program is too old for it.

    `older` are the types of earlier versions that `kind` itself does not read: each reads its own.
    """
    try:
        envelope = msgspec.json.decode(raw, type=_Envelope)
        if envelope.kind != kind.KIND:
            raise MalformedMessage(f"expected a {kind.KIND}, got a {envelope.kind}")
        if envelope.version > kind.VERSION:
            raise NewerVersion(
                f"this {kind.KIND} is version {envelope.version}, but this Touchline reads up to version "
                f"{kind.VERSION}: update it first"
            )
        written = next((known for known in older if envelope.version == known.VERSION), kind)
        return msgspec.json.decode(envelope.body, type=written)
    except (msgspec.MsgspecError, UnicodeDecodeError) as fault:
        raise MalformedMessage(f"not a readable {kind.KIND}: {fault}") from fault
