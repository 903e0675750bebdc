"""The eye of a session: its cameras calibrated by what they recorded."""

import shutil
from collections.abc import Callable, Collection, Sequence
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from firmware.log import Log
from hub.calibrate import View, background, calibrate, with_clock_offsets
from hub.calibrate.drawing import drawn_lines, jpeg
from hub.calibrate.lenses import profile_of_node
from hub.errors import HubError, Interrupted, PitchNotFound
from hub.messages import CalibrationRequest, SessionPlan, Stage
from hub.panorama.conveyor import CostBook
from hub.panorama.footage import UnreadableSegment, segment_frames
from hub.panorama.timeline import Arrivals, Shelf
from hub.panorama.windows import SEGMENT_NS, sequences_between
from hub.picture import Picture
from hub.sessions import SessionFolder
from wire.clicks import Click
from wire.durable import write_durably
from wire.ids import NodeId
from wire.rig import CameraModel, Rig
from wire.rigtime import SECOND

CALIBRATION_SEGMENTS = 3
"""Segments (of 2 s) whose pictures give the still background: enough for walking people to move away."""
CALIBRATION_TRIES = (0, 30, 90, 300)
"""So many segments after the first pictures others are tried in which the pitch may be seen better: a minute later,
three, and ten."""
_BACKGROUND_FRAMES = 12
_SAME_RAD, _SAME_M = np.radians(1.0), 1.0
"""Two calibrations of a camera that nobody touched differ by less."""


