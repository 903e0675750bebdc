"""Recorded files, one per camera, checked before any work starts."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np

from hub.errors import ClicksFitNoCamera
from simulator.errors import BadFootage
from wire.clicks import Click, read_clicks
from wire.errors import BadTable
from wire.ids import NodeId
from wire.pitch import Pitch

SUFFIXES = frozenset({".mp4", ".mov", ".mkv", ".m4v", ".avi", ".ts", ".webm"})
SHORTEST_S = 2.0
_END_S = 0.5
POINTS_NEEDED = 4
"""Clicked points per camera without which no pose can be found."""
LEAST_SPREAD_M = 1.0
LEAST_SPREAD = 0.01
"""Width, in metres on the pitch and in shares of the picture's width, of the strip that points must not all lie in: a
line tells nothing of what is beside it."""

# Files named for their place are ordered by it, others by name.
_PLACES = {"left": 0, "l": 0, "centre": 1, "center": 1, "middle": 1, "c": 1, "right": 2, "r": 2}


@dataclass(frozen=True)
class Recording:
    """One camera's file and what is in it."""

    path: Path
    width_px: int
    height_px: int
    frames_per_second: float
    duration_s: float


def recordings(folder: Path) -> list[Recording]:
    """The files of a folder from the left; raises `BadFootage` unless they are two or three that go together."""
    if not folder.is_dir():
        raise BadFootage(f"{folder} is not a folder: give the folder that holds one video per camera")
    try:
        inside = sorted(folder.iterdir())
    except OSError as fault:
        raise BadFootage(f"{folder} cannot be looked into ({fault.strerror})") from None
    files = [path for path in inside if path.suffix.lower() in SUFFIXES and path.is_file()]
    if len(files) not in (2, 3):
        raise BadFootage(f"{folder} holds {_counted(files)}: a rig has two or three cameras, one file each")
    if all(path.stem.lower() in _PLACES for path in files):
        files.sort(key=lambda path: _PLACES[path.stem.lower()])
    found = [_looked_into(path) for path in files]
    first = found[0]
    for other in found[1:]:
        if (other.width_px, other.height_px) != (first.width_px, first.height_px):
            raise BadFootage(
                f"{first.path.name} is {first.width_px}x{first.height_px} but {other.path.name} is "
                f"{other.width_px}x{other.height_px}: all cameras of a rig record the same size"
            )
        if abs(other.frames_per_second - first.frames_per_second) > 0.02 * first.frames_per_second:
            raise BadFootage(
                f"{first.path.name} has {first.frames_per_second:.2f} frames a second but {other.path.name} has "
                f"{other.frames_per_second:.2f}: record all cameras at the same rate"
            )
        if abs(other.duration_s - first.duration_s) > max(5.0, 0.1 * first.duration_s):
            raise BadFootage(
                f"{first.path.name} lasts {first.duration_s:.0f} s but {other.path.name} {other.duration_s:.0f} s: "
                "these files are not of the same recording"
            )
    return found


def _counted(files: Sequence[Path]) -> str:
    return f"{len(files) or 'no'} video{'' if len(files) == 1 else 's'}"


def clicks_for(recorded: Sequence[Recording], path: Path | None, folder: Path) -> tuple[Click, ...]:
    """The points clicked in the recordings, from `path` or the folder's `clicks.csv`; none where there is neither, for
    the lines may tell without. Raises `BadFootage` unless they lie in the pictures and can place every camera."""
    if path is None and not (folder / "clicks.csv").is_file():
        return ()
    path = path if path is not None else folder / "clicks.csv"
    if not path.is_file():
        raise BadFootage(f"there is no {path} (a table camera,x_m,y_m,u_px,v_px of clicked pitch points)")
    try:
        clicks = read_clicks(path.read_text(encoding="utf-8-sig"), str(path))
    except (BadTable, UnicodeDecodeError, OSError) as fault:
        raise BadFootage(str(fault) if isinstance(fault, BadTable) else f"{path} is not a readable CSV file") from None
    _in_the_pictures(clicks, recorded, path)
    for camera, recording in enumerate(recorded):
        _enough([click for click in clicks if click.camera == camera], camera, recording, path)
    return tuple(clicks)


