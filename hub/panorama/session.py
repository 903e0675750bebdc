"""A session's panorama, made while its segments arrive."""

from collections.abc import Callable, Sequence
from contextlib import closing
from fractions import Fraction
from functools import partial

from hub.errors import HubError
from hub.panorama.conveyor import CostBook
from hub.panorama.decoder import choose_decoder
from hub.panorama.encoder import Encoder, choose_encoder, software
from hub.panorama.making import PREVIEW_WIDTH_PX, Conveyor, stitching_threads
from hub.panorama.people import SeenPeople
from hub.panorama.proving import choice
from hub.panorama.timeline import Arrivals, Shelf, Timeline
from hub.panorama.video import UnsuitableVideo, VideoFacts, video_facts
from hub.panorama.vision import Recalibrate, VisionControl
from hub.panorama.windows import Cadence, common_cadence
from hub.panorama.writer import Making, PanoramaFolder, rig_digest
from hub.sessions import SessionFolder
from hub.stitch import Stitcher, StitchPlan
from wire.ids import NodeId, SessionId

_FASTEST = 30
"""Frames a second of a session's panorama: the hub has to keep up with cameras that give more."""


class SessionPanorama:
    """Makes the windows of one session and its archive. Goes on where an earlier run was, if that made the same
    panorama. What was chosen is told to `note`, what is odd about a camera to `warn`, and to `done` how many windows
    are made, of how many known; `recalibrate` is asked when a camera was knocked."""

    def __init__(
        self,
        shelf: Shelf,
        arrivals: Arrivals,
        session: SessionId,
        start_ns: int,
        plan: StitchPlan,
        folder: SessionFolder,
        costs: CostBook,
        on_gap: Callable[[HubError], None],
        note: Callable[[str], None],
        warn: Callable[[str], None],
        done: Callable[[int, int], None],
        recalibrate: Recalibrate,
    ) -> None:
        self._shelf = shelf
        self._arrivals = arrivals
        self._session = session
        self._start_ns = start_ns
        self._plan = plan
        self._folder = folder
        self._costs = costs
        self._on_gap = on_gap
        self._note = note
        self._warn = warn
        self._done = done
        self._recalibrate = recalibrate

    def make(self) -> None:
        """All of it; raises `Interrupted` when the hub stops."""
        facts = self._first_videos()
        cadence = calm(common_cadence([video.rate for video in facts]))
        view = self._plan.view
        size = view.width_px, view.height_px
        encoder = choose_encoder(size, cadence, software(), self._note)
        hardware = choose_decoder(facts[0].path, self._note)
        stitcher = self._costs.measured("kernel", lambda: Stitcher(self._plan, threads=stitching_threads()))
        self._note(choice("stitching by", stitcher.kernel.name, stitcher.reasons))
        making = self._making(facts, cadence, encoder)
        folder = PanoramaFolder(self._folder.panorama, making)
        first = folder.open()
        timeline = Timeline(
            self._shelf,
            self._session,
            self._start_ns,
            self._plan.rig.cameras,
            self._arrivals,
            cadence,
            self._costs,
            self._on_gap,
            self._warn,
            hardware,
        )
        vision = VisionControl(
            stitcher,
            cadence,
            self._warn,
            SeenPeople(self._shelf, self._session, self._start_ns, self._plan.rig.cameras, cadence),
            self._recalibrate,
            folder.start_of(first),
            folder.standpoint_before(first),
        )
        conveyor = Conveyor(vision, size, cadence, facts[0].colours, encoder, making.preview_width_px, self._costs)
        windows, last_frames = first, 0
        with closing(conveyor.windows(timeline.from_window(first))) as made:
            for window in made:
                self._costs.measured("write", partial(folder.store, window))
                windows, last_frames = window.number + 1, window.picture.frames
                self._done(windows, timeline.windows_total() or windows)
        if not last_frames:
            raise HubError("the session holds no frame that could be stitched")
        folder.end(windows, last_frames)
        self._costs.measured("archive", lambda: folder.archive(self._folder.archive))

    def _first_videos(self) -> list[VideoFacts]:
        """What the first readable segment of each node is like."""
        found = [self._first_video(camera.node) for camera in self._plan.rig.cameras]
        facts = [video for video in found if video is not None]
        if not facts:
            raise HubError("the session holds no frame that could be stitched")
        return facts

    def _first_video(self, node: NodeId) -> VideoFacts | None:
        for sequence in sorted(self._shelf.held(self._session, node)):
            stored = self._shelf.stored(self._session, node, sequence)
            if stored is None:
                continue
            try:
                return video_facts(stored.video)
            except UnsuitableVideo:
                # A gap, to be told when its turn comes.
                continue
        return None

    def _making(self, facts: Sequence[VideoFacts], cadence: Cadence, encoder: Encoder) -> Making:
        view = self._plan.view
        return Making(
            rig=rig_digest(self._plan),
            sources=self._session,
            width_px=view.width_px,
            height_px=view.height_px,
            rate=cadence.rate.as_integer_ratio(),
            colours=facts[0].colours,
            encoder=encoder.codec,
            kernel="auto",
            preview_width_px=min(PREVIEW_WIDTH_PX, view.width_px),
        )


def calm(cadence: Cadence) -> Cadence:
    """A cadence that a hub can follow: every second or third frame of cameras that are too fast for it."""
    part = -(-cadence.rate // _FASTEST)
    return Cadence(cadence.rate / Fraction(part))
