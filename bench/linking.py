"""How well detections are linked to tracklets: HOTA, IDF1 and the counts of CLEAR MOT over the frames of one camera."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import linear_sum_assignment

ALPHAS = np.arange(0.05, 0.99, 0.05)
"""Likenesses at which HOTA counts a match; it is the mean over all of them (Luiten et al. 2021)."""
LEAST_ALIKE = 0.5
"""From this likeness on IDF1 and the counts call a found box right."""
NEARLY = 1e-9

Ids = npt.NDArray[np.int64]
Likeness = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Compared:
    """One frame: ids of the true boxes (n,) and of the found ones (m,), and how alike they are (n, m), 0 to 1."""

    true: Ids
    found: Ids
    alike: Likeness


@dataclass(frozen=True)
class LinkScore:
    """`switches`: how often a person's id changes. `fragments`: how often a person is lost and found again."""

    hota: float
    det_a: float
    ass_a: float
    idf1: float
    mota: float
    recall: float
    precision: float
    switches: int
    fragments: int


def score(frames: Sequence[Compared]) -> LinkScore:
    """The scores of these successive frames; shares of nothing are 0."""
    true, found = (_numbered(getattr(frame, side) for frame in frames) for side in ("true", "found"))
    alike = [frame.alike for frame in frames]
    return LinkScore(*_hota(true, found, alike), _idf1(true, found, alike), *_clear(true, found, alike))


def _numbered(ids: Iterable[Ids]) -> list[Ids]:
    number: dict[int, int] = {}
    return [np.array([number.setdefault(one, len(number)) for one in now.tolist()], np.int64) for now in ids]


def _lives(true: list[Ids], found: list[Ids]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """In how many frames each true (n, 1) and each found id (1, m) is there."""
    long, short = (np.bincount(np.concatenate([*ids, []]).astype(np.int64)).astype(np.float64) for ids in (true, found))
    return long[:, None], short[None]


def _hota(true: list[Ids], found: list[Ids], alike: list[Likeness]) -> tuple[float, float, float]:
    lives, stretches = _lives(true, found)
    both = np.zeros((len(lives), stretches.shape[1]))
    for t, f, s in zip(true, found, alike, strict=True):
        either = s.sum(axis=0)[None] + s.sum(axis=1)[:, None] - s
        both[np.ix_(t, f)] += s / np.maximum(either, NEARLY)
    aligned = both / np.maximum(lives + stretches - both, NEARLY)
    hits = np.zeros(len(ALPHAS))
    together = np.zeros((len(ALPHAS), *both.shape))
    for t, f, s in zip(true, found, alike, strict=True):
        rows, columns = linear_sum_assignment(-aligned[np.ix_(t, f)] * s)
        right = s[rows, columns] >= ALPHAS[:, None] - NEARLY
        hits += right.sum(axis=1)
        for level, these in enumerate(right):
            together[level, t[rows[these]], f[columns[these]]] += 1
    det = hits / np.maximum(lives.sum() + stretches.sum() - hits, 1)
    linked = (together**2 / np.maximum(lives + stretches - together, 1)).sum(axis=(1, 2))
    ass = linked / np.maximum(hits, 1)
    return float(np.sqrt(det * ass).mean()), float(det.mean()), float(ass.mean())


def _idf1(true: list[Ids], found: list[Ids], alike: list[Likeness]) -> float:
    lives, stretches = _lives(true, found)
    both = np.zeros((len(lives), stretches.shape[1]))
    for t, f, s in zip(true, found, alike, strict=True):
        rows, columns = np.nonzero(s >= LEAST_ALIKE - NEARLY)
        np.add.at(both, (t[rows], f[columns]), 1)
    # Whoever is left without a partner adds nothing, so the pairs that have most in common are the best.
    common = both[linear_sum_assignment(-both)].sum()
    return float(2 * common / max(1, lives.sum() + stretches.sum()))


def _clear(true: list[Ids], found: list[Ids], alike: list[Likeness]) -> tuple[float, float, float, int, int]:
    known: dict[int, int] = {}
    now: dict[int, int] = {}
    hits = switches = fragments = 0
    for t, f, s in zip(true, found, alike, strict=True):
        # Whoever was right in the frame before stays so while he can.
        kept = s + 1000.0 * np.array([[now.get(i) == j for j in f.tolist()] for i in t.tolist()]).reshape(s.shape)
        rows, columns = linear_sum_assignment(-np.where(s >= LEAST_ALIKE - NEARLY, kept, 0))
        right = s[rows, columns] >= LEAST_ALIKE - NEARLY
        pairs = dict(zip(t[rows[right]].tolist(), f[columns[right]].tolist(), strict=True))
        hits += len(pairs)
        switches += sum(known.get(i, j) != j for i, j in pairs.items())
        fragments += sum(i in known and i not in now for i in pairs)
        # Who is out of sight in between has not been lost.
        now = {i: j for i, j in now.items() if i not in t} | pairs
        known |= pairs
    wanted, given = sum(map(len, true)), sum(map(len, found))
    mota = 1 - (wanted + given - 2 * hits + switches) / max(1, wanted)
    return mota, hits / max(1, wanted), hits / max(1, given), switches, fragments
