"""Where a path changes its shirt: nobody does, so there one person was taken for another."""

import numpy as np
import numpy.typing as npt

from hub.fuse.ground import Points
from hub.fuse.linking import renumber
from hub.fuse.shirts import People, sides

Ints = npt.NDArray[np.int64]

_CLEAR = 12
"""So many points of one shirt make a segment's colour clear."""
_MAJORITY = 0.75


def split_by_shirt(points: Points, person: Ints, people: People) -> Ints:
    """The groups (m,) cut between segments that clearly show one team's shirt and those that clearly show the
    other's; `people` describes the groups."""
    side = sides(points.lab, people)
    if (side < 0).all():
        return person
    width = int(points.segment.max()) + 1
    cell, back = np.unique(person * width + points.segment, return_inverse=True)
    count = [np.bincount(back[side == t], minlength=len(cell)) for t in (0, 1)]
    total = np.maximum(count[0] + count[1], 1)
    shown = np.full(len(cell), -1)
    for t in (0, 1):
        shown[(count[t] >= _CLEAR) & (count[t] > _MAJORITY * total)] = t
    # Cells are ordered by group, then time: an unclear one goes with what was before it.
    group = cell // width
    part = np.zeros(len(cell), np.int64)
    last = -1
    for i in range(len(cell)):
        if i == 0 or group[i] != group[i - 1]:
            last = -1
        else:
            part[i] = part[i - 1]
        if shown[i] >= 0:
            part[i] += last >= 0 and shown[i] != last
            last = int(shown[i])
    return renumber(person * (int(part.max()) + 1) + part[back])
