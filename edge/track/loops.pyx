# cython: boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Loops over tracks and what belongs to them, for which calls of numpy one after the other take several times longer.

What each is for says `loops.pyi`.
"""

import numpy as np

from libc.math cimport INFINITY, NAN, hypot, sqrt
from libc.stdint cimport int64_t, uint8_t


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


cdef void _correct(
    double[:, ::1] place,
    double[:, ::1] speed,
    double[:, ::1] cov,
    Py_ssize_t row,
    const double[:, :] measured,
    Py_ssize_t nth,
    double variance,
) noexcept nogil:
    cdef double p = cov[row, 0], c = cov[row, 1]
    cdef double gain = p / (p + variance), turn = c / (p + variance), off
    cdef Py_ssize_t axis
    for axis in range(2):
        off = measured[nth, axis] - place[row, axis]
        place[row, axis] += gain * off
        speed[row, axis] += turn * off
    cov[row, 0] = (1 - gain) * p
    cov[row, 1] = (1 - gain) * c
    cov[row, 2] -= turn * c


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


def overdue(Track[:] persons, int64_t frame, int64_t patience, int64_t looks):
    cdef Py_ssize_t row
    cdef int64_t share
    flags = np.empty(persons.shape[0], np.uint8)
    cdef uint8_t[::1] over = flags
    for row in range(persons.shape[0]):
        share = 1 if persons[row].id > 0 else 2
        over[row] = frame - persons[row].last_frame > patience // share or persons[row].unseen >= looks // share
    return flags.view(np.bool_)


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
    int64_t worth,
    double far,
):
    cdef Py_ssize_t nth, row
    variances = np.empty(rows.shape[0])
    cdef double[::1] variance = variances
    for nth in range(rows.shape[0]):
        row = rows[nth]
        variance[nth] = (error * persons[row].size[1]) ** 2 + least
        _correct(place, speed, cov, row, feet, nth, variance[nth])
        persons[row].last_frame = frame
        persons[row].carried = 0
        persons[row].evidence += worth
        if hypot(place[row, 0] - persons[row].start[0], place[row, 1] - persons[row].start[1]) > (
            far * persons[row].size[1]
        ):
            persons[row].moved = 1
    return variances


# As `edge.track.ball.HYPOTHESIS`: a call with records of another shape is refused.
cdef packed struct Hypothesis:
    int64_t number
    int64_t id
    int64_t last_frame
    int64_t hits
    int64_t sightings
    int64_t alone
    int64_t at_person
    double shin
    double diameter
    double whiteness
    double tall
    double[2] start
    int64_t[7] recent_frame
    double[7][2] recent


def lost(
    Hypothesis[:] balls,
    const double[:, ::1] speed,
    int64_t frame,
    double at_rest,
    int64_t hits,
    int64_t patience,
    int64_t patience_at_rest,
):
    cdef Py_ssize_t row
    cdef int64_t most
    flags = np.empty(balls.shape[0], np.uint8)
    cdef uint8_t[::1] over = flags
    for row in range(balls.shape[0]):
        if balls[row].sightings > 0 and hypot(speed[row, 0], speed[row, 1]) < at_rest * balls[row].diameter:
            most = patience_at_rest
        elif balls[row].sightings > 0 or balls[row].id > 0:
            most = patience
        else:
            most = 2 if balls[row].hits < hits else 4
        over[row] = frame - balls[row].last_frame > most
    return flags.view(np.bool_)


def costs(
    Hypothesis[:] balls,
    const double[:, ::1] place,
    const double[:, ::1] cov,
    const double[:, :] centre,
    const uint8_t[:] barred,
    const uint8_t[:] passing,
    double gate,
    double share,
    double furthest,
    double never,
):
    cdef Py_ssize_t row, nth
    cdef double most, far
    cost = np.empty((balls.shape[0], centre.shape[0]))
    cdef double[:, ::1] found = cost
    for row in range(balls.shape[0]):
        # A newborn may fly anywhere; later only as far as its filter says.
        most = furthest * balls[row].tall
        if balls[row].hits > 1:
            most = min(most, gate * sqrt(cov[row, 0]) + share * balls[row].tall)
        for nth in range(centre.shape[0]):
            far = hypot(place[row, 0] - centre[nth, 0], place[row, 1] - centre[nth, 1]) / most
            if far < 1 and (passing[row] or not barred[nth]):
                # The believed choose first.
                found[row, nth] = far - 2 if balls[row].id > 0 else far
            else:
                found[row, nth] = never
    return cost


def sought(Hypothesis[:] balls, int64_t frame, int64_t frames, Py_ssize_t most):
    cdef Py_ssize_t row, best, count = 0
    cdef bint better
    found = np.empty(min(most, balls.shape[0]), np.intp)
    cdef Py_ssize_t[::1] rows = found
    cdef uint8_t[::1] due = np.zeros(balls.shape[0], np.uint8)
    for row in range(balls.shape[0]):
        due[row] = 0 < frame - balls[row].last_frame <= frames and (balls[row].id > 0 or balls[row].alone > 0)
    while count < rows.shape[0]:
        best = -1
        for row in range(balls.shape[0]):
            if not due[row]:
                continue
            better = best < 0
            if not better:
                if (balls[row].id > 0) != (balls[best].id > 0):
                    better = balls[row].id > 0
                else:
                    better = balls[row].alone > balls[best].alone
            if better:
                best = row
        if best < 0:
            break
        due[best] = 0
        rows[count] = best
        count += 1
    return found[:count]


def measured(
    Hypothesis[:] balls,
    double[:, ::1] place,
    double[:, ::1] speed,
    double[:, ::1] cov,
    const Py_ssize_t[:] rows,
    const double[:, :] centre,
    const uint8_t[:] at_person,
    int64_t frame,
    double error,
    double least,
):
    cdef Py_ssize_t nth, row, axis, other, last = 6
    cdef int64_t gap
    variances = np.empty(rows.shape[0])
    cdef double[::1] variance = variances
    for nth in range(rows.shape[0]):
        row = rows[nth]
        variance[nth] = (error * balls[row].diameter) ** 2 + least
        gap = frame - balls[row].last_frame
        if balls[row].hits == 1 and gap > 0:
            # Only now it has a speed.
            for axis in range(2):
                speed[row, axis] = (centre[nth, axis] - place[row, axis] + speed[row, axis]) / gap
                place[row, axis] = centre[nth, axis]
            cov[row, 0] = cov[row, 1] = variance[nth]
            cov[row, 2] = 2 * variance[nth]
        else:
            _correct(place, speed, cov, row, centre, nth, variance[nth])
        balls[row].at_person += at_person[nth]
        balls[row].hits += 1
        balls[row].last_frame = frame
        # The network and a blob may both measure it in one frame: the later one counts.
        if balls[row].recent_frame[last] < frame:
            for other in range(last):
                balls[row].recent_frame[other] = balls[row].recent_frame[other + 1]
                for axis in range(2):
                    balls[row].recent[other][axis] = balls[row].recent[other + 1][axis]
        balls[row].recent_frame[last] = frame
        for axis in range(2):
            balls[row].recent[last][axis] = centre[nth, axis]
    return variances
