"""Passwords: argon2id hashes with the library's current parameters (RFC 9106, low-memory profile), and which are taken.

The rules are those of OWASP ASVS 5.0 6.2: length alone, no recipe of digits and signs, and nothing that is guessed
first.
"""

from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from viewer.accounts.common import is_common
from viewer.errors import WeakPassword

SHORTEST = 8
ADVISED = 15
LONGEST = 256
"""Characters; OWASP ASVS 5.0 6.2.9 asks for at least 64."""

_hasher = PasswordHasher()


def hash_password(password: str) -> str:
    """The hash to keep; it carries its own salt and parameters."""
    return _hasher.hash(password)


def matches(password: str, kept: str | None) -> bool:
    """Whether `password` is the one behind `kept`; takes as long when there is no account (`kept` None)."""
    try:
        right = _hasher.verify(kept or _nobodys(), password[: LONGEST + 1])
    except (VerificationError, InvalidHashError):
        return False
    return right and kept is not None and len(password) <= LONGEST


def check_new(password: str, mail: str) -> None:
    """Raise `WeakPassword` with what is wrong with a password that somebody chose."""
    if len(password) < SHORTEST:
        raise WeakPassword(f"A password has at least {SHORTEST} characters; {ADVISED} or more are better.")
    if len(password) > LONGEST:
        raise WeakPassword(f"A password has at most {LONGEST} characters.")
    low = password.lower()
    if is_common(password) or len(set(low)) < 3:
        raise WeakPassword("Too many people use this password. Choose another, such as four words in a row.")
    # Short local parts, such as "jo", stand in many a good password.
    if any(len(part) >= 4 and part in low for part in (mail, mail.partition("@")[0])):
        raise WeakPassword("A password must not contain your e-mail address.")


@cache
def _nobodys() -> str:
    return _hasher.hash("the password of nobody")
