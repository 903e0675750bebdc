# cython: boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Loops over what was measured in a segment, for which calls of numpy track by track take several times longer.

What each is for says `row_loops.pyi`.
"""

import numpy as np

from libc.stdint cimport int64_t


def averaged(
    const Py_ssize_t[:] order,
    const int64_t[:] number,
    const int64_t[:] frame,
    const double[:, :] place,
    const double[:] variance,
    const double[:, :] size,
    const double[:] score,
):
    cdef Py_ssize_t most = order.shape[0], nth, row, axis, last = -1
    cdef double weight
    columns = (
        np.empty(most, np.int64),
        np.empty(most, np.int64),
        np.empty((most, 2)),
        np.empty(most),
        np.empty((most, 2)),
        np.empty(most),
    )
    cdef int64_t[::1] numbers = columns[0], frames = columns[1]
    cdef double[:, ::1] places = columns[2], sizes = columns[4]
    cdef double[::1] weights = columns[3], scores = columns[5]
    for nth in range(most):
        row = order[nth]
        if last < 0 or number[row] != numbers[last] or frame[row] != frames[last]:
            last += 1
            numbers[last] = number[row]
            frames[last] = frame[row]
            places[last, :] = 0
            weights[last] = 0
        weight = 1 / variance[row]
        weights[last] += weight
        for axis in range(2):
            places[last, axis] += weight * place[row, axis]
            sizes[last, axis] = size[row, axis]
        scores[last] = score[row]
    for row in range(last + 1):
        for axis in range(2):
            places[row, axis] /= weights[row]
        weights[row] = 1 / weights[row]
    return tuple([column[:last + 1] for column in columns])


cdef void _relax(
    const int64_t[:] frame,
    const double[:, :] place,
    const double[:] variance,
    Py_ssize_t start,
    Py_ssize_t end,
    double stiffness,
    double[:, ::1] path,
    double[:, ::1] bands,
) noexcept nogil:
    cdef Py_ssize_t count = frame[end - 1] - frame[start] + 1, row, nth, axis
    cdef double part
    path[:count, :] = 0
    bands[:count, :] = 0
    for row in range(count - 2):
        bands[row, 0] += stiffness
        bands[row + 1, 0] += 4 * stiffness
        bands[row + 2, 0] += stiffness
        bands[row, 1] -= 2 * stiffness
        bands[row + 1, 1] -= 2 * stiffness
        bands[row, 2] += stiffness
    for nth in range(start, end):
        row = frame[nth] - frame[start]
        bands[row, 0] += 1 / variance[nth]
        for axis in range(2):
            path[row, axis] = place[nth, axis] / variance[nth]
    for row in range(count - 1):
        part = bands[row, 1] / bands[row, 0]
        bands[row + 1, 0] -= part * bands[row, 1]
        for axis in range(2):
            path[row + 1, axis] -= part * path[row, axis]
        if row + 2 < count:
            bands[row + 1, 1] -= part * bands[row, 2]
            part = bands[row, 2] / bands[row, 0]
            bands[row + 2, 0] -= part * bands[row, 2]
            for axis in range(2):
                path[row + 2, axis] -= part * path[row, axis]
    for row in range(count - 1, -1, -1):
        for axis in range(2):
            path[row, axis] /= bands[row, 0]
            if row + 1 < count:
                path[row, axis] -= bands[row, 1] / bands[row, 0] * path[row + 1, axis]
            if row + 2 < count:
                path[row, axis] -= bands[row, 2] / bands[row, 0] * path[row + 2, axis]


cdef double _between(double one, double other, double share) noexcept nogil:
    return one + share * (other - one)


cdef Py_ssize_t _first_from(const int64_t[:] rising, Py_ssize_t start, Py_ssize_t end, int64_t least) noexcept nogil:
    cdef Py_ssize_t middle
    while start < end:
        middle = (start + end) // 2
        if rising[middle] < least:
            start = middle + 1
        else:
            end = middle
    return start


def since(
    const int64_t[:] number,
    const int64_t[:] frame,
    const double[:, :] place,
    const double[:] variance,
    const double[:, :] size,
    const double[:] score,
    const int64_t[:] asked,
    const double[:] stiffness,
    int64_t first,
    int64_t before,
    int64_t most_apart,
):
    cdef Py_ssize_t nth, start, end, row, after, axis, told = 0, most = 0, longest = 0
    cdef int64_t one, from_here
    cdef double share
    cdef Py_ssize_t[:, ::1] own = np.empty((asked.shape[0], 2), np.intp)
    for nth in range(asked.shape[0]):
        end = _first_from(number, 0, number.shape[0], asked[nth] + 1)
        start = _first_from(number, 0, end, asked[nth])
        start = _first_from(frame, start, end, first - before)
        own[nth, 0] = start
        own[nth, 1] = end
        if start < end:
            most += max(0, frame[end - 1] - first + 1)
            longest = max(longest, frame[end - 1] - frame[start] + 1)
    counts = np.empty(asked.shape[0], np.intp)
    columns = np.empty(most, np.int64), np.empty((most, 2)), np.empty((most, 2)), np.empty(most)
    cdef Py_ssize_t[::1] count = counts
    cdef int64_t[::1] frames = columns[0]
    cdef double[:, ::1] places = columns[1], sizes = columns[2]
    cdef double[::1] scores = columns[3]
    cdef double[:, ::1] path = np.empty((longest, 2)), bands = np.empty((longest, 3))
    for nth in range(asked.shape[0]):
        start, end = own[nth, 0], own[nth, 1]
        count[nth] = told
        if end - start >= 3 and frame[end - 1] >= first:
            _relax(frame, place, variance, start, end, stiffness[nth], path, bands)
        for after in range(_first_from(frame, start, end, first), end):
            from_here = frame[after]
            if after > start and frame[after] - frame[after - 1] <= most_apart:
                from_here = max(frame[after - 1] + 1, first)
            for one in range(from_here, frame[after] + 1):
                row, share = after, 0.0
                if one < frame[after]:
                    row = after - 1
                    share = <double> (one - frame[row]) / (frame[after] - frame[row])
                frames[told] = one
                for axis in range(2):
                    if end - start >= 3:
                        places[told, axis] = path[one - frame[start], axis]
                    else:
                        places[told, axis] = _between(place[row, axis], place[after, axis], share)
                    sizes[told, axis] = _between(size[row, axis], size[after, axis], share)
                scores[told] = _between(score[row], score[after], share)
                told += 1
        count[nth] = told - count[nth]
    return counts, *(column[:told] for column in columns)


def medians(const double[:, :] values, const Py_ssize_t[:] count):
    cdef Py_ssize_t group, nth, column, other, start = 0, longest = 0
    cdef double value
    for group in range(count.shape[0]):
        longest = max(longest, count[group])
    cdef double[::1] rising = np.empty(longest)
    found = np.empty((count.shape[0], values.shape[1]))
    cdef double[:, ::1] middle = found
    for group in range(count.shape[0]):
        for column in range(values.shape[1]):
            for nth in range(count[group]):
                # Sorted in as they come.
                value = values[start + nth, column]
                other = nth
                while other > 0 and rising[other - 1] > value:
                    rising[other] = rising[other - 1]
                    other -= 1
                rising[other] = value
            middle[group, column] = (rising[(count[group] - 1) // 2] + rising[count[group] // 2]) / 2
        start += count[group]
    return found
