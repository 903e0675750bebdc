"""Who plays for whom: two teams, their keepers and the referee, told by the colour of shirts and where people stay."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from wire.match import MatchSheet, Team
from wire.pitch_tracks import Role, TeamSide

Array = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

# Lightness differs with sun and shade more than hue does.
_WEIGHTS = np.array([0.6, 1.0, 1.0])
_ALIKE = 14.0
_STRANGER = 26.0
_CLEARLY = 0.6
_MOSTLY = 0.75
_HOME_SHARE = 0.7


@dataclass(frozen=True)
class People:
    """What is known of each of n people: median colour `lab` (n, 3), NaN when unknown; `weight` (n,) how long they were
    seen; `mean` and `spread` (n, 2) of where they were, metres; `early_x` (n,) mean x in the first seconds, NaN when
    they were not seen then."""

    lab: Array
    weight: Array
    mean: Array
    spread: Array
    early_x: Array


@dataclass(frozen=True)
class Kits:
    """The colours `lab` (2, 3) of the outfield shirts of home and away, and their `weight` (2,): the seconds for which
    they were seen, of all their wearers together."""

    lab: Array
    weight: Array

    def after(self, earlier: "Kits | None") -> "Kits":
        """These and the earlier ones in one, each for as long as it was seen."""
        if earlier is None:
            return self
        weight = self.weight + earlier.weight
        share = (self.weight / weight)[:, None]
        return Kits(self.lab * share + earlier.lab * (1 - share), weight)


@dataclass(frozen=True)
class Shirts:
    """The verdict per person: `team` 0 home, 1 away, -1 nobody's; `referee`; `keeper`. `kits` are the two teams', None
    when there are no two."""

    team: Ints
    referee: npt.NDArray[np.bool_]
    keeper: npt.NDArray[np.bool_]
    kits: Kits | None = None

    def role(self, person: int) -> tuple[Role, TeamSide]:
        """Role and team as pitch tracks name them."""
        if self.referee[person]:
            return Role.REFEREE, TeamSide.NONE
        return Role.PLAYER, (TeamSide.HOME, TeamSide.AWAY, TeamSide.NONE)[int(self.team[person])]


def classify(people: People, sheet: MatchSheet, worn: Kits | None = None) -> Shirts:
    """Sorts people into teams. The two commonest shirts are the teams'; a stranger to both who stays near a goal keeps
    it for the team that defends it; other strangers are referees. Whose shirts they are says the sheet, else what the
    teams have `worn` before, else where they start."""
    n = len(people.weight)
    team = np.full(n, -1, np.int64)
    modes = _two_modes(people)
    if modes is None:
        return Shirts(team, np.zeros(n, np.bool_), np.zeros(n, np.bool_))
    known = ~np.isnan(people.lab[:, 0])
    away = np.stack([_distance(people.lab, mode) for mode in modes], axis=1)
    nearest = np.where(known, np.argmin(np.where(np.isnan(away), np.inf, away), axis=1), -1)
    apart = float(_distance(modes[:1], modes[1])[0])
    strange = known & (away.min(axis=1) > min(_STRANGER, 0.6 * apart))
    outfield = known & ~strange
    team[outfield] = nearest[outfield]
    # The half that each team defends, from where its people are.
    middle = [
        np.average(people.mean[outfield & (nearest == t), 0], weights=people.weight[outfield & (nearest == t)] + 1e-9)
        if (outfield & (nearest == t)).any()
        else 0.0
        for t in (0, 1)
    ]
    left = int(middle[1] < middle[0])
    half = sheet.pitch.half_length
    deep = np.abs(people.mean[:, 0]) > half - 1.6 * sheet.pitch.form.penalty_area_depth
    deep &= np.abs(people.mean[:, 1]) < 0.5 * sheet.pitch.form.penalty_area_width + 3
    # Nobody else lives before a goal; further out a referee may be for a while.
    at_home = deep & (np.abs(people.mean[:, 0]) > half - _HOME_SHARE * sheet.pitch.form.penalty_area_depth)
    keeper = strange & deep & (at_home | (_of_alike(people, strange, deep) > _MOSTLY))
    team[keeper] = np.where(people.mean[keeper, 0] < 0, left, 1 - left)
    weight = np.array([people.weight[outfield & (nearest == t)].sum() for t in (0, 1)]) + 1e-9
    if _first_mode_is_away(modes, people, team, sheet, left, worn):
        team = np.where(team >= 0, 1 - team, team)
        modes, weight = modes[::-1], weight[::-1]
    return Shirts(team, strange & ~keeper, keeper, Kits(modes, weight))


def _of_alike(people: People, strange: npt.NDArray[np.bool_], deep: npt.NDArray[np.bool_]) -> Array:
    """For everybody the share of time that strangers in his colour stayed deep: a referee is sometimes there too."""
    out = np.zeros(len(strange))
    rows = np.flatnonzero(strange)
    for i in rows:
        alike = rows[_distance(people.lab[rows], people.lab[i]) < _ALIKE]
        weight = people.weight[alike] + 1e-9
        out[i] = weight[deep[alike]].sum() / weight.sum()
    return out


def sides(lab: Array, people: People) -> Ints:
    """Which of two teams' shirts each colour (m, 3) clearly is, 0 or 1 in no order; -1 where that is open."""
    out = np.full(len(lab), -1, np.int64)
    modes = _two_modes(people)
    if modes is None:
        return out
    off = np.stack([_distance(lab, mode) for mode in modes])
    apart = float(_distance(modes[:1], modes[1])[0])
    known = ~np.isnan(lab[:, 0])
    for t in (0, 1):
        out[known & (off[t] < _CLEARLY * off[1 - t]) & (off[t] < apart / 2)] = t
    return out


