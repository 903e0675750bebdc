"""Video files that were recorded side by side, one per camera of a rig, as the moments of a panorama."""

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from functools import partial
from pathlib import Path

from hub.errors import FramesDoNotFit, HubError
from hub.panorama.cameras import CameraSource, reading
from hub.panorama.conveyor import CostBook
from hub.panorama.footage import file_frames
from hub.panorama.making import Moments
from hub.panorama.matching import Moment
from hub.panorama.timeline import common_end, common_start
from hub.panorama.video import Colours, VideoFacts, video_facts
from hub.panorama.windows import LONGEST_HOLD_NS, Cadence, common_cadence
from wire.rig import CameraModel, Rig
from wire.rigtime import SECOND, seconds


class Recordings:
    """The videos of a rig's cameras, from the left. A frame's capture time is its time stamp, counted from its file's
    first frame, plus the clock offset that the rig knows of its camera.

    Raises `FramesDoNotFit` or `UnsuitableVideo` for videos that are not the rig's.
    """

    def __init__(self, rig: Rig, videos: Sequence[Path]) -> None:
        if len(videos) != len(rig.cameras):
            names = ", ".join(camera.node for camera in rig.cameras)
            raise FramesDoNotFit(
                f"the rig has {_count(len(rig.cameras), 'camera')}, from the left {names}, but "
                f"{_count(len(videos), 'video')} {'was' if len(videos) == 1 else 'were'} given: one for each camera, "
                "in this order"
            )
        self.cameras: tuple[CameraModel, ...] = rig.cameras
        self.facts: list[VideoFacts] = [video_facts(path) for path in videos]
        for camera, facts in zip(self.cameras, self.facts, strict=True):
            if (facts.width_px, facts.height_px) != (camera.width_px, camera.height_px):
                raise FramesDoNotFit(
                    f"camera {camera.node} was calibrated at {camera.width_px}x{camera.height_px}, but {facts.path} is "
                    f"{facts.width_px}x{facts.height_px}"
                )
        self.cadence: Cadence = common_cadence([facts.rate for facts in self.facts])
        starts = [camera.clock_offset_ns for camera in self.cameras]
        ends = [start + facts.duration_ns for start, facts in zip(starts, self.facts, strict=True)]
        self._start_ns = common_start(starts)
        # A frame lasts until the next one: half of one must not be lost to rounding.
        self.frames_total: int = self.cadence.frames_in(
            common_end(ends) - self._start_ns + self.cadence.interval_ns // 2
        )
        if not self.frames_total:
            raise FramesDoNotFit("by the rig's clock offsets, these videos show no moment together")

    @property
    def colours(self) -> Colours:
        """Of the first camera."""
        return self.facts[0].colours

    def oddities(self) -> list[str]:
        """What is to be told before anything is made of these videos."""
        told = []
        for camera, facts in zip(self.cameras, self.facts, strict=True):
            if facts.colours != self.colours:
                told.append(
                    f"camera {camera.node} states other colours {tuple(facts.colours)} than camera "
                    f"{self.cameras[0].node} {tuple(self.colours)}: its pictures may look different"
                )
            first_s = seconds(camera.clock_offset_ns - self._start_ns)
            if first_s > 0:
                told.append(f"camera {camera.node} begins {first_s:.2f} s after the panorama")
            lasts_s = float(Fraction(self.frames_total) / self.cadence.rate)
            short_s = lasts_s - first_s - seconds(facts.duration_ns)
            if short_s > seconds(2 * LONGEST_HOLD_NS):
                told.append(f"camera {camera.node} ends {short_s:.1f} s before the panorama")
        return told

    def from_frame(
        self,
        first: int,
        costs: CostBook,
        on_gap: Callable[[HubError], None],
        tell: Callable[[str], None],
        hardware: str | None = None,
    ) -> Moments:
        """The moments from a frame of the panorama on to the end."""
        waited = [0.0]
        moments = self._moments(first, costs, on_gap, tell, hardware, waited)
        return Moments(moments, lambda: waited[0])

    def _moments(
        self,
        first: int,
        costs: CostBook,
        on_gap: Callable[[HubError], None],
        tell: Callable[[str], None],
        hardware: str | None,
        waited: list[float],
    ) -> Iterator[Moment]:
        source = partial(self._source, first, on_gap, hardware)
        with reading(list(map(source, self.cameras, self.facts)), self.cadence, costs, tell) as cameras:
            for frame in range(first, self.frames_total):
                time_ns = self.cadence.time_ns(frame)
                pictures = cameras.at(self._start_ns + time_ns, time_ns / SECOND)
                waited[0] = cameras.waited()
                yield Moment(frame, pictures)
            cameras.finish()

    def _source(
        self,
        first: int,
        on_gap: Callable[[HubError], None],
        hardware: str | None,
        camera: CameraModel,
        facts: VideoFacts,
    ) -> CameraSource:
        offset = camera.clock_offset_ns
        # Whatever may stand for the first moment has to be read, and the frame before it.
        from_ns = self._start_ns + self.cadence.time_ns(first) - offset - 2 * LONGEST_HOLD_NS
        return CameraSource(camera.node, file_frames(facts, from_ns, on_gap, hardware), offset, from_ns <= 0)


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
