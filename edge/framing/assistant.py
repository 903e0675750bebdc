"""Says what is missing in a camera's picture, and how far it is from good."""

import math
from enum import StrEnum

import cv2
import msgspec
import numpy as np

from edge.detect.picture import Plane, small_bgr
from edge.framing.pitch_view import WIDTH, PitchView, drawn, look_for_pitch

LEAST_GRASS = 0.25
"""Share of a picture of a pitch that is grass."""
CUT = 0.2
"""Share of the columns in which the grass may reach the picture's upper edge."""
MUCH_SKY = 0.28
"""Share of the height above the pitch that is too much, where the near line is cut at the same time."""
NEAR_COLUMNS = 0.3
"""Share of the columns in which the near line has to be seen …"""
NEAR_DEPTH = 0.25
"""… below this share of the way from the far side to the lower edge …"""
NEAR_SLOPE = 45.0
"""… at less than so many degrees: steeper lines run away from the camera."""
SIDE_COLUMNS = 0.25
"""Share of the columns at one side that may be without grass."""
LEVEL_DEG = 12.0
"""A far side that slopes by more than a side view's perspective and its lens explain (10 degrees on real footage)."""
DARK, BRIGHT = 35.0, 215.0
"""Mean luma of the grass."""
SHARP = 0.06
"""Least ratio of the luma's second differences to its spread, both as variances: below, rain or a finger is on it."""


class Hint(StrEnum):
    """What is wrong with a picture; the value is its code."""

    NO_PITCH = "no-pitch"
    TURN_LEFT = "turn-left"
    TURN_RIGHT = "turn-right"
    TILT_UP = "tilt-up"
    TILT_DOWN = "tilt-down"
    LEVEL = "level"
    DARK = "dark"
    BRIGHT = "bright"
    UNSHARP = "unsharp"


SENTENCES = {
    Hint.NO_PITCH: "No pitch in the picture: turn the camera to the grass.",
    Hint.TURN_LEFT: "Turn left: the pitch fills only that side of the picture.",
    Hint.TURN_RIGHT: "Turn right: the pitch fills only that side of the picture.",
    Hint.TILT_UP: "Tilt up: the far side of the pitch is cut.",
    Hint.TILT_DOWN: "Tilt down: the near line is cut, and above the pitch there is room to spare.",
    Hint.LEVEL: "Level the camera: the far side of the pitch slopes.",
    Hint.DARK: "The picture is too dark.",
    Hint.BRIGHT: "The picture is too bright.",
    Hint.UNSHARP: "The picture is not sharp: wipe the lens, and check its focus.",
}


class Framing(msgspec.Struct, frozen=True, kw_only=True):
    """How well a picture is framed: `score` from 0 to 1, the hints from the worst on, and a sentence for each; whether
    the near line is in the picture, and how many pieces of lines were found."""

    score: float
    good: bool
    hints: tuple[Hint, ...]
    sentences: tuple[str, ...]
    near_line: bool
    lines: int


def assess(i420: Plane) -> tuple[Framing, Plane]:
    """How well the picture, I420 planes (h * 3 // 2, w), is framed, and the picture with what was found (h, w, 3)."""
    rows, width = i420.shape
    height = rows * 2 // 3
    bgr = small_bgr(i420, (0, 0, width, height), WIDTH, round(height * WIDTH / width / 2) * 2)
    view = look_for_pitch(bgr)
    faults = _faults(view)
    hints = sorted(faults, key=lambda hint: -faults[hint])
    return (
        Framing(
            score=round(1.0 - max(faults.values(), default=0.0), 3),
            good=not hints,
            hints=tuple(hints),
            sentences=tuple(SENTENCES[hint] for hint in hints),
            near_line=near_line(view),
            lines=len(view.lines),
        ),
        drawn(bgr, view),
    )


def beep_pause_s(score: float) -> float:
    """The pause between two beeps: from one and a half seconds far off to a rattle when the picture is nearly good."""
    return float(1.5 * 0.1 ** min(max(score, 0.0), 1.0))


def near_line(view: PitchView) -> bool:
    """Whether the touchline in front of the camera is in the picture, across enough of its width."""
    width, height = view.size
    seen = np.zeros(width, bool)
    for x0, y0, x1, y1 in view.lines.tolist():
        if abs(math.degrees(math.atan2(y1 - y0, x1 - x0))) >= NEAR_SLOPE:
            continue
        middle = min(width - 1, (x0 + x1) // 2)
        far = int(view.top[middle])
        if (y0 + y1) / 2 > far + NEAR_DEPTH * (height - far):
            seen[min(x0, x1) : max(x0, x1) + 1] = True
    return bool(seen.mean() >= NEAR_COLUMNS)


def _faults(view: PitchView) -> dict[Hint, float]:
    """The hints and how bad each is, 0 to 1."""
    width, height = view.size
    if view.share < LEAST_GRASS:
        return {Hint.NO_PITCH: 1.0 - 0.5 * view.share / LEAST_GRASS}
    faults = _light(view)
    if Hint.UNSHARP in faults:
        # Without its detail, a wood looks like grass: nothing else can be said.
        return faults
    there = view.top < height
    bare = ~there
    left, right = float(bare[: width // 2].sum()) / width, float(bare[width // 2 :].sum()) / width
    if max(left, right) > SIDE_COLUMNS and min(left, right) < SIDE_COLUMNS / 2:
        # What is bare on the left is mended by turning to the right.
        faults[Hint.TURN_RIGHT if left > right else Hint.TURN_LEFT] = min(1.0, 2 * max(left, right))
    cut = float((view.top[there] < 0.02 * height).mean())
    sky = float(np.median(view.top[there])) / height
    if cut > CUT:
        faults[Hint.TILT_UP] = min(1.0, 0.2 + 0.7 * cut)
    elif sky > MUCH_SKY and not near_line(view):
        faults[Hint.TILT_DOWN] = min(1.0, 0.2 + 1.5 * (sky - MUCH_SKY))
    slope = abs(_slope_deg(view))
    if cut < 0.5 and slope > LEVEL_DEG:
        faults[Hint.LEVEL] = min(1.0, 0.2 + (slope - LEVEL_DEG) / 20)
    return faults


def _light(view: PitchView) -> dict[Hint, float]:
    grass = view.luma[view.grass > 0].astype(np.float64)
    mean = float(grass.mean())
    if mean < DARK:
        return {Hint.DARK: min(1.0, 0.3 + (DARK - mean) / DARK)}
    if mean > BRIGHT:
        return {Hint.BRIGHT: min(1.0, 0.3 + (mean - BRIGHT) / 40)}
    sharp = float(cv2.Laplacian(view.luma, cv2.CV_32F).var()) / max(float(view.luma.var()), 1.0)
    return {Hint.UNSHARP: min(1.0, 0.3 + (SHARP - sharp) / SHARP)} if sharp < SHARP else {}


def _slope_deg(view: PitchView) -> float:
    """Slope of the far side, degrees; the median of slopes over a third of the width bears goals and people."""
    width, height = view.size
    step = width // 3
    a, b = view.top[:-step], view.top[step:]
    both = (a < height) & (b < height)
    if both.mean() < 0.3:
        return 0.0
    return math.degrees(math.atan2(float(np.median((b - a)[both])), step))
