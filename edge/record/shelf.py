"""Where a node keeps its segments, and how one becomes durable there."""

import contextlib
import hashlib
import os
import shutil
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from edge.ledger import Ledger
from wire.durable import sync_folder
from wire.ids import SessionId
from wire.session import SegmentKey, SegmentOffer, SegmentState
from wire.tracks import SegmentTracks, encode_tracks

VIDEO = ".mp4"
TRACKS = ".tracks"
MANIFEST = "manifest.json"
REFERENCE = "reference.jpg"
_REMEMBERED = 30


@dataclass(frozen=True)
class Shelved:
    """How long one segment took onto the shelf: `sync_s` in which the disk made its files and their names durable, and
    `whole_s` with everything else, the ledger's row included."""

    sync_s: float
    whole_s: float


class Shelf:
    """The folder of a node's data: `open/` for what is being written, `segments/` for what is complete, `sessions/` for
    what is told of a session besides.

    A segment's way: row `open`; bytes, fsync, rename, fsync of the folder for video, then tracks; row `closed`.
    """

    def __init__(self, root: Path, timer: Callable[[], float] = time.perf_counter) -> None:
        self.root = root
        self.shelved: deque[Shelved] = deque(maxlen=_REMEMBERED)
        """The last minute's."""
        self._timer = timer
        self._sync_s = 0.0

    def open_path(self, key: SegmentKey, suffix: str) -> Path:
        """Where a segment's file grows."""
        return self.root / "open" / key.path(suffix)

    def path(self, key: SegmentKey, suffix: str) -> Path:
        """Where a segment's complete file lies."""
        return self.root / "segments" / key.path(suffix)

    def about(self, session: SessionId, name: str) -> Path:
        """Where what is told of a whole session lies."""
        return self.root / "sessions" / session / name

    def place(self, key: SegmentKey, suffix: str) -> tuple[int, str]:
        """Make a complete file under `open/` durable in its place; its size in bytes and SHA-256."""
        source, target = self.open_path(key, suffix), self.path(key, suffix)
        digest = hashlib.sha256()
        with source.open("rb") as file:
            with self._syncing():
                os.fsync(file.fileno())
            while chunk := file.read(1 << 20):
                digest.update(chunk)
            size = file.tell()
        with self._syncing():
            self._make_folder(target.parent)
            source.replace(target)
            sync_folder(target.parent)
        return size, digest.hexdigest()

    @contextlib.contextmanager
    def _syncing(self) -> Iterator[None]:
        began = self._timer()
        yield
        self._sync_s += self._timer() - began

    def close(
        self, ledger: Ledger, key: SegmentKey, tracks: SegmentTracks, *, frame_ns: int, uncertainty_ns: int, last: bool
    ) -> SegmentOffer:
        """Take a finished video and its tracks onto the shelf and into the ledger; `frame_ns` is a frame's duration."""
        began, self._sync_s = self._timer(), 0.0
        video_bytes, video_sha256 = self.place(key, VIDEO)
        file = self.open_path(key, TRACKS)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(encode_tracks(tracks))
        tracks_bytes, tracks_sha256 = self.place(key, TRACKS)
        offer = SegmentOffer(
            key=key,
            start_ns=int(tracks.frame_times_ns[0]),
            end_ns=int(tracks.frame_times_ns[-1]) + frame_ns,
            frames=len(tracks.frame_times_ns),
            video_bytes=video_bytes,
            video_sha256=video_sha256,
            tracks_bytes=tracks_bytes,
            tracks_sha256=tracks_sha256,
            clock_uncertainty_ns=uncertainty_ns,
            last=last,
        )
        ledger.close_segment(offer)
        self.shelved.append(Shelved(self._sync_s, self._timer() - began))
        return offer

    def delete(self, ledger: Ledger, key: SegmentKey) -> None:
        """Remove a confirmed segment's files, once its row says so: a cut in between leaves files nobody counts on."""
        ledger.move(key, SegmentState.DELETED)
        for suffix in (VIDEO, TRACKS):
            self.path(key, suffix).unlink(missing_ok=True)

    def sweep(self) -> None:
        """Throw away everything under `open/`."""
        shutil.rmtree(self.root / "open", ignore_errors=True)

    def _make_folder(self, folder: Path) -> None:
        if folder.is_dir():
            return
        self._make_folder(folder.parent)
        folder.mkdir(exist_ok=True)
        sync_folder(folder.parent)
