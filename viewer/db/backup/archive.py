"""A backup's file: a tar whose last member, the manifest, knows the sum of every other."""

import hashlib
import io
import os
import tarfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import msgspec

from viewer.errors import BadBackup
from wire.durable import sync_folder

MANIFEST = "manifest.json"
_CHUNK = 1 << 20
_FORMAT = 1


class Part(msgspec.Struct, frozen=True):
    """A member of the file."""

    name: str
    bytes: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True):
    """What the backup is of. `kind` is the database's, `revision` its schema's; `secret` is a fingerprint."""

    format: int
    kind: str
    revision: str
    version: str
    made_at: datetime
    secret: str
    parts: tuple[Part, ...]


@dataclass
class Writing:
    """A backup under way."""

    tar: tarfile.TarFile
    parts: list[Part]

    def add(self, name: str, size: int, pieces: Iterable[bytes]) -> Part:
        """Add a member of `size` bytes; raises `BadBackup` when the pieces are more or fewer."""
        member = tarfile.TarInfo(name)
        member.size, member.mode = size, 0o600
        told = _Told(pieces)
        try:
            self.tar.addfile(member, told)
        except OSError as fault:
            if fault.errno is not None:
                raise
            raise BadBackup(f"{name} became shorter while it was copied: try again") from fault
        part = Part(name, size, told.sha256.hexdigest())
        self.parts.append(part)
        return part

    def add_file(self, name: str, path: Path) -> Part:
        """Add a file from the disk."""
        with path.open("rb") as source:
            return self.add(name, path.stat().st_size, iter(lambda: source.read(_CHUNK), b""))

    def finish(self, kind: str, revision: str, version: str, made_at: datetime, secret: str) -> Manifest:
        """Add the manifest."""
        manifest = Manifest(_FORMAT, kind, revision, version, made_at, secret, tuple(self.parts))
        data = msgspec.json.encode(manifest)
        member = tarfile.TarInfo(MANIFEST)
        member.size, member.mode = len(data), 0o600
        self.tar.addfile(member, io.BytesIO(data))
        return manifest


@contextmanager
def writing(target: Path) -> Iterator[Writing]:
    """Write the backup `target`, for its owner's eyes only: it is there, durable, once the block has ended."""
    temp = target.with_name(f"{target.name}.new")
    try:
        with open(temp, "wb", opener=lambda name, flags: os.open(name, flags, 0o600)) as out:
            with tarfile.open(fileobj=out, mode="w") as tar:
                yield Writing(tar, [])
            out.flush()
            os.fsync(out.fileno())
    except BaseException:
        temp.unlink(missing_ok=True)
        raise
    os.replace(temp, target)
    sync_folder(target.parent)


class Archive:
    """A backup to read from, of which every sum has been checked."""

    def __init__(self, tar: tarfile.TarFile, manifest: Manifest) -> None:
        self._tar = tar
        self.manifest = manifest
        self.names = frozenset(part.name for part in manifest.parts)
        self._sums = {part.name: part.sha256 for part in manifest.parts}

    def read(self, name: str) -> Iterator[bytes]:
        """A part, piece by piece; raises `BadBackup` at its end when it is not what was checked."""
        sha256 = hashlib.sha256()
        for piece in _pieces(self._tar, self._tar.getmember(name)):
            sha256.update(piece)
            yield piece
        if sha256.hexdigest() != self._sums[name]:
            raise BadBackup(f"the backup changed while it was read: {name}")

    def extract(self, name: str, target: Path) -> None:
        """Write a part to a new file, durably but for its name."""
        target.parent.mkdir(parents=True, exist_ok=True)
        with open(target, "wb", opener=lambda path, flags: os.open(path, flags, 0o600)) as out:
            out.writelines(self.read(name))
            out.flush()
            os.fsync(out.fileno())


@contextmanager
def opened(source: Path) -> Iterator[Archive]:
    """Open a backup and check every sum first; raises `BadBackup`."""
    try:
        with tarfile.open(source, "r:") as tar:
            manifest = _checked(tar)
            yield Archive(tar, manifest)
    except tarfile.TarError as fault:
        raise BadBackup(f"{source} is no backup, or it is damaged: {fault}") from fault
    except FileNotFoundError as fault:
        raise BadBackup(f"there is no backup {fault.filename}") from fault


def _checked(tar: tarfile.TarFile) -> Manifest:
    found: dict[str, Part] = {}
    data = b""
    for member in tar:
        if not member.isreg() or member.name in found or not _plain(member.name):
            raise BadBackup(f"this is no backup: it holds {member.name!r}")
        sha256, size = hashlib.sha256(), 0
        for piece in _pieces(tar, member):
            sha256.update(piece)
            size += len(piece)
            if member.name == MANIFEST:
                data += piece
        found[member.name] = Part(member.name, size, sha256.hexdigest())
    if found.pop(MANIFEST, None) is None:
        raise BadBackup("the backup was cut short: its end is missing")
    try:
        manifest = msgspec.json.decode(data, type=Manifest)
    except msgspec.MsgspecError as fault:
        raise BadBackup(f"the backup's manifest cannot be read: {fault}") from fault
    if manifest.format != _FORMAT:
        raise BadBackup("this backup was made by a newer Touchline: update this portal first")
    wanted = {part.name: part for part in manifest.parts}
    if wanted != found:
        wrong = sorted(name for name in wanted.keys() | found.keys() if wanted.get(name) != found.get(name))
        raise BadBackup(f"the backup is damaged: {wrong[0]} is not what was written")
    return manifest


def _pieces(tar: tarfile.TarFile, member: tarfile.TarInfo) -> Iterator[bytes]:
    source = tar.extractfile(member)
    if source is None:
        raise BadBackup(f"the backup is damaged: {member.name}")
    return iter(lambda: source.read(_CHUNK), b"")


def _plain(name: str) -> bool:
    return not name.startswith("/") and not any(part in ("", ".", "..") for part in name.split("/"))


class _Told:
    """What `tarfile` reads from: pieces, and the sum of those that it took."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = iter(pieces)
        self._left = b""
        self.sha256 = hashlib.sha256()

    def read(self, size: int = _CHUNK) -> bytes:
        while len(self._left) < size and (piece := next(self._pieces, None)) is not None:
            self._left += piece
        out, self._left = self._left[:size], self._left[size:]
        self.sha256.update(out)
        return out
