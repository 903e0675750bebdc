"""Where the fit of a rig begins: a pose per camera from clicks, from its lines alone, or from its neighbour's pose."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import product
from typing import NamedTuple

import numpy as np

from hub.calibrate.bearings import find_sights, turn_between
from hub.calibrate.clicked import Clicks, click_rms_px, click_term, first_poses
from hub.calibrate.crests import BORNE_OUT, CrestMap
from hub.calibrate.doubts import doubt
from hub.calibrate.least_squares import Term, minimise
from hub.calibrate.lens_jacobian import FittedCamera, with_lens
from hub.calibrate.lenses import BEND_SPREAD, BENDS, BENDS_AT_DEG, FIELDS_DEG, USUAL_BEND, usual_lens
from hub.calibrate.paint import Markings, White, find_paint, paint_term
from hub.calibrate.priors import LensBelief, lens_prior, measured_belief, stand_prior, usual_belief
from hub.calibrate.strokes import Ridges, Strokes, find_straights, find_strokes
from hub.calibrate.unaided import Guess, guess_poses, rays_by
from hub.calibrate.views import View
from hub.errors import PitchNotFound
from wire.pitch import Pitch
from wire.rig import Array, Lens

Heard = Callable[[str, float], None]

_WIDTH = 1920
_CLICKED_REACHES = (40.0, 40.0, 24.0, 12.0)
_CLICKED_LOOSE, _CLICKED_LOOSENED = (1.0, 1.0, 1.0, 1.0), (0.1, 0.1, 0.4, 1.0)
"""How free the lens is, pass by pass, as a share of what lenses differ by: badly spread clicks let a free one run away,
and one that is held at first may hold a pose off."""
_REACHES = (40.0, 24.0, 12.0)
"""How far from its prediction paint is looked for, pass by pass, in pixels at `_WIDTH`."""
_OFF_CLICKS_PX = 14.0
_FOUND = 0.3
"""Least share of the markings that must be found before a pose is drawn away from its clicks."""
_TOLD_LITTLE, _PLENTY = 0.6, 100.0
"""Borne out by less than this share of what bears out the surest camera, but no more than plenty: look again."""
_LEAST = 20.0
"""A rig whose surest pose is borne out by less may be one that should see next to nothing: true ones have 50 and more
over all difficulties of `simulator.scenes`; what is found in pictures of no pitch, or upside down, has 16 at most."""
_STRAIGHT = 4.0
"""What lines that are longer by a factor of e weigh against what lenses are usual."""
_TRIED, _TRIED_EACH = 4, 2
_RIVAL = 0.5
"""At most so many guesses are drawn onto the paint, for a known lens and for each of several, and none that is borne
out by less than this share of what bears out the best."""


class Freedom(NamedTuple):
    """How far a camera may be drawn: what its lens is taken for, its place, and the standard deviation of that."""

    lens: LensBelief
    stand_m: Array
    place_m: Array


_CLICKED_M, _GUESSED_M = np.array([30.0, 8.0, 4.0]), np.array([3.0, 3.0, 1.0])
_FOCAL, _KNOWN_FOCAL = 0.15, 0.03
_LOOSENED = (0.1, 0.4, 1.0)
"""A guess's lens is held at first: a wrong line within reach would bend it."""


@dataclass(frozen=True)
class Look:
    """One camera as the search sees it: its number, its view, the view's `whiteness` and its clicks."""

    index: int
    view: View
    white: White
    clicks: Clicks

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self.white.shape[1], self.white.shape[0]

    @property
    def known(self) -> bool:
        """Whether its field of view is."""
        return self.view.lens is not None

    @cached_property
    def measured(self) -> Lens | None:
        """Its lens, where one of its model was measured."""
        return self.view.measured

    def belief(self, focal_px: float, log_spread: float, share: float = 1.0) -> LensBelief:
        """What its lens is taken for: the one that was measured, else a usual one of that focal length; `share` of what
        such lenses differ by."""
        if self.measured is not None:
            return measured_belief(self.measured, self.size[0], share)
        return usual_belief(*self.size, focal_px, log_spread, share)

    def without_profile(self) -> "Look":
        """The same as if nobody had measured its lens."""
        return replace(self, view=self.view._replace(lens=self.view.nominal_fov_deg))

    @cached_property
    def found(self) -> tuple[Strokes, Ridges]:
        """What may be paint in the picture."""
        return find_strokes(self.white)

    @cached_property
    def crests(self) -> CrestMap:
        """Distances to what may be paint."""
        return CrestMap(self.found[1], *self.size)


