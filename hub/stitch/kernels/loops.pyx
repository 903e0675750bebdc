# cython: boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
from collections import namedtuple

from libc.math cimport rintf
from libc.stdint cimport int16_t, int32_t, uint8_t

cdef extern from "warp.c" nogil:
    ctypedef struct CGeometry "Geometry":
        const int16_t* cells
        const int16_t* rows
        const float* x
        const float* y
        const float* gain
        const int32_t* above
        const float* down
        int32_t columns

    ctypedef struct CSource "Source":
        const uint8_t* pixels
        Py_ssize_t stride
        int32_t width
        int32_t height

    ctypedef struct CCamera "Camera":
        CGeometry luma
        CGeometry chroma
        CSource[3] planes
        float light
        float[2][3] tint
        int16_t light_word
        int16_t[2][3] tint_words

    ctypedef struct CSeam "Seam":
        const float* centre
        const float* slope
        const float* low
        const float* high

    ctypedef struct CTarget "Target":
        uint8_t* pixels
        Py_ssize_t stride

    ctypedef struct CTask "Task":
        int32_t cameras
        int32_t width
        int32_t height
        int32_t coupled
        CCamera[8] camera
        CSeam[8] luma_seams
        CSeam[8] chroma_seams
        CTarget[3] planes

    enum:
        MOST_CAMERAS
        C_CELL_WORDS "CELL_WORDS"
        C_ROW_WORDS "ROW_WORDS"

    bint c_can_run "can_run"(int variant)
    void stitch_part(const CTask* task, int variant, int top, int bottom, int left, int right)

Geometry = namedtuple("Geometry", "cells rows x y gain above down")
Edges = namedtuple("Edges", "centre slope low high")
Camera = namedtuple("Camera", "luma chroma planes light tint")
VARIANTS = ("plain", "avx2", "avx512")
CELL_WORDS = C_CELL_WORDS
ROW_WORDS = C_ROW_WORDS


def can_run(int variant):
    return c_can_run(variant)


cdef int _geometry(object given, CGeometry* out) except -1:
    cdef const int16_t[:, :, ::1] cells = given.cells, rows = given.rows
    cdef const float[:, ::1] x = given.x, y = given.y, gain = given.gain
    cdef const int32_t[::1] above = given.above
    cdef const float[::1] down = given.down
    if rows.shape[1] != 8 or rows.shape[2] != C_ROW_WORDS:
        raise ValueError("not the rows of cells")
    if cells.shape[2] != C_CELL_WORDS or x.shape[1] != cells.shape[1] + 1 or above.shape[0] != cells.shape[0] * 8:
        raise ValueError("cells and nodes do not belong together")
    out.cells = &cells[0, 0, 0]
    out.rows = &rows[0, 0, 0] if rows.shape[0] else NULL
    out.x = &x[0, 0]
    out.y = &y[0, 0]
    out.gain = &gain[0, 0]
    out.above = &above[0]
    out.down = &down[0]
    out.columns = <int32_t> cells.shape[1]
    return 0


cdef int _camera(object given, CCamera* out) except -1:
    cdef const uint8_t[:, :] plane
    cdef const float[:, :] tint = given.tint
    cdef Py_ssize_t half, k
    _geometry(given.luma, &out.luma)
    _geometry(given.chroma, &out.chroma)
    for k in range(3):
        plane = given.planes[k]
        if plane.strides[1] != 1:
            raise ValueError("a plane's pixels do not lie side by side")
        out.planes[k].pixels = &plane[0, 0]
        out.planes[k].stride = plane.strides[0]
        out.planes[k].width = <int32_t> plane.shape[1]
        out.planes[k].height = <int32_t> plane.shape[0]
    out.light = given.light
    out.light_word = <int16_t> rintf(out.light * 16384)
    for half in range(2):
        for k in range(3):
            out.tint[half][k] = tint[half, k]
            # `warp.h`: from 255 a level, and from 128 a level, to 63.75 a level.
            out.tint_words[half][k] = <int16_t> rintf(tint[half, k] * (16320 if k == 0 else 8192))
    return 0


cdef int _seam(object given, CSeam* out) except -1:
    cdef const float[::1] centre = given.centre, slope = given.slope, low = given.low, high = given.high
    out.centre = &centre[0]
    out.slope = &slope[0]
    out.low = &low[0]
    out.high = &high[0]
    return 0


def stitch(cameras, seams, into, int variant, int top, int bottom, int left, int right):
    cdef CTask task
    cdef uint8_t[:, :] plane
    cdef Py_ssize_t k
    if not 1 <= len(cameras) <= MOST_CAMERAS or len(seams) != len(cameras) - 1 or not c_can_run(variant):
        raise ValueError("not so many cameras, or not on this processor")
    task.cameras = <int32_t> len(cameras)
    task.coupled = 0
    for k, camera in enumerate(cameras):
        _camera(camera, &task.camera[k])
        task.coupled |= task.camera[k].tint_words[0][0] != 0 or task.camera[k].tint_words[1][0] != 0
    for k, (luma, chroma) in enumerate(seams):
        _seam(luma, &task.luma_seams[k])
        _seam(chroma, &task.chroma_seams[k])
    for k in range(3):
        plane = into[k]
        if plane.strides[1] != 1:
            raise ValueError("a plane's pixels do not lie side by side")
        task.planes[k].pixels = &plane[0, 0]
        task.planes[k].stride = plane.strides[0]
        if k == 0:
            task.width = <int32_t> plane.shape[1]
            task.height = <int32_t> plane.shape[0]
    if top % 16 or left % 16 or not (0 <= top and bottom <= task.height and 0 <= left and right <= task.width):
        raise ValueError("not a part of the panorama")
    with nogil:
        stitch_part(&task, variant, top, bottom, left, right)
