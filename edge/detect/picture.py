"""I420 pictures: their planes, and small copies of a part of them."""

import cv2
import numpy as np
import numpy.typing as npt

from edge.detect.loops import fewer_rows

Plane = npt.NDArray[np.uint8]
Picture = npt.NDArray[np.uint8]
"""(h, w, 3) colours interleaved; the name says whether BGR or RGB."""


def planes_of(i420: Plane) -> tuple[Plane, Plane, Plane]:
    """Views of luma (h, w) and both chromas (h // 2, w // 2) of I420 planes (h * 3 // 2, w); h and w are even."""
    rows, width = i420.shape
    height = rows * 2 // 3
    flat = i420.reshape(-1)
    luma, chroma = height * width, height * width // 4
    half = (height // 2, width // 2)
    first, second = flat[luma : luma + chroma], flat[luma + chroma : luma + 2 * chroma]
    return flat[:luma].reshape(height, width), first.reshape(half), second.reshape(half)


def small_bgr(i420: Plane, region: tuple[int, int, int, int], width: int, height: int) -> Picture:
    """The part x0, y0, x1, y1 (even numbers) of the picture, resized to (height, width, 3) BGR; both even."""
    return np.asarray(cv2.cvtColor(_small(i420, region, width, height), cv2.COLOR_YUV2BGR_I420), np.uint8)


def small_rgb(i420: Plane, region: tuple[int, int, int, int], width: int, height: int) -> Picture:
    """The same in RGB."""
    return np.asarray(cv2.cvtColor(_small(i420, region, width, height), cv2.COLOR_YUV2RGB_I420), np.uint8)


def _small(i420: Plane, region: tuple[int, int, int, int], width: int, height: int) -> Plane:
    # The planes are resized before the colours are converted: a full-size conversion costs several times more.
    x0, y0, x1, y1 = region
    luma, *chromas = planes_of(i420)
    small = np.empty((height * 3 // 2, width), np.uint8)
    parts = planes_of(small)
    sources = [luma[y0:y1, x0:x1], *(c[y0 // 2 : y1 // 2, x0 // 2 : x1 // 2] for c in chromas)]
    for source, part in zip(sources, parts, strict=True):
        if part.shape[0] < source.shape[0] and part.shape[1] < source.shape[1]:
            _shrink(source, part)
        else:
            cv2.resize(source, part.shape[::-1], dst=part, interpolation=cv2.INTER_LINEAR)
    return small


def _shrink(plane: Plane, into: Plane) -> None:
    """Each pixel by its share of the area, as OpenCV's `INTER_AREA` does in five times the time at any ratio but whole
    ones: rows, and columns as rows."""
    flat = np.empty((into.shape[0], plane.shape[1]), np.uint8)
    fewer_rows(plane, flat)
    turned = np.empty(into.shape[::-1], np.uint8)
    fewer_rows(np.asarray(cv2.transpose(flat), np.uint8), turned)
    cv2.transpose(turned, dst=into)
