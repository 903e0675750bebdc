"""People on the pitch: from detections to one smooth path per player and referee."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hub.fuse.changes import split_by_shirt
from hub.fuse.following import pieces
from hub.fuse.ground import FRAMES_PER_SECOND, Points
from hub.fuse.linking import LONG, SHORT, link, match_colours, median_colours, merge_twins, renumber
from hub.fuse.shirts import Kits, People, Shirts, classify
from hub.fuse.smoothing import smooth
from wire.match import MatchSheet
from wire.pitch_tracks import Role, TeamSide

Array = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

BRIDGE_S = 3.0
_START_S = 5.0
_FLICKER_S = 1.0
_SIDELONG_M = 0.4
_LINE_SPREAD_M = 1.2
_LINE_S = 8.0
_CROWDED = 0.3
_ROOM_S = 3


@dataclass(frozen=True)
class Followed:
    """One person's or the ball's rows: `frame` (n,), `xy` (n, 2) metres, `seen` (n,) whether measured then."""

    role: Role
    team: TeamSide
    frame: Ints
    xy: Array
    seen: Flags


Rows = tuple[Ints, Array, Flags]


def follow_people(
    points: Points, sheet: MatchSheet, cameras: int, span: range, worn: Kits | None = None
) -> tuple[list[Followed], Kits | None]:
    """Everybody who plays or referees, each as one path over the frames of `span` as long as they could be followed;
    and the teams' colours. `worn` are those of earlier, which tell the teams apart where the sheet does not."""
    if not len(points):
        return [], None
    points, person = pieces(points, cameras)
    person = merge_twins(points, person)
    points = points.with_colours(match_colours(points, person, cameras))
    person = split_by_shirt(points, person, _people(points, person))
    for _ in range(2):
        person = merge_twins(points, link(points, person, SHORT))
    points, person = _without(points, person, _strangers(points, person, sheet))
    if not len(points):
        return [], None
    shirts = classify(_people(points, person), sheet, worn)
    person = merge_twins(points, link(points, person, LONG, _labels(shirts)))
    shirts = classify(_people(points, person), sheet, worn)
    keep = _squad(points, person, shirts, sheet)
    points, person = points.take(keep), renumber(person[keep])
    if not len(points):
        return [], None
    shirts = classify(_people(points, person), sheet, worn)
    out = []
    for i, (frame, xy, seen) in enumerate(_rows(points, person, span)):
        role, team = shirts.role(i)
        if len(frame):
            out.append(Followed(role, team, frame, xy, seen))
    return out, shirts.kits


def _labels(shirts: Shirts) -> Ints:
    """One label per kind of shirt, -1 for strangers, who may yet turn out to be each other."""
    return np.where(shirts.keeper, shirts.team + 2, shirts.team)


def _without(points: Points, person: Ints, drop: Flags) -> tuple[Points, Ints]:
    keep = ~drop[person]
    return points.take(keep), renumber(person[keep])


