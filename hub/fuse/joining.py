"""Joining the spells of a match: whoever was followed in two that overlap is known again by having been in the same
places."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from scipy.optimize import linear_sum_assignment

from hub.fuse.ground import FRAMES_PER_SECOND
from hub.fuse.people import Followed
from wire.pitch_tracks import PitchTracks, Role, TeamSide, Track

Array = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_SAME_M = 1.0
_LEAST_FRAMES = 25
_SHARE = 0.5
"""Of the frames in which two spells both know somebody: less in the same place and they are two."""


@dataclass
class _Path:
    """Somebody's or the ball's way so far: what is certain, in small columns (frames, positions, seen), and the latest
    rows, which the next spell may tell better."""

    role: Role
    team: TeamSide
    certain: list[tuple[npt.NDArray[np.int32], npt.NDArray[np.float32], npt.NDArray[np.bool_]]] = field(
        default_factory=list
    )
    latest: Followed | None = None

    def settle(self, before: int | None = None) -> None:
        """The latest rows are certain up to the frame `before`, and those after it are another's to tell."""
        if self.latest is None:
            return
        stop = int(np.searchsorted(self.latest.frame, before)) if before is not None else len(self.latest.frame)
        if stop:
            rows = slice(0, stop)
            self.certain.append(
                (
                    self.latest.frame[rows].astype(np.int32),
                    self.latest.xy[rows].astype(np.float32),
                    self.latest.seen[rows].copy(),
                )
            )
        self.latest = None

    @property
    def rows(self) -> int:
        """How many rows are certain."""
        return sum(len(frame) for frame, _, _ in self.certain)


class Joined:
    """The paths of a whole match, from those of one spell after another; there is one ball."""

    def __init__(self) -> None:
        self._paths: list[_Path] = []

    def add(self, followed: Sequence[Followed], seam: int) -> None:
        """What the next spell found; its rows count from the frame `seam` on, those of the spell before up to it."""
        open_paths = [path for path in self._paths if path.latest is not None]
        ball = next((path for path in self._paths if path.role is Role.BALL), None)
        known = _known_again([path.latest for path in open_paths if path.latest is not None], followed)
        for ended in open_paths:
            ended.settle(seam)
        for new, old in zip(followed, known, strict=True):
            rows = slice(int(np.searchsorted(new.frame, seam)), None)
            if not len(new.frame[rows]):
                continue
            path = ball if new.role is Role.BALL else open_paths[old] if old >= 0 else None
            if path is None:
                path = _Path(new.role, new.team)
                self._paths.append(path)
            path.latest = Followed(new.role, new.team, new.frame[rows], new.xy[rows], new.seen[rows])

    def tracks(self, start_ns: int) -> PitchTracks:
        """All that was added, as tracks from rig time `start_ns`: home, away, referees, the ball. Nothing can be added
        afterwards."""
        for path in self._paths:
            path.settle()
        paths = [path for path in self._paths if path.rows]
        paths.sort(key=lambda p: (p.role is Role.BALL, p.role is Role.REFEREE, p.team is not TeamSide.HOME))
        self._paths = []
        edges = np.concatenate([[0], np.cumsum([path.rows for path in paths])]).astype(np.int64)
        out = PitchTracks(
            start_ns=start_ns,
            frames_per_second=FRAMES_PER_SECOND,
            tracks=tuple(Track(i + 1, path.role, path.team) for i, path in enumerate(paths)),
            frame=np.empty(edges[-1], np.int64),
            track=np.repeat(np.arange(1, len(paths) + 1), np.diff(edges)),
            xy=np.empty((edges[-1], 2)),
            seen=np.empty(edges[-1], np.bool_),
        )
        for path, first, last in zip(paths, edges[:-1], edges[1:], strict=True):
            for column, parts in zip((out.frame, out.xy, out.seen), zip(*path.certain, strict=True), strict=True):
                column[first:last] = np.concatenate(parts)
            path.certain.clear()
        return out


def _known_again(before: Sequence[Followed], after: Sequence[Followed]) -> list[int]:
    """For each path of a spell the one of the spell before that is the same person's, -1 for none: one of the same team
    that was in the same places while both are known."""
    if not before or not after:
        return [-1] * len(after)
    first = min(int(path.frame[0]) for path in after)
    frames = max(int(path.frame[-1]) for path in before) + 1 - first
    if frames <= 0:
        return [-1] * len(after)
    old, new = (np.stack([_dense(path, first, frames) for path in paths]) for paths in (before, after))
    near, both = (np.zeros((len(before), len(after)), np.int64) for _ in range(2))
    for i, path in enumerate(before):
        gap = np.hypot(*np.moveaxis(new - old[i], -1, 0))
        alike = np.array([(path.role, path.team) == (other.role, other.team) for other in after])
        near[i], both[i] = (gap < _SAME_M).sum(axis=1) * alike, (~np.isnan(gap)).sum(axis=1)
    near[(near < _LEAST_FRAMES) | (near < _SHARE * both)] = 0
    rows, columns = linear_sum_assignment(near, maximize=True)
    out = np.full(len(after), -1)
    good = near[rows, columns] > 0
    out[columns[good]] = rows[good]
    return [int(i) for i in out]


def _dense(path: Followed, first: int, frames: int) -> Array:
    """The path's positions (frames, 2) from frame `first` on, NaN where it is not known."""
    out = np.full((frames, 2), np.nan)
    inside = (path.frame >= first) & (path.frame < first + frames)
    out[path.frame[inside] - first] = path.xy[inside]
    return out
