"""The matches' files as far as backups touch them."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from wire.durable import make_folder, sync_folder

_CHUNK = 1 << 20


class Media(Protocol):
    """Files below prefixes that are named by their content; a missing file raises `FileNotFoundError`."""

    def size(self, path: str) -> int:
        """The file's bytes."""

    def read(self, path: str) -> Iterator[bytes]:
        """The file, piece by piece."""

    def put(self, folder: Path, prefix: str) -> None:
        """Have all files of a finished local folder below `prefix`, durably; doing it again does no harm."""


class MediaFolder:
    """Media in the portal's folder."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def size(self, path: str) -> int:
        """The file's bytes."""
        return (self._root / path).stat().st_size

    def read(self, path: str) -> Iterator[bytes]:
        """The file, piece by piece."""
        with (self._root / path).open("rb") as source:
            yield from iter(lambda: source.read(_CHUNK), b"")

    def put(self, folder: Path, prefix: str) -> None:
        """Rename each file into its place; what is there already is the same, for its prefix names its content."""
        for source in sorted(path for path in folder.rglob("*") if path.is_file()):
            target = self._root / prefix / source.relative_to(folder)
            make_folder(target.parent)
            os.replace(source, target)
            sync_folder(target.parent)
