"""Where the matches' files are kept: one interface, a folder and S3 behind it."""

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from viewer.errors import BadMediaPath

CHUNK = 512 << 10
"""Bytes read at once."""
_PART = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*")


@dataclass(frozen=True)
class Stored:
    """A file of the store: its path, its size, and when it was put there (UTC)."""

    path: str
    bytes: int
    changed_at: datetime


@dataclass(frozen=True)
class Usage:
    """What a part of the store takes."""

    files: int
    bytes: int


class MediaStore(ABC):
    """Files below prefixes such as `<session>/<content>`; paths are relative, with slashes.

    A prefix is named after its content and never changes once it is whole. Files that are missing raise
    `FileNotFoundError` (`read` at its first piece), paths that could leave the store `BadMediaPath`.
    """

    origin = ""
    """Where pages load files from when `view_link` sends them elsewhere; empty where it never does."""

    @abstractmethod
    def put(self, folder: Path, prefix: str, check: Callable[[], None] = lambda: None) -> None:
        """Have all files of a finished local folder below `prefix`, durably; doing it again does no harm.

        The folder may be gone afterwards. `check` is called between files and may raise to break off.
        """

    @abstractmethod
    def size(self, path: str) -> int:
        """The file's bytes."""

    @abstractmethod
    def read(self, path: str, first: int = 0, end: int | None = None) -> Iterator[bytes]:
        """The file's bytes from `first` up to, not including, `end`, piece by piece."""

    @abstractmethod
    def delete(self, prefix: str) -> None:
        """Remove everything below `prefix`, or the file of this name; what is not there is no fault."""

    @abstractmethod
    def listed(self, prefix: str = "") -> Iterator[Stored]:
        """Every file below `prefix`."""

    @abstractmethod
    def view_link(self, path: str, lasts: timedelta) -> str | None:
        """An address at which anybody can get the file for a while; None where the portal has to send it."""

    @abstractmethod
    def upload_link(self, path: str, lasts: timedelta) -> str | None:
        """An address to which anybody can PUT the file for a while; None where there is no such thing."""

    @abstractmethod
    def open_to_anybody(self) -> bool:
        """Whether whoever guesses a file's name gets it without asking here; raises `OSError` when nobody can tell."""

    def usage(self, prefix: str = "") -> Usage:
        """What is below `prefix`."""
        files = bytes_ = 0
        for stored in self.listed(prefix):
            files, bytes_ = files + 1, bytes_ + stored.bytes
        return Usage(files, bytes_)

    def whole(self, path: str) -> bytes:
        """All of a file that is known to be small."""
        return b"".join(self.read(path))


def checked(path: str) -> str:
    """`path`, if each part of it is a plain name; raises `BadMediaPath`."""
    if not all(_PART.fullmatch(part) for part in path.split("/")):
        raise BadMediaPath(f"{path!r} is no path of a file that is kept here")
    return path