class SessionEye:
    """Finds the rig of one session. How far it is it tells `tell`, what people should know `warn`, and what cannot be
    read `gap`; `lenses` is a folder of lens profiles, NODE.json."""

    def __init__(
        self,
        plan: SessionPlan,
        folder: SessionFolder,
        shelf: Shelf,
        arrivals: Arrivals,
        lenses: Path | None,
        costs: CostBook,
        log: Log,
        tell: Callable[[Stage, str], None],
        warn: Callable[[str], None],
        gap: Callable[[Exception], None],
    ) -> None:
        self._plan = plan
        self._folder = folder
        self._shelf = shelf
        self._arrivals = arrivals
        self._lenses = lenses
        self._costs = costs
        self._log = log
        self._tell = tell
        self._warn = warn
        self._gap = gap

    def found(self) -> tuple[Rig, int]:
        """The rig as what was asked for says, and the first of the segments whose pictures told: where the session's
        first do not show the pitch, later ones may."""
        shutil.rmtree(self._folder.calibration, ignore_errors=True)
        asked = self._plan.calibration or CalibrationRequest(clicks=self._plan.request.clicks)
        first = int(asked.at_s * SECOND) // SEGMENT_NS
        unseen: HubError = HubError(f"not all cameras show something {asked.at_s:g} s after the session's start")
        # Whoever asks for another calibration means those pictures, and has clicked in them.
        for later in CALIBRATION_TRIES if self._plan.calibration is None else (0,):
            start = first + later
            self.wait_for_segments(start + CALIBRATION_SEGMENTS)
            sequences = [
                sorted(s for s in self._held(node) if s >= start)[:CALIBRATION_SEGMENTS] for node in self._plan.nodes
            ]
            if not all(sequences) and start:
                raise unseen
            self._tell(Stage.CALIBRATING, "")
            views = self._views(sequences)
            self._keep_stills(views)
            try:
                rig = self._fitted(views, asked.clicks, Stage.CALIBRATING)
                break
            except PitchNotFound as fault:
                unseen = fault
                self._log.event("pitch-not-found", session=self._plan.session, segment=start, reason=fault)
                self._tell(Stage.RECORDING, str(fault))
        else:
            raise unseen
        for view, camera in zip(views, rig.cameras, strict=True):
            write_durably(self._folder.lines(view.node), jpeg(drawn_lines(view.picture, camera, rig.pitch)))
        return rig, start

    def _keep_stills(self, views: Sequence[View]) -> None:
        """Whether or not the pitch is found in them: then a person may point at it."""
        self._folder.calibration.mkdir(exist_ok=True)
        for view in views:
            write_durably(self._folder.still(view.node), jpeg(view.picture))

    def wait_for_segments(self, count: int) -> None:
        """Sleep until every node has handed over its first `count` segments, or all it will ever have."""
        session, shelf = self._plan.session, self._shelf

        def ready() -> bool:
            for node in self._plan.nodes:
                if not all(shelf.settled(session, node, sequence) for sequence in range(count)):
                    return False
            return True

        self._arrivals.wait_for(ready)

    def _view(self, node: NodeId, sequences: Sequence[int]) -> View:
        """What a camera shows in some of its segments, and its lens: as was asked for afterwards, else as it was
        measured, else as the session was begun with."""
        picture = self._background(node, sequences)
        height, width = picture.shape[:2]
        measured = profile_of_node(self._lenses, node, width, height, self._warn) if self._lenses else None
        asked = self._plan.calibration.lens_degrees if self._plan.calibration is not None else None
        return View(node, picture, asked or measured or self._plan.request.lens_degrees)

    def _views(self, sequences: Sequence[Sequence[int]]) -> list[View]:
        """Of each node from the left, in these of its segments."""
        return [self._view(node, mine) for node, mine in zip(self._plan.nodes, sequences, strict=True)]

    def _fitted(self, views: Sequence[View], clicks: Sequence[Click], stage: Stage) -> Rig:
        pitch = self._plan.request.sheet.pitch

        def heard(step: str, share: float) -> None:
            # It takes many seconds, and a hub that is asked to stop has few.
            self._arrivals.check()
            self._tell(stage, f"{step} {share:.0%}")

        return self._costs.measured("calibrate", lambda: calibrate(views, pitch, clicks, heard))

    def found_anew(self, before_ns: int, now: Rig, lost: Collection[int]) -> Rig | None:
        """The rig again, some cameras of which are lost, from its last segments before a time after the session's
        start; clicks are of no use any more. None when it is not to be trusted, or when it would have cameras moved
        that nobody lost."""
        last = [self._last_before(camera.node, before_ns - camera.clock_offset_ns) for camera in now.cameras]
        if not all(last):
            return None
        try:
            found = self._fitted(self._views(last), (), Stage.STITCHING)
        except Interrupted:
            raise
        except HubError as fault:
            self._log.event("not-calibrated-anew", session=self._plan.session, reason=fault)
            return None
        quality = found.quality
        pairs = list(zip(now.cameras, found.cameras, strict=True))
        stays = all(_stays(a, b) for k, (a, b) in enumerate(pairs) if k not in lost)
        same = all((a.width_px, a.height_px) == (b.width_px, b.height_px) for a, b in pairs)
        self._log.event(
            "calibrated-anew",
            session=self._plan.session,
            trusted=quality.trusted,
            others_stay=stays and same,
            notes=quality.notes,
        )
        offsets = {camera.node: camera.clock_offset_ns for camera in now.cameras}
        return with_clock_offsets(found, offsets) if quality.trusted and stays and same else None

    def _last_before(self, node: NodeId, node_ns: int) -> list[int]:
        """A node's last segments before a time after the session's start; none when it has stopped by then."""
        held = self._held(node)
        due = list(sequences_between(0, node_ns - 1))[-CALIBRATION_SEGMENTS:]
        return [sequence for sequence in due if sequence in held]

    def _background(self, node: NodeId, sequences: Sequence[int]) -> npt.NDArray[np.uint8]:
        """The still background of a camera, BGR, from frames spread over some of its segments."""

        def work() -> npt.NDArray[np.uint8]:
            each = -(-_BACKGROUND_FRAMES // max(len(sequences), 1))
            frames: list[Picture] = []
            for sequence in sequences:
                stored = self._shelf.stored(self._plan.session, node, sequence)
                if stored is None:
                    continue
                due = 0
                try:
                    for shot in segment_frames(stored, self._gap):
                        since = shot.time_ns - self._plan.start_ns - sequence * SEGMENT_NS
                        if since * each >= due * SEGMENT_NS:
                            frames.append(shot.picture)
                            due += 1
                except UnreadableSegment as fault:
                    self._gap(fault)
            if not frames:
                raise HubError(f"node {node} recorded no picture: look at its camera")
            return background(frames)

        return self._costs.measured("background", work)

    def _held(self, node: NodeId) -> frozenset[int]:
        return self._shelf.held(self._plan.session, node)


def _stays(before: CameraModel, after: CameraModel) -> bool:
    """Whether both stand in the same place and look the same way, as well as two calibrations agree."""
    turn = cv2.Rodrigues(after.turn @ before.turn.T)[0]
    return bool(np.linalg.norm(turn) < _SAME_RAD and np.linalg.norm(after.centre - before.centre) < _SAME_M)
