"""The ffmpeg binary and how graphs are run on it: system's ffmpeg, else the one imageio-ffmpeg brings."""

import errno
import os
import shutil
from collections.abc import Sequence
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import ffmpeg
import imageio_ffmpeg

from hub.errors import HubError
from wire.durable import sync_folder


class RenderingFailed(HubError):
    """ffmpeg could not make a file."""


@cache
def ffmpeg_binary() -> str:
    """Path of the ffmpeg to use; raises `RenderingFailed` when there is none."""
    found = shutil.which("ffmpeg")
    if found:
        return found
    try:
        return str(imageio_ffmpeg.get_ffmpeg_exe())
    except RuntimeError as fault:
        raise RenderingFailed("there is no ffmpeg on this machine: install the ffmpeg package") from fault


def render(graph: Any, path: Path) -> None:
    """Run an ffmpeg-python graph whose output is `part_of(path)`, then rename it to `path`.

    Raises `RenderingFailed` with ffmpeg's last line, or `OSError` when the disk is full, which may pass.
    """
    part = part_of(path)
    try:
        graph.global_args("-nostdin", "-loglevel", "error").overwrite_output().run(
            cmd=ffmpeg_binary(), capture_stdout=True, capture_stderr=True
        )
    except ffmpeg.Error as fault:
        part.unlink(missing_ok=True)
        said = (fault.stderr or b"").decode(errors="replace").strip()
        if os.strerror(errno.ENOSPC) in said:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path)) from fault
        lines = said.splitlines()
        raise RenderingFailed(f"{path.name} could not be made: {lines[-1] if lines else 'ffmpeg failed'}") from fault
    with part.open("rb") as made:
        os.fsync(made.fileno())
    part.rename(path)
    sync_folder(path.parent)


def part_of(path: Path) -> Path:
    """The temporary name beside `path`, with the same ending so that ffmpeg knows the format."""
    return path.with_name(f".part-{path.name}")


def remux_playlist(playlist: Path, archive: Path) -> None:
    """The windows of an HLS playlist as one MP4 that starts playing before it is loaded; nothing is re-encoded."""
    source = ffmpeg.input(str(playlist), allowed_extensions="ALL")
    render(source.output(str(part_of(archive)), c="copy", movflags="+faststart"), archive)


SHARE_SHOWN = 0.7
"""Of the panorama's height: what a clip shows, so that players are large enough for a phone."""


def cut_followed(
    archive: Path,
    clip: Path,
    start_s: float,
    duration_s: float,
    panorama: tuple[int, int],
    path: Sequence[tuple[float, float, float]],
    size: tuple[int, int] = (1280, 720),
) -> None:
    """Cut a clip whose picture pans over the panorama.

    `panorama` is its width and height, `path` the picture's centre as (seconds from the clip's start, x px, y px), in
    rising time. The picture shows `SHARE_SHOWN` of the panorama's height at the proportions of `size`.
    """
    width, height = panorama
    window = min(width, round(SHARE_SHOWN * height * size[0] / size[1] / 2) * 2)
    tall = min(height, round(window * size[1] / size[0] / 2) * 2)
    left = [(t, min(max(x - window / 2, 0.0), float(width - window))) for t, x, _ in path]
    top = [(t, min(max(y - tall / 2, 0.0), float(height - tall))) for t, _, y in path]
    stream = ffmpeg.input(str(archive), ss=f"{start_s:.3f}", t=f"{duration_s:.3f}")
    stream = stream.filter("crop", window, tall, _piecewise(left), _piecewise(top))
    stream = stream.filter("scale", size[0], size[1], flags="bicubic").filter("setsar", 1)
    options = {"vcodec": "libx264", "preset": "superfast", "crf": 23, "pix_fmt": "yuv420p", "movflags": "+faststart"}
    render(stream.output(str(part_of(clip)), an=None, **options), clip)


def thumbnail(video: Path, picture: Path, at_s: float, width: int = 640) -> None:
    """One JPEG of `video` at `at_s`, `width` px wide."""
    stream = ffmpeg.input(str(video), ss=f"{at_s:.3f}").filter("scale", width, -2)
    render(stream.output(str(part_of(picture)), vframes=1, **{"q:v": 4}), picture)


def _piecewise(points: Sequence[tuple[float, float]]) -> str:
    """An ffmpeg expression of t that runs straight from point to point and rests at both ends."""
    if not points:
        return "0"
    expression = f"{points[-1][1]:.1f}"
    for (t0, x0), (t1, x1) in reversed(list(pairwise(points))):
        slope = (x1 - x0) / max(t1 - t0, 1e-3)
        expression = f"if(lt(t,{t1:.2f}),{x0:.1f}+({slope:.2f})*max(t-{t0:.2f},0),{expression})"
    return expression
