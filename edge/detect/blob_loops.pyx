# cython: boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Loops over blobs and boxes, for which calls of numpy one after the other take several times longer.

What each is for says `blob_loops.pyi`.
"""

import numpy as np

from libc.math cimport fabs
from libc.stdint cimport int32_t, int64_t, uint8_t

cdef enum:
    # So many pixels of a row are looked at together.
    STRETCH = 32


def find_runs(const uint8_t[:, ::1] mask, int32_t[:, ::1] runs, Py_ssize_t most):
    cdef Py_ssize_t height = mask.shape[0], width = mask.shape[1]
    cdef Py_ssize_t y, x, k, stop, count = 0, pixels = 0
    cdef uint8_t any_set
    with nogil:
        for y in range(height):
            x = 0
            while x < width:
                # Little of a picture moves: what is empty is passed over by many pixels at once.
                stop = min(x + STRETCH, width)
                if stop - x == STRETCH:
                    any_set = 0
                    for k in range(STRETCH):
                        any_set |= mask[y, x + k]
                    if not any_set:
                        x = stop
                        continue
                while x < stop:
                    if not mask[y, x]:
                        x += 1
                        continue
                    runs[count, 0] = <int32_t> y
                    runs[count, 1] = <int32_t> x
                    while x < width and mask[y, x]:
                        x += 1
                    runs[count, 2] = <int32_t> x
                    pixels += x - runs[count, 1]
                    count += 1
            if pixels > most:
                break
    return count if pixels <= most else -1


cdef int32_t _top(int32_t[::1] part, int32_t run) noexcept nogil:
    while part[run] != run:
        part[run] = part[part[run]]
        run = part[run]
    return run


def join(const int32_t[:, ::1] runs, int32_t[::1] part):
    cdef int32_t run, touching, one, other, above = 0, first = 0, count = 0, row = -1
    with nogil:
        for run in range(<int32_t> runs.shape[0]):
            part[run] = run
            if runs[run, 0] != row:
                # The row before begins where this one's predecessor began, unless it is empty.
                above = first if runs[run, 0] == row + 1 else run
                row = runs[run, 0]
                first = run
            while above < first and runs[above, 2] < runs[run, 1]:
                above += 1
            touching = above
            while touching < first and runs[touching, 1] <= runs[run, 2]:
                one = _top(part, touching)
                other = _top(part, run)
                part[max(one, other)] = min(one, other)
                touching += 1
        for run in range(<int32_t> runs.shape[0]):
            # The top of a part is its first run, which has its number already.
            if part[run] == run:
                part[run] = count
                count += 1
            else:
                part[run] = part[part[run]]
    return count


def measured(
    const int32_t[:, ::1] runs,
    const int32_t[::1] part,
    Py_ssize_t count,
    const uint8_t[:, ::1] luma,
    const uint8_t[:, ::1] behind,
):
    cdef Py_ssize_t run, of, y, x, x0, x1, more
    found = np.zeros((count, 8))
    found[:, :2] = np.inf
    cdef double[:, ::1] columns = found
    with nogil:
        for run in range(runs.shape[0]):
            y = runs[run, 0]
            x0 = runs[run, 1]
            x1 = runs[run, 2]
            of = part[run]
            columns[of, 0] = min(columns[of, 0], x0)
            columns[of, 1] = min(columns[of, 1], y)
            columns[of, 2] = max(columns[of, 2], x1)
            columns[of, 3] = max(columns[of, 3], y + 1)
            columns[of, 4] += (x1 - x0) * (x0 + x1) / 2.0
            columns[of, 5] += (x1 - x0) * (y + 0.5)
            columns[of, 6] += x1 - x0
            more = 0
            for x in range(x0, x1):
                if luma[y, x] > behind[y, x]:
                    more += luma[y, x] - behind[y, x]
            columns[of, 7] += more
        for of in range(count):
            columns[of, 4] /= columns[of, 6]
            columns[of, 5] /= columns[of, 6]
            columns[of, 7] /= columns[of, 6]
    return found


def shared(const double[:, :] a, const double[:, :] b):
    cdef Py_ssize_t one, other
    found = np.empty((a.shape[0], b.shape[0]))
    cdef double[:, ::1] share = found
    for one in range(a.shape[0]):
        for other in range(b.shape[0]):
            share[one, other] = over_union(
                a[one, 0], a[one, 1], a[one, 2], a[one, 3], b[other, 0], b[other, 1], b[other, 2], b[other, 3]
            )
    return found


def apart(const double[:, :] box, const double[:] score, double limit, const int64_t[:] kind=None):
    cdef Py_ssize_t nth, other, one, two, count = 0
    cdef double share
    cdef Py_ssize_t[::1] order = np.argsort(-np.asarray(score), kind="stable")
    rows = np.empty(box.shape[0], np.intp)
    cdef Py_ssize_t[::1] kept = rows
    for nth in range(box.shape[0]):
        one = order[nth]
        for other in range(count):
            two = kept[other]
            if kind is not None and kind[one] != kind[two]:
                continue
            share = over_union(
                box[one, 0], box[one, 1], box[one, 2], box[one, 3], box[two, 0], box[two, 1], box[two, 2], box[two, 3]
            )
            if share > limit:
                break
        else:
            kept[count] = one
            count += 1
    return rows[:count]


def whole_ones(
    const double[:, :] box,
    (double, double, double, double) region,
    (double, double) picture,
    (double, double) look,
    double edge,
):
    cdef Py_ssize_t row, side, count = 0
    cdef double share
    cdef double[4] start = [region[0], region[1], region[0], region[1]]
    cdef double[4] bound = [region[0], region[1], region[2], region[3]]
    cdef double[2] most = [look[0], look[1]]
    cdef double[2] full = [picture[0], picture[1]]
    cdef bint cut
    rows, home = np.empty(box.shape[0], np.intp), np.empty((box.shape[0], 4))
    cdef Py_ssize_t[::1] found = rows
    cdef double[:, ::1] placed = home
    for row in range(box.shape[0]):
        cut = False
        for side in range(4):
            share = (bound[2 + side % 2] - bound[side % 2]) / most[side % 2]
            placed[count, side] = min(max(box[row, side], 0.0), most[side % 2]) * share + start[side]
            if side < 2:
                cut |= placed[count, side] <= bound[side] + edge and bound[side] != 0
            else:
                cut |= placed[count, side] >= bound[side] - edge and bound[side] != full[side - 2]
        if not cut:
            found[count] = row
            count += 1
    return rows[:count], home[:count]


def upright(const double[:, :] box, const double[:] area, const double[:] tall, double least, double most):
    cdef Py_ssize_t blob
    cdef double width, height
    found = np.zeros(box.shape[0], np.uint8)
    cdef uint8_t[::1] fits = found
    for blob in range(box.shape[0]):
        width = box[blob, 2] - box[blob, 0]
        height = box[blob, 3] - box[blob, 1]
        fits[blob] = (
            least * tall[blob] < height < most * tall[blob]
            and 0.12 * height < width < 1.1 * height
            and area[blob] > 0.25 * max(width * height, 1.0)
        )
    return found.view(np.bool_)


def round_ones(
    const double[:, :] box,
    const double[:, :] centre,
    const double[:] area,
    const double[:] bright,
    (double, double, double) line,
    double least,
    double most,
    double flight,
    double pixel,
    double reach,
    Py_ssize_t swarm,
    Py_ssize_t limit,
):
    cdef Py_ssize_t blob, other, around, count = 0
    cdef double width, height, shorter, largest, far
    found = np.empty(box.shape[0], np.intp)
    cdef Py_ssize_t[::1] rows = found
    for blob in range(box.shape[0]):
        width = box[blob, 2] - box[blob, 0]
        height = box[blob, 3] - box[blob, 1]
        shorter = min(width, height)
        largest = most * tall_at(line, box[blob, 3] + flight)
        if not (
            least * tall_at(line, box[blob, 3]) < shorter < 1.6 * largest + 2 * pixel
            and max(width, height) < 4.0 * largest + 2 * pixel
            and bright[blob] > 12
            and area[blob] > 0.4 * max(width * height, 1.0)
        ):
            continue
        far = max(tall_at(line, box[blob, 3]), reach)
        around = 0
        for other in range(centre.shape[0]):
            around += (
                fabs(centre[blob, 0] - centre[other, 0]) < far and fabs(centre[blob, 1] - centre[other, 1]) < far
            )
        if around > swarm:
            continue
        # Sorted in as they come.
        other = count
        while other > 0 and bright[rows[other - 1]] < bright[blob]:
            rows[other] = rows[other - 1]
            other -= 1
        rows[other] = blob
        count += 1
    return found[: min(count, limit)]