def place_cameras(recorded: Sequence[Recording], clicks: Sequence[Click], pitch: Pitch, path: Path | None) -> None:
    """Looks whether there is a place beside the pitch for each camera from which the clicked points are seen where they
    were clicked, as the hub will before it looks at any line; raises `BadFootage` when there is none."""
    if not clicks:
        return
    # Imported when needed: a simulated match begins without it.
    from hub.calibrate.clicked import clicks_of, first_poses  # noqa: PLC0415
    from hub.calibrate.views import View  # noqa: PLC0415

    for camera, recording in enumerate(recorded):
        blank = np.broadcast_to(np.uint8(0), (recording.height_px, recording.width_px, 3))
        mine = clicks_of(camera, clicks)
        if not mine.enough:
            raise BadFootage(
                f"{path or 'clicks.csv'}: the points clicked for camera {camera} lie on one line; add one at least "
                "several metres away from it"
            )
        try:
            first_poses(View(NodeId(f"camera-{camera}"), blank), camera, mine, pitch)
        except ClicksFitNoCamera as fault:
            raise BadFootage(f"{path or 'clicks.csv'}: {fault}") from None


def _in_the_pictures(clicks: Sequence[Click], recorded: Sequence[Recording], path: Path) -> None:
    for click in clicks:
        if click.camera >= len(recorded):
            raise BadFootage(f"{path} names camera {click.camera}, but there are only {len(recorded)}, counted from 0")
        recording = recorded[click.camera]
        if not (0 <= click.u_px <= recording.width_px and 0 <= click.v_px <= recording.height_px):
            raise BadFootage(
                f"{path} has a point of camera {click.camera} at ({click.u_px:g}, {click.v_px:g}), but "
                f"{recording.path.name} is {recording.width_px}x{recording.height_px}: "
                "was it clicked at another resolution?"
            )


def _enough(clicks: Sequence[Click], camera: int, recording: Recording, path: Path) -> None:
    """Raises `BadFootage` unless the clicks of one camera can place it."""
    pitch = {(click.x_m, click.y_m) for click in clicks}
    picture = {(click.u_px, click.v_px) for click in clicks}
    count = min(len(pitch), len(picture))
    if count < POINTS_NEEDED:
        raise BadFootage(
            f"{path} has {count} different points for camera {camera}: at least {POINTS_NEEDED} are needed"
        )
    if _across(pitch) < LEAST_SPREAD_M or _across(picture) < LEAST_SPREAD * recording.width_px:
        raise BadFootage(
            f"{path} has only points on one line for camera {camera}: click points on two or more lines of the pitch"
        )


def _across(points: Iterable[tuple[float, float]]) -> float:
    """How wide the narrowest strip about the points' main direction is, in their own units."""
    spread = np.array(list(points)) - np.mean(list(points), axis=0)
    return float(np.ptp(spread @ np.linalg.svd(spread)[2][1]))


def _looked_into(path: Path) -> Recording:
    if path.stat().st_size == 0:
        raise BadFootage(f"{path.name} is empty")
    try:
        with av.open(str(path)) as container:
            if not container.streams.video:
                raise BadFootage(f"{path.name} has no picture in it")
            stream = container.streams.video[0]
            rate = float(stream.average_rate or 0)
            first = next(container.decode(stream), None)
            if first is None:
                raise BadFootage(f"{path.name} holds no picture that can be decoded")
            duration = _duration_s(container, stream, rate)
            width, height = first.width, first.height
            whole = _reaches_its_end(container, stream, duration)
    except (av.FFmpegError, OSError) as fault:
        raise BadFootage(f"{path.name} is not a video that can be read: it is broken or cut short") from fault
    if not whole:
        raise BadFootage(f"{path.name} says it lasts {duration:.0f} s, but its end is missing: copy it again")
    if not 5 <= rate <= 130:
        raise BadFootage(f"{path.name} says it has {rate:g} frames a second: that cannot be")
    if duration < SHORTEST_S:
        raise BadFootage(f"{path.name} lasts {duration:.1f} s: at least {SHORTEST_S:g} s are needed")
    if width % 2 or height % 2 or width < 320 or height < 180:
        raise BadFootage(f"{path.name} is {width}x{height}: an even size of at least 320x180 is needed")
    return Recording(path, width, height, rate, duration)


def _duration_s(container: "av.container.InputContainer", stream: "av.VideoStream", rate: float) -> float:
    if stream.duration and stream.time_base:
        return float(stream.duration * stream.time_base)
    if container.duration:
        return container.duration / 1e6
    return stream.frames / rate if rate else 0.0


def _reaches_its_end(container: "av.container.InputContainer", stream: "av.VideoStream", duration_s: float) -> bool:
    """Whether the file can be decoded to its stated end: a cut copy still has its head."""
    if stream.time_base is None:
        return False
    start = float((stream.start_time or 0) * stream.time_base)
    container.seek(int((start + max(0.0, duration_s - 0.2)) / stream.time_base), stream=stream)
    last = start
    try:
        for frame in container.decode(stream):
            last = max(last, frame.time or start)
    except av.FFmpegError:
        return False
    return last >= start + duration_s - _END_S
