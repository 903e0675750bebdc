"""Segments carried to the hub on a stick, and its receipts carried back."""

import hashlib
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from edge.errors import NoRoom, SegmentDamaged, StickFault
from edge.ledger import Ledger, SegmentRow
from edge.record.shelf import Shelf
from firmware.log import Log
from wire.durable import make_folder, sync_folder, write_durably
from wire.errors import WireError
from wire.marks import Mark, NodeMarks
from wire.proof import seal, unseal
from wire.session import SegmentKey, SegmentOffer
from wire.stick import OFFER, RECEIPTS, TRACKS, VIDEO, StickReceipts, marks_path

_COPY = 1 << 20
_SPARE_BYTES = 16 << 20
"""Left free on a stick, for its own tables and our offers."""


@dataclass(frozen=True)
class Progress:
    """How far an export is: segments and bytes of video and tracks that stand on the stick, verified, of how many."""

    segments: int
    of_segments: int
    bytes: int
    of_bytes: int


def export(
    rows: Sequence[SegmentRow],
    marks: Sequence[Mark],
    shelf: Shelf,
    token: str,
    folder: Path,
    told: Callable[[Progress], None],
) -> list[SegmentKey]:
    """Copy closed segments, each with its sealed offer, to the stick's `folder`; returns those damaged on this disk.

    `marks` are all of this node's of a session, and take the place of those on the stick. What stands there whole
    already is read again and kept. Every file is read back from the stick before it gets its name. The ledger is not
    told: only the hub's word confirms a segment. Raises `NoRoom` before anything is written, and `StickFault` when the
    stick does not take or keep what it is given.
    """
    offers = [row.offer for row in rows if row.offer is not None]
    sizes = [offer.video_bytes + offer.tracks_bytes for offer in offers]
    damaged: list[SegmentKey] = []
    count = done = 0
    try:
        _check_room(folder, offers)
        _write_marks(folder, marks, token)
        for offer, size in zip(offers, sizes, strict=True):
            told(Progress(count, len(offers), done, sum(sizes)))
            try:
                for name, promised in _files(offer):
                    _copy(shelf.root / "segments" / name, folder / name, promised)
            except SegmentDamaged:
                damaged.append(offer.key)
                continue
            _write(folder / offer.key.path(OFFER), seal(offer, token))
            count, done = count + 1, done + size
    except OSError as fault:
        raise StickFault(f"{folder} cannot be written: {fault.strerror}") from None
    told(Progress(count, len(offers), done, sum(sizes)))
    return damaged


def bring_receipts(folder: Path, data: Path, token: str) -> frozenset[SegmentOffer]:
    """Leave the hub's receipts from the stick's `folder` where the node of `data` takes them; what they confirm.

    Raises `StickFault` when they are not this rig's.
    """
    try:
        raw = (folder / RECEIPTS).read_bytes()
        confirmed = unseal(raw, StickReceipts, token).confirmed
    except FileNotFoundError:
        return frozenset()
    except (OSError, WireError) as fault:
        raise StickFault(f"{folder / RECEIPTS} is not a receipt of this rig's hub: {fault}") from None
    try:
        make_folder(_receipts(data))
        _write(_receipts(data) / hashlib.sha256(raw).hexdigest(), raw)
    except OSError as fault:
        raise StickFault(f"{_receipts(data)} cannot be written: {fault.strerror}") from None
    return frozenset(confirmed)


def take_receipts(data: Path, ledger: Ledger, token: str, log: Log) -> None:
    """Enter into the ledger what receipts that were brought confirm, and remove them; a faulty one is only logged.

    What an export is writing at the moment (`write_durably`) has no whole name yet, and is left alone.
    """
    for path in sorted(path for path in _receipts(data).glob("*") if path.suffix != ".new"):
        try:
            for offer in _confirmed(path, token, log):
                if ledger.confirm(offer):
                    log.event("segment-confirmed", session=offer.key.session, segment=offer.key.sequence, by="stick")
            path.unlink()
        except OSError as fault:
            log.event("receipts-not-taken", path=path, fault=fault)


def _confirmed(path: Path, token: str, log: Log) -> tuple[SegmentOffer, ...]:
    try:
        return unseal(path.read_bytes(), StickReceipts, token).confirmed
    except WireError as fault:
        log.event("receipts-not-taken", path=path, fault=fault)
        return ()


def _receipts(data: Path) -> Path:
    return data / "receipts"


@dataclass(frozen=True)
class _Promised:
    bytes: int
    sha256: str


def _files(offer: SegmentOffer) -> Iterator[tuple[str, _Promised]]:
    yield offer.key.path(VIDEO), _Promised(offer.video_bytes, offer.video_sha256)
    yield offer.key.path(TRACKS), _Promised(offer.tracks_bytes, offer.tracks_sha256)


def _check_room(folder: Path, offers: Sequence[SegmentOffer]) -> None:
    if not folder.is_dir():
        raise StickFault(f"{folder} is not there: is the stick plugged in and mounted?")
    missing = [
        promised.bytes
        for offer in offers
        for name, promised in _files(offer)
        if not (folder / name).exists() or (folder / name).stat().st_size != promised.bytes
    ]
    free = shutil.disk_usage(folder).free
    needed = sum(missing) + (_SPARE_BYTES if missing else 0)
    if needed > free:
        raise NoRoom(
            f"{folder} has {free / 1e9:.1f} GB free but {needed / 1e9:.1f} GB are needed: "
            "take a larger stick, or one session at a time"
        )


def _write_marks(folder: Path, marks: Sequence[Mark], token: str) -> None:
    ordered = sorted(marks, key=lambda mark: (mark.session, mark.node, mark.time_ns))
    for (session, node), group in groupby(ordered, key=lambda mark: (mark.session, mark.node)):
        path = folder / marks_path(session, node)
        make_folder(path.parent)
        _write(path, seal(NodeMarks(session=session, node=node, marks=tuple(group)), token))


def _copy(source: Path, target: Path, promised: _Promised) -> None:
    if target.exists() and target.stat().st_size == promised.bytes and _sha256(target) == promised.sha256:
        return
    make_folder(target.parent)
    temp = target.with_name(target.name + ".new")
    try:
        digest = hashlib.sha256()
        with open(temp, "wb") as out:
            for piece in _pieces(source):
                digest.update(piece)
                out.write(piece)
            out.flush()
            os.fsync(out.fileno())
            # Else it would be read back from memory.
            os.posix_fadvise(out.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        if digest.hexdigest() != promised.sha256:
            raise SegmentDamaged(f"{source} is damaged on this node's disk")
        if _sha256(temp) != promised.sha256:
            raise StickFault(f"the stick did not keep {target.name} as it was written: take another one")
        os.replace(temp, target)
    except BaseException:
        temp.unlink(missing_ok=True)
        raise
    sync_folder(target.parent)


def _pieces(source: Path) -> Iterator[bytes]:
    try:
        with open(source, "rb") as file:
            while piece := file.read(_COPY):
                yield piece
    except OSError as fault:
        raise SegmentDamaged(f"{source} cannot be read: {fault.strerror}") from None


def _sha256(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _write(path: Path, data: bytes) -> None:
    if not path.exists() or path.read_bytes() != data:
        write_durably(path, data)
