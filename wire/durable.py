"""Files made durable by order: bytes, fsync, rename, fsync of the folder. What is told to another machine as held rests
on this."""

import errno
import os
import shutil
from collections.abc import Iterable
from pathlib import Path


def write_durably(path: Path, data: bytes, *, mode: int = 0o666) -> None:
    """Replaces the file `path` by `data`, all or nothing: temp, fsync, rename, fsync of the folder.

    `mode` are the permissions, less the process's umask.
    """
    write_parts_durably(path, [data], mode=mode)


def write_parts_durably(path: Path, parts: Iterable[bytes], *, mode: int = 0o666) -> None:
    """`write_durably` for what is too long to be held at once; whatever `parts` raises leaves the folder as it was."""
    temp = path.with_name(path.name + ".new")
    try:
        with open(temp, "wb", opener=lambda name, flags: os.open(name, flags, mode)) as out:
            out.writelines(parts)
            out.flush()
            os.fsync(out.fileno())
    except BaseException:
        temp.unlink(missing_ok=True)
        raise
    os.replace(temp, path)
    sync_folder(path.parent)


def publish(source: Path, target: Path) -> None:
    """Gives the finished, durable file `source` the second name `target`, all or nothing, replacing what was there.

    A hard link where the file system can, else a copy; doing it again after a crash does no harm.
    """
    make_folder(target.parent)
    temp = target.with_name(target.name + ".new")
    temp.unlink(missing_ok=True)
    try:
        os.link(source, temp)
    except OSError as fault:
        if fault.errno not in (errno.EXDEV, errno.EPERM, errno.EMLINK, errno.EOPNOTSUPP):
            raise
        shutil.copyfile(source, temp)
        with open(temp, "rb") as copy:
            os.fsync(copy.fileno())
    os.replace(temp, target)
    # rename(2) between two names of one file leaves both in place.
    temp.unlink(missing_ok=True)
    sync_folder(target.parent)


def make_folder(folder: Path) -> None:
    """Makes `folder` and its parents, each name durable."""
    if not folder.is_dir():
        make_folder(folder.parent)
        folder.mkdir(exist_ok=True)
        sync_folder(folder.parent)


def sync_folder(folder: Path) -> None:
    """Makes the names in `folder` durable."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
