"""Password hashes by argon2id with the library's current parameters (RFC 9106, low-memory profile)."""

from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

LONGEST = 256
"""Characters; OWASP ASVS 5.0 6.2.9 asks for at least 64."""

_hasher = PasswordHasher()


def hash_password(password: str) -> str:
    """The hash to keep; it carries its own salt and parameters."""
    return _hasher.hash(password)


def matches(password: str, kept: str | None) -> bool:
    """Whether `password` is the one behind `kept`; takes as long when there is no account (`kept` None)."""
    try:
        return _hasher.verify(kept or _nobodys(), password[: LONGEST + 1]) and kept is not None
    except (VerificationError, InvalidHashError):
        return False


@cache
def _nobodys() -> str:
    return _hasher.hash("the password of nobody")
