"""Vision control, as in a broadcast: what keeps a panorama right while it is made. Exposures are evened out frame by
frame, cuts go around people window by window, and every minute the lines tell whether the cameras still stand."""

from collections.abc import Callable, Collection, Sequence

import cv2
import numpy as np

from hub.calibrate.views import coloured
from hub.calibrate.watch import Sight, Standing, Watch, followed
from hub.errors import HubError, Interrupted
from hub.panorama.matching import Moment
from hub.panorama.windows import Cadence
from hub.picture import Picture
from hub.stitch import Stitcher, StitchPlan
from hub.stitch.around import Detour, closed_to_cuts, cut_around
from hub.stitch.following import Exposures, LightFollower
from hub.stitch.seams import Cut
from wire.message import Message
from wire.rig import Array, Rig
from wire.rigtime import SECOND

LOOK_WINDOWS = 30
"""Windows from one look at the lines to the next: a minute."""
_ALARM_LOOKS = 2
"""So many looks in a row must miss the lines: somebody may walk by right in front of a camera."""
_AGAIN_LOOKS = 5
_LEAST_SHARE = 0.25
"""A camera that shows fewer of the lines tells nothing of how it stands."""
_WORTH_PX = 0.15
"""A new turn that moves the middle of a picture by less is not worth another plan, in pixels at a width of 1920."""
_TOLD_DEG = 0.3

Crowd = Callable[[int], Sequence[Array]]
"""Of a window, each camera's boxes (n, 4) of people over its whole time, in pixels."""
Recalibrate = Callable[[int, Rig, Collection[int]], Rig | None]
"""The rig found anew from what its cameras show just before a time (ns after the panorama's start), given the rig until
then and which of its cameras are lost; None where that cannot be trusted."""
_FAULTS = (HubError, ValueError, ArithmeticError, LookupError, cv2.error)
"""What a picture or a table out of the ordinary may bring about: the panorama goes on as it was."""


class Standpoint(Message, frozen=True, kw_only=True):
    """The rig from some window on: as it was calibrated last, and as its cameras have turned since."""

    KIND = "panorama-standpoint"
    VERSION = 1

    calibrated: Rig
    rig: Rig


class WindowStart(Message, frozen=True, kw_only=True):
    """What vision control knew before a window: with it that window is made again the same.

    `shares` are what each camera showed of the lines when it was last known to stand well, `lost` for how many looks it
    has missed them.
    """

    KIND = "panorama-window-start"
    VERSION = 1

    exposures: Exposures = Exposures()
    detours: tuple[Detour | None, ...] = ()
    shares: tuple[float | None, ...] = ()
    lost: tuple[int, ...] = ()


