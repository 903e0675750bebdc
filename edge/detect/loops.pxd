"""What the loops of tracks share with those of pictures."""


cdef inline double _peak(double before, double top, double after) noexcept nogil:
    """Where between -0.5 and 0.5 the parabola through three values, the middle one largest, has its top."""
    cdef double bend = before - 2 * top + after
    return 0.5 * (before - after) / bend if bend < 0 else 0.0
