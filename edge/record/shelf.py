"""Where a node keeps its segments, and how one becomes durable there."""

import contextlib
import hashlib
import itertools
import os
import time
from collections import deque
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path

from edge.ledger import Ledger
from wire.durable import make_folder, sync_folder
from wire.ids import SessionId
from wire.session import SegmentKey, SegmentOffer, SegmentState
from wire.tracks import SegmentTracks, encode_tracks

VIDEO = ".mp4"
TRACKS = ".tracks"
MANIFEST = "manifest.json"
REFERENCE = "reference.jpg"
_REMEMBERED = 30


@dataclass(frozen=True)
class Placed:
    """A complete file, durable in its place: its size in bytes, its SHA-256, and how long it took, as `Shelved`."""

    size: int
    sha256: str
    sync_s: float
    whole_s: float


@dataclass(frozen=True)
class Shelved:
    """How long one segment took onto the shelf: `sync_s` in which the disk made its files and their names durable, and
    `whole_s` with everything else, the ledger's row included, but not what the video waited there for its tracks."""

    sync_s: float
    whole_s: float


class Shelf:
    """The folder of a node's data: `open/` for what is being written, `segments/` for what is complete, `sessions/` for
    what is told of a session besides, `damaged/` for what cannot be read and is kept all the same.

    A segment's way: row `open`; bytes, fsync, rename, fsync of the folder for video, then tracks; row `closed`. The
    video goes ahead as soon as it is finished, for the tracks may be long in coming.
    """

    def __init__(self, root: Path, timer: Callable[[], float] = time.perf_counter) -> None:
        self.root = root
        self.shelved: deque[Shelved] = deque(maxlen=_REMEMBERED)
        """The last minute's."""
        self.tracks_version = 1
        """The newest version of `.tracks` that the hub is known to read: a segment, once offered, never changes."""
        self._timer = timer

    def open_path(self, key: SegmentKey, suffix: str) -> Path:
        """Where a segment's file grows."""
        return self.root / "open" / key.path(suffix)

    def path(self, key: SegmentKey, suffix: str) -> Path:
        """Where a segment's complete file lies."""
        return self.root / "segments" / key.path(suffix)

    def about(self, session: SessionId, name: str) -> Path:
        """Where what is told of a whole session lies."""
        return self.root / "sessions" / session / name

    def place(self, key: SegmentKey, suffix: str) -> Placed:
        """Make a complete file under `open/` durable in its place; again, where the disk refused the end of it."""
        source, target = self.open_path(key, suffix), self.path(key, suffix)
        if not source.exists():
            source = target
        digest = hashlib.sha256()
        began = self._timer()
        with source.open("rb") as file:
            os.fsync(file.fileno())
            synced = self._timer()
            while chunk := file.read(1 << 20):
                digest.update(chunk)
            size = file.tell()
        read = self._timer()
        make_folder(target.parent)
        source.replace(target)
        sync_folder(target.parent)
        ended = self._timer()
        return Placed(size, digest.hexdigest(), synced - began + ended - read, ended - began)

    def close(
        self,
        ledger: Ledger,
        key: SegmentKey,
        video: Placed,
        tracks: SegmentTracks,
        *,
        frame_ns: int,
        uncertainty_ns: int,
        last: bool,
        offset_ns: int | None = None,
    ) -> SegmentOffer:
        """Take a placed video's tracks onto the shelf and both into the ledger; `frame_ns` is a frame's duration,
        `uncertainty_ns` and `offset_ns` what is known of the clock that its frames were stamped by."""
        began = self._timer()
        file = self.open_path(key, TRACKS)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(encode_tracks(tracks, self.tracks_version))
        placed = self.place(key, TRACKS)
        offer = SegmentOffer(
            key=key,
            start_ns=int(tracks.frame_times_ns[0]),
            end_ns=int(tracks.frame_times_ns[-1]) + frame_ns,
            frames=len(tracks.frame_times_ns),
            video_bytes=video.size,
            video_sha256=video.sha256,
            tracks_bytes=placed.size,
            tracks_sha256=placed.sha256,
            clock_uncertainty_ns=uncertainty_ns,
            clock_offset_ns=offset_ns,
            last=last,
        )
        ledger.close_segment(offer)
        self.shelved.append(Shelved(video.sync_s + placed.sync_s, video.whole_s + self._timer() - began))
        return offer

    def put_aside(self, key: SegmentKey, suffix: str) -> Path:
        """Move a damaged file out of the place of complete ones, over nothing that was put aside before; to where."""
        source = self.path(key, suffix)
        target = aside = self.root / "damaged" / key.path(suffix)
        make_folder(target.parent)
        for n in itertools.count(1):
            if not target.exists():
                break
            target = aside.with_name(f"{aside.name}.{n}")
        source.replace(target)
        sync_folder(target.parent)
        return target

    def delete(self, ledger: Ledger, key: SegmentKey) -> None:
        """Remove a confirmed segment's files, once its row says so: a cut in between leaves files nobody counts on."""
        ledger.move(key, SegmentState.DELETED)
        for suffix in (VIDEO, TRACKS):
            self.path(key, suffix).unlink(missing_ok=True)

    def sweep(self, kept: Collection[SegmentKey] = ()) -> None:
        """Throw away everything under `open/` but the files of the segments `kept`."""
        spared = {self.open_path(key, suffix) for key in kept for suffix in (VIDEO, TRACKS)}
        for folder, _, names in os.walk(self.root / "open", topdown=False):
            for path in {Path(folder, name) for name in names} - spared:
                with contextlib.suppress(OSError):
                    path.unlink()
            # What is not empty stays.
            with contextlib.suppress(OSError):
                Path(folder).rmdir()