class VisionControl:
    """Stitches moments in order of time by the stitcher's kernel, from what is known at a window's start.

    Without a `crowd` the cuts stay where they are. What people should know is told to `warn`.
    """

    def __init__(
        self,
        stitcher: Stitcher,
        cadence: Cadence,
        warn: Callable[[str], None],
        crowd: Crowd | None = None,
        recalibrate: Recalibrate = lambda *_: None,
        start: WindowStart | None = None,
        standpoint: Standpoint | None = None,
    ) -> None:
        self._stitcher = stitcher
        self._cadence = cadence
        self._warn = warn
        self._crowd = crowd
        self._recalibrate = recalibrate
        rig = stitcher.plan.rig
        count = len(rig.cameras)
        known = start or WindowStart()
        self._stands = standpoint or Standpoint(calibrated=rig, rig=rig)
        if self._stands.rig != rig:
            self._stitcher.replan(StitchPlan(self._stands.rig, stitcher.plan.view))
        self._watch = Watch(self._stands.calibrated)
        self._follower = LightFollower(stitcher.plan, known.exposures)
        self._detours: list[Detour | None] = list(known.detours or [None] * (count - 1))
        self._cuts: list[Cut] = []
        self._shares: list[float | None] = list(known.shares or [None] * count)
        self._lost = list(known.lost or [0] * count)

    def begin(self, moment: Moment) -> tuple[WindowStart, Standpoint | None]:
        """Make up its mind for the window that begins with this moment: what it knew before, and the rig where that
        stands otherwise from here on."""
        window = moment.frame // self._cadence.window_frames
        start = WindowStart(
            exposures=self._follower.known,
            detours=tuple(self._detours),
            shares=tuple(self._shares),
            lost=tuple(self._lost),
        )
        before = self._stands
        if window % LOOK_WINDOWS == 0:
            self._at_best(window, "whether the cameras still stand", lambda: self._look(window, moment.pictures))
        self._at_best(window, "where people stand at the cuts", lambda: self._lead_cuts(window))
        ways = zip(self._stitcher.plan.seams(), self._detours, strict=True)
        self._cuts = [seam.default if detour is None else detour.cut(seam) for seam, detour in ways]
        return start, self._stands if self._stands is not before else None

    def stitch(self, moment: Moment, into: Picture) -> None:
        """Make the panorama of a moment of the window that was begun."""
        whole = all(picture is not None for picture in moment.pictures)
        time_s = self._cadence.time_ns(moment.frame) / SECOND
        lights = self._follower.at(time_s, moment.pictures)
        self._stitcher.stitch(moment.pictures, into, self._cuts if whole else None, lights)

    def _at_best(self, window: int, what: str, work: Callable[[], None]) -> None:
        """Do what makes a panorama better: a fault in it must not keep it from being made."""
        try:
            work()
        except Interrupted:
            raise
        except _FAULTS as fault:
            self._warn(f"at {self._minute(window)} it could not be told {what}: {fault or type(fault).__name__}")

    def _lead_cuts(self, window: int) -> None:
        if self._crowd is None:
            return
        plan, boxes = self._stitcher.plan, self._crowd(window)
        cameras = plan.rig.cameras
        for k, seam in enumerate(plan.seams()):
            pair = (cameras[k], cameras[k + 1])
            closed = closed_to_cuts(seam, plan.view, plan.rig.pitch, pair, (boxes[k], boxes[k + 1]))
            self._detours[k] = cut_around(seam, closed, self._detours[k])

    # --- whether the cameras still stand -------------------------------------------------------------------------

    def _look(self, window: int, pictures: Sequence[Picture | None]) -> None:
        shown = [None if picture is None else coloured(picture) for picture in pictures]
        sights = self._watch.look(shown, self._shares)
        if None in self._shares:
            found = self._watch.shares(shown)
            self._shares = [
                share if before is None and share is not None and share >= _LEAST_SHARE else before
                for before, share in zip(self._shares, found, strict=True)
            ]
        self._follow(followed(self._stands.calibrated, self._stands.rig, sights), window)
        for k, sight in enumerate(sights):
            if sight is not None:
                self._judge(k, sight, window)
        lost = {k for k, sight in enumerate(sights) if sight is not None and sight.standing is Standing.LOST}
        tried = (self._lost[k] - _ALARM_LOOKS for k in lost)
        if any(since >= 0 and since % _AGAIN_LOOKS == 0 for since in tried):
            self._calibrate_anew(window, lost)

    def _follow(self, rig: Rig, window: int) -> None:
        calibrated, now = self._stands.calibrated, self._stands.rig
        cameras = list(zip(now.cameras, rig.cameras, strict=True))
        if all(_turn(a.turn, b.turn) * a.lens.focal_px < _WORTH_PX * a.width_px / 1920 for a, b in cameras):
            return
        for first, before, camera in zip(calibrated.cameras, now.cameras, rig.cameras, strict=True):
            turns = [np.degrees(_turn(first.turn, each.turn)) for each in (before, camera)]
            if turns[0] <= _TOLD_DEG < turns[1]:
                self._warn(
                    f"by {self._minute(window)} camera {camera.node} has turned by {turns[1]:.1f}°: the panorama "
                    "follows it, but look how it is mounted"
                )
        self._stand(Standpoint(calibrated=calibrated, rig=rig))

    def _judge(self, k: int, sight: Sight, window: int) -> None:
        was, self._lost[k] = self._lost[k], self._lost[k] + 1 if sight.standing is Standing.LOST else 0
        if self._lost[k] == _ALARM_LOOKS:
            self._warn(
                f"camera {sight.node} has not shown the pitch's lines where they were since "
                f"{self._minute(window - LOOK_WINDOWS)}: it was knocked or covered, look after it"
            )
        elif was >= _ALARM_LOOKS and not self._lost[k]:
            self._warn(f"camera {sight.node} shows the pitch's lines again since {self._minute(window)}")

    def _calibrate_anew(self, window: int, lost: Collection[int]) -> None:
        rig = self._recalibrate(self._cadence.window_span_ns(window)[1], self._stands.rig, lost)
        if rig is None:
            return
        gone = [camera.node for k, camera in enumerate(rig.cameras) if k in lost]
        next_look_s = self._follower.known.next_look_s
        self._stand(Standpoint(calibrated=rig, rig=rig))
        # Exposures, cuts and lines were known of the rig as it stood before.
        self._follower = LightFollower(self._stitcher.plan, Exposures(next_look_s))
        self._detours = [None] * len(self._detours)
        self._watch = Watch(rig)
        self._shares, self._lost = [None] * len(rig.cameras), [0] * len(rig.cameras)
        self._warn(f"from {self._minute(window)} on the rig is calibrated anew, because of camera {', '.join(gone)}")

    def _stand(self, standpoint: Standpoint) -> None:
        known = self._follower.known
        self._stands = standpoint
        self._stitcher.replan(StitchPlan(standpoint.rig, self._stitcher.plan.view))
        self._follower = LightFollower(self._stitcher.plan, known)

    def _minute(self, window: int) -> str:
        seconds = self._cadence.window_span_ns(window)[0] // SECOND
        return f"minute {seconds // 60}:{seconds % 60:02d}"


def _turn(a: Array, b: Array) -> float:
    """Radians from one rotation (3, 3) to another."""
    return float(np.linalg.norm(cv2.Rodrigues(b @ a.T)[0]))
