"""What the loops of `ball_loops.pyx` are for; set-up compiles them.

`balls` are `edge.track.ball.HYPOTHESIS` (n,), their filters `place`, `speed` and `cov` as `edge.track.paths.Paths` has
them. `line` is `edge.detect.stature.Stature.line`. `persons` are boxes (m, 4). `Entries` are what a journal is told of
what was measured; their variances are of so many diameters' `error`, and `least`.
"""

import numpy as np
import numpy.typing as npt

from edge.detect.detector import Floats

Flags = npt.NDArray[np.bool_]
Frames = npt.NDArray[np.int64]
Rows = npt.NDArray[np.intp]
Records = npt.NDArray[np.void]
Entries = tuple[Frames, Floats, Floats, Floats, Floats]
Line = tuple[float, float, float]

def bend_and_step(frame: Frames, place: Floats) -> tuple[float, float]:
    """The median change of speed between three neighbours of the places (n, 2) in rising frames (n,), n at least 3, and
    the mean speed over them all, in px per frame."""

def scores(balls: Records) -> Floats:
    """How much speaks for each (n,) being the ball: what the network saw, how white it is, how long its path."""

def flown(
    balls: Records,
    place: Floats,
    speed: Floats,
    cov: Floats,
    frame: int,
    at_rest: float,
    hits: int,
    patience: int,
    patience_at_rest: int,
    line: Line,
    share: float,
    nearer: float,
    acceleration: float,
    drag: float,
) -> Flags:
    """Move the filters on to this frame, the standard deviation of `acceleration` in heights of a person per frame². A
    person beside a ball is as tall as on the ground there; taller by its diameter, which is this `share` of his height,
    but at most `nearer` times.

    Which balls (n,) were not measured for so long by now that they are given up: more than `patience` frames for one
    that is believed or was seen by the network, `patience_at_rest` for one that lies where it was seen, slower than so
    many diameters a frame; two for any other of less than so many `hits`, else four.
    """

def candidates(
    box: Floats,
    score: Floats,
    persons: Floats,
    by_network: bool,
    line: Line,
    share: float,
    nearer: float,
    on_ground: tuple[float, float],
    shirt: float,
    body: float,
    shin: tuple[float, float],
    beside: float,
) -> Floats:
    """What there is to be known of boxes (k, 4) that may show the ball, for `costs`, `taken`, `unclaimed` and `born`.

    One in the upper part `shirt` of a person's box is part of a shirt, one in the part `body` at somebody's body, as is
    for the network one at a `shin`, between these shares of the height and so many heights `beside` the box. Between
    these shares of the size that is expected there one lies on the ground.
    """

def costs(
    balls: Records,
    place: Floats,
    speed: Floats,
    cov: Floats,
    found: Floats,
    gate: float,
    share: float,
    furthest: float,
    passing: float,
    never: float,
) -> Floats:
    """What it costs (n, k) that each ball goes on with each of the `candidates`: the way there as a share of how far it
    may be, 2 less for a believed one, `never` beyond that.

    It may be `gate` standard deviations away and `share` of a person's height, but no more than `furthest` heights; a
    newborn always that. With a shirt only a believed one goes on that passes by faster than so many heights a frame.
    """

def taken(
    balls: Records,
    place: Floats,
    speed: Floats,
    cov: Floats,
    rows: Rows,
    found: Floats,
    columns: Rows,
    by_network: bool,
    apart: int,
    frame: int,
    error: float,
    least: float,
    memory: int,
    share: float,
) -> Entries:
    """Write down that these rows (j,) were measured in this frame as these `columns` (j,) of the candidates, and
    correct their filters; the second measurement tells how fast one is. Diameter and whiteness take in this `share` of
    what is new. The network's sightings of one count when they are so many frames `apart`. Whenever `memory`
    measurements are counted, all counts of them are halved."""

def spotted(
    balls: Records,
    place: Floats,
    speed: Floats,
    cov: Floats,
    rows: Rows,
    centre: Floats,
    persons: Floats,
    shirt: float,
    body: float,
    passing: float,
    frame: int,
    error: float,
    least: float,
    memory: int,
) -> tuple[Rows, Entries]:
    """The same of rows that were found at the `centre` (j, 2; NaN where it was not) by looking closely: of those that
    are not part of a shirt, as in `candidates`, or pass by as in `costs`; their rows come first."""

def unclaimed(found: Floats, columns: Rows, most: int) -> Rows:
    """At most so many of the candidates that are no shirt and not among these `columns`, strongest first."""

def born(
    balls: Records,
    found: Floats,
    rows: Rows,
    number: int,
    by_network: bool,
    frame: int,
    error: float,
    least: float,
) -> Entries:
    """Fill in blank `balls` (j,), numbered from `number` on, with these rows (j,) of the candidates."""

def sought(
    balls: Records, place: Floats, cov: Floats, frame: int, frames: int, most: int, furthest: float
) -> tuple[Rows, Floats]:
    """Rows of at most so many that were last measured before this frame, by at most so many `frames`, and are believed
    or were once a blob by themselves: the believed first, the oftener alone first. What each is looked for by, as
    `edge.track.spot.spots` wants it; at most so far from where it should be: two standard deviations and half a
    diameter, but at most so many heights of a person; and a diameter for the ball itself."""

def socks(
    balls: Records,
    place: Floats,
    persons: Floats,
    frame: int,
    shin: tuple[float, float],
    beside: float,
    share: float,
    most: float,
) -> Flags:
    """Count for those measured in this frame with the `share` that one frame has whether they are on a shin, as in
    `candidates`; which (n,) were there for at least the share `most` of their life."""
