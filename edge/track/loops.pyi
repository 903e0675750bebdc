"""What the loops of `loops.pyx` are for; set-up compiles them."""

import numpy as np
import numpy.typing as npt

from edge.detect.detector import Floats
from edge.detect.picture import Plane

Flags = npt.NDArray[np.bool_]
Frames = npt.NDArray[np.int64]
Rows = npt.NDArray[np.intp]
Records = npt.NDArray[np.void]
Entries = tuple[Frames, Floats, Floats, Floats, Floats]

def hidden(boxes: Floats, top: float, bottom: float, most: float) -> Flags:
    """In which boxes (n, 4) the part between these shares of the height is covered by more than the share `most` by
    somebody's box that stands nearer: lower in the picture."""

def torsos(
    luma: Plane, blue: Plane, red: Plane, boxes: Floats, part: tuple[float, float, float, float], across: int
) -> npt.NDArray[np.uint8]:
    """What the planes of a picture show in so many points across and down (n, across²) of this `part` of each of the
    `boxes` (n, 4), shares of its width and height: luma in full range, red and blue difference, as OpenCV has YCrCb."""

def middle_colours(
    seen: npt.NDArray[np.uint8], grass_light: tuple[int, int], grass_green: int, grass_yellow: int, least: float
) -> Floats:
    """The median CIE L, a, b (n, 3) of what was `seen` (n, k, 3), OpenCV's 8 bits, without grass: L between these two,
    a below `grass_green` and b above `grass_yellow`. NaN where no more than the share `least` is left."""

def boxes(persons: Records, place: Floats) -> Floats:
    """Boxes (n, 4) of these `edge.track.people.TRACK` (n,), whose feet are at the `place` (n, 2)."""

def feet_of_blobs(
    persons: Records,
    place: Floats,
    blobs: Floats,
    centre: Floats,
    area: Floats,
    widen: float,
    covered: float,
    tall: float,
    tiny: float,
    whole_height: tuple[float, float],
    whole_width: tuple[float, float],
) -> tuple[Rows, Floats]:
    """Where persons who are believed to be at the `place` (n, 2) stand by their own blobs, the lower edge of these, in
    the middle of their weight: the rows (k,) of those of whom they tell, and the places (k, 2).

    The blobs are given by their boxes (m, 4), centres (m, 2) and areas (m,). A person takes all whose centre lies in
    his box, `widen` wider to every side, or that cover more than the share `covered` of it. A blob that several claim
    says nothing about any of them, and hides where those end whom it is more than `tall` times as high as; one of less
    than the share `tiny` of the box counts only inside. Together they are the whole person between these shares of the
    box's height and width.
    """

def walked(
    persons: Records,
    place: Floats,
    speed: Floats,
    cov: Floats,
    frame: int,
    patience: int,
    looks: int,
    acceleration: float,
    drag: float,
    drift: tuple[float, float],
) -> list[int]:
    """Move the persons' filters (as `edge.track.paths.Paths` has them) and the doubt about their sizes on to this
    frame, the standard deviation of `acceleration` in heights per frame².

    Rows of those whom nothing measured for more than `patience` frames by now, or so many looks have missed; half of
    both for who is not believed yet.
    """

def fits(
    persons: Records,
    place: Floats,
    cov: Floats,
    rows: Rows,
    found: Floats,
    widen: float,
    least: float,
    stray: float,
    gate: float,
) -> Floats:
    """Intersection over union (k, m) of the boxes of these rows (k,) and the `found` ones (m, 4), all wider by this
    share to every side; 0 where it is not more than `least`, or the way between both foot points has a chi-square
    beyond the `gate`, `stray` being the standard deviation of those of boxes in heights."""

def rivalled(share: Floats) -> Rows:
    """Columns (k,) in which the table `share` (n, m) is above 0 in more than one row, or in one that is so in more than
    one column: boxes that several tracks, or whose track, could take for another."""

def unlike(known: Floats, seen: Floats, spread: tuple[float, float, float], unsure: float) -> Floats:
    """How far apart (n, m) the colours `known` (n, 3) and `seen` (m, 3) are, each of the three by its `spread`, 1 at
    most; `unsure` where one of both is NaN."""

def resized(
    persons: Records,
    rows: Rows,
    box: Floats,
    score: Floats,
    error: tuple[float, float],
    full: float,
    weak: float,
) -> None:
    """Correct the sizes of these rows (k,) by the boxes (k, 4) that a detector found with these scores (k,): `error` is
    their standard deviation as a share of width and height, its variance grows by `weak` times what a score is short of
    a `full` one. They are seen now."""

def missed(
    persons: Records, place: Floats, rows: Rows, parts: Floats, near: float, frame: int, apart: int, worth: int
) -> None:
    """Write down that looks of this `worth` at `parts` of the picture in this frame missed those of these rows (k,)
    whose boxes are in one of them and there more than `near` pixels high, and who were not missed less than so many
    frames before. The parts are given by x0, y0, x1, y1 and by how much they magnify (m, 5)."""

def doubles(persons: Records, place: Floats, same: float) -> list[int]:
    """Rows of the persons who share more than `same` (intersection over union) with one who was measured later, or
    began sooner."""

def adrift(
    persons: Records, place: Floats, speed: Floats, last_frame: int, most: int, pace: float, drag: float, factor: float
) -> tuple[Rows, Floats, Floats]:
    """Rows (k,) of those who were measured last in that frame, the one before this, move by more than so many heights a
    frame, ever left their place, and were carried on for fewer than `most` frames; their boxes (k, 4) then, and the way
    (k, 2) they were expected to go, in pixels of a picture `factor` times smaller."""

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
    far: float,
    worth: int,
    enough: int,
) -> tuple[list[int], Entries]:
    """Write down that these rows (k,) of the persons' tracks stood at the `feet` (k, 2) in this frame, which is `worth`
    so much of a proof, and correct their filters (as `edge.track.paths.Paths` has them); who is more than `far` heights
    from where he began has moved.

    Those of them who have proven `enough` by now to get their ids, and what a journal is told, as
    `edge.track.rows.Entries`; the variances are of so many heights' `error`, and `least`.
    """

def carried(
    persons: Records,
    place: Floats,
    speed: Floats,
    cov: Floats,
    rows: Rows,
    moved: Floats,
    frame: int,
    error: float,
    far: float,
    drag: float,
    factor: float,
) -> Entries:
    """Write down that those who were `adrift`, these rows (k,), have `moved` (k, 2) since the frame before, NaN where
    that is not known, and correct their filters, as `stood` does; that proves nothing, and they were carried on for one
    frame more."""
