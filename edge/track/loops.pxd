"""What `ball_loops` shares with `loops`."""

from libc.stdint cimport int64_t


cdef void _step(
    double[:, ::1] place, double[:, ::1] speed, double[:, ::1] cov, Py_ssize_t row, double acceleration, double drag
) noexcept nogil

cdef void _correct(
    double[:, ::1] place,
    double[:, ::1] speed,
    double[:, ::1] cov,
    Py_ssize_t row,
    double x,
    double y,
    double variance,
) noexcept nogil


cdef class _Entries:
    cdef readonly tuple columns
    cdef int64_t[::1] number
    cdef double[:, ::1] place
    cdef double[::1] variance
    cdef double[:, ::1] size
    cdef double[::1] score
    cdef Py_ssize_t count

    cdef void put(
        self, int64_t number, double x, double y, double variance, double width, double height, double score
    ) noexcept
