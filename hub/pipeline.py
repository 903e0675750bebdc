"""From confirmed segments to the match package: one session's way through the hub.

Every step leaves a whole file or none and is skipped when its file is there, so that a hub that lost power goes on
where it was.
"""

import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import msgspec
import numpy as np

from firmware.log import Log
from hub.blur import burn, mend
from hub.calibrate import estimate_clock_offsets, with_clock_offsets
from hub.clips import look_path, made_clips
from hub.events import find_events
from hub.eye import SessionEye
from hub.fuse import fuse
from hub.marks import MarkBook, marked
from hub.messages import BlurredTracks, SessionPlan, SessionProgress, Stage
from hub.package import listed, pack
from hub.panorama.conveyor import CostBook
from hub.panorama.session import SessionPanorama
from hub.panorama.timeline import Arrivals, Shelf
from hub.panorama.windows import SEGMENT_NS, sequences_between
from hub.panorama.writer import PLAYLIST, rigs_later
from hub.rendering import RenderingFailed, cut_followed, thumbnail
from hub.rigs import RigHistory
from hub.sessions import SessionFolder, Sessions, blurred_tracks
from hub.statistics import player_statistics
from hub.stitch import PanoramaView, plan_panorama
from wire import message
from wire.durable import sync_folder, write_durably, write_parts_durably
from wire.errors import WireError
from wire.events import Event, events_csv
from wire.ids import NodeId, SessionId
from wire.match import Clip, MatchPackage
from wire.pitch_tracks import PitchTracks, decode_pitch_tracks, encode_pitch_tracks, pitch_tracks_csv
from wire.rig import Rig
from wire.rigtime import nanoseconds
from wire.tracks import SegmentTracks, decode_tracks

CLOCK_SEGMENTS = 5
"""Segments whose tracks give the first estimate of the clocks, so that stitching can begin during the match."""


@dataclass(frozen=True)
class Pipeline:
    """Takes sessions from their first segments to the package; one session at a time, in one thread.

    `delivers` says whether packages are then pushed to a viewer, or done; `book` makes the account of what a session
    costs; `lenses` is a folder of lens profiles, NODE.json.
    """

    sessions: Sessions
    shelf: Shelf
    arrivals: Arrivals
    delivers: bool
    panorama_width: int
    log: Log
    book: Callable[[], CostBook] = CostBook
    lenses: Path | None = None

    def run(self, session: SessionId) -> None:
        """The whole way of one session; raises `Interrupted` when the hub stops, any other fault marks it failed."""
        _SessionRun(self, self.sessions.plan(session)).run()


