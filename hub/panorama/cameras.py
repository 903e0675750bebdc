"""A rig's cameras side by side: each one's frames read in a thread of its own, and matched by capture time."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from hub.panorama.conveyor import Belt, CostBook
from hub.panorama.matching import Footage
from hub.panorama.video import Shot
from hub.panorama.windows import Cadence
from hub.picture import Picture

_DEPTH = 3
"""Decoded pictures that may wait per camera."""


@dataclass(frozen=True)
class CameraSource:
    """One camera: its frames from some moment on, what is added to their times, and whether they begin with its very
    first; how long its reading has waited for something else."""

    name: str
    shots: Iterator[Shot]
    offset_ns: int
    opens: bool
    waited: Callable[[], float] = float


class Cameras:
    """The cameras' pictures for rising moments."""

    def __init__(self, belts: Sequence[Belt[Shot]], footage: Sequence[Footage]) -> None:
        self._belts = belts
        self._footage = footage

    def at(self, rig_ns: int, at_s: float) -> list[Picture | None]:
        """Each camera's picture for the rig time, which is `at_s` seconds of the panorama; None where it has none."""
        shots = [footage.nearest(rig_ns, at_s) for footage in self._footage]
        return [None if shot is None else shot.picture for shot in shots]

    def waited(self) -> float:
        """Seconds waited for frames, by whoever asked for them."""
        return sum(belt.waited() for belt in self._belts)

    def finish(self) -> None:
        """The panorama has ended: tell what was odd about the cameras."""
        for footage in self._footage:
            footage.finish()


@contextmanager
def reading(
    sources: Sequence[CameraSource],
    cadence: Cadence,
    costs: CostBook,
    tell: Callable[[str], None],
    leave: Callable[[], None] = lambda: None,
) -> Iterator[Cameras]:
    """The cameras, being read until the block is left; then `leave` is called, for one that may be waiting."""
    with ExitStack() as stack:
        belts = [
            stack.enter_context(Belt(source.shots, _DEPTH, "decode", costs, source.waited, leave)) for source in sources
        ]
        yield Cameras(
            belts,
            [
                Footage(source.name, belt, source.offset_ns, cadence, tell, source.opens)
                for source, belt in zip(sources, belts, strict=True)
            ],
        )
