"""What the rig's token can prove without being shown: that a hub is this rig's, and that a document was written in it.

Each proof is an HMAC-SHA256. Whoever sees one can try tokens on it, so the token must be long and random.
"""

import hmac
import ipaddress
import re

from wire.errors import MalformedMessage, NotProven
from wire.message import M, Message, decode, encode

_NONCE = re.compile(r"[0-9a-f]{32}")


class HubProof(Message, frozen=True, kw_only=True):
    """A hub's answer to the `nonce` it was asked with; see `hub_proof`."""

    KIND = "hub-proof"
    VERSION = 1

    nonce: str
    proof: str


def hub_proof(token: str, nonce: str, host: str, port: int) -> str:
    """What a hub with `token` answers to `nonce` (32 hexadecimal digits) where it listens, on IP `host` and `port`.

    A stranger in between could pass the question on to the true hub; its answer is of no use to him, because it holds
    only for the address it was given at. Raises `MalformedMessage` for another nonce or host.
    """
    if not _NONCE.fullmatch(nonce):
        raise MalformedMessage("a nonce is 32 hexadecimal digits in lower case")
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        raise MalformedMessage(f"{host!r} is no IP address") from None
    mapped = getattr(address, "ipv4_mapped", None)
    return _mac(token, f"hub {nonce} {mapped or address} {port}")


class Sealed(Message, frozen=True, kw_only=True):
    """A message as text, and the proof that it was written by whoever holds the rig's token."""

    KIND = "sealed"
    VERSION = 1

    text: str
    seal: str


def seal(message: Message, token: str) -> bytes:
    """`message` sealed with the rig's token, to be carried by hand."""
    text = encode(message).decode()
    return encode(Sealed(text=text, seal=_mac(token, text)))


def unseal(raw: bytes, kind: type[M], token: str) -> M:
    """The sealed message; raises `NotProven` when the token does not fit, `MalformedMessage` or `NewerVersion`."""
    sealed = decode(raw, Sealed)
    if not hmac.compare_digest(_mac(token, sealed.text).encode(), sealed.seal.encode()):
        raise NotProven("this was not written with the rig's token")
    return decode(sealed.text.encode(), kind)


def _mac(token: str, text: str) -> str:
    return hmac.digest(token.encode(), text.encode(), "sha256").hex()