class _SessionRun:
    """One session on its way: its plan, its folder, what it cost so far."""

    def __init__(self, pipeline: Pipeline, plan: SessionPlan) -> None:
        self._sessions = pipeline.sessions
        self._shelf = pipeline.shelf
        self._arrivals = pipeline.arrivals
        self._delivers = pipeline.delivers
        self._panorama_width = pipeline.panorama_width
        self._log = pipeline.log
        self._plan = plan
        self._folder: SessionFolder = self._sessions.folder(plan.session)
        self._costs = pipeline.book()
        self._windows_done = 0
        self._windows_known = 0
        self._stage = Stage.RECORDING
        # What was told before the hub stopped is still so.
        self._warnings = list(self._sessions.progress(plan.session).warnings)
        self._eye = SessionEye(
            plan,
            self._folder,
            pipeline.shelf,
            pipeline.arrivals,
            pipeline.lenses,
            self._costs,
            self._log,
            self._tell,
            self._warn,
            self._gap,
        )

    def run(self) -> None:
        mend(self._folder.panorama)
        rig = self._calibrated()
        view = self._stitched(rig)
        tracks, events = self._fused(rig)
        self._blur(view, tracks)
        clips = self._clips(view, tracks, events)
        self._packed(view, tracks, events, clips)
        self._costs.add_rest("library threads")
        self._tell(Stage.PUSHING if self._delivers else Stage.DONE)

    def _tell(self, stage: Stage, note: str = "") -> None:
        self._stage = stage
        self._sessions.tell(
            SessionProgress(
                session=self._plan.session,
                stage=stage,
                windows_done=self._windows_done,
                windows_known=self._windows_known,
                note=note,
                costs=self._costs.snapshot(),
                warnings=tuple(self._warnings),
            )
        )

    # --- calibration ---------------------------------------------------------------------------------------------

    def _calibrated(self) -> Rig:
        """The rig's calibration with the clocks' first estimate, from the first segments in which it is found."""
        folder = self._folder
        if folder.rig.exists() and not folder.over.exists():
            return message.decode(folder.rig.read_bytes(), Rig)
        self._tell(Stage.RECORDING)
        rig, first = self._eye.found()
        self._eye.wait_for_segments(first + CLOCK_SEGMENTS)
        span = (first * SEGMENT_NS, (first + CLOCK_SEGMENTS) * SEGMENT_NS)
        rig = with_clock_offsets(rig, self._clocks(RigHistory(rig), span))
        if folder.over.exists():
            # Until here all stood as it was made before.
            folder.clear()
        write_durably(folder.rig, message.encode(rig, indent=1))
        folder.over.unlink(missing_ok=True)
        self._log.event(
            "calibrated",
            session=self._plan.session,
            trusted=rig.quality.trusted,
            offsets_ms=[round(camera.clock_offset_ns / 1e6, 1) for camera in rig.cameras],
        )
        return rig

    def _held(self, node: NodeId) -> frozenset[int]:
        return self._shelf.held(self._plan.session, node)

    def _seen(self, node: NodeId, first_ns: int, last_ns: int) -> Iterator[SegmentTracks]:
        """What a node saw between two times of its clock, read a segment at a time."""
        held = self._held(node)
        for sequence in sequences_between(first_ns - self._plan.start_ns, last_ns - self._plan.start_ns):
            stored = self._shelf.stored(self._plan.session, node, sequence) if sequence in held else None
            if stored is None:
                continue
            try:
                yield decode_tracks(stored.tracks.read_bytes())
            except WireError as fault:
                self._gap(fault)

    def _clocks(self, rigs: RigHistory, span_ns: tuple[int, int]) -> dict[NodeId, int]:
        """Each node's clock offset by what was seen between two times after the session's start."""
        first, last = (self._plan.start_ns + time_ns for time_ns in span_ns)
        return self._costs.measured("clocks", lambda: estimate_clock_offsets(rigs, first, last, self._seen))

    # --- panorama ------------------------------------------------------------------------------------------------

    def _stitched(self, rig: Rig) -> PanoramaView:
        """Every window of the panorama as it becomes possible, then the archive."""
        plan = self._costs.measured("plan", lambda: plan_panorama(rig, self._panorama_width))
        if not self._folder.archive.exists():
            SessionPanorama(
                self._shelf,
                self._arrivals,
                self._plan.session,
                self._plan.start_ns,
                plan,
                self._folder,
                self._costs,
                self._gap,
                lambda words: self._log.event("panorama", session=self._plan.session, note=words),
                self._warn,
                self._windows,
                self._eye.found_anew,
            ).make()
        if not self._folder.poster.exists():
            thumbnail(self._folder.archive, self._folder.poster, self._duration_s() / 2, width=1280)
        return plan.view

    def _windows(self, done: int, known: int) -> None:
        self._windows_done, self._windows_known = done, known
        self._tell(Stage.STITCHING)

    def _warn(self, words: str) -> None:
        self._log.event("odd-camera", session=self._plan.session, reason=words)
        if words not in self._warnings:
            self._warnings.append(words)
            self._tell(self._stage)

    def _gap(self, fault: Exception) -> None:
        self._log.event("gap", session=self._plan.session, reason=fault)

    # --- tracks, events, clips -----------------------------------------------------------------------------------

    def _fused(self, rig: Rig) -> tuple[PitchTracks, list[Event]]:
        """The clocks once more from the whole match, then tracks and events, by the rig as it stood."""
        folder = self._folder
        if folder.tracks.exists() and folder.events.exists():
            events = msgspec.json.decode(folder.events.read_bytes(), type=list[Event])
            return decode_pitch_tracks(folder.tracks.read_bytes()), events
        self._tell(Stage.FUSING)
        sheet, start = self._plan.request.sheet, self._plan.start_ns
        # Tracks last as long as the panorama: what a camera saw after the others had ended belongs to no picture.
        length = nanoseconds(self._duration_s())
        rigs = RigHistory(rig, tuple((start + ns, stood) for ns, stood in rigs_later(folder.panorama)))
        offsets = self._clocks(rigs, (0, length))
        rigs = rigs.changed(lambda stood: with_clock_offsets(stood, offsets))
        write_durably(folder.rig, message.encode(rigs.rig, indent=1))
        frames = length // 40_000_000
        tracks = self._costs.measured("fuse", lambda: fuse(rigs, sheet, start, start + length, self._seen), frames)
        events = self._costs.measured("events", lambda: find_events(tracks, sheet.pitch))
        marks = marked(MarkBook(self._sessions).of(self._plan.session), offsets, start, self._duration_s())
        events = sorted([*events, *marks], key=lambda event: event.time_s)
        self._costs.measured("tables", lambda: self._write_tables(tracks, events))
        self._log.event("fused", session=self._plan.session, tracks=len(tracks.tracks), events=len(events))
        return tracks, events

    def _write_tables(self, tracks: PitchTracks, events: Sequence[Event]) -> None:
        folder = self._folder
        write_parts_durably(folder.tracks_csv, (part.encode() for part in pitch_tracks_csv(tracks)))
        write_durably(folder.events_csv, events_csv(events).encode())
        write_durably(folder.tracks, encode_pitch_tracks(tracks))
        write_durably(folder.events, msgspec.json.encode(events))

    def _duration_s(self) -> float:
        lines = (self._folder.panorama / PLAYLIST).read_text().splitlines()
        return sum(float(line[8:-1]) for line in lines if line.startswith("#EXTINF:"))

    def _clips(self, view: PanoramaView, tracks: PitchTracks, events: Sequence[Event]) -> list[Clip]:
        self._tell(Stage.CUTTING)
        folder = self._folder.clips
        folder.mkdir(exist_ok=True)

        def make(clip: Path, picture: Path, event: Event, start: float, end: float) -> None:
            if not clip.exists():
                self._costs.measured("clips", partial(self._cut, view, tracks, clip, start, end))
            if not picture.exists():
                thumbnail(clip, picture, min(event.time_s - start, max(0.0, end - start - 0.2)))

        return made_clips(events, self._duration_s(), folder, make, self._missed)

    def _missed(self, fault: RenderingFailed) -> None:
        self._log.event("clip-missed", session=self._plan.session, reason=fault)

    def _cut(self, view: PanoramaView, tracks: PitchTracks, clip: Path, start: float, end: float) -> None:
        look = look_path(tracks, start, end)
        pixels = view.project(np.column_stack([look[:, 1:], np.full(len(look), 0.5)]))
        path = [(t, x, y) for t, x, y in np.column_stack([look[:, 0], pixels]).tolist() if np.isfinite(x + y)]
        cut_followed(self._folder.archive, clip, start, end - start, (view.width_px, view.height_px), path)

    # --- blur ----------------------------------------------------------------------------------------------------

    def _blur(self, view: PanoramaView, tracks: PitchTracks) -> None:
        """Blur in the panorama whoever is to be and is not yet; what was made of it goes, to be made anew."""
        folder = self._folder
        wanted, done = blurred_tracks(folder.blur), blurred_tracks(folder.blurred)
        if done >= wanted:
            return
        self._tell(Stage.BLURRING)
        windows = self._costs.measured(
            "blur", lambda: burn(folder.panorama, folder.archive, view, tracks, wanted - done)
        )
        shutil.rmtree(folder.clips, ignore_errors=True)
        for made in (folder.poster, folder.package, folder.upload):
            made.unlink(missing_ok=True)
        sync_folder(folder.root)
        thumbnail(folder.archive, folder.poster, self._duration_s() / 2, width=1280)
        write_durably(folder.blurred, message.encode(BlurredTracks(tracks=tuple(sorted(wanted)))))
        self._log.event("blurred", session=self._plan.session, tracks=len(wanted), windows=windows)

    # --- package -------------------------------------------------------------------------------------------------

    def _packed(self, view: PanoramaView, tracks: PitchTracks, events: Sequence[Event], clips: Sequence[Clip]) -> None:
        if self._folder.package.exists():
            return
        self._tell(Stage.PACKING)
        root, folder = self._folder.root, self._folder
        paths = [folder.archive.name, folder.poster.name, folder.tracks.name]
        paths += [path for clip in clips for path in (clip.path, clip.thumbnail)]
        package = MatchPackage(
            session=self._plan.session,
            sheet=self._plan.request.sheet,
            start_ns=self._plan.start_ns,
            duration_s=self._duration_s(),
            panorama=folder.archive.name,
            panorama_width_px=view.width_px,
            panorama_height_px=view.height_px,
            poster=folder.poster.name,
            tracks=folder.tracks.name,
            events=tuple(events),
            clips=tuple(clips),
            statistics=tuple(player_statistics(tracks)),
            files=listed(root, paths),
            view=view,
            blurred=tuple(sorted(blurred_tracks(folder.blurred))),
        )
        self._costs.measured("pack", lambda: pack(package, root, folder.package))
