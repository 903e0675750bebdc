"""How far what was found lies from what was played: positions in metres, events by type.

The quick figures that tests and the bench print; the full scores (HOTA, IDF1, …) are the scorers' business.
"""

import csv
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy.optimize import linear_sum_assignment

GATE_M = 2.0
"""A found and a true position farther apart than this are not the same person."""
TOLERANCE_S = {"pass": 1.0, "ball_out": 1.0}
"""Seconds within which an event counts as found; 2 for the types not named."""

Positions = Mapping[int, npt.NDArray[np.float64]]


@dataclass(frozen=True)
class PositionScore:
    """Mean and 95th percentile of the error in metres over matched positions; shares of the true positions that were
    found and of the found that are true."""

    mean_m: float
    p95_m: float
    recall: float
    precision: float


@dataclass(frozen=True)
class EventScore:
    """True, found and matched events of one type, and the mean signed error in seconds (found minus true)."""

    true: int
    found: int
    matched: int
    mean_dt_s: float | None

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall."""
        return 2 * self.matched / (self.true + self.found) if self.true + self.found else 1.0


def read_positions(path: Path, kinds: Sequence[str], every: int = 5) -> dict[int, npt.NDArray[np.float64]]:
    """Positions (n, 2) of the given kinds in every `every`-th frame of a tracks CSV."""
    rows: dict[int, list[tuple[float, float]]] = defaultdict(list)
    with path.open() as file:
        for row in csv.DictReader(file):
            frame = int(row["frame"])
            if row["kind"] in kinds and frame % every == 0:
                rows[frame].append((float(row["x_m"]), float(row["y_m"])))
    return {frame: np.array(points) for frame, points in rows.items()}


def score_positions(true: Positions, found: Positions, gate_m: float = GATE_M) -> PositionScore:
    """Match positions frame by frame at the least total distance, none farther than `gate_m`."""
    errors: list[float] = []
    true_total = found_total = 0
    none = np.zeros((0, 2))
    for frame in set(true) | set(found):
        a, b = true.get(frame, none), found.get(frame, none)
        true_total += len(a)
        found_total += len(b)
        apart = np.linalg.norm(a[:, None] - b[None], axis=2)
        rows, columns = linear_sum_assignment(np.minimum(apart, 2 * gate_m))
        near = apart[rows, columns]
        errors.extend(near[near <= gate_m])
    return PositionScore(
        mean_m=float(np.mean(errors)) if errors else float("nan"),
        p95_m=float(np.percentile(errors, 95)) if errors else float("nan"),
        recall=len(errors) / max(1, true_total),
        precision=len(errors) / max(1, found_total),
    )


def read_events(path: Path) -> dict[str, list[float]]:
    """Times in seconds per type of an events CSV."""
    out: dict[str, list[float]] = defaultdict(list)
    with path.open() as file:
        for row in csv.DictReader(file):
            out[row["type"]].append(float(row["time_s"]))
    return out


def score_events(true: Mapping[str, Sequence[float]], found: Mapping[str, Sequence[float]]) -> dict[str, EventScore]:
    """Each type's score; pairs are taken nearest first, one to one, within the type's tolerance."""
    out = {}
    for kind in sorted(set(true) | set(found)):
        a, b = list(true.get(kind, ())), list(found.get(kind, ()))
        limit = TOLERANCE_S.get(kind, 2.0)
        pairs = sorted((abs(t - f), i, j) for i, t in enumerate(a) for j, f in enumerate(b) if abs(t - f) <= limit)
        used_a: set[int] = set()
        used_b: set[int] = set()
        errors = []
        for _, i, j in pairs:
            if i not in used_a and j not in used_b:
                used_a.add(i)
                used_b.add(j)
                errors.append(b[j] - a[i])
        out[kind] = EventScore(len(a), len(b), len(errors), float(np.mean(errors)) if errors else None)
    return out
