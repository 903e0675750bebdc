"""Unpacking a match package: nothing is taken from the tar but what its manifest promises, byte for byte."""

import hashlib
import os
import re
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from viewer.errors import BadPackage
from viewer.games.whereabouts import tells_place
from viewer.media.types import begins_right
from wire.errors import WireError
from wire.ids import session_id
from wire.match import MatchPackage, PackagedFile
from wire.message import decode

MANIFEST = "package.json"
_LONGEST_MANIFEST = 64 << 20
_CHUNK = 1 << 20
_PATH = re.compile(r"(?:[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}/){0,4}[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}")


def unpack(package: Path, folder: Path, check: Callable[[], None]) -> MatchPackage:
    """Write the package's files below the empty `folder`, durably, and return its manifest.

    `check` is called for every mebibyte and may raise to break off. Raises `BadPackage` for anything that is not a tar
    of plain files that begins with `package.json` and holds exactly the files it lists, with their sizes and SHA-256.
    """
    try:
        with tarfile.open(package, "r:") as tar:
            manifest = _manifest(tar)
            promised = _promised(manifest)
            _check_references(manifest, promised)
            missing = dict(promised)
            while (member := tar.next()) is not None:
                file = missing.pop(member.name, None)
                if file is None:
                    raise BadPackage(f"the package holds {member.name!r}, which its manifest does not list (once)")
                _extract(tar, member, file, folder, check)
    except (tarfile.TarError, EOFError) as fault:
        raise BadPackage(f"the package is not a readable tar: {fault}") from fault
    if missing:
        raise BadPackage(f"the package lacks {min(missing)}, which its manifest lists")
    return manifest


def manifest_of(package: Path) -> MatchPackage:
    """What the package says of itself, nothing of it checked but that it can be; raises `BadPackage`."""
    try:
        with tarfile.open(package, "r:") as tar:
            return _manifest(tar)
    except (tarfile.TarError, EOFError) as fault:
        raise BadPackage(f"the package is not a readable tar: {fault}") from fault


def _manifest(tar: tarfile.TarFile) -> MatchPackage:
    first = tar.next()
    if first is None or first.name != MANIFEST or not first.isreg():
        raise BadPackage(f"the package does not begin with {MANIFEST}")
    if first.size > _LONGEST_MANIFEST:
        raise BadPackage(f"{MANIFEST} is too large")
    try:
        manifest = decode(_opened(tar, first).read(), MatchPackage)
        session_id(manifest.session)
    except WireError as fault:
        raise BadPackage(str(fault)) from fault
    return manifest


def _promised(manifest: MatchPackage) -> dict[str, PackagedFile]:
    promised: dict[str, PackagedFile] = {}
    for file in manifest.files:
        if not _PATH.fullmatch(file.path) or file.path == MANIFEST or file.path in promised or file.bytes < 0:
            raise BadPackage(f"the manifest lists a file as {file.path!r}, which cannot be")
        promised[file.path] = file
    return promised


def _check_references(manifest: MatchPackage, promised: dict[str, PackagedFile]) -> None:
    named = [manifest.panorama, manifest.poster, manifest.tracks]
    for clip in manifest.clips:
        named += [clip.path, clip.thumbnail]
        if not 0 <= clip.event < len(manifest.events):
            raise BadPackage(f"clip {clip.path} belongs to event {clip.event}, which the package does not have")
    for path in named:
        if path not in promised:
            raise BadPackage(f"the manifest speaks of {path!r} but does not list it")


def _extract(
    tar: tarfile.TarFile, member: tarfile.TarInfo, file: PackagedFile, folder: Path, check: Callable[[], None]
) -> None:
    if not member.isreg() or member.size != file.bytes:
        raise BadPackage(f"{file.path} is not the plain file of {file.bytes} bytes that the manifest lists")
    target = folder / file.path
    target.parent.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256()
    source = _opened(tar, member)
    with open(target, "xb") as out:
        while chunk := source.read(_CHUNK):
            check()
            if not out.tell() and not begins_right(file.path, chunk):
                raise BadPackage(f"{file.path} is not what its name says")
            digest.update(chunk)
            out.write(chunk)
        out.flush()
        os.fsync(out.fileno())
    if target.stat().st_size != file.bytes or digest.hexdigest() != file.sha256.lower():
        raise BadPackage(f"{file.path} is damaged: its SHA-256 is not the one in the manifest")
    if tells_place(target):
        raise BadPackage(f"{file.path} says where it was taken; that is not kept here")


def _opened(tar: tarfile.TarFile, member: tarfile.TarInfo) -> BinaryIO:
    source = tar.extractfile(member)
    if source is None:
        raise BadPackage(f"{member.name} is not a plain file")
    return source  # type: ignore[return-value]
