"""Clips around the events worth seeing, panned after the ball."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from hub.rendering import RenderingFailed
from wire.events import Event, EventType
from wire.match import Clip
from wire.pitch_tracks import PitchTracks, Role

LEAD_S = 6.0
LAG_S = 3.5
"""Seconds kept before and after an event: the build-up matters more than what follows."""

SHOWN = (EventType.GOAL, EventType.SAVE, EventType.SHOT, EventType.CORNER, EventType.PENALTY, EventType.MARK)
"""Events that get a clip, most worth seeing first."""

_STEP_S = 0.25
_SIGMA_S = 0.7


def worth_a_clip(events: Sequence[Event], duration_s: float) -> list[tuple[int, float, float]]:
    """Index of the event, start and end in seconds of each clip, in order of time.

    A shot, save or corner that lies within a better event's clip is shown there and gets none of its own.
    """
    chosen: list[tuple[int, float, float]] = []
    for kind in SHOWN:
        for index, event in enumerate(events):
            if event.type is not kind:
                continue
            if any(start <= event.time_s <= end for _, start, end in chosen):
                continue
            chosen.append((index, max(0.0, event.time_s - LEAD_S), min(duration_s, event.time_s + LAG_S)))
    return sorted(chosen, key=lambda clip: events[clip[0]].time_s)


def made_clips(
    events: Sequence[Event],
    duration_s: float,
    folder: Path,
    make: Callable[[Path, Path, Event, float, float], None],
    missed: Callable[[RenderingFailed], None],
) -> list[Clip]:
    """The clips of a match in `folder`, whose parent their paths start from.

    `make` renders what is not there of a clip and its picture, for an event, from a start to an end in seconds. One
    that it cannot make is told to `missed` and left out: the event keeps its place on the match's timeline.
    """
    clips = []
    for index, start_s, end_s in worth_a_clip(events, duration_s):
        event = events[index]
        clip = folder / f"{round(event.time_s):05d}s-{event.type}.mp4"
        picture = clip.with_suffix(".jpg")
        try:
            make(clip, picture, event, start_s, end_s)
        except RenderingFailed as fault:
            missed(fault)
        else:
            clips.append(Clip(f"{folder.name}/{clip.name}", f"{folder.name}/{picture.name}", index, start_s, end_s))
    return clips


def look_path(tracks: PitchTracks, start_s: float, end_s: float) -> npt.NDArray[np.float64]:
    """Where to look between two times: (n, 3) rows of seconds from `start_s`, x_m, y_m.

    The ball where it is known, else the middle of the players; smoothed so that the picture glides.
    """
    fps = tracks.frames_per_second
    times = np.arange(start_s, max(end_s, start_s + _STEP_S), _STEP_S)
    frames = np.round(times * fps)
    # Look ahead and behind by two widths, so that the glide does not jerk at the cut.
    lo, hi = frames[0] - 3 * _SIGMA_S * fps, frames[-1] + 3 * _SIGMA_S * fps
    ball, crowd = [(np.zeros(0, np.int64), np.zeros((0, 2)))], [np.zeros((0, 2))]
    for track in tracks.tracks:
        at, xy, _ = tracks.of(track.id)
        inside = slice(int(np.searchsorted(at, lo)), int(np.searchsorted(at, hi, side="right")))
        if track.role is Role.BALL:
            ball.append((at[inside], xy[inside]))
        else:
            crowd.append(xy[inside])
    ball_at, ball_xy = (np.concatenate(column) for column in zip(*ball, strict=True))
    people = np.concatenate(crowd)
    out = np.zeros((len(times), 3))
    out[:, 0] = times - start_s
    rest = np.median(people, axis=0) if len(people) else np.zeros(2)
    for row, frame in enumerate(frames):
        weight = np.exp(-0.5 * ((ball_at - frame) / (_SIGMA_S * fps)) ** 2)
        total = weight.sum()
        # A quarter of a second of sight in reach is as good as none: then the middle of the players counts too.
        trust = total / (total + 0.25 * fps)
        here = (weight[:, None] * ball_xy).sum(axis=0) / total if total > 1e-6 else rest
        out[row, 1:] = trust * here + (1 - trust) * rest
    return out