def _distance(lab: Array, mode: Array) -> Array:
    off = (lab - mode) * _WEIGHTS
    return np.asarray(np.sqrt((off**2).sum(axis=1)))


def _two_modes(people: People) -> Array | None:
    """The two commonest colours (2, 3), refined by two rounds of k-means; None when there are no two."""
    known = np.flatnonzero(~np.isnan(people.lab[:, 0]))
    if len(known) < 2:
        return None
    lab, weight = people.lab[known], people.weight[known] + 1e-9
    kernel = np.exp(-0.5 * (np.stack([_distance(lab, c) for c in lab]) / _ALIKE) ** 2)
    density = kernel @ weight
    first = int(np.argmax(density))
    rest = density * (_distance(lab, lab[first]) > 1.6 * _ALIKE)
    if rest.max() <= 0:
        rest = density * _distance(lab, lab[first])
    modes = lab[[first, int(np.argmax(rest))]]
    for _ in range(4):
        off = np.stack([_distance(lab, mode) for mode in modes])
        own = np.argmin(off, axis=0)
        near = off.min(axis=0) < 1.5 * _ALIKE
        for t in (0, 1):
            rows = near & (own == t)
            if rows.any():
                modes[t] = np.average(lab[rows], axis=0, weights=weight[rows])
    return np.asarray(modes)


def _first_mode_is_away(
    modes: Array, people: People, team: Ints, sheet: MatchSheet, left: int, worn: Kits | None
) -> bool:
    """Whether mode 0 is the away team: by the sheet's colours, else by those worn before, else by who starts in which
    half."""
    home, away = _lab_of(sheet.home), _lab_of(sheet.away)
    if home is not None and away is not None and float(_distance(home[None], away)[0]) > 10:
        # A cast common to both shirts drops out of the difference.
        return bool((((modes[0] - modes[1]) * (home - away)) @ _WEIGHTS) < 0)
    for lab, mine in ((home, 0), (away, 1)):
        if lab is not None:
            return int(np.argmin([_distance(modes[i : i + 1], lab)[0] for i in (0, 1)])) != mine
    if worn is not None:
        straight, crossed = (_distance(order, worn.lab).sum() for order in (modes, modes[::-1]))
        return bool(crossed < straight)
    starts = [
        np.nanmean(people.early_x[team == t]) if (~np.isnan(people.early_x[team == t])).any() else np.nan
        for t in (0, 1)
    ]
    first_left = int(starts[1] < starts[0]) if not np.isnan(starts).any() else left
    home_is = first_left if sheet.home_starts != "right" else 1 - first_left
    return home_is == 1


def _lab_of(team: Team) -> Array | None:
    """The colour `#rrggbb` as CIE Lab in OpenCV's 8-bit scaling; None when nobody entered it.

    sRGB to XYZ (D65) to Lab: IEC 61966-2-1 and CIE 15.
    """
    text = team.colour.lstrip("#")
    if len(text) != 6:
        return None
    try:
        rgb = np.array([int(text[i : i + 2], 16) for i in (0, 2, 4)]) / 255
    except ValueError:
        return None
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    to_xyz = np.array(
        [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
    )
    ratio = to_xyz @ linear / (0.950456, 1.0, 1.088754)
    f = np.where(ratio > 0.008856, np.cbrt(ratio), 7.787 * ratio + 16 / 116)
    return np.array([(116 * f[1] - 16) * 255 / 100, 500 * (f[0] - f[1]) + 128, 200 * (f[1] - f[2]) + 128])