def find_starts(looks: Sequence[Look], pitch: Pitch, painted: Markings, heard: Heard) -> list[FittedCamera]:
    """A pose for each camera of a rig: from its clicks where there are enough, else from its straight lines, or from
    the pose of a neighbour on the same mast where that fits better.

    Raises `PitchNotFound` or `ClicksFitNoCamera`.
    """
    random = np.random.default_rng(0)
    alone = [look for look in looks if not look.clicks.enough]
    bend = 0.0
    unmeasured = [look for look in alone if look.measured is None]
    if unmeasured:
        heard("how the lens bends lines", 0.0)
        bend = _bend(unmeasured, random)
    starts: list[Guess | None] = []
    for look in looks:
        heard(f"camera {look.index}: which line is which", (1 + look.index) / (2 + len(looks)))
        if look.clicks.enough:
            starts.append(_clicked(look, pitch, painted))
        else:
            starts.append(_unaided(look, _lenses(look, bend), pitch, painted, random))
    if alone and len(looks) > 1:
        heard("what neighbours both see", (1 + len(looks)) / (2 + len(looks)))
        starts = _shared(starts, looks, pitch, painted, random)
    surest = max((start.score for start in starts if start is not None), default=0.0)
    for look, start in zip(looks, starts, strict=True):
        if start is None or start.score <= 0:
            raise PitchNotFound(_not_found(look, pitch, doubt(look.view.picture)))
        doubtful = surest < _LEAST or look.crests.share(start.camera, painted) < BORNE_OUT
        if not look.clicks.enough and doubtful:
            reason = doubt(look.view.picture) or _upside_down(look, _lenses(look, bend), pitch, painted, random)
            raise PitchNotFound(_not_found(look, pitch, reason))
    return [start.camera for start in starts if start is not None]


def _not_found(look: Look, pitch: Pitch, reason: str) -> str:
    return (
        f"camera {look.index}: the lines of a {pitch.length_m:g}x{pitch.width_m:g} m pitch were not recognised in its "
        f"picture{f' ({reason})' if reason else ''}; click at least four points of the pitch in it that are far from "
        "each other, and not all on one line"
    )


def _upside_down(
    look: Look, lenses: Sequence[Lens], pitch: Pitch, painted: Markings, random: np.random.Generator
) -> str:
    """Says so where the pitch is recognised in the picture once that is turned round."""
    turned = Look(look.index, look.view, np.ascontiguousarray(look.white[::-1, ::-1]), look.clicks)
    found = _unaided(turned, lenses, pitch, painted, random)
    if found is not None and found.score >= _LEAST and turned.crests.share(found.camera, painted) >= BORNE_OUT:
        return "the camera hangs upside down"
    return ""


