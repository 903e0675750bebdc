"""A session's manifest: what anybody needs to know of a recording besides its segments, kept beside them."""

import hashlib
import os

import msgspec

from edge.capture.details import CameraDetails
from edge.frame import Frame
from edge.ledger import Ledger, SessionRow
from edge.preview import jpeg
from edge.record.shelf import MANIFEST, REFERENCE, Shelf
from firmware.clock import ClockReading, RigClock
from firmware.log import Log
from wire.durable import make_folder, write_durably
from wire.errors import WireError
from wire.ids import NodeId, SessionId
from wire.marks import Mark
from wire.message import Message, decode, encode

_LAST_WORDS = b'"complete": true\n }\n}\n'


class Moment(msgspec.Struct, frozen=True, kw_only=True):
    """A moment on this node's clock, and what was known of that clock then."""

    local_ns: int
    clock: ClockReading


class SegmentSum(msgspec.Struct, frozen=True, kw_only=True):
    """What proves that one segment's two files are what was recorded: their sizes and SHA-256."""

    sequence: int
    frames: int
    video_bytes: int
    video_sha256: str
    tracks_bytes: int
    tracks_sha256: str


class SessionManifest(Message, frozen=True, kw_only=True):
    """`manifest.json` of one session.

    The session's zero is told as rig time (`start_ns`) and as this node's clock showed it (`local_start_ns`), which is
    the same where the clock's offset was unknown. `resumed` counts how often the session was gone on with after a cut,
    and `frames_dropped` the frames known to be lost but for those that a cut kept from being told. `complete` says that
    all segments are listed, and the marks set until then; `ended` is None for a session that was cut off.
    `reference_sha256` is of the picture at the start.
    """

    KIND = "session-manifest"
    VERSION = 1

    session: SessionId
    node: NodeId
    software: str
    camera: str
    details: CameraDetails
    width_px: int
    height_px: int
    frames_per_second: float
    detector: str
    start_ns: int
    local_start_ns: int
    started: Moment
    reference_sha256: str | None = None
    ended: Moment | None = None
    resumed: int = 0
    frames: int = 0
    frames_dropped: int = 0
    segments: tuple[SegmentSum, ...] = ()
    marks: tuple[Mark, ...] = ()
    complete: bool = False


class Manifests:
    """Writes the manifests of a node's sessions.

    None of it raises: a manifest that cannot be written is logged, and the recording goes on.
    """

    def __init__(self, shelf: Shelf, ledger: Ledger, clock: RigClock, log: Log, software: str) -> None:
        self._shelf = shelf
        self._ledger = ledger
        self._clock = clock
        self._log = log
        self._software = software

    def read(self, session: SessionId) -> SessionManifest | None:
        """A session's manifest; None when it has none that can be read."""
        try:
            return decode(self._shelf.about(session, MANIFEST).read_bytes(), SessionManifest)
        except (OSError, WireError):
            return None

    def begin(self, row: SessionRow, camera: str, details: CameraDetails, picture: Frame | None) -> None:
        """Write down what is known at the start, with `picture` as the reference; of a session that is gone on with,
        its first beginning stays."""
        begun = self.read(row.session)
        reading = self._clock.read()
        try:
            if begun:
                self._write(msgspec.structs.replace(begun, resumed=begun.resumed + 1, complete=False))
                return
            make_folder(self._shelf.about(row.session, MANIFEST).parent)
            reference = None
            if picture is not None:
                raw = jpeg(picture)
                write_durably(self._shelf.about(row.session, REFERENCE), raw)
                reference = hashlib.sha256(raw).hexdigest()
            self._write(
                SessionManifest(
                    session=row.session,
                    node=row.node,
                    software=self._software,
                    camera=camera,
                    details=details,
                    width_px=row.width_px,
                    height_px=row.height_px,
                    frames_per_second=row.frames_per_second,
                    detector=row.detector,
                    start_ns=row.start_ns,
                    local_start_ns=row.start_ns - (reading.offset_ns or 0),
                    started=Moment(local_ns=self._clock.now_ns(), clock=reading),
                    reference_sha256=reference,
                )
            )
        except Exception as fault:
            self._complain(row.session, fault)

    def end(self, session: SessionId, frames_dropped: int, *, over: bool) -> None:
        """Count the frames that were lost; of a session that is `over`, write down its end and all its sums."""
        manifest = self.read(session)
        if manifest is None:
            self._log.event("manifest-fault", session=session, fault="there is none to complete")
            return
        try:
            manifest = msgspec.structs.replace(manifest, frames_dropped=manifest.frames_dropped + frames_dropped)
            if over:
                ended = Moment(local_ns=self._clock.now_ns(), clock=self._clock.read())
                manifest = self._completed(msgspec.structs.replace(manifest, ended=ended))
            self._write(manifest)
        except Exception as fault:
            self._complain(session, fault)

    def mend(self) -> None:
        """Complete the manifests of sessions that are finished without having come to their end; call it when the
        ledger has been salvaged."""
        for row in self._ledger.sessions():
            if not row.finished or self._says_complete(row.session):
                continue
            manifest = self.read(row.session)
            if manifest and not manifest.complete:
                try:
                    self._write(self._completed(manifest))
                except Exception as fault:
                    self._complain(row.session, fault)

    def _says_complete(self, session: SessionId) -> bool:
        """Whether the last words of a manifest are that it is complete: the whole is a megabyte after a match, and a
        season's would hold up every start."""
        try:
            with self._shelf.about(session, MANIFEST).open("rb") as file:
                file.seek(-len(_LAST_WORDS), os.SEEK_END)
                return file.read() == _LAST_WORDS
        except OSError:
            return False

    def _completed(self, manifest: SessionManifest) -> SessionManifest:
        rows = self._ledger.segments_of(manifest.session)
        offers = [row.offer for row in rows if row.offer]
        return msgspec.structs.replace(
            manifest,
            frames=sum(offer.frames for offer in offers),
            segments=tuple(
                SegmentSum(
                    sequence=offer.key.sequence,
                    frames=offer.frames,
                    video_bytes=offer.video_bytes,
                    video_sha256=offer.video_sha256,
                    tracks_bytes=offer.tracks_bytes,
                    tracks_sha256=offer.tracks_sha256,
                )
                for offer in offers
            ),
            marks=tuple(self._ledger.marks(manifest.session)),
            # Not with one that the salvage had to leave for later.
            complete=len(offers) == len(rows),
        )

    def _write(self, manifest: SessionManifest) -> None:
        write_durably(self._shelf.about(manifest.session, MANIFEST), encode(manifest, indent=1) + b"\n")

    def _complain(self, session: SessionId, fault: Exception) -> None:
        self._log.event("manifest-fault", session=session, fault=f"{type(fault).__name__}: {fault}")
