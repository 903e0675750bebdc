"""Uploads on disk, safe against kill -9 at any instruction and, on a disk that honours flush, against a power cut.

Per upload a data file `<id>.data` and a side file `<id>.json`. The upload exists when its side file does. Its offset is
the size of the data file and nothing else, so that no second record can disagree with the bytes.
"""

import contextlib
import fcntl
import os
import re
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from wire.durable import make_folder, sync_folder, write_durably
from wire.errors import WireError
from wire.message import Message, decode, encode
from wire.rigtime import SECOND
from wire.tus.errors import NoSuchUpload, UploadBusy

SYNC_EVERY = 32 << 20
"""Bytes after which a running write is made durable: what a power cut may cost at most."""

_ID = re.compile(r"[0-9a-f]{32}")
_COPY = 1 << 20


class UploadRecord(Message, frozen=True, kw_only=True):
    """The side file: what is known of an upload besides its bytes.

    `length` is None until a client that deferred it says so; `who` created it; `parts` are the ids that a final upload
    was concatenated from; `completed` means that the completion hook has run and the bytes are someone else's now.
    """

    KIND = "upload"
    VERSION = 1

    id: str
    length: int | None
    metadata: dict[str, str]
    who: str
    created_ns: int
    expires_ns: int
    partial: bool = False
    parts: tuple[str, ...] = ()
    completed: bool = False


@dataclass(frozen=True)
class Upload:
    """A whole upload as handed to the completion hook: its record, and the file of its bytes, to be read or linked."""

    record: UploadRecord
    path: Path


class OpenUpload:
    """An upload opened by one request, which no other process can open meanwhile. Close it, best by `with`."""

    def __init__(self, record: UploadRecord, path: Path, fd: int) -> None:
        self.record = record
        self.path = path
        self._fd = fd
        self._unsynced = 0

    def __enter__(self) -> "OpenUpload":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Lets go of the file."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    @property
    def offset(self) -> int:
        """How many bytes have arrived; call `sync` before telling anyone."""
        length = self.record.length
        if self.record.completed:
            return length or 0
        size = os.fstat(self._fd).st_size
        return size if length is None else min(size, length)

    def write(self, at: int, data: bytes) -> None:
        """Writes `data` at byte `at`, which must be the offset; raises `OSError` when the disk is full or fails."""
        if at != self.offset:
            raise ValueError(f"write at {at}, but the upload stands at {self.offset}")
        view = memoryview(data)
        while view:
            done = os.pwrite(self._fd, view, at)
            at += done
            self._unsynced += done
            view = view[done:]
        if self._unsynced >= SYNC_EVERY:
            self.sync()

    def sync(self) -> None:
        """Makes every written byte durable."""
        if not self.record.completed:
            os.fdatasync(self._fd)
            self._unsynced = 0

    def drop_after(self, offset: int) -> None:
        """Forgets what came after `offset`; only for bytes that were never acknowledged."""
        if not self.record.completed:
            os.ftruncate(self._fd, offset)