def _clicked(look: Look, pitch: Pitch, painted: Markings) -> Guess:
    """The pose that fits the clicks and that most of the markings bear out, drawn onto them; the first as it was if
    none is."""
    candidates = first_poses(look.view, look.index, look.clicks, pitch)
    best, share = candidates[0], _FOUND
    spread = 0.04 if look.known else 0.2
    for candidate, shares in product(candidates, (_CLICKED_LOOSE, _CLICKED_LOOSENED)):
        here = candidate
        for reach, held in zip(_CLICKED_REACHES, shares, strict=True):
            belief = look.belief(candidate.focal_px, spread * held, held)
            here = _drawn(here, look, painted, reach, Freedom(belief, candidate.centre_m, _CLICKED_M))
        scale = here.width_px / _WIDTH
        paint = find_paint(here, look.white, painted, _REACHES[-1] * scale)
        found = float((np.abs(paint.offset_px) < 2.0 * scale).sum()) / max(paint.expected, 1)
        # Lines of something else must not draw a pose away from what a person pointed at.
        if found > share and click_rms_px(here, look.clicks) < _OFF_CLICKS_PX * scale:
            best, share = here, found
    # What a person pointed at is surer than anything found without him.
    return Guess(best, np.inf)


def _unaided(
    look: Look,
    lenses: Sequence[Lens],
    pitch: Pitch,
    painted: Markings,
    random: np.random.Generator,
    stand_m: Array | None = None,
) -> Guess | None:
    """The pose, with one of these lenses and near `stand_m` (3,) where that is known, that the markings bear out best;
    None where no straight line lets one be guessed."""
    tried: list[Guess] = []
    for lens in lenses:
        guesses = [
            Guess(guess.camera, guess.score - _missed(look, guess.camera))
            for guess in guess_poses(look.view.node, lens, look.found[0], look.crests, pitch, painted, random, stand_m)
        ]
        guesses.sort(key=lambda guess: -guess.score)
        distinct: list[Guess] = []
        for guess in guesses:
            if len(distinct) == (_TRIED if len(lenses) == 1 else _TRIED_EACH):
                break
            if all(not _alike(guess.camera, other.camera) for other in distinct):
                distinct.append(guess)
        tried += distinct
    best = max((guess.score for guess in tried), default=0.0)
    near = [guess.camera for guess in tried if guess.score > _RIVAL * best]
    return _better(*(_snapped(camera, look, painted) for camera in near))


def _better(*starts: Guess | None) -> Guess | None:
    return max((start for start in starts if start is not None), key=lambda start: start.score, default=None)


def _missed(look: Look, camera: FittedCamera) -> float:
    """What clicks that are too few for a pose say against one."""
    if not len(look.clicks.points_m):
        return 0.0
    return float(np.minimum((click_term([camera], [look.clicks]).residuals ** 2).sum(axis=1) / 9.0, 50.0).sum())


def _alike(a: FittedCamera, b: FittedCamera) -> bool:
    return bool(np.linalg.norm(a.centre_m - b.centre_m) < 1.0 and np.abs(a.turn - b.turn).max() < 0.02)


def _bend(looks: Sequence[Look], random: np.random.Generator) -> float:
    """The k1 at `BENDS_AT_DEG` that makes straight lines longest, as far as they tell more than what is usual: the peak
    of a parabola through the best three."""
    totals = []
    for k1 in BENDS:
        total = 0.0
        for look in looks:
            lens = usual_lens(*look.size, BENDS_AT_DEG, k1)
            straights = find_straights(look.found[0], rays_by(lens), random, most=8, longest=300)
            total += float((straights.weight**2).sum())
        totals.append(_STRAIGHT * np.log(total + 1e-9) - ((k1 - USUAL_BEND) / BEND_SPREAD) ** 2 / 2)
    best = int(np.argmax(totals))
    if best in (0, len(BENDS) - 1):
        return BENDS[best]
    low, top, high = totals[best - 1 : best + 2]
    return float(BENDS[best] + 0.5 * (low - high) / (low - 2 * top + high) * (BENDS[best + 1] - BENDS[best]))


def _lenses(look: Look, bend: float) -> list[Lens]:
    """The lenses that the view may have: one where it was measured, or its field of view is known."""
    if look.measured is not None:
        return [look.measured]
    flat = usual_lens(*look.size, BENDS_AT_DEG, bend).focal_px
    out = []
    for fov in FIELDS_DEG if look.view.nominal_fov_deg is None else (look.view.nominal_fov_deg,):
        k1 = bend
        for _ in range(8):
            # What a line is bent by in the picture is k1 over the square of the focal length.
            k1 = bend * (usual_lens(*look.size, fov, k1).focal_px / flat) ** 2
        out.append(usual_lens(*look.size, fov, k1))
    return out


