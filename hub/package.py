"""The match package: one uncompressed tar, `package.json` first, then the files it lists."""

import hashlib
import io
import os
import tarfile
from collections.abc import Sequence
from pathlib import Path

from wire.durable import sync_folder
from wire.match import MatchPackage, PackagedFile
from wire.message import encode

HEAD = "package.json"
_CHUNK = 1 << 20


def listed(root: Path, paths: Sequence[str]) -> tuple[PackagedFile, ...]:
    """Size and SHA-256 of the files at `paths` below `root`."""
    out = []
    for path in paths:
        digest = hashlib.sha256()
        with (root / path).open("rb") as file:
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
        out.append(PackagedFile(path, (root / path).stat().st_size, digest.hexdigest()))
    return tuple(out)


def pack(package: MatchPackage, root: Path, target: Path) -> None:
    """Write the tar of `package` with its files from below `root`; `target` holds the whole or nothing."""
    part = target.with_name(target.name + ".part")
    head = encode(package, indent=1)
    with part.open("wb") as raw, tarfile.open(fileobj=raw, mode="w", format=tarfile.PAX_FORMAT) as tar:
        entry = tarfile.TarInfo(HEAD)
        entry.size = len(head)
        tar.addfile(entry, io.BytesIO(head))
        for file in package.files:
            entry = tarfile.TarInfo(file.path)
            entry.size = file.bytes
            with (root / file.path).open("rb") as content:
                tar.addfile(entry, content)
    with part.open("rb") as whole:
        os.fsync(whole.fileno())
    part.rename(target)
    sync_folder(target.parent)
