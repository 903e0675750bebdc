"""The passwords that everybody tries first (OWASP ASVS 5.0 6.2.4 asks for 3,000 of those our own rule lets through).

`common_passwords.bin` holds six bytes of the SHA-256 of each entry of eight characters and more in Django's list of
20,000 (BSD-3-Clause, by Royce Williams out of breached ones). Hashes, because half of the words are not for a
repository about children; a password that is not in the list meets one of them by chance once in 10^10.

`python -m viewer.accounts.common django-*.whl` makes the file anew.
"""

import gzip
import hashlib
import sys
import zipfile
from functools import cache
from pathlib import Path

_FILE = Path(__file__).with_name("common_passwords.bin")
_LIST = "django/contrib/auth/common-passwords.txt.gz"
_BYTES = 6


def is_common(password: str) -> bool:
    """Whether the password is in the list, whatever its letters' case."""
    return _mark(password) in _marks()


@cache
def _marks() -> frozenset[bytes]:
    data = _FILE.read_bytes()
    return frozenset(data[at : at + _BYTES] for at in range(0, len(data), _BYTES))


def _mark(password: str) -> bytes:
    return hashlib.sha256(password.lower().encode()).digest()[:_BYTES]


def main(wheel: str) -> None:
    """Write the file out of a wheel of Django."""
    with zipfile.ZipFile(wheel) as archive:
        words = gzip.decompress(archive.read(_LIST)).decode().split()
    _FILE.write_bytes(b"".join(sorted({_mark(word) for word in words if len(word) >= 8})))


if __name__ == "__main__":
    main(sys.argv[1])