def _drawn(camera: FittedCamera, look: Look, painted: Markings, reach: float, free: Freedom) -> FittedCamera:
    """The camera drawn onto the paint within `reach` of where its pose predicts the markings, and onto its clicks."""
    paint = find_paint(camera, look.white, painted, reach * camera.width_px / _WIDTH)

    def terms(cameras: Sequence[FittedCamera]) -> list[Term]:
        return [
            click_term(cameras, [look.clicks], 4.0),
            lens_prior(cameras, [free.lens]),
            stand_prior(cameras, [free.stand_m], free.place_m),
            paint_term(cameras, [paint], max(1.5, reach / 10)),
        ]

    (here,), _, _ = minimise([camera], terms, 15)
    return here


def _snapped(camera: FittedCamera, look: Look, painted: Markings) -> Guess:
    """The guess drawn onto the paint, first its pose and then its lens as well, as far as that bears it out better."""
    spread = _KNOWN_FOCAL if look.known else _FOCAL
    best = Guess(camera, look.crests.support(camera, painted) - _missed(look, camera))
    here = camera
    for reach, share in zip(_REACHES, _LOOSENED, strict=True):
        free = Freedom(look.belief(camera.focal_px, spread * share, share), camera.centre_m, _GUESSED_M)
        here = _drawn(here, look, painted, reach, free)
        off = float(np.log(here.focal_px / camera.focal_px) / spread) ** 2
        start = Guess(here, look.crests.support(here, painted) - _missed(look, here) - off)
        if start.score > best.score:
            best = start
    # What should be seen and is not speaks against a pose, whatever else it explains.
    return Guess(best.camera, best.score * look.crests.share(best.camera, painted) ** 2)


def _shared(
    starts: Sequence[Guess | None],
    looks: Sequence[Look],
    pitch: Pitch,
    painted: Markings,
    random: np.random.Generator,
) -> list[Guess | None]:
    """The starts after the surest one was carried from neighbour to neighbour as if all stood on one mast, where the
    picture there bears that out better, and with that one's lens where a picture alone told little."""
    out = list(starts)
    surest = _better(*out)
    if surest is None:
        return out
    anchor = out.index(surest)
    # A rig's cameras are of one kind: the lens of the surest goes along with its pose, unless one was measured.
    found = surest.camera.camera_model().lens
    lenses = [look.measured or found for look in looks]
    sights = [find_sights(look.view.picture, rays_by(lens)) for look, lens in zip(looks, lenses, strict=True)]
    for step in (-1, 1):
        here: Guess | None = surest
        i = anchor + step
        while 0 <= i < len(looks):
            if looks[i].size != looks[anchor].size:
                # Another kind of camera: neither lens nor pose goes along.
                break
            turn = None if here is None else turn_between(sights[i - step], sights[i], random)
            if turn is not None and here is not None:
                carried = replace(here.camera, node=looks[i].view.node, turn=turn @ here.camera.turn)
                if looks[i].measured is not None:
                    carried = with_lens(carried, lenses[i])
                out[i] = _better(out[i], _snapped(carried, looks[i], painted))
            own = out[i]
            if own is None or own.score < _TOLD_LITTLE * min(surest.score, _PLENTY):
                stands = (None, surest.camera.centre_m)
                out[i] = _better(
                    own, *(_unaided(looks[i], [lenses[i]], pitch, painted, random, stand) for stand in stands)
                )
            here = out[i]
            i += step
    surer = _better(*out)
    # One that looked surest by itself may be the one that is wrong.
    return out if surer is surest else _shared(out, looks, pitch, painted, random)
