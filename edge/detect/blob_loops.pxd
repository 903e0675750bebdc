"""What the loops of tracks share with those of blobs and boxes."""


cdef inline double over_union(
    double left, double top, double right, double bottom, double x0, double y0, double x1, double y1
) noexcept nogil:
    cdef double wide = min(right, x1) - max(left, x0), high = min(bottom, y1) - max(top, y0), common
    if wide <= 0 or high <= 0:
        return 0.0
    common = wide * high
    return common / max((right - left) * (bottom - top) + (x1 - x0) * (y1 - y0) - common, 1e-9)


# What `edge.detect.stature.Stature.at` says.
cdef inline double tall_at((double, double, double) line, double foot) noexcept nogil:
    return max(line[0] + line[1] * foot, line[2])
