# cython: boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Loops over pixels and cells, for which calls of numpy one after the other take several times longer.

What each is for says `loops.pyi`.
"""

import numpy as np

from libc.math cimport INFINITY, NAN, ceil, expf, fabs, floor, rint, sqrt
from libc.stdint cimport int64_t, uint8_t, uint16_t

cdef extern from *:
    """
    /* Nothing else points there: without knowing that, the compiler takes the bytes one by one. */
    typedef unsigned char *__restrict bytes_out;
    typedef float *__restrict floats_out;
    typedef unsigned short *__restrict words_out;
    """
    ctypedef uint8_t* bytes_out
    ctypedef float* floats_out
    ctypedef uint16_t* words_out


cdef inline uint8_t _apart(uint8_t a, uint8_t b) noexcept nogil:
    cdef uint8_t more = a if a > b else b, less = b if a > b else a
    return <uint8_t> (more - less)


def differs(
    const uint8_t[:, ::1] luma,
    const uint8_t[:, ::1] blue,
    const uint8_t[:, ::1] red,
    const uint8_t[:, ::1] darkest,
    const uint8_t[:, ::1] brightest,
    const uint8_t[:, ::1] usual_blue,
    const uint8_t[:, ::1] usual_red,
    uint8_t most,
    uint8_t[:, ::1] mask,
):
    cdef Py_ssize_t y
    with nogil:
        for y in range(luma.shape[0]):
            _differs(
                &luma[y, 0], &blue[y, 0], &red[y, 0], &darkest[y, 0], &brightest[y, 0], &usual_blue[y, 0],
                &usual_red[y, 0], most, &mask[y, 0], luma.shape[1],
            )


cdef void _differs(
    const uint8_t* luma,
    const uint8_t* blue,
    const uint8_t* red,
    const uint8_t* darkest,
    const uint8_t* brightest,
    const uint8_t* usual_blue,
    const uint8_t* usual_red,
    uint8_t most,
    bytes_out mask,
    Py_ssize_t width,
) noexcept nogil:
    cdef Py_ssize_t x
    cdef uint8_t off_blue, off_red, bound
    for x in range(width):
        # Everything stays in bytes, of which the processor takes the most at once.
        off_blue = _apart(blue[x], usual_blue[x])
        off_red = _apart(red[x], usual_red[x])
        bound = max(off_blue, most) - off_blue
        bound = -<uint8_t> ((off_red > bound) | (off_blue > most))
        mask[x] = bound | -<uint8_t> ((luma[x] < darkest[x]) | (luma[x] > brightest[x]))


def blend(
    const uint8_t[:, ::1] plane,
    float[:, ::1] mean,
    uint8_t[:, ::1] shown,
    const uint8_t[:, ::1] spared,
    float share,
    float share_if_spared,
):
    cdef Py_ssize_t y
    with nogil:
        for y in range(plane.shape[0]):
            _blend(&plane[y, 0], &mean[y, 0], &shown[y, 0], &spared[y, 0], share, share_if_spared, plane.shape[1])


cdef void _blend(
    const uint8_t* plane,
    floats_out mean,
    bytes_out shown,
    const uint8_t* spared,
    float share,
    float share_if_spared,
    Py_ssize_t width,
) noexcept nogil:
    cdef Py_ssize_t x
    for x in range(width):
        mean[x] += (share_if_spared if spared[x] else share) * (<float> plane[x] - mean[x])
        # After the light grew, a mean may be above what a byte holds.
        shown[x] = <uint8_t> <int> min(mean[x] + <float> 0.5, <float> 255)


def brighter(const uint8_t[:, ::1] now, const uint8_t[:, ::1] before, Py_ssize_t columns, Py_ssize_t rows):
    cdef Py_ssize_t height = now.shape[0], width = now.shape[1]
    cdef Py_ssize_t row, column, y, x, is_now, was, count
    found = np.empty((rows, columns), np.float32)
    cdef float[:, ::1] ratio = found
    with nogil:
        for row in range(rows):
            for column in range(columns):
                is_now = was = count = 0
                # One pixel in 16 says as much of a whole cell.
                for y in range(row * height // rows, (row + 1) * height // rows, 4):
                    for x in range(column * width // columns, (column + 1) * width // columns, 4):
                        is_now += now[y, x]
                        was += before[y, x]
                        count += 1
                ratio[row, column] = <float> (is_now + count) / (was + count) if count else 1
    return found


def fewer_rows(const uint8_t[:, :] plane, uint8_t[:, ::1] into):
    cdef Py_ssize_t height = plane.shape[0], width = plane.shape[1], count = into.shape[0], y, row
    cdef double first, end, least, most
    cdef int before, now
    cdef uint16_t[::1] sums = np.empty(width, np.uint16)
    if plane.strides[1] != 1 or into.shape[1] != width or count > height:
        raise ValueError("the rows of the plane are not those of a larger picture of the same width")
    with nogil:
        for y in range(count):
            first = y * <double> height / count
            end = (y + 1) * <double> height / count
            before = 0
            for row in range(<Py_ssize_t> floor(first), min(<Py_ssize_t> ceil(end), height)):
                # In 256ths that sum up to one, so that an even plane stays as it is.
                now = <int> rint(256 * (min(end, row + 1.0) - first) / (end - first))
                _weigh(&plane[row, 0], now - before, before == 0, &sums[0], width)
                before = now
            _write(&sums[0], &into[y, 0], width)


cdef void _weigh(
    const uint8_t* row, uint16_t weight, bint anew, words_out sums, Py_ssize_t width
) noexcept nogil:
    cdef Py_ssize_t x
    if anew:
        for x in range(width):
            sums[x] = <uint16_t> (128 + weight * row[x])
    else:
        for x in range(width):
            sums[x] = <uint16_t> (sums[x] + weight * row[x])


cdef void _write(const uint16_t* sums, bytes_out row, Py_ssize_t width) noexcept nogil:
    cdef Py_ssize_t x
    for x in range(width):
        row[x] = <uint8_t> (sums[x] >> 8)


def cells_above(const float[:, :, ::1] scores, const float[:, :, ::1] bins, (float, float) floors, int stride):
    cdef Py_ssize_t kinds = scores.shape[0], height = scores.shape[1], width = scores.shape[2]
    cdef Py_ssize_t each = bins.shape[0] // 4, kind, y, x, side, nth, row = 0, count = 0
    cdef float most, weight, whole, part
    cdef float[2] least = [floors[0], floors[1]]
    for kind in range(kinds):
        for y in range(height):
            for x in range(width):
                count += scores[kind, y, x] > least[kind]
    found = np.empty((count, 6))
    cdef double[:, ::1] box = found
    for kind in range(kinds):
        for y in range(height):
            for x in range(width):
                if not scores[kind, y, x] > least[kind]:
                    continue
                for side in range(4):
                    most = bins[side * each, y, x]
                    for nth in range(1, each):
                        most = max(most, bins[side * each + nth, y, x])
                    whole = part = 0
                    for nth in range(each):
                        weight = expf(bins[side * each + nth, y, x] - most)
                        whole += weight
                        part += nth * weight
                    part = part / whole * stride
                    box[row, side] = ((x if side % 2 == 0 else y) + 0.5) * stride + (part if side > 1 else -part)
                box[row, 4] = scores[kind, y, x]
                box[row, 5] = kind
                row += 1
    return found


def best_window(
    const double[:, :] need,
    const double[:, :] ball_need,
    const double[:, :] sees,
    const double[:, :] sees_ball,
    const int64_t[:, :] shapes,
    Py_ssize_t row,
    Py_ssize_t column,
    double well,
):
    cdef Py_ssize_t height = need.shape[0], width = need.shape[1]
    cdef Py_ssize_t nth, level, h, w, y, x, best_nth = 0, best_y = 0, best_x = 0, summed = -1
    cdef double line, worth, best = -1.0
    cdef double[:, ::1] total = np.zeros((height + 1, width + 1))
    for nth in range(shapes.shape[0]):
        level = shapes[nth, 0]
        h = shapes[nth, 1]
        w = shapes[nth, 2]
        if row >= 0 and sees[level, row] < well:
            continue
        if level != summed:
            summed = level
            for y in range(height):
                line = 0.0
                for x in range(width):
                    line += sees[level, y] * need[y, x] + sees_ball[level, y] * ball_need[y, x]
                    total[y + 1, x + 1] = total[y, x + 1] + line
        for y in range(height - h + 1):
            if row >= 0 and not y <= row < y + h:
                continue
            for x in range(width - w + 1):
                if row >= 0 and not x <= column < x + w:
                    continue
                worth = total[y + h, x + w] - total[y, x + w] - total[y + h, x] + total[y, x]
                if worth > best:
                    best = worth
                    best_nth = nth
                    best_y = y
                    best_x = x
    return best_nth, best_y, best_x


cdef Py_ssize_t _pixel(double place, Py_ssize_t most) noexcept nogil:
    return min(max(<Py_ssize_t> rint(place), 0), most)


cdef bint _searched(
    const double[:, :] boxes, Py_ssize_t row, const double[:, :] expected, Py_ssize_t width, Py_ssize_t height
) noexcept nogil:
    """Whether box and shift are finite and not larger than the picture."""
    return (
        fabs(expected[row, 0]) < width
        and fabs(expected[row, 1]) < height
        and fabs(boxes[row, 0]) < 2 * width
        and fabs(boxes[row, 1]) < 2 * height
        and boxes[row, 2] - boxes[row, 0] < width
        and boxes[row, 3] - boxes[row, 1] < height
    )


def shifts(
    const uint8_t[:, ::1] before,
    const uint8_t[:, ::1] now,
    const double[:, :] boxes,
    const double[:, :] expected,
    (double, double, double, double) trunk,
    double reach_share,
    double alike,
    Py_ssize_t least_side,
):
    cdef Py_ssize_t height = before.shape[0], width = before.shape[1]
    cdef Py_ssize_t row, left, top, right, bottom, reach, aim_x, aim_y, from_x, from_y, x, y, best_x, best_y
    cdef double wide, tall, best, widest = 0, tallest = 0
    for row in range(boxes.shape[0]):
        if _searched(boxes, row, expected, width, height):
            widest = max(widest, boxes[row, 2] - boxes[row, 0])
            tallest = max(tallest, boxes[row, 3] - boxes[row, 1])
    cdef _Match match = _Match(
        <Py_ssize_t> tallest + 2, <Py_ssize_t> widest + 2, max(2, <Py_ssize_t> ceil(reach_share * tallest))
    )
    cdef const float[:, ::1] likeness = match.likeness
    found = np.full((boxes.shape[0], 2), NAN)
    cdef double[:, ::1] moved = found
    with nogil:
        for row in range(boxes.shape[0]):
            if not _searched(boxes, row, expected, width, height):
                continue
            wide = boxes[row, 2] - boxes[row, 0]
            tall = boxes[row, 3] - boxes[row, 1]
            left = _pixel(boxes[row, 0] + trunk[0] * wide, width)
            right = _pixel(boxes[row, 0] + trunk[2] * wide, width)
            top = _pixel(boxes[row, 1] + trunk[1] * tall, height)
            bottom = _pixel(boxes[row, 1] + trunk[3] * tall, height)
            if right - left < least_side or bottom - top < least_side:
                continue
            reach = max(2, <Py_ssize_t> ceil(reach_share * tall))
            aim_x = <Py_ssize_t> rint(expected[row, 0])
            aim_y = <Py_ssize_t> rint(expected[row, 1])
            from_x = left + aim_x - reach
            from_y = top + aim_y - reach
            if from_x < 0 or from_y < 0 or right + aim_x + reach > width or bottom + aim_y + reach > height:
                continue
            match.compare(before, left, top, right - left, bottom - top, now, from_x, from_y, reach)
            best = -INFINITY
            best_x = best_y = 0
            for y in range(2 * reach + 1):
                for x in range(2 * reach + 1):
                    if likeness[y, x] > best:
                        best = likeness[y, x]
                        best_x = x
                        best_y = y
            if best >= alike and 0 < best_y < 2 * reach and 0 < best_x < 2 * reach:
                moved[row, 0] = aim_x - reach + best_x + _peak(
                    likeness[best_y, best_x - 1], best, likeness[best_y, best_x + 1]
                )
                moved[row, 1] = aim_y - reach + best_y + _peak(
                    likeness[best_y - 1, best_x], best, likeness[best_y + 1, best_x]
                )
    return found


cdef void _add(floats_out sums, const float* seen, float weight, Py_ssize_t count) noexcept nogil:
    cdef Py_ssize_t x
    for x in range(count):
        sums[x] += seen[x] * weight


cdef class _Match:
    """Room for comparing small pictures, for as many as there are."""

    cdef float[:, ::1] likeness, shown, wanted
    cdef float[::1] total, squares

    def __init__(self, Py_ssize_t height, Py_ssize_t width, Py_ssize_t reach):
        self.wanted = np.empty((height, width), np.float32)
        self.shown = np.empty((height + 2 * reach, width + 2 * reach), np.float32)
        self.likeness = np.empty((2 * reach + 1, 2 * reach + 1), np.float32)
        self.total = np.empty(width + 2 * reach, np.float32)
        self.squares = np.empty(width + 2 * reach, np.float32)

    cdef void compare(
        self,
        const uint8_t[:, ::1] before,
        Py_ssize_t left,
        Py_ssize_t top,
        Py_ssize_t width,
        Py_ssize_t height,
        const uint8_t[:, ::1] now,
        Py_ssize_t from_x,
        Py_ssize_t from_y,
        Py_ssize_t reach,
    ) noexcept nogil:
        """Fill `likeness` (2 reach + 1, 2 reach + 1): the correlation of a part of `before` with each place in `now`,
        0 where either is even."""
        cdef Py_ssize_t wide = width + 2 * reach, columns = 2 * reach + 1, y, x, i, j
        cdef float level = 0, own = 0, whole, square, spread
        for j in range(height):
            for i in range(width):
                level += before[top + j, left + i]
        level /= height * width
        for j in range(height):
            for i in range(width):
                self.wanted[j, i] = before[top + j, left + i] - level
                own += self.wanted[j, i] * self.wanted[j, i]
        self.likeness[:columns, :columns] = 0
        if own <= 1:
            return
        own = <float> sqrt(own)
        for y in range(height + 2 * reach):
            for x in range(wide):
                self.shown[y, x] = now[from_y + y, from_x + x] - level
        for y in range(columns):
            self.total[:wide] = 0
            self.squares[:wide] = 0
            for j in range(height):
                for x in range(wide):
                    self.total[x] += self.shown[y + j, x]
                    self.squares[x] += self.shown[y + j, x] * self.shown[y + j, x]
                for i in range(width):
                    _add(&self.likeness[y, 0], &self.shown[y + j, i], self.wanted[j, i], columns)
            whole = square = 0
            for i in range(width - 1):
                whole += self.total[i]
                square += self.squares[i]
            for x in range(columns):
                whole += self.total[x + width - 1]
                square += self.squares[x + width - 1]
                spread = square - whole * whole / (height * width)
                self.likeness[y, x] = self.likeness[y, x] / (own * <float> sqrt(spread)) if spread > 1 else 0
                whole -= self.total[x]
                square -= self.squares[x]
