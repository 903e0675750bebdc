"""Where a node keeps its segments, and how one becomes durable there."""

import hashlib
import os
import shutil
from pathlib import Path

from edge.ledger import Ledger
from wire.durable import sync_folder
from wire.session import SegmentKey, SegmentOffer, SegmentState
from wire.tracks import SegmentTracks, encode_tracks

VIDEO = ".mp4"
TRACKS = ".tracks"


class Shelf:
    """The folder of a node's data: `open/` for what is being written, `segments/` for what is complete.

    A segment's way: row `open`; bytes, fsync, rename, fsync of the folder for video, then tracks; row `closed`.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def open_path(self, key: SegmentKey, suffix: str) -> Path:
        """Where a segment's file grows."""
        return self.root / "open" / key.path(suffix)

    def path(self, key: SegmentKey, suffix: str) -> Path:
        """Where a segment's complete file lies."""
        return self.root / "segments" / key.path(suffix)

    def place(self, key: SegmentKey, suffix: str) -> tuple[int, str]:
        """Make a complete file under `open/` durable in its place; its size in bytes and SHA-256."""
        source, target = self.open_path(key, suffix), self.path(key, suffix)
        digest = hashlib.sha256()
        with source.open("rb") as file:
            os.fsync(file.fileno())
            while chunk := file.read(1 << 20):
                digest.update(chunk)
            size = file.tell()
        self._make_folder(target.parent)
        source.replace(target)
        sync_folder(target.parent)
        return size, digest.hexdigest()

    def close(
        self, ledger: Ledger, key: SegmentKey, tracks: SegmentTracks, *, frame_ns: int, uncertainty_ns: int, last: bool
    ) -> SegmentOffer:
        """Take a finished video and its tracks onto the shelf and into the ledger; `frame_ns` is a frame's duration."""
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
