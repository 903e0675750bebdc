"""What the loops of `loops.pyx` are for; set-up compiles them."""

import numpy as np
import numpy.typing as npt

from edge.detect.detector import Floats
from edge.detect.picture import Plane

Flags = npt.NDArray[np.bool_]
Frames = npt.NDArray[np.int64]
Rows = npt.NDArray[np.intp]
Bytes = npt.NDArray[np.uint8]
Records = npt.NDArray[np.void]

def step(place: Floats, speed: Floats, cov: Floats, acceleration: Floats, drag: float) -> None:
    """One frame on for Kalman filters as `edge.track.paths.Paths` has them."""

def relaxed(at: Frames, place: Floats, weight: Floats, stiffness: float) -> Floats:
    """Every step's place (n, 2) between the first, 0, and the last of the rising steps `at` (m,), where `place` (m, 2)
    weighs `weight` (m,) and each second difference `stiffness`: a system of five diagonals, solved by L D Lᵀ."""

def joined(frame: Frames, first: int, most_apart: int) -> Frames:
    """Those of these rising frames, and of all between neighbours that are at most so many apart, that are not before
    the `first`."""

def feet_of_blobs(
    boxes: Floats,
    blobs: Floats,
    centre: Floats,
    area: Floats,
    widen: float,
    covered: float,
    tall: float,
    tiny: float,
    whole_height: tuple[float, float],
    whole_width: tuple[float, float],
) -> Floats:
    """Where the persons in the `boxes` (n, 4) stand (n, 2) by their own blobs: the lower edge of these, in the middle
    of their weight; NaN for whom they do not tell.

    The blobs are given by their boxes (m, 4), centres (m, 2) and areas (m,). A person takes all whose centre lies in
    the box, `widen` wider to every side, or that cover more than the share `covered` of it. A blob that several claim
    says nothing about any of them, and hides where those end whom it is more than `tall` times as high as; one of less
    than the share `tiny` of the box counts only inside. Together they are the whole person between these shares of the
    box's height and width.
    """

def hidden(boxes: Floats, top: float, bottom: float, most: float) -> Flags:
    """In which boxes (n, 4) the part between these shares of the height is covered by more than the share `most` by
    somebody's box that stands nearer: lower in the picture."""

def torsos(
    luma: Plane, blue: Plane, red: Plane, boxes: Floats, part: tuple[float, float, float, float], across: int
) -> npt.NDArray[np.uint8]:
    """What the planes of a picture show in so many points across and down (n, across²) of this `part` of each of the
    `boxes` (n, 4), shares of its width and height: luma in full range, red and blue difference, as OpenCV has YCrCb."""

def within(found: Floats, persons: Floats, top: float, bottom: float, beside: float = 0.0) -> Flags:
    """Which centres of `found` (n, 4) lie in the part of a person's box (m, 4) between these shares of its height, and
    so many heights to each side of it."""

def bend_and_step(frame: Frames, place: Floats) -> tuple[float, float]:
    """The median change of speed between three neighbours of the places (n, 2) in rising frames (n,), n at least 3, and
    the mean speed over them all, in px per frame."""

def overdue(persons: Records, frame: int, patience: int, looks: int) -> Flags:
    """Which of these `edge.track.people.TRACK` (n,) nothing measured for more than `patience` frames by this one, or so
    many looks have missed; half of both for who is not believed yet."""

def stood(
    persons: Records,
    place: Floats,
    speed: Floats,
    cov: Floats,
    rows: Rows,
    feet: Floats,
    frame: int,
    error: float,
    least: float,
    worth: int,
    far: float,
) -> Floats:
    """Write down that these rows (k,) of the persons' tracks stood at the `feet` (k, 2) in this frame, which is `worth`
    so much of a proof, and correct their filters (as `edge.track.paths.Paths` has them); who is more than `far` heights
    from where he began has moved.

    The variances (k,) of what was measured: of so many heights' `error`, and `least`.
    """

def lost(
    balls: Records, speed: Floats, frame: int, at_rest: float, hits: int, patience: int, patience_at_rest: int
) -> Flags:
    """Which of these `edge.track.ball.HYPOTHESIS` (n,), moving with this `speed` (n, 2), were not measured for so long
    by this frame that they are given up: more than `patience` frames for one that is believed or was seen by the
    network, `patience_at_rest` for one that lies where it was seen, slower than so many diameters a frame; two for any
    other of less than so many `hits`, else four."""

def costs(
    balls: Records,
    place: Floats,
    cov: Floats,
    centre: Floats,
    barred: Bytes,
    passing: Bytes,
    gate: float,
    share: float,
    furthest: float,
    never: float,
) -> Floats:
    """What it costs (n, m) that each of these `edge.track.ball.HYPOTHESIS` (n,) goes on with each candidate (m,): the
    way from its `place` (n, 2) to the candidate's `centre` (m, 2) as a share of how far it may be, 2 less for a
    believed one, `never` beyond that.

    It may be `gate` standard deviations away by its `cov` (n, 3) and `share` of a person's height, but no more than
    `furthest` heights; a newborn always that. Where `barred` (m,) only those go that are `passing` (n,).
    """

def sought(balls: Records, frame: int, frames: int, most: int) -> Rows:
    """Rows of at most so many hypotheses that were last measured before this frame, by at most so many `frames`, and
    are believed or were once a blob by themselves: the believed first, the oftener alone first."""

def measured(
    balls: Records,
    place: Floats,
    speed: Floats,
    cov: Floats,
    rows: Rows,
    centre: Floats,
    at_person: Bytes,
    frame: int,
    error: float,
    least: float,
) -> Floats:
    """Write down that these rows (k,) of the hypotheses were at the `centre` (k, 2) in this frame, and correct their
    filters (as `edge.track.paths.Paths` has them); the second measurement tells how fast it is.

    The variances (k,) of what was measured: of so many diameters' `error`, and `least`.
    """
