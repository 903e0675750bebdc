# cython: boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Loops over hypotheses of the ball, for which calls of numpy one after the other take several times longer.

What each is for says `ball_loops.pyi`.
"""

import numpy as np

from libc.math cimport hypot, isnan, sqrt
from libc.stdint cimport int64_t, uint8_t

from edge.detect.blob_loops cimport tall_at
from edge.track.loops cimport _correct, _Entries, _step


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


# As `edge.track.ball.HYPOTHESIS`: a call with records of another shape is refused.
cdef packed struct Hypothesis:
    int64_t number
    int64_t id
    int64_t last_frame
    int64_t hits
    int64_t sightings
    int64_t sighted
    int64_t alone
    int64_t at_person
    double shin
    double diameter
    double whiteness
    double tall
    double[2] start
    int64_t[7] recent_frame
    double[7][2] recent


# Columns of what `candidates` makes.
cdef enum:
    X, Y, DIAMETER, TALL, SCORE, SHIRT, AT_PERSON, LIES, COLUMNS

cdef enum:
    LAST = 6
    NEVER = -1000


cdef bint _beside(
    double x, double y, const double[:, :] persons, double top, double bottom, double wider
) noexcept nogil:
    cdef Py_ssize_t one
    cdef double tall
    for one in range(persons.shape[0]):
        tall = persons[one, 3] - persons[one, 1]
        if (
            persons[one, 0] - wider * tall < x < persons[one, 2] + wider * tall
            and persons[one, 1] + top * tall < y < persons[one, 1] + bottom * tall
        ):
            return True
    return False


cdef double _score(const Hypothesis* ball) noexcept nogil:
    return min(
        0.95,
        0.25 + 0.3 * ball.whiteness + 0.02 * min(ball.hits, 12) + 0.2 * min(ball.sightings, 2),
    )


cdef bint _passes(const Hypothesis* ball, double right, double down, double passing) noexcept nogil:
    return ball.id > 0 and hypot(right, down) > passing * ball.tall


def scores(Hypothesis[:] balls):
    cdef Py_ssize_t row
    found = np.empty(balls.shape[0])
    cdef double[::1] score = found
    for row in range(balls.shape[0]):
        score[row] = _score(&balls[row])
    return found


def flown(
    Hypothesis[:] balls,
    double[:, ::1] place,
    double[:, ::1] speed,
    double[:, ::1] cov,
    int64_t frame,
    double at_rest,
    int64_t hits,
    int64_t patience,
    int64_t patience_at_rest,
    (double, double, double) line,
    double share,
    double nearer,
    double acceleration,
    double drag,
):
    cdef Py_ssize_t row
    cdef int64_t most
    cdef double ground
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
        # One in the air is nearer than the ground behind it.
        ground = tall_at(line, place[row, 1])
        balls[row].tall = min(max(balls[row].diameter / share, ground), nearer * ground)
        _step(place, speed, cov, row, acceleration * balls[row].tall, drag)
    return flags.view(np.bool_)


def candidates(
    const double[:, :] box,
    const double[:] score,
    const double[:, :] persons,
    bint by_network,
    (double, double, double) line,
    double share,
    double nearer,
    (double, double) on_ground,
    double shirt,
    double body,
    (double, double) shin,
    double beside,
):
    cdef Py_ssize_t nth
    cdef double x, y, diameter, ground
    cdef bint at_person
    rows = np.empty((box.shape[0], <Py_ssize_t>COLUMNS))
    cdef double[:, ::1] found = rows
    for nth in range(box.shape[0]):
        x = (box[nth, 0] + box[nth, 2]) / 2
        y = (box[nth, 1] + box[nth, 3]) / 2
        # A fast ball is drawn out along its way.
        diameter = min(box[nth, 2] - box[nth, 0], box[nth, 3] - box[nth, 1])
        ground = tall_at(line, box[nth, 3])
        at_person = _beside(x, y, persons, 0.0, body, 0.0)
        if by_network:
            at_person = at_person or _beside(x, y, persons, shin[0], shin[1], beside)
        found[nth, X] = x
        found[nth, Y] = y
        found[nth, DIAMETER] = diameter
        found[nth, TALL] = min(max(diameter / share, ground), nearer * ground)
        found[nth, SCORE] = score[nth]
        found[nth, SHIRT] = _beside(x, y, persons, 0.0, shirt, 0.0)
        found[nth, AT_PERSON] = at_person
        found[nth, LIES] = on_ground[0] < diameter / (share * ground) < on_ground[1]
    return rows


def costs(
    Hypothesis[:] balls,
    const double[:, ::1] place,
    const double[:, ::1] speed,
    const double[:, ::1] cov,
    const double[:, ::1] found,
    double gate,
    double share,
    double furthest,
    double passing,
    double never,
):
    cdef Py_ssize_t row, nth
    cdef double most, far
    cdef bint passes
    table = np.empty((balls.shape[0], found.shape[0]))
    cdef double[:, ::1] cost = table
    for row in range(balls.shape[0]):
        passes = _passes(&balls[row], speed[row, 0], speed[row, 1], passing)
        # A newborn may fly anywhere; later only as far as its filter says.
        most = furthest * balls[row].tall
        if balls[row].hits > 1:
            most = min(most, gate * sqrt(cov[row, 0]) + share * balls[row].tall)
        for nth in range(found.shape[0]):
            far = hypot(place[row, 0] - found[nth, X], place[row, 1] - found[nth, Y]) / most
            if far < 1 and (passes or found[nth, SHIRT] == 0):
                # The believed choose first.
                cost[row, nth] = far - 2 if balls[row].id > 0 else far
            else:
                cost[row, nth] = never
    return table


def taken(
    Hypothesis[:] balls,
    double[:, ::1] place,
    double[:, ::1] speed,
    double[:, ::1] cov,
    const Py_ssize_t[:] rows,
    const double[:, ::1] found,
    const Py_ssize_t[:] columns,
    bint by_network,
    int64_t apart,
    int64_t frame,
    double error,
    double least,
    int64_t memory,
    double share,
):
    cdef Py_ssize_t nth, row, column
    cdef _Entries entries = _Entries(rows.shape[0])
    for nth in range(rows.shape[0]):
        row = rows[nth]
        column = columns[nth]
        if by_network:
            if found[column, LIES] > 0 and found[column, AT_PERSON] == 0 and frame - balls[row].sighted >= apart:
                balls[row].sightings += 1
                balls[row].sighted = frame
        else:
            balls[row].alone += 1
        balls[row].whiteness += share * (found[column, SCORE] - balls[row].whiteness)
        balls[row].diameter += share * (found[column, DIAMETER] - balls[row].diameter)
        _measure(
            &balls[row], place, speed, cov, row, found[column, X], found[column, Y], found[column, AT_PERSON] > 0,
            frame, error, least, memory, entries,
        )
    return entries.columns


def spotted(
    Hypothesis[:] balls,
    double[:, ::1] place,
    double[:, ::1] speed,
    double[:, ::1] cov,
    const Py_ssize_t[:] rows,
    const double[:, :] centre,
    const double[:, :] persons,
    double shirt,
    double body,
    double passing,
    int64_t frame,
    double error,
    double least,
    int64_t memory,
):
    cdef Py_ssize_t nth, row, count = 0
    cdef double x, y
    cdef _Entries entries = _Entries(rows.shape[0])
    taken = np.empty(rows.shape[0], np.intp)
    cdef Py_ssize_t[::1] took = taken
    for nth in range(rows.shape[0]):
        row = rows[nth]
        x = centre[nth, 0]
        y = centre[nth, 1]
        if isnan(x):
            continue
        if _beside(x, y, persons, 0.0, shirt, 0.0) and not _passes(
            &balls[row], speed[row, 0], speed[row, 1], passing
        ):
            continue
        _measure(
            &balls[row], place, speed, cov, row, x, y, _beside(x, y, persons, 0.0, body, 0.0), frame, error, least,
            memory, entries,
        )
        took[count] = row
        count += 1
    return taken[:count], tuple(column[:count] for column in entries.columns)


cdef void _measure(
    Hypothesis* ball,
    double[:, ::1] place,
    double[:, ::1] speed,
    double[:, ::1] cov,
    Py_ssize_t row,
    double x,
    double y,
    bint at_person,
    int64_t frame,
    double error,
    double least,
    int64_t memory,
    _Entries entries,
) noexcept:
    cdef double variance = (error * ball.diameter) ** 2 + least
    cdef int64_t gap = frame - ball.last_frame
    cdef Py_ssize_t other
    if ball.hits == 1 and gap > 0:
        # Only now it has a speed.
        speed[row, 0] = (x - place[row, 0] + speed[row, 0]) / gap
        speed[row, 1] = (y - place[row, 1] + speed[row, 1]) / gap
        place[row, 0] = x
        place[row, 1] = y
        cov[row, 0] = cov[row, 1] = variance
        cov[row, 2] = 2 * variance
    else:
        _correct(place, speed, cov, row, x, y, variance)
    ball.at_person += at_person
    ball.hits += 1
    ball.last_frame = frame
    # The network and a blob may both measure it in one frame: the later one counts.
    if ball.recent_frame[LAST] < frame:
        for other in range(LAST):
            ball.recent_frame[other] = ball.recent_frame[other + 1]
            ball.recent[other][0] = ball.recent[other + 1][0]
            ball.recent[other][1] = ball.recent[other + 1][1]
    ball.recent_frame[LAST] = frame
    ball.recent[LAST][0] = x
    ball.recent[LAST][1] = y
    entries.put(ball.number, x, y, variance, ball.diameter, ball.diameter, _score(ball))
    if ball.hits >= memory:
        ball.hits //= 2
        ball.alone //= 2
        ball.at_person //= 2


def unclaimed(const double[:, ::1] found, const Py_ssize_t[:] columns, Py_ssize_t most):
    cdef Py_ssize_t nth, other, count = 0
    rows = np.empty(found.shape[0], np.intp)
    cdef Py_ssize_t[::1] free = rows
    cdef uint8_t[::1] claimed = np.zeros(found.shape[0], np.uint8)
    for nth in range(columns.shape[0]):
        claimed[columns[nth]] = 1
    for nth in range(found.shape[0]):
        if claimed[nth] or found[nth, SHIRT] > 0:
            continue
        # Sorted in as they come: there are never more than a few.
        other = count
        while other > 0 and found[free[other - 1], SCORE] < found[nth, SCORE]:
            free[other] = free[other - 1]
            other -= 1
        free[other] = nth
        count += 1
    return rows[: max(0, min(count, most))]


def born(
    Hypothesis[:] balls,
    const double[:, ::1] found,
    const Py_ssize_t[:] rows,
    int64_t number,
    bint by_network,
    int64_t frame,
    double error,
    double least,
):
    cdef Py_ssize_t nth, row, other
    cdef double variance
    cdef Hypothesis* ball
    cdef _Entries entries = _Entries(rows.shape[0])
    for nth in range(rows.shape[0]):
        row = rows[nth]
        ball = &balls[nth]
        ball.number = number + nth
        ball.last_frame = frame
        ball.hits = 1
        ball.sightings = by_network and found[row, AT_PERSON] == 0
        ball.sighted = frame if ball.sightings > 0 else NEVER
        ball.alone = not by_network
        ball.at_person = found[row, AT_PERSON] > 0
        ball.diameter = found[row, DIAMETER]
        ball.whiteness = found[row, SCORE]
        ball.tall = found[row, TALL]
        ball.start[0] = ball.recent[LAST][0] = found[row, X]
        ball.start[1] = ball.recent[LAST][1] = found[row, Y]
        for other in range(LAST):
            ball.recent_frame[other] = NEVER
        ball.recent_frame[LAST] = frame
        variance = (error * ball.diameter) ** 2 + least
        entries.put(
            ball.number, found[row, X], found[row, Y], variance, ball.diameter, ball.diameter, _score(ball)
        )
    return entries.columns


def sought(
    Hypothesis[:] balls,
    const double[:, ::1] place,
    const double[:, ::1] cov,
    int64_t frame,
    int64_t frames,
    Py_ssize_t most,
    double furthest,
):
    cdef Py_ssize_t row, best, count = 0
    cdef bint better
    found, where = np.empty(min(most, balls.shape[0]), np.intp), np.empty((min(most, balls.shape[0]), 4))
    cdef Py_ssize_t[::1] rows = found
    cdef double[:, ::1] wanted = where
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
        wanted[count, 0] = place[best, 0]
        wanted[count, 1] = place[best, 1]
        wanted[count, 2] = min(2 * sqrt(cov[best, 0]) + 0.5 * balls[best].diameter, furthest * balls[best].tall)
        wanted[count, 2] += balls[best].diameter
        wanted[count, 3] = balls[best].diameter
        count += 1
    return found[:count], where[:count]


def socks(
    Hypothesis[:] balls,
    const double[:, ::1] place,
    const double[:, :] persons,
    int64_t frame,
    (double, double) shin,
    double beside,
    double share,
    double most,
):
    cdef Py_ssize_t row
    cdef double here
    flags = np.empty(balls.shape[0], np.uint8)
    cdef uint8_t[::1] sock = flags
    for row in range(balls.shape[0]):
        if balls[row].last_frame == frame:
            here = _beside(place[row, 0], place[row, 1], persons, shin[0], shin[1], beside)
            balls[row].shin += share * (here - balls[row].shin)
        sock[row] = balls[row].shin >= most
    return flags.view(np.bool_)
