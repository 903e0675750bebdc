# cython: boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Loops over tracks, blobs and small windows, for which calls of numpy one after the other take several times longer.

What each is for says `loops.pyi`.
"""

import numpy as np

from libc.math cimport INFINITY, NAN, ceil, hypot, rint, sqrt
from libc.stdint cimport int64_t, uint8_t

cdef extern from *:
    """
    /* Nothing else points there: without knowing that, the compiler takes the numbers one by one. */
    typedef float *__restrict floats_out;
    """
    ctypedef float* floats_out


def step(double[:, ::1] place, double[:, ::1] speed, double[:, ::1] cov, const double[:] acceleration, double drag):
    cdef Py_ssize_t row
    cdef double p, c, v, noise
    for row in range(place.shape[0]):
        place[row, 0] += speed[row, 0]
        place[row, 1] += speed[row, 1]
        speed[row, 0] *= drag
        speed[row, 1] *= drag
        p = cov[row, 0]
        c = cov[row, 1]
        v = cov[row, 2]
        noise = acceleration[row] * acceleration[row]
        cov[row, 0] = p + 2 * c + v + noise / 4
        cov[row, 1] = (c + v) * drag + noise / 2
        cov[row, 2] = v * drag * drag + noise


def correct(
    double[:, ::1] place,
    double[:, ::1] speed,
    double[:, ::1] cov,
    const Py_ssize_t[:] rows,
    const double[:, :] measured,
    const double[:] variance,
):
    cdef Py_ssize_t nth, row, axis
    cdef double p, c, v, gain, turn, off
    for nth in range(rows.shape[0]):
        row = rows[nth]
        p = cov[row, 0]
        c = cov[row, 1]
        v = cov[row, 2]
        gain = p / (p + variance[nth])
        turn = c / (p + variance[nth])
        for axis in range(2):
            off = measured[nth, axis] - place[row, axis]
            place[row, axis] += gain * off
            speed[row, axis] += turn * off
        cov[row, 0] = (1 - gain) * p
        cov[row, 1] = (1 - gain) * c
        cov[row, 2] = v - turn * c


def relaxed(const int64_t[:] at, const double[:, :] place, const double[:] weight, double stiffness):
    cdef Py_ssize_t count = at[at.shape[0] - 1] + 1
    cdef Py_ssize_t row, nth, axis
    cdef double part
    found = np.zeros((count, 2))
    cdef double[:, ::1] path = found
    cdef double[::1] diagonal = np.zeros(count), beside = np.zeros(count), next_but_one = np.zeros(count)
    for row in range(count - 2):
        diagonal[row] += stiffness
        diagonal[row + 1] += 4 * stiffness
        diagonal[row + 2] += stiffness
        beside[row] -= 2 * stiffness
        beside[row + 1] -= 2 * stiffness
        next_but_one[row] += stiffness
    for nth in range(at.shape[0]):
        diagonal[at[nth]] += weight[nth]
        for axis in range(2):
            path[at[nth], axis] = weight[nth] * place[nth, axis]
    for row in range(count - 1):
        part = beside[row] / diagonal[row]
        diagonal[row + 1] -= part * beside[row]
        for axis in range(2):
            path[row + 1, axis] -= part * path[row, axis]
        if row + 2 < count:
            beside[row + 1] -= part * next_but_one[row]
            part = next_but_one[row] / diagonal[row]
            diagonal[row + 2] -= part * next_but_one[row]
            for axis in range(2):
                path[row + 2, axis] -= part * path[row, axis]
    for row in range(count - 1, -1, -1):
        for axis in range(2):
            path[row, axis] /= diagonal[row]
            if row + 1 < count:
                path[row, axis] -= beside[row] / diagonal[row] * path[row + 1, axis]
            if row + 2 < count:
                path[row, axis] -= next_but_one[row] / diagonal[row] * path[row + 2, axis]
    return found


def joined(const int64_t[:] frame, int64_t first, int64_t most_apart):
    cdef Py_ssize_t nth, count = 0
    cdef int64_t since, one
    cdef Py_ssize_t length = frame[frame.shape[0] - 1] - frame[0] + 1 if frame.shape[0] else 0
    found = np.empty(length, np.int64)
    cdef int64_t[::1] asked = found
    for nth in range(frame.shape[0]):
        since = frame[nth]
        if nth and frame[nth] - frame[nth - 1] <= most_apart:
            since = frame[nth - 1] + 1
        for one in range(max(since, first), frame[nth] + 1):
            asked[count] = one
            count += 1
    return found[:count]


cdef bint _holds(
    const double[:, :] boxes, Py_ssize_t one, const double[:, :] points, Py_ssize_t point, double wider
) noexcept nogil:
    cdef double x = wider * (boxes[one, 2] - boxes[one, 0]), y = wider * (boxes[one, 3] - boxes[one, 1])
    return (
        boxes[one, 0] - x < points[point, 0] < boxes[one, 2] + x
        and boxes[one, 1] - y < points[point, 1] < boxes[one, 3] + y
    )


cdef double _common(
    const double[:, :] boxes, Py_ssize_t one, const double[:, :] others, Py_ssize_t other
) noexcept nogil:
    cdef double wide = min(boxes[one, 2], others[other, 2]) - max(boxes[one, 0], others[other, 0])
    cdef double high = min(boxes[one, 3], others[other, 3]) - max(boxes[one, 1], others[other, 1])
    return wide * high if wide > 0 and high > 0 else 0.0


def feet_of_blobs(
    const double[:, :] boxes,
    const double[:, :] blobs,
    const double[:, :] centre,
    const double[:] area,
    double widen,
    double covered,
    double tall,
    double tiny,
    (double, double) whole_height,
    (double, double) whole_width,
):
    cdef Py_ssize_t persons = boxes.shape[0], count = blobs.shape[0], one, blob
    cdef double width, height, left, top, right, bottom, weight, across
    cdef bint blocked
    cdef uint8_t[:, ::1] claims = np.zeros((persons, count), np.uint8)
    cdef int64_t[::1] claimants = np.zeros(count, np.int64)
    found = np.full((persons, 2), NAN)
    cdef double[:, ::1] feet = found
    with nogil:
        for one in range(persons):
            width = boxes[one, 2] - boxes[one, 0]
            height = boxes[one, 3] - boxes[one, 1]
            for blob in range(count):
                if (
                    _common(boxes, one, blobs, blob) > covered * max(width * height, 1.0)
                    or _holds(boxes, one, centre, blob, widen)
                ):
                    claims[one, blob] = 1
                    claimants[blob] += 1
        for one in range(persons):
            width = boxes[one, 2] - boxes[one, 0]
            height = boxes[one, 3] - boxes[one, 1]
            left = top = INFINITY
            right = bottom = -INFINITY
            weight = across = 0.0
            blocked = False
            for blob in range(count):
                if not claims[one, blob]:
                    continue
                if claimants[blob] > 1:
                    blocked |= blobs[blob, 3] - blobs[blob, 1] > tall * height
                elif area[blob] >= tiny * width * height or _holds(boxes, one, centre, blob, 0.0):
                    left = min(left, blobs[blob, 0])
                    top = min(top, blobs[blob, 1])
                    right = max(right, blobs[blob, 2])
                    bottom = max(bottom, blobs[blob, 3])
                    weight += area[blob]
                    across += area[blob] * centre[blob, 0]
            if (
                weight > 0
                and not blocked
                and whole_height[0] * height < bottom - top < whole_height[1] * height
                and whole_width[0] * width < right - left < whole_width[1] * width
            ):
                feet[one, 0] = across / weight
                feet[one, 1] = bottom
    return found


def within(const double[:, :] found, const double[:, :] persons, double top, double bottom, double beside=0.0):
    cdef Py_ssize_t nth, one
    cdef double x, y, tall
    flags = np.zeros(found.shape[0], np.uint8)
    cdef uint8_t[::1] inside = flags
    for nth in range(found.shape[0]):
        x = (found[nth, 0] + found[nth, 2]) / 2
        y = (found[nth, 1] + found[nth, 3]) / 2
        for one in range(persons.shape[0]):
            tall = persons[one, 3] - persons[one, 1]
            if (
                persons[one, 0] - beside * tall < x < persons[one, 2] + beside * tall
                and persons[one, 1] + top * tall < y < persons[one, 1] + bottom * tall
            ):
                inside[nth] = 1
                break
    return flags.view(np.bool_)


def bend_and_step(const int64_t[:] frame, const double[:, :] place):
    cdef Py_ssize_t last = frame.shape[0] - 1, nth, other
    cdef double x, y, held
    cdef double[::1] turns = np.empty(last - 1)
    for nth in range(last - 1):
        x = (place[nth + 2, 0] - place[nth + 1, 0]) / (frame[nth + 2] - frame[nth + 1])
        y = (place[nth + 2, 1] - place[nth + 1, 1]) / (frame[nth + 2] - frame[nth + 1])
        x -= (place[nth + 1, 0] - place[nth, 0]) / (frame[nth + 1] - frame[nth])
        y -= (place[nth + 1, 1] - place[nth, 1]) / (frame[nth + 1] - frame[nth])
        # Sorted in as they come: there are never more than a few.
        held = hypot(x, y)
        other = nth
        while other > 0 and turns[other - 1] > held:
            turns[other] = turns[other - 1]
            other -= 1
        turns[other] = held
    held = (turns[(last - 2) // 2] + turns[(last - 1) // 2]) / 2
    return held, hypot(place[last, 0] - place[0, 0], place[last, 1] - place[0, 1]) / (frame[last] - frame[0])


cdef double _peak(double before, double top, double after) noexcept nogil:
    """Where between -0.5 and 0.5 the parabola through three values, the middle one largest, has its top."""
    cdef double bend = before - 2 * top + after
    return 0.5 * (before - after) / bend if bend < 0 else 0.0


cdef Py_ssize_t _pixel(double place, Py_ssize_t most) noexcept nogil:
    return min(max(<Py_ssize_t> rint(place), 0), most)


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
        widest = max(widest, boxes[row, 2] - boxes[row, 0])
        tallest = max(tallest, boxes[row, 3] - boxes[row, 1])
    cdef _Match match = _Match(
        min(height, <Py_ssize_t> tallest + 2),
        min(width, <Py_ssize_t> widest + 2),
        max(2, <Py_ssize_t> ceil(reach_share * tallest)),
    )
    cdef const float[:, ::1] likeness = match.likeness
    found = np.full((boxes.shape[0], 2), NAN)
    cdef double[:, ::1] moved = found
    with nogil:
        for row in range(boxes.shape[0]):
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


def norm(const uint8_t[:, :] front, Py_ssize_t side, float[:, ::1] match):
    cdef Py_ssize_t y, x, row
    cdef double value, gone, total, square, spread
    cdef double[::1] totals = np.zeros(front.shape[1]), squares = np.zeros(front.shape[1])
    with nogil:
        for y in range(front.shape[0]):
            for x in range(front.shape[1]):
                value = front[y, x]
                gone = front[y - side, x] if y >= side else 0.0
                totals[x] += value - gone
                squares[x] += value * value - gone * gone
            row = y - side + 1
            if row < 0:
                continue
            total = square = 0.0
            for x in range(side - 1):
                total += totals[x]
                square += squares[x]
            for x in range(match.shape[1]):
                total += totals[x + side - 1]
                square += squares[x + side - 1]
                spread = square - total * total / (side * side)
                match[row, x] = <float> (match[row, x] / sqrt(spread)) if spread > 1 else 0
                total -= totals[x]
                square -= squares[x]


def nearest_spot(
    const uint8_t[:, :] front,
    const float[:, ::1] match,
    double diameter,
    double expected_x,
    double expected_y,
    double distance,
    double alike,
    double drop,
    double contrast,
):
    cdef Py_ssize_t last_row = match.shape[0] - 1, last_column = match.shape[1] - 1
    cdef double half = (front.shape[0] - last_row) / 2.0
    cdef double per_px = distance / (min(front.shape[0], front.shape[1]) / 2.0 - half) ** 2
    cdef double worth, best = -INFINITY, light = 0
    cdef Py_ssize_t x, y, row = 0, column = 0, up, left, inner, stride
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
    if not alike <= match[row, column] <= 1.0 or row in (0, last_row) or column in (0, last_column):
        return None
    stride = <Py_ssize_t> rint(diameter / 2)
    if _weaker_side(match, row, column, stride) > match[row, column] - drop:
        return None
    inner = max(1, <Py_ssize_t> rint(0.25 * diameter))
    up = <Py_ssize_t> (row + half)
    left = <Py_ssize_t> (column + half)
    for y in range(up - inner, up + inner + 1):
        for x in range(left - inner, left + inner + 1):
            light += front[y, x]
    if light < contrast * (2 * inner + 1) ** 2:
        return None
    return (
        column + half + _peak(match[row, column - 1], match[row, column], match[row, column + 1]),
        row + half + _peak(match[row - 1, column], match[row, column], match[row + 1, column]),
    )


cdef double _weaker_side(const float[:, ::1] match, Py_ssize_t row, Py_ssize_t column, Py_ssize_t stride) noexcept nogil:
    """The most, of four lines through a place, of the lesser likeness a `stride` further to its two sides."""
    cdef Py_ssize_t up = max(0, row - stride), down = min(match.shape[0] - 1, row + stride)
    cdef Py_ssize_t left = max(0, column - stride), right = min(match.shape[1] - 1, column + stride)
    cdef double along = min(match[up, left], match[down, right])
    along = max(along, min(match[up, column], match[down, column]))
    along = max(along, min(match[up, right], match[down, left]))
    return max(along, min(match[row, left], match[row, right]))

