"""The portal's one secret: seals what must be read back from the database, and signs links."""

import base64
import hashlib
import hmac
import os
import secrets
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from viewer.errors import BadSeal, BadSettings
from wire.durable import write_durably

VARIABLE = "TOUCHLINE_SECRET"
"""Environment variable with the secret where several machines share one portal; else the data folder has it."""
FILE = "secret.key"
_LEAST = 32


class Seal:
    """Seals texts (AES-CBC and HMAC, by Fernet) and signs parts (HMAC-SHA256), each with a key of its own."""

    def __init__(self, secret: bytes) -> None:
        self._fernet = Fernet(base64.urlsafe_b64encode(_derived(secret, b"seal")))
        self._signing = _derived(secret, b"sign")

    def seal(self, text: str) -> str:
        """What is kept instead of `text`."""
        return self._fernet.encrypt(text.encode()).decode()

    def unseal(self, sealed: str) -> str:
        """The text again; raises `BadSeal` when it was sealed with another secret or tampered with."""
        try:
            return self._fernet.decrypt(sealed.encode()).decode()
        except InvalidToken as fault:
            raise BadSeal(f"this was sealed with another {VARIABLE}, or changed since") from fault

    def sign(self, purpose: str, *parts: str | int) -> str:
        """A signature over `parts` for one `purpose`, 43 characters that stand in addresses as they are."""
        texts = [str(part) for part in (purpose, *parts)]
        # With their lengths, so that no two lists of parts say the same.
        said = "".join(f"{len(text)}:{text}" for text in texts).encode("utf-8", "surrogatepass")
        return base64.urlsafe_b64encode(hmac.digest(self._signing, said, hashlib.sha256)).decode().rstrip("=")

    def signed(self, signature: str, purpose: str, *parts: str | int) -> bool:
        """Whether `signature` is ours for these parts; takes as long either way."""
        return hmac.compare_digest(signature.encode(), self.sign(purpose, *parts).encode())


def open_seal(data: Path) -> Seal:
    """The seal of the portal whose folder is `data`; made at the first start. Raises `BadSettings`."""
    kept = secret_of(data)
    if kept is not None:
        return Seal(kept)
    path = data / FILE
    if not path.exists():
        made = data / f".secret.{secrets.token_hex(4)}"
        write_durably(made, secrets.token_bytes(_LEAST), mode=0o600)
        try:
            # Whoever links first has made it: two processes may start at once.
            os.link(made, path)
        except FileExistsError:
            pass
        finally:
            made.unlink()
    return Seal(path.read_bytes())


def secret_of(data: Path) -> bytes | None:
    """The secret of the portal whose folder is `data`; None before its first start. Raises `BadSettings`."""
    given = os.environ.get(VARIABLE, "")
    if given:
        if len(given) < _LEAST:
            raise BadSettings(f"{VARIABLE} is too short: give at least {_LEAST} random characters")
        return given.encode()
    path = data / FILE
    return path.read_bytes() if path.exists() else None


def fingerprint(secret: bytes) -> str:
    """What tells two secrets apart and says nothing of either."""
    return _derived(secret, b"fingerprint").hex()[:16]


def _derived(secret: bytes, purpose: bytes) -> bytes:
    return HKDF(SHA256(), 32, None, b"touchline " + purpose).derive(secret)
