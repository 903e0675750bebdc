# cython: boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Loops over tracks and what belongs to them, for which calls of numpy one after the other take several times longer.

What each is for says `loops.pyi`.
"""

import numpy as np

from libc.math cimport INFINITY, NAN, fabs, hypot, isnan, sqrt
from libc.stdint cimport int64_t, uint8_t

from edge.detect.blob_loops cimport over_union


cdef void _step(
    double[:, ::1] place, double[:, ::1] speed, double[:, ::1] cov, Py_ssize_t row, double acceleration, double drag
) noexcept nogil:
    cdef double p = cov[row, 0], c = cov[row, 1], v = cov[row, 2], noise = acceleration * acceleration
    place[row, 0] += speed[row, 0]
    place[row, 1] += speed[row, 1]
    speed[row, 0] *= drag
    speed[row, 1] *= drag
    cov[row, 0] = p + 2 * c + v + noise / 4
    cov[row, 1] = (c + v) * drag + noise / 2
    cov[row, 2] = v * drag * drag + noise


cdef void _correct(
    double[:, ::1] place,
    double[:, ::1] speed,
    double[:, ::1] cov,
    Py_ssize_t row,
    double x,
    double y,
    double variance,
) noexcept nogil:
    cdef double p = cov[row, 0], c = cov[row, 1]
    cdef double gain = p / (p + variance), turn = c / (p + variance)
    x -= place[row, 0]
    y -= place[row, 1]
    place[row, 0] += gain * x
    place[row, 1] += gain * y
    speed[row, 0] += turn * x
    speed[row, 1] += turn * y
    cov[row, 0] = (1 - gain) * p
    cov[row, 1] = (1 - gain) * c
    cov[row, 2] -= turn * c


cdef class _Entries:
    def __cinit__(self, Py_ssize_t most):
        self.columns = (
            np.empty(most, np.int64),
            np.empty((most, 2)),
            np.empty(most),
            np.empty((most, 2)),
            np.empty(most),
        )
        self.number, self.place, self.variance, self.size, self.score = self.columns
        self.count = 0

    cdef void put(
        self, int64_t number, double x, double y, double variance, double width, double height, double score
    ) noexcept:
        self.number[self.count] = number
        self.place[self.count, 0] = x
        self.place[self.count, 1] = y
        self.variance[self.count] = variance
        self.size[self.count, 0] = width
        self.size[self.count, 1] = height
        self.score[self.count] = score
        self.count += 1


def hidden(const double[:, :] boxes, double top, double bottom, double most):
    cdef Py_ssize_t one, other
    cdef double upper, lower, wide, high
    flags = np.zeros(boxes.shape[0], np.uint8)
    cdef uint8_t[::1] found = flags
    for one in range(boxes.shape[0]):
        upper = boxes[one, 1] + top * (boxes[one, 3] - boxes[one, 1])
        lower = boxes[one, 1] + bottom * (boxes[one, 3] - boxes[one, 1])
        for other in range(boxes.shape[0]):
            if boxes[other, 3] <= boxes[one, 3]:
                continue
            wide = min(boxes[one, 2], boxes[other, 2]) - max(boxes[one, 0], boxes[other, 0])
            high = min(lower, boxes[other, 3]) - max(upper, boxes[other, 1])
            if wide > 0 and high > 0 and wide * high > most * (boxes[one, 2] - boxes[one, 0]) * (lower - upper):
                found[one] = 1
                break
    return flags.view(np.bool_)


def torsos(
    const uint8_t[:, :] luma,
    const uint8_t[:, :] blue,
    const uint8_t[:, :] red,
    const double[:, :] boxes,
    (double, double, double, double) part,
    Py_ssize_t across,
):
    cdef Py_ssize_t one, down, over, x, y, height = luma.shape[0], width = luma.shape[1]
    cdef double wide, high, at, light
    found = np.empty((boxes.shape[0], across * across, 3), np.uint8)
    cdef uint8_t[:, :, ::1] samples = found
    for one in range(boxes.shape[0]):
        wide = boxes[one, 2] - boxes[one, 0]
        high = boxes[one, 3] - boxes[one, 1]
        for down in range(across):
            at = boxes[one, 1] + (part[1] + (part[3] - part[1]) * down / (across - 1)) * high
            y = <Py_ssize_t>max(0.0, min(at, height - 1.0))
            for over in range(across):
                at = boxes[one, 0] + (part[0] + (part[2] - part[0]) * over / (across - 1)) * wide
                x = <Py_ssize_t>max(0.0, min(at, width - 1.0))
                light = (luma[y, x] - 16.0) * 255 / 219
                samples[one, down * across + over, 0] = <uint8_t>max(0.0, min(light, 255.0))
                samples[one, down * across + over, 1] = red[min(y // 2, red.shape[0] - 1), min(x // 2, red.shape[1] - 1)]
                samples[one, down * across + over, 2] = blue[
                    min(y // 2, blue.shape[0] - 1), min(x // 2, blue.shape[1] - 1)
                ]
    return found


def middle_colours(
    const uint8_t[:, :, ::1] seen,
    (uint8_t, uint8_t) grass_light,
    uint8_t grass_green,
    uint8_t grass_yellow,
    double least,
):
    cdef Py_ssize_t one, nth, channel, count, other
    cdef uint8_t value
    cdef uint8_t[:, ::1] left = np.empty((3, seen.shape[1]), np.uint8)
    found = np.empty((seen.shape[0], 3))
    cdef double[:, ::1] middle = found
    for one in range(seen.shape[0]):
        count = 0
        for nth in range(seen.shape[1]):
            if (
                seen[one, nth, 1] < grass_green
                and seen[one, nth, 2] > grass_yellow
                and grass_light[0] < seen[one, nth, 0] < grass_light[1]
            ):
                continue
            for channel in range(3):
                # Sorted in as they come.
                value = seen[one, nth, channel]
                other = count
                while other > 0 and left[channel, other - 1] > value:
                    left[channel, other] = left[channel, other - 1]
                    other -= 1
                left[channel, other] = value
            count += 1
        for channel in range(3):
            if count < least * seen.shape[1] or count == 0:
                middle[one, channel] = NAN
            else:
                middle[one, channel] = (<double>left[channel, (count - 1) // 2] + left[channel, count // 2]) / 2
    return found


# As `edge.track.people.TRACK`: a call with records of another shape is refused.
cdef packed struct Track:
    int64_t number
    int64_t id
    int64_t born
    double[2] start
    double[2] size
    double[2] doubt
    double[3] shirt
    int64_t shirt_looks
    double score
    int64_t evidence
    int64_t unseen
    int64_t last_frame
    int64_t missed_frame
    int64_t carried
    uint8_t moved


cdef void _box(const Track* person, const double[:, ::1] place, Py_ssize_t row, double[4] box) noexcept nogil:
    box[0] = place[row, 0] - person.size[0] * 0.5
    box[1] = place[row, 1] - person.size[1]
    box[2] = place[row, 0] + person.size[0] * 0.5
    box[3] = place[row, 1]


cdef _boxes(Track[:] persons, const double[:, ::1] place):
    cdef Py_ssize_t row, side
    cdef double[4] box
    every = np.empty((persons.shape[0], 4))
    cdef double[:, ::1] found = every
    for row in range(persons.shape[0]):
        _box(&persons[row], place, row, box)
        for side in range(4):
            found[row, side] = box[side]
    return every


def boxes(Track[:] persons, const double[:, ::1] place):
    return _boxes(persons, place)


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
    Track[:] persons,
    const double[:, ::1] place,
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
    cdef Py_ssize_t count = blobs.shape[0], one, blob, told = 0
    cdef double width, height, left, top, right, bottom, weight, across
    cdef bint blocked
    cdef double[:, ::1] boxes = _boxes(persons, place)
    cdef uint8_t[:, ::1] claims = np.zeros((persons.shape[0], count), np.uint8)
    cdef int64_t[::1] claimants = np.zeros(count, np.int64)
    them, found = np.empty(persons.shape[0], np.intp), np.empty((persons.shape[0], 2))
    cdef Py_ssize_t[::1] rows = them
    cdef double[:, ::1] feet = found
    with nogil:
        for one in range(persons.shape[0]):
            width = boxes[one, 2] - boxes[one, 0]
            height = boxes[one, 3] - boxes[one, 1]
            for blob in range(count):
                if (
                    _common(boxes, one, blobs, blob) > covered * max(width * height, 1.0)
                    or _holds(boxes, one, centre, blob, widen)
                ):
                    claims[one, blob] = 1
                    claimants[blob] += 1
        for one in range(persons.shape[0]):
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
                rows[told] = one
                feet[told, 0] = across / weight
                feet[told, 1] = bottom
                told += 1
    return them[:told], found[:told]


def walked(
    Track[:] persons,
    double[:, ::1] place,
    double[:, ::1] speed,
    double[:, ::1] cov,
    int64_t frame,
    int64_t patience,
    int64_t looks,
    double acceleration,
    double drag,
    (double, double) drift,
):
    cdef Py_ssize_t row
    cdef int64_t share
    over = []
    for row in range(persons.shape[0]):
        share = 1 if persons[row].id > 0 else 2
        if frame - persons[row].last_frame > patience // share or persons[row].unseen >= looks // share:
            over.append(row)
        _step(place, speed, cov, row, acceleration * persons[row].size[1], drag)
        persons[row].doubt[0] += drift[0]
        persons[row].doubt[1] += drift[1]
    return over


cdef double _shared(const double[4] a, const double[4] b) noexcept nogil:
    return over_union(a[0], a[1], a[2], a[3], b[0], b[1], b[2], b[3])


cdef void _widen(double[4] box, double share) noexcept nogil:
    cdef double x = (box[2] - box[0]) * share, y = (box[3] - box[1]) * share
    box[0] -= x
    box[1] -= y
    box[2] += x
    box[3] += y


def fits(
    Track[:] persons,
    const double[:, ::1] place,
    const double[:, ::1] cov,
    const Py_ssize_t[:] rows,
    const double[:, :] found,
    double widen,
    double least,
    double stray,
    double gate,
):
    cdef Py_ssize_t nth, row, other, side
    cdef double x, y, variance, share
    cdef double[4] own, box
    table = np.empty((rows.shape[0], found.shape[0]))
    cdef double[:, ::1] shared = table
    for nth in range(rows.shape[0]):
        row = rows[nth]
        _box(&persons[row], place, row, own)
        _widen(own, widen)
        variance = cov[row, 0] + (stray * persons[row].size[1]) ** 2
        for other in range(found.shape[0]):
            for side in range(4):
                box[side] = found[other, side]
            _widen(box, widen)
            x = place[row, 0] - (found[other, 0] + found[other, 2]) / 2
            y = place[row, 1] - found[other, 3]
            share = _shared(own, box)
            shared[nth, other] = share if share > least and x * x + y * y < gate * variance else 0.0
    return table


def rivalled(const double[:, ::1] share):
    cdef Py_ssize_t row, column, count = 0
    cdef Py_ssize_t[::1] of_row = np.zeros(share.shape[0], np.intp), of_column = np.zeros(share.shape[1], np.intp)
    for row in range(share.shape[0]):
        for column in range(share.shape[1]):
            if share[row, column] > 0:
                of_row[row] += 1
                of_column[column] += 1
    them = np.empty(share.shape[1], np.intp)
    cdef Py_ssize_t[::1] found = them
    for column in range(share.shape[1]):
        for row in range(share.shape[0]):
            if share[row, column] > 0 and (of_row[row] > 1 or of_column[column] > 1):
                found[count] = column
                count += 1
                break
    return them[:count]


def unlike(const double[:, :] known, const double[:, :] seen, (double, double, double) spread, double unsure):
    cdef Py_ssize_t one, other
    cdef double apart
    table = np.empty((known.shape[0], seen.shape[0]))
    cdef double[:, ::1] told = table
    for one in range(known.shape[0]):
        for other in range(seen.shape[0]):
            apart = sqrt(
                ((known[one, 0] - seen[other, 0]) / spread[0]) ** 2
                + ((known[one, 1] - seen[other, 1]) / spread[1]) ** 2
                + ((known[one, 2] - seen[other, 2]) / spread[2]) ** 2
            )
            told[one, other] = unsure if isnan(apart) else min(apart, 1.0)
    return table


def resized(
    Track[:] persons,
    const Py_ssize_t[:] rows,
    const double[:, :] box,
    const double[:] score,
    (double, double) error,
    double full,
    double weak,
):
    cdef Py_ssize_t nth, row, axis
    cdef double much, gain
    cdef double[2] errors = [error[0], error[1]]
    for nth in range(rows.shape[0]):
        row = rows[nth]
        much = 1 + weak * max(full - score[nth], 0.0)
        for axis in range(2):
            gain = persons[row].doubt[axis] / (persons[row].doubt[axis] + much * errors[axis] ** 2)
            persons[row].size[axis] += gain * (box[nth, axis + 2] - box[nth, axis] - persons[row].size[axis])
            persons[row].doubt[axis] *= 1 - gain
        persons[row].score = 0.7 * persons[row].score + 0.3 * score[nth]
        persons[row].unseen = 0


def missed(
    Track[:] persons,
    const double[:, ::1] place,
    const Py_ssize_t[:] rows,
    const double[:, :] parts,
    double near,
    int64_t frame,
    int64_t apart,
    int64_t worth,
):
    cdef Py_ssize_t nth, row, part
    cdef double[4] box
    cdef double x
    for nth in range(rows.shape[0]):
        row = rows[nth]
        if frame - persons[row].missed_frame < apart:
            continue
        _box(&persons[row], place, row, box)
        x = (box[0] + box[2]) / 2
        for part in range(parts.shape[0]):
            if (
                parts[part, 0] < x < parts[part, 2]
                and box[1] > parts[part, 1] - 1
                and box[3] < parts[part, 3] + 1
                and (box[3] - box[1]) * parts[part, 4] > near
            ):
                persons[row].missed_frame = frame
                persons[row].unseen += worth
                break


def doubles(Track[:] persons, const double[:, ::1] place, double same):
    cdef Py_ssize_t one, other, double_
    cdef double[4] own, box
    cdef uint8_t[::1] gone = np.zeros(persons.shape[0], np.uint8)
    for one in range(persons.shape[0]):
        _box(&persons[one], place, one, own)
        for other in range(one + 1, persons.shape[0]):
            _box(&persons[other], place, other, box)
            if _shared(own, box) <= same:
                continue
            if persons[one].last_frame != persons[other].last_frame:
                double_ = one if persons[one].last_frame < persons[other].last_frame else other
            else:
                double_ = one if persons[one].born > persons[other].born else other
            gone[double_] = 1
    return [one for one in range(persons.shape[0]) if gone[one]]


def adrift(
    Track[:] persons,
    const double[:, ::1] place,
    const double[:, ::1] speed,
    int64_t last_frame,
    int64_t most,
    double pace,
    double drag,
    double factor,
):
    cdef Py_ssize_t row, count = 0
    cdef double x, y
    them, there = np.empty(persons.shape[0], np.intp), np.empty((persons.shape[0], 4))
    ways = np.empty((persons.shape[0], 2))
    cdef Py_ssize_t[::1] rows = them
    cdef double[:, ::1] box = there, way = ways
    for row in range(persons.shape[0]):
        if (
            persons[row].moved
            and persons[row].last_frame == last_frame
            and persons[row].carried < most
            and max(fabs(speed[row, 0]), fabs(speed[row, 1])) / persons[row].size[1] > pace
        ):
            x = place[row, 0] - speed[row, 0] / drag
            y = place[row, 1] - speed[row, 1] / drag
            rows[count] = row
            box[count, 0] = (x - persons[row].size[0] * 0.5) / factor
            box[count, 1] = (y - persons[row].size[1]) / factor
            box[count, 2] = (x + persons[row].size[0] * 0.5) / factor
            box[count, 3] = y / factor
            way[count, 0] = speed[row, 0] / drag / factor
            way[count, 1] = speed[row, 1] / drag / factor
            count += 1
    return them[:count], there[:count], ways[:count]


cdef void _stand(
    Track* person,
    double[:, ::1] place,
    double[:, ::1] speed,
    double[:, ::1] cov,
    Py_ssize_t row,
    double x,
    double y,
    double variance,
    int64_t frame,
    double far,
    _Entries entries,
) noexcept:
    _correct(place, speed, cov, row, x, y, variance)
    person.last_frame = frame
    if hypot(place[row, 0] - person.start[0], place[row, 1] - person.start[1]) > far * person.size[1]:
        person.moved = 1
    entries.put(person.number, x, y, variance, person.size[0], person.size[1], person.score)


def stood(
    Track[:] persons,
    double[:, ::1] place,
    double[:, ::1] speed,
    double[:, ::1] cov,
    const Py_ssize_t[:] rows,
    const double[:, :] feet,
    int64_t frame,
    double error,
    double least,
    double far,
    int64_t worth,
    int64_t enough,
):
    cdef Py_ssize_t nth, row
    cdef double variance
    cdef _Entries entries = _Entries(rows.shape[0])
    proven = []
    for nth in range(rows.shape[0]):
        row = rows[nth]
        variance = (error * persons[row].size[1]) ** 2 + least
        _stand(&persons[row], place, speed, cov, row, feet[nth, 0], feet[nth, 1], variance, frame, far, entries)
        persons[row].carried = 0
        persons[row].evidence += worth
        if persons[row].id == 0 and persons[row].evidence >= enough:
            proven.append(row)
    return proven, entries.columns


def carried(
    Track[:] persons,
    double[:, ::1] place,
    double[:, ::1] speed,
    double[:, ::1] cov,
    const Py_ssize_t[:] rows,
    const double[:, :] moved,
    int64_t frame,
    double error,
    double far,
    double drag,
    double factor,
):
    cdef Py_ssize_t nth, row
    cdef double x, y, variance
    cdef _Entries entries = _Entries(rows.shape[0])
    for nth in range(rows.shape[0]):
        if isnan(moved[nth, 0]):
            continue
        row = rows[nth]
        x = place[row, 0] - speed[row, 0] / drag + moved[nth, 0] * factor
        y = place[row, 1] - speed[row, 1] / drag + moved[nth, 1] * factor
        variance = (error * persons[row].size[1]) ** 2
        _stand(&persons[row], place, speed, cov, row, x, y, variance, frame, far, entries)
        persons[row].carried += 1
    return tuple([column[:entries.count] for column in entries.columns])