class UploadStore:
    """The uploads below `root`; several processes may share the folder, each upload opens in one of them at a time.

    `clock` gives nanoseconds since the Unix epoch, `random_bytes` so many unpredictable bytes (`secrets.token_bytes`).
    An upload that nobody has touched for `lifetime_ns` expires. All methods block: call them off the event loop.
    """

    def __init__(
        self,
        root: Path,
        clock: Callable[[], int],
        random_bytes: Callable[[int], bytes],
        lifetime_ns: int = 7 * 86_400 * SECOND,
    ) -> None:
        self.root = root
        self._clock = clock
        self._random_bytes = random_bytes
        self._lifetime_ns = lifetime_ns
        make_folder(root)

    def create(
        self,
        length: int | None,
        metadata: Mapping[str, str],
        who: str,
        *,
        partial: bool = False,
        parts: Sequence[str] = (),
    ) -> UploadRecord:
        """A new upload: empty, or the bytes of `parts` one after the other; durable on return.

        Raises `NoSuchUpload` when a part is gone.
        """
        now = self._clock()
        record = UploadRecord(
            id=self._random_bytes(16).hex(),
            length=length,
            metadata=dict(metadata),
            who=who,
            created_ns=now,
            expires_ns=now + self._lifetime_ns,
            partial=partial,
            parts=tuple(parts),
        )
        try:
            with open(self._data(record.id), "xb") as out:
                for part in parts:
                    with open(self._data(part), "rb") as source:
                        shutil.copyfileobj(source, out, _COPY)
                if parts:
                    out.flush()
                    os.fsync(out.fileno())
            # This makes the data file's name durable too: both stand in one folder.
            self._save(record)
        except BaseException as fault:
            self.remove(record.id)
            if isinstance(fault, FileNotFoundError):
                raise NoSuchUpload("a part of this concatenation is gone: send it anew") from fault
            raise
        return record

    def record(self, upload: str) -> UploadRecord:
        """The side file of `upload`; raises `NoSuchUpload`."""
        if not _ID.fullmatch(upload):
            raise NoSuchUpload("there is no such upload")
        try:
            return decode(self._side(upload).read_bytes(), UploadRecord)
        except FileNotFoundError:
            raise NoSuchUpload("there is no such upload, or it has expired") from None
        except WireError as fault:
            raise NoSuchUpload(f"what is known of this upload cannot be read, start it anew: {fault}") from fault

    def open(self, upload: str) -> OpenUpload:
        """Opens `upload` and makes durable what it holds; raises `NoSuchUpload`, or `UploadBusy` when another process
        has it open."""
        record = self.record(upload)
        path = self._data(upload)
        if record.completed:
            return OpenUpload(record, path, -1)
        try:
            fd = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            raise NoSuchUpload("the bytes of this upload are gone: start it anew") from None
        opened = OpenUpload(record, path, fd)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            opened.record = self.record(upload)
            # Bytes that a killed process wrote may still be only in memory, and their count will be told to the client.
            opened.sync()
        except BlockingIOError:
            opened.close()
            raise UploadBusy("another process is working on this upload: try again in a moment") from None
        except BaseException:
            opened.close()
            raise
        return opened

    def set_length(self, opened: OpenUpload, length: int) -> None:
        """Writes down the length that was deferred at creation."""
        opened.record = self._save(msgspec.structs.replace(opened.record, length=length))

    def touch(self, opened: OpenUpload) -> None:
        """Puts the expiry off, at most once in half a lifetime to spare the disk."""
        now = self._clock()
        if opened.record.expires_ns - now < self._lifetime_ns // 2:
            opened.record = self._save(msgspec.structs.replace(opened.record, expires_ns=now + self._lifetime_ns))

    def complete(self, opened: OpenUpload) -> None:
        """Writes down that the completion hook has run, then lets the bytes go: the hook keeps what it linked."""
        opened.record = self._save(msgspec.structs.replace(opened.record, completed=True))
        opened.path.unlink(missing_ok=True)

    def remove(self, upload: str) -> None:
        """Removes `upload`, its side file first; nothing happens when it is gone."""
        self._side(upload).unlink(missing_ok=True)
        sync_folder(self.root)
        self._data(upload).unlink(missing_ok=True)

    def expired(self, record: UploadRecord) -> bool:
        """Whether the time of `record` is over."""
        return record.expires_ns <= self._clock()

    def records(self) -> Iterator[UploadRecord]:
        """Every upload of the store, in no order."""
        for side in sorted(self.root.glob("*.json")):
            with contextlib.suppress(NoSuchUpload):
                yield self.record(side.stem)

    def sweep_orphans(self) -> int:
        """Removes files that a crash left without a side file, once they are a lifetime old; returns how many."""
        removed = 0
        for path in self.root.iterdir():
            if path.suffix not in (".data", ".new") or self._side(path.name.split(".")[0]).exists():
                continue
            with contextlib.suppress(FileNotFoundError):
                if path.stat().st_mtime_ns + self._lifetime_ns < self._clock():
                    path.unlink()
                    removed += 1
        return removed

    def _save(self, record: UploadRecord) -> UploadRecord:
        write_durably(self._side(record.id), encode(record))
        return record

    def _data(self, upload: str) -> Path:
        return self.root / f"{upload}.data"

    def _side(self, upload: str) -> Path:
        return self.root / f"{upload}.json"