def _frames_seen(points: Points, person: Ints) -> Ints:
    """How many different frames each person was measured in."""
    frame = np.round(points.time).astype(np.int64)
    width = int(frame.max()) + 3
    unique = np.unique(person * width + frame + 1)
    return np.bincount(unique // width, minlength=int(person.max()) + 1)


def _strangers(points: Points, person: Ints, sheet: MatchSheet) -> Flags:
    """Flickers, and people who live beyond the lines: spectators, coaches, linesmen."""
    seen = _frames_seen(points, person)
    order = np.argsort(person, kind="stable")
    cuts = np.cumsum(np.bincount(person))[:-1]
    x, y = np.split(np.abs(points.xy[order, 0]), cuts), np.split(points.xy[order, 1], cuts)
    behind = np.array([np.median(part) for part in x]) - sheet.pitch.half_length
    beside = np.array([abs(np.median(part)) for part in y]) - sheet.pitch.half_width
    # Nobody plays for long without leaving the touchline.
    along = np.array([np.std(part) for part in y]) < _LINE_SPREAD_M
    lines = along & (beside > -_LINE_SPREAD_M) & (seen > _LINE_S * FRAMES_PER_SECOND)
    outside: Flags = (seen < 5) | (np.maximum(behind, beside) > _SIDELONG_M) | lines
    return outside


def _people(points: Points, person: Ints) -> People:
    count = int(person.max()) + 1
    lab = median_colours(points, person)
    number = np.bincount(person, minlength=count)
    mean = np.column_stack([np.bincount(person, points.xy[:, i]) / number for i in (0, 1)])
    square = np.column_stack([np.bincount(person, points.xy[:, i] ** 2) / number for i in (0, 1)])
    early = points.time < _START_S * FRAMES_PER_SECOND
    at_start = np.bincount(person[early], minlength=count)
    with np.errstate(invalid="ignore", divide="ignore"):
        early_x = np.where(at_start > 0, np.bincount(person[early], points.xy[early, 0], count) / at_start, np.nan)
    return People(
        lab=lab,
        weight=_frames_seen(points, person) / FRAMES_PER_SECOND,
        mean=mean,
        spread=np.sqrt(np.maximum(square - mean**2, 0)),
        early_x=early_x,
    )


def _squad(points: Points, person: Ints, shirts: Shirts, sheet: MatchSheet) -> Flags:
    """Which points (m,) are kept: at any moment no more than a full team each, one keeper among them, and one referee;
    those seen longest first, others only while there is room."""
    count = int(person.max()) + 1
    frame = np.floor(points.time / FRAMES_PER_SECOND).astype(np.int64)
    frame -= frame.min()
    presence = np.zeros((count, int(frame.max()) + 1), np.bool_)
    presence[person, frame] = True
    seen = _frames_seen(points, person)
    full = sheet.pitch.players
    room = {
        (False, 0, False): full - int((shirts.keeper & (shirts.team == 0)).any()),
        (False, 1, False): full - int((shirts.keeper & (shirts.team == 1)).any()),
        (True, 0, False): 1,
        (True, 1, False): 1,
        (False, -1, True): 1,
        (False, -1, False): 0,
    }
    taken = {kind: np.zeros(presence.shape[1], np.int64) for kind in room}
    keep = np.zeros(presence.shape, np.bool_)
    for i in np.argsort(-seen):
        kind = (bool(shirts.keeper[i]), int(shirts.team[i]), bool(shirts.referee[i]))
        if seen[i] < _FLICKER_S * FRAMES_PER_SECOND:
            continue
        crowded = presence[i] & (taken[kind] >= room[kind])
        keep[i] = presence[i]
        if crowded.sum() > _CROWDED * presence[i].sum():
            keep[i] &= ~crowded
            keep[i] = keep[i] if keep[i].sum() >= _ROOM_S else False
        taken[kind] += keep[i]
    out: Flags = keep[person, frame]
    return out


def _rows(points: Points, person: Ints, span: range) -> list[Rows]:
    """Every person's frames, smoothed; gaps longer than `BRIDGE_S` stay empty."""
    order = np.lexsort((points.time, person))
    points, person = points.take(order), person[order]
    new = np.diff(person, prepend=-1) != 0
    stretch = np.cumsum(new | (np.diff(points.time, prepend=0.0) > BRIDGE_S * FRAMES_PER_SECOND)) - 1
    paths = smooth(stretch, points.time, points.xy, points.cov)
    owner = person[np.flatnonzero(np.diff(stretch, prepend=-1))]
    measured = np.round(points.time).astype(np.int64)
    cuts = np.cumsum(np.bincount(stretch))[:-1]
    parts: list[list[Rows]] = [[] for _ in range(int(person.max()) + 1)]
    for s, mine in enumerate(np.split(measured, cuts)):
        frame, xy = paths.of(s)
        near = np.concatenate([mine - 1, mine, mine + 1])
        inside = (frame >= span.start) & (frame < span.stop)
        parts[owner[s]].append((frame[inside], xy[inside], np.isin(frame, near)[inside]))
    out = []
    for rows in parts:
        frame, xy, seen = (np.concatenate(column) for column in zip(*rows, strict=True))
        # Two stretches may share the frame between them.
        _, first = np.unique(frame, return_index=True)
        out.append((frame[first], xy[first], seen[first]))
    return out
