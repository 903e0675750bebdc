"""Media in a folder of this machine."""

import errno
import os
import secrets
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from viewer.media.store import CHUNK, MediaStore, Stored, checked
from wire.durable import make_folder, sync_folder

ASIDE = ".aside-"
"""Begins the names of what is on its way in or out; never listed, and swept when it is old."""


class FolderStore(MediaStore):
    """Files below `root`; a prefix comes and goes by one rename, so that it is whole or not there."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def place(self, path: str) -> Path:
        """Where the file lies."""
        return self.root / checked(path)

    def put(self, folder: Path, prefix: str, check: Callable[[], None] = lambda: None) -> None:
        """Rename the folder into place; across file systems a copy beside the place is renamed."""
        target = self.place(prefix)
        make_folder(target.parent)
        if target.is_dir():
            # Whole already; counted as new, so that no sweep takes it before its row is written.
            os.utime(target)
            return
        _sync_files(folder, check)
        try:
            folder.rename(target)
        except OSError as fault:
            if fault.errno != errno.EXDEV:
                raise
            aside = self._aside()
            shutil.copytree(folder, aside)
            _sync_files(aside, check)
            aside.rename(target)
        os.utime(target)
        sync_folder(target.parent)

    def size(self, path: str) -> int:
        """The file's bytes."""
        return self.place(path).stat().st_size

    def read(self, path: str, first: int = 0, end: int | None = None) -> Iterator[bytes]:
        """The file's bytes."""
        return read_file(self.place(path), first, end)

    def delete(self, prefix: str) -> None:
        """Rename out of the way, then remove: a crash leaves no half of a prefix under its name."""
        target, aside = self.place(prefix), self._aside()
        try:
            target.rename(aside)
        except FileNotFoundError:
            return
        sync_folder(target.parent)
        _remove(aside)
        if target.parent != self.root:
            try:
                target.parent.rmdir()
            except OSError:
                # Another prefix is in there.
                return

    def listed(self, prefix: str = "") -> Iterator[Stored]:
        """Every file below `prefix`; a file is as new as its folder."""
        start = self.place(prefix) if prefix else self.root
        for folder, folders, names in os.walk(start):
            folders[:] = sorted(name for name in folders if not name.startswith(ASIDE))
            for path in (Path(folder, name) for name in sorted(names)):
                try:
                    found, above = path.stat(), path.parent.stat()
                except FileNotFoundError:
                    # Deleted while we look.
                    continue
                newest = datetime.fromtimestamp(max(found.st_mtime, above.st_mtime), UTC)
                yield Stored(path.relative_to(self.root).as_posix(), found.st_size, newest)

    def view_link(self, path: str, lasts: timedelta) -> str | None:
        """None: only the portal reaches the folder."""
        return None

    def upload_link(self, path: str, lasts: timedelta) -> str | None:
        """None: only the portal reaches the folder."""
        return None

    def open_to_anybody(self) -> bool:
        """Never: a folder is on no network."""
        return False

    def sweep(self, older_than: datetime) -> int:
        """Remove what an interrupted coming or going left aside; returns how many there were."""
        left = [p for p in self.root.glob(f"{ASIDE}*") if p.stat().st_mtime < older_than.timestamp()]
        for path in left:
            _remove(path)
        return len(left)

    def _aside(self) -> Path:
        return self.root / f"{ASIDE}{secrets.token_hex(8)}"


def read_file(path: Path, first: int = 0, end: int | None = None) -> Iterator[bytes]:
    """The bytes of a local file from `first` up to, not including, `end`, piece by piece."""
    with path.open("rb") as source:
        source.seek(first)
        left = (os.fstat(source.fileno()).st_size if end is None else end) - first
        while left > 0 and (chunk := source.read(min(CHUNK, left))):
            left -= len(chunk)
            yield chunk


def _sync_files(folder: Path, check: Callable[[], None]) -> None:
    for path in sorted(folder.rglob("*"), reverse=True):
        check()
        if path.is_dir():
            sync_folder(path)
        else:
            with path.open("rb") as file:
                os.fsync(file.fileno())
    sync_folder(folder)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
