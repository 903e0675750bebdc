"""The matches' files as far as backups touch them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol


class Media(Protocol):
    """Files below prefixes that are named by their content; a missing file raises `FileNotFoundError`."""

    def size(self, path: str) -> int:
        """The file's bytes."""

    def read(self, path: str) -> Iterator[bytes]:
        """The file, piece by piece."""

    def put(self, folder: Path, prefix: str) -> None:
        """Have all files of a finished local folder below `prefix`, durably; doing it again does no harm."""
