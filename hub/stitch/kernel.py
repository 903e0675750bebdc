"""The per-frame work: warp each camera's planes, even out their light, blend where two overlap."""

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

from hub.errors import FramesDoNotFit
from hub.stitch.colour import BLACK
from hub.stitch.plan import Map, StitchPlan, plan_present
from wire.rig import Array

Planes = npt.NDArray[np.uint8]

_DARK = (24, 128, 128)
"""What no camera sees: a calm near-black."""


class Stitcher:
    """Makes panorama frames from camera frames; holds the tables, so one per plan. Not for several threads at once."""

    def __init__(self, plan: StitchPlan) -> None:
        self.plan = plan
        self._whole = _Prepared(plan)
        self._partial: _Prepared | None = None

    def stitch(self, frames: Sequence[Planes | None]) -> Planes:
        """One panorama as I420 planes (h * 3 / 2, w), from each camera's I420 planes in video range.

        A camera whose frame is missing (None) is replaced by its neighbours as far as they see, the rest stays dark;
        the first such frame costs a second for new tables. Raises `FramesDoNotFit` when a frame is not of its camera's
        size.
        """
        self._check(frames)
        view = self.plan.view
        out = np.empty((view.height_px * 3 // 2, view.width_px), np.uint8)
        targets = split_planes(out, view.width_px, view.height_px)
        prepared = self._prepared([frame is not None for frame in frames])
        if prepared is None:
            for target, dark in zip(targets, _DARK, strict=True):
                target[:] = dark
            return out
        warped = [None if f is None else prepared.warped(i, f) for i, f in enumerate(frames)]
        for span in prepared.plan.spans:
            for index, target in enumerate(targets):
                step = 2 if index else 1
                into = target[:, span.left // step : span.right // step]
                pieces = []
                for k in span.cameras:
                    camera, planes = prepared.plan.cameras[k], warped[k]
                    if camera is not None and planes is not None:
                        start = (span.left - camera.left) // step
                        pieces.append(planes[index][:, start : start + into.shape[1]])
                _blend(pieces, span.halves if index else span.weights, into)
        return out

    def _prepared(self, present: list[bool]) -> "_Prepared | None":
        if all(present):
            return self._whole
        if not any(present):
            return None
        if self._partial is None or self._partial.present != present:
            self._partial = _Prepared(plan_present(self.plan.rig, self.plan.view, present))
        return self._partial

    def _check(self, frames: Sequence[Planes | None]) -> None:
        if len(frames) != len(self.plan.rig.cameras):
            raise FramesDoNotFit(f"{len(frames)} frames for a rig of {len(self.plan.rig.cameras)} cameras")
        for i, (frame, camera) in enumerate(zip(frames, self.plan.rig.cameras, strict=True)):
            if frame is not None and frame.shape != (camera.height_px * 3 // 2, camera.width_px):
                raise FramesDoNotFit(
                    f"camera {i} was calibrated at {camera.width_px}x{camera.height_px}, but its frame is "
                    f"{frame.shape[1]}x{frame.shape[0] * 2 // 3}"
                )


class _Prepared:
    """The tables for one set of cameras that give pictures."""

    def __init__(self, plan: StitchPlan) -> None:
        self.plan = plan
        self.present = [camera is not None for camera in plan.cameras]
        self._black = [None if c is None else _black_level(c.gain) for c in plan.cameras]

    def warped(self, index: int, frame: Planes) -> tuple[Planes, Planes, Planes] | None:
        """The camera's part of the panorama, its light evened out; None when it has none."""
        camera, black = self.plan.cameras[index], self._black[index]
        if camera is None or black is None:
            return None
        model = self.plan.rig.cameras[index]
        planes = split_planes(np.ascontiguousarray(frame), model.width_px, model.height_px)
        warped = _remap(planes[0], camera.luma, _DARK[0])
        lit = cv2.multiply(warped, camera.gain, dst=warped, dtype=cv2.CV_8U)
        raised, lowered = black
        if raised is not None:
            lit = cv2.add(lit, raised, dst=lit)
        if lowered is not None:
            lit = cv2.subtract(lit, lowered, dst=lit)
        luma = np.asarray(lit, np.uint8)
        blue, red = (_remap(plane, camera.chroma, dark) for plane, dark in zip(planes[1:], _DARK[1:], strict=True))
        half = np.asarray(cv2.resize(luma, blue.shape[::-1], interpolation=cv2.INTER_AREA), np.uint8)
        return luma, _mixed(half, blue, red, camera.change.chroma[0]), _mixed(half, blue, red, camera.change.chroma[1])


def _black_level(gain: Map) -> tuple[Planes | None, Planes | None]:
    """What is to be added and subtracted after luma was multiplied by the gain, so that black stays black."""
    shift = np.round(BLACK * (1 - gain))
    up, down = (s.clip(0, 255).astype(np.uint8) for s in (shift, -shift))
    return up if up.any() else None, down if down.any() else None


def _mixed(half: Planes, blue: Planes, red: Planes, shares: Array) -> Planes:
    """A chroma plane made of shares of luma above black, blue and red difference."""
    from_luma, from_blue, from_red = (float(v) for v in shares)
    centre = 128 * (1 - from_blue - from_red)
    out = cv2.addWeighted(blue, from_blue, red, from_red, centre)
    if abs(from_luma) > 0.002:
        out = cv2.addWeighted(out, 1.0, half, from_luma, -BLACK * from_luma)
    return np.asarray(out, np.uint8)


def _remap(plane: Planes, maps: tuple[Map, Map], dark: int) -> Planes:
    # Float maps are both exact and faster than fixed-point ones in OpenCV 5.
    read = cv2.remap(plane, *maps, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=dark)
    return np.asarray(read, np.uint8)


def split_planes(planes: Planes, width: int, height: int) -> tuple[Planes, Planes, Planes]:
    """Luma (h, w) and both chroma planes (h/2, w/2) as views into contiguous I420 planes (h * 3 / 2, w)."""
    flat = planes.reshape(-1)
    area = width * height
    shape = (height // 2, width // 2)
    return (
        planes[:height],
        flat[area : area + area // 4].reshape(shape),
        flat[area + area // 4 : area + area // 2].reshape(shape),
    )


def _blend(pieces: Sequence[Planes], weights: Sequence[Map], into: Planes) -> None:
    """Write the weighted mean of the pieces, all of the shape of `into`."""
    if len(pieces) == 1:
        into[:] = pieces[0]
    elif len(pieces) == 2:
        into[:] = cv2.blendLinear(pieces[0], pieces[1], weights[0], weights[1])
    else:
        total = sum(np.multiply(piece, weight) for piece, weight in zip(pieces, weights, strict=True))
        into[:] = np.rint(total)
