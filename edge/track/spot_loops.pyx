# cython: boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Loops over the pixels of small windows, for which calls of numpy and OpenCV one after the other take several times
longer.

What each is for says `spot_loops.pyi`.
"""

import numpy as np

from libc.math cimport INFINITY, NAN, ceil, floor, rint, sqrt, sqrtf
from libc.stdint cimport int32_t, int64_t, uint8_t

from edge.detect.loops cimport _peak

cdef extern from *:
    """
    /* Nothing else points there: without knowing that, the compiler takes the numbers one by one. */
    typedef float *__restrict floats_out;
    typedef int *__restrict ints_out;
    """
    ctypedef float* floats_out
    ctypedef int32_t* ints_out

cdef enum:
    TOGETHER = 4  # So many runs are added at once: what is made of them is read and written less often.


def spots(
    const uint8_t[:, ::1] luma,
    const uint8_t[:, ::1] behind,
    int factor,
    const double[:] sway,
    const double[:, ::1] wanted,
    list discs,
    double distance,
    double alike,
    double drop,
    double contrast,
):
    cdef Py_ssize_t height = luma.shape[0], width = luma.shape[1], row
    cdef double widest = 0, x, y, reach, x0, y0, x1, y1
    cdef (double, double) centre
    cdef const float[:, ::1] disc
    for row in range(wanted.shape[0]):
        widest = max(widest, wanted[row, 2])
    cdef _Window window = _Window(
        <Py_ssize_t> min(2 * widest + 2, height), <Py_ssize_t> min(2 * widest + 2, width), max(map(len, discs), default=0)
    )
    found = np.empty((wanted.shape[0], 2))
    cdef double[:, ::1] spot = found
    for row in range(wanted.shape[0]):
        spot[row, 0] = spot[row, 1] = NAN
        disc = discs[row]
        x = wanted[row, 0] + sway[0]
        y = wanted[row, 1] + sway[1]
        reach = wanted[row, 2]
        x0 = max(floor(x - reach), 0.0)
        y0 = max(floor(y - reach), 0.0)
        x1 = min(ceil(x + reach), <double> width)
        y1 = min(ceil(y + reach), <double> height)
        if not (x1 - x0 >= disc.shape[0] + 2 and y1 - y0 >= disc.shape[0] + 2):
            continue
        with nogil:
            window.show(luma, <Py_ssize_t> x0, <Py_ssize_t> y0, <Py_ssize_t> x1, <Py_ssize_t> y1, behind, factor, sway)
            if window.brightest < contrast:
                continue
            window.compare(disc)
            centre = window.nearest(wanted[row, 3], x - x0, y - y0, distance, alike, drop, contrast)
            spot[row, 0] = centre[0] + x0 - sway[0]
            spot[row, 1] = centre[1] + y0 - sway[1]
    return found


cdef int _levels(
    floats_out front, const uint8_t* luma, const float* upper, const float* lower, float part, Py_ssize_t width
) noexcept nogil:
    """By how much a row of luma is brighter than what lies between two rows behind it; the most."""
    cdef Py_ssize_t x
    cdef int whole, most = 0
    for x in range(width):
        whole = <int> (luma[x] - (upper[x] + part * (lower[x] - upper[x])) + <float> 0.5)
        whole = max(whole, 0)
        most = max(most, whole)
        front[x] = <float> whole
    return most


cdef void _down(floats_out below, const float* above, const float* row, Py_ssize_t width) noexcept nogil:
    cdef Py_ssize_t x
    for x in range(width):
        below[x] = above[x] + row[x]


cdef void _add(
    floats_out into, const float* sums, const int32_t* top, const int32_t* bottom, const float* weight, Py_ssize_t width
) noexcept nogil:
    """Add to each place the differences between the sums so many places further, `TOGETHER` of them weighed."""
    cdef Py_ssize_t x
    for x in range(width):
        into[x] += (
            weight[0] * (sums[bottom[0] + x] - sums[top[0] + x])
            + weight[1] * (sums[bottom[1] + x] - sums[top[1] + x])
            + weight[2] * (sums[bottom[2] + x] - sums[top[2] + x])
            + weight[3] * (sums[bottom[3] + x] - sums[top[3] + x])
        )


cdef void _slide(
    ints_out totals, ints_out squares, const float* come, const float* gone, Py_ssize_t width
) noexcept nogil:
    cdef Py_ssize_t x
    cdef int32_t new, old
    for x in range(width):
        new = <int32_t> come[x]
        old = <int32_t> gone[x]
        totals[x] += new - old
        squares[x] += new * new - old * old


cdef void _norm(
    floats_out match, const double* total, const double* square, double share, float mean, float own, Py_ssize_t width
) noexcept nogil:
    cdef Py_ssize_t x
    cdef float spread
    for x in range(width):
        # Of whole numbers and in doubles: a float would lose what is left of the squares.
        spread = <float> (square[x] - share * (total[x] * total[x]))
        match[x] = (match[x] - mean * <float> total[x]) / (own * sqrtf(spread)) if spread > 1 else 0


cdef class _Window:
    """Room for windows of at most so many rows and columns, one after the other, and for discs of at most that side."""

    cdef Py_ssize_t height, width, side, stride
    cdef int brightest
    cdef float[:, ::1] front, sums, match, scene
    cdef float[::1] line, across, weight
    cdef double[::1] total, square
    cdef int32_t[::1] left, totals, squares, top, bottom

    def __init__(self, Py_ssize_t height, Py_ssize_t width, Py_ssize_t side):
        # A scene of the same size may need three more rows and columns on which nothing of the window lies.
        self.stride = width + 3
        cdef float[:, ::1] room = np.empty((4 * height + 6, self.stride), np.float32)
        cdef double[:, ::1] moments = np.empty((2, width))
        cdef int32_t[:, ::1] columns = np.empty((3, width), np.int32)
        cdef int32_t[:, ::1] runs = np.empty((2, side * side + TOGETHER), np.int32)
        self.front = room[:height]
        self.match = room[height : 2 * height]
        self.sums = room[2 * height : 3 * height + 1]
        self.scene = room[3 * height + 1 : 4 * height + 4]
        self.line = room[4 * height + 4]
        self.across = room[4 * height + 5]
        self.total = moments[0]
        self.square = moments[1]
        self.left = columns[0]
        self.totals = columns[1]
        self.squares = columns[2]
        self.top = runs[0]
        self.bottom = runs[1]
        self.weight = np.empty(side * side + TOGETHER, np.float32)

    cdef void show(
        self,
        const uint8_t[:, ::1] luma,
        Py_ssize_t x0,
        Py_ssize_t y0,
        Py_ssize_t x1,
        Py_ssize_t y1,
        const uint8_t[:, ::1] behind,
        int factor,
        const double[:] sway,
    ) noexcept nogil:
        """Fill `front` (h, w) with the levels by which that part of luma is brighter than what lies behind it."""
        cdef Py_ssize_t last_row = behind.shape[0] - 1, last_column = behind.shape[1] - 1
        cdef Py_ssize_t first = <Py_ssize_t> floor((x0 - sway[0] + 0.5) / factor - 0.5)
        cdef Py_ssize_t end = <Py_ssize_t> floor((x1 - sway[0] + 0.5) / factor - 0.5) + 2
        cdef Py_ssize_t upper = <Py_ssize_t> floor((y0 - sway[1] + 0.5) / factor - 0.5), row = upper, shown = upper
        cdef Py_ssize_t y, x, column, inside
        cdef float down
        self.height = y1 - y0
        self.width = x1 - x0
        self.brightest = 0
        for x in range(self.width):
            down = <float> ((x0 + x - sway[0] + 0.5) / factor - 0.5)
            self.left[x] = <int32_t> (<Py_ssize_t> floor(down) - first)
            self.across[x] = <float> (down - floor(down))
        for y in range(self.height):
            down = <float> ((y0 + y - sway[1] + 0.5) / factor - 0.5)
            upper = <Py_ssize_t> floor(down)
            while shown <= upper + 1:
                inside = min(max(shown, 0), last_row)
                for column in range(first, end):
                    self.line[column - first] = behind[inside, min(max(column, 0), last_column)]
                for x in range(self.width):
                    self.scene[shown - row, x] = self.line[self.left[x]] + self.across[x] * (
                        self.line[self.left[x] + 1] - self.line[self.left[x]]
                    )
                shown += 1
            self.brightest = max(
                self.brightest,
                _levels(
                    &self.front[y, 0], &luma[y0 + y, x0], &self.scene[upper - row, 0], &self.scene[upper - row + 1, 0],
                    <float> (down - floor(down)), self.width,
                ),
            )

    cdef void compare(self, const float[:, ::1] disc) noexcept nogil:
        """Fill `match` (h - side + 1, w - side + 1): the correlation of the disc with each square in `front`, 0 where
        that is even."""
        cdef Py_ssize_t side = disc.shape[0], rows = self.height - side + 1, columns = self.width - side + 1
        cdef Py_ssize_t y, x, row, nth, first, end, count = 0
        cdef double mean = 0, own = 0, share = 1.0 / (side * side)
        cdef int64_t total, square
        self.side = side
        # Differences of these whole numbers are the sums of runs, without an error.
        self.sums[0, : self.width] = 0
        for y in range(self.height):
            _down(&self.sums[y + 1, 0], &self.sums[y, 0], &self.front[y, 0], self.width)
        # A column of the disc is a few runs of pixels that are alike.
        for x in range(side):
            end = 0
            while end < side:
                first = end
                while end < side and disc[end, x] == disc[first, x]:
                    end += 1
                if disc[first, x] > 0:
                    self.top[count] = <int32_t> (first * self.stride + x)
                    self.bottom[count] = <int32_t> (end * self.stride + x)
                    self.weight[count] = disc[first, x]
                    mean += share * disc[first, x] * (end - first)
                    own += disc[first, x] * disc[first, x] * (end - first)
                    count += 1
        own -= mean * mean / share
        while count % TOGETHER > 0:
            self.top[count] = self.bottom[count] = 0
            self.weight[count] = 0
            count += 1
        for y in range(rows):
            self.match[y, :columns] = 0
            for nth in range(count // TOGETHER):
                first = nth * TOGETHER
                _add(
                    &self.match[y, 0], &self.sums[y, 0], &self.top[first], &self.bottom[first], &self.weight[first],
                    columns,
                )
        self.totals[: self.width] = 0
        self.squares[: self.width] = 0
        for y in range(self.height):
            _slide(
                &self.totals[0], &self.squares[0], &self.front[y, 0],
                &self.front[y - side, 0] if y >= side else &self.sums[0, 0], self.width,
            )
            row = y - side + 1
            if row < 0:
                continue
            total = square = 0
            for x in range(side - 1):
                total += self.totals[x]
                square += self.squares[x]
            for x in range(columns):
                total += self.totals[x + side - 1]
                square += self.squares[x + side - 1]
                self.total[x] = <double> total
                self.square[x] = <double> square
                total -= self.totals[x]
                square -= self.squares[x]
            _norm(
                &self.match[row, 0], &self.total[0], &self.square[0], share, <float> mean, <float> sqrt(own), columns
            )

    cdef (double, double) nearest(
        self,
        double diameter,
        double expected_x,
        double expected_y,
        double distance,
        double alike,
        double drop,
        double contrast,
    ) noexcept nogil:
        """Where in the window the disc is whose likeness laid everywhere is `match`; NaN where it is none."""
        cdef float[:, ::1] match = self.match
        cdef Py_ssize_t last_row = self.height - self.side, last_column = self.width - self.side
        cdef double half = self.side / 2.0
        cdef double per_px = distance / (min(self.height, self.width) / 2.0 - half) ** 2
        cdef double worth, best = -INFINITY, light = 0
        cdef Py_ssize_t x, y, row = 0, column = 0, up, left, inner
        for y in range(last_row + 1):
            for x in range(last_column + 1):
                worth = match[y, x] - per_px * ((x + half - expected_x) ** 2 + (y + half - expected_y) ** 2)
                if worth > best:
                    best = worth
                    row = y
                    column = x
        # Being expected elsewhere draws the choice a pixel down the slope of its likeness.
        while 0 < row < last_row and 0 < column < last_column:
            up = row
            left = column
            for y in range(up - 1, up + 2):
                for x in range(left - 1, left + 2):
                    if match[y, x] > match[row, column]:
                        row = y
                        column = x
            if row == up and column == left:
                break
        if match[row, column] < alike or row in (0, last_row) or column in (0, last_column):
            return NAN, NAN
        if self.weaker_side(row, column, <Py_ssize_t> rint(diameter / 2)) > match[row, column] - drop:
            return NAN, NAN
        inner = max(1, <Py_ssize_t> rint(0.25 * diameter))
        up = row + self.side // 2
        left = column + self.side // 2
        for y in range(up - inner, up + inner + 1):
            for x in range(left - inner, left + inner + 1):
                light += self.front[y, x]
        if light < contrast * (2 * inner + 1) ** 2:
            return NAN, NAN
        return (
            column + half + _peak(match[row, column - 1], match[row, column], match[row, column + 1]),
            row + half + _peak(match[row - 1, column], match[row, column], match[row + 1, column]),
        )

    cdef double weaker_side(self, Py_ssize_t row, Py_ssize_t column, Py_ssize_t stride) noexcept nogil:
        """The most, of four lines through a place, of the lesser likeness a `stride` further to its two sides."""
        cdef float[:, ::1] match = self.match
        cdef Py_ssize_t up = max(0, row - stride), down = min(self.height - self.side, row + stride)
        cdef Py_ssize_t left = max(0, column - stride), right = min(self.width - self.side, column + stride)
        cdef double along = min(match[up, left], match[down, right])
        along = max(along, min(match[up, column], match[down, column]))
        along = max(along, min(match[up, right], match[down, left]))
        return max(along, min(match[row, left], match[row, right]))
