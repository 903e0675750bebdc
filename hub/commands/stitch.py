"""`touchline-hub stitch`: the recordings of a rig's cameras as one panorama."""

import argparse
import errno
import hashlib
import shutil
import sys
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import get_args
from urllib.parse import quote

from firmware.holding import hold
from hub.commands.progress import Progress, cost_table
from hub.commands.rigs import read_rig
from hub.errors import HubError
from hub.panorama.conveyor import CostBook
from hub.panorama.decoder import choose_decoder
from hub.panorama.encoder import choose_encoder, software
from hub.panorama.making import PREVIEW_WIDTH_PX, Conveyor, stitching_threads
from hub.panorama.proving import choice
from hub.panorama.recordings import Recordings
from hub.panorama.vision import VisionControl
from hub.panorama.writer import Making, PanoramaFolder, rig_digest
from hub.stitch import Stitcher, StitchPlan, plan_panorama
from hub.stitch.choose import Wanted
from wire.durable import sync_folder, write_durably
from wire.rig import Rig

NARROWEST_PX, WIDEST_PX = 640, 16384
"""Of a panorama: below nobody on it can be told from another, above the H.264 encoder refuses it."""
STOPPED = 130
"""The exit status of a command that was stopped from the keyboard."""
_PLAYLIST, _ARCHIVE = ".m3u8", ".mp4"


class BadOutput(HubError, ValueError):
    """A panorama cannot be written where it was asked for."""


def add_stitch(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the parser's."""
    parser = commands.add_parser("stitch", help="make one panorama of the recordings of a rig's cameras")
    parser.add_argument(
        "videos", nargs="+", type=Path, metavar="VIDEO", help="a recording of each camera, from the left"
    )
    parser.add_argument("--rig", required=True, type=Path, metavar="FILE", help="the cameras' calibration (rig.json)")
    parser.add_argument(
        "--out",
        "-o",
        required=True,
        type=Path,
        metavar="FILE",
        help="the panorama: .mp4, or .m3u8 for HLS in two sizes with thumbnails",
    )
    parser.add_argument("--kernel", choices=get_args(Wanted), default="auto", help="what stitches (%(default)s)")
    parser.add_argument("--width", type=int, default=4096, help="widest panorama in pixels (%(default)s)")
    parser.set_defaults(run=stitch)


def stitch(arguments: argparse.Namespace) -> int:
    """Make the panorama; what cannot succeed is refused before any work, and a run that was cut is gone on with."""
    out: Path = arguments.out
    _check_out(out, [arguments.rig, *arguments.videos])
    if not NARROWEST_PX <= arguments.width <= WIDEST_PX:
        raise BadOutput(f"--width takes {NARROWEST_PX} to {WIDEST_PX} pixels")
    rig = read_rig(arguments.rig)
    recordings = Recordings(rig, arguments.videos)
    work = out.with_name(out.name + ".part")
    try:
        work.mkdir(exist_ok=True)
        with hold(work / "lock"):
            return _Run(out, work, rig, recordings, arguments.kernel, arguments.width).run()
    except BlockingIOError:
        raise BadOutput(f"another run is at work on {out}") from None
    except OSError as fault:
        raise _in_words(fault, work) from fault


def _check_out(out: Path, inputs: Sequence[Path]) -> None:
    """Raises `BadOutput` where no panorama can be, or where it would replace what it is made of."""
    if out.suffix.lower() not in (_ARCHIVE, _PLAYLIST):
        raise BadOutput(f"-o {out}: a panorama is written as FILE.mp4, or as FILE.m3u8 for HLS")
    if out.is_dir() or not out.parent.is_dir():
        raise BadOutput(f"-o {out}: give the name of a file in a folder that is there")
    for path in inputs:
        if out.exists() and path.exists() and out.samefile(path):
            raise BadOutput(f"-o {out} is {path} itself: give another name")
    if len({path.resolve() for path in inputs}) < len(inputs):
        raise BadOutput("the same file was given twice: one recording for each camera, from the left")
    if out.suffix.lower() == _PLAYLIST:
        folder = out.with_suffix("")
        if folder.exists() and not PanoramaFolder.is_one(folder):
            raise BadOutput(f"-o {out} would put its windows into {folder}, which is something else: give another name")


def _in_words(fault: OSError, work: Path) -> HubError:
    if fault.errno == errno.ENOSPC:
        return HubError(
            f"the disk is full; what is made so far is kept in {work}: make room and give the same command again"
        )
    return HubError(f"{fault.filename or work}: {fault.strerror}")


@dataclass(frozen=True)
class _Run:
    """One run of the command, or a part of one that was cut."""

    out: Path
    work: Path
    rig: Rig
    recordings: Recordings
    kernel: Wanted
    width: int

    def run(self) -> int:
        costs, recordings = CostBook(), self.recordings
        cadence, total = recordings.cadence, recordings.frames_total
        plan = costs.measured("plan", lambda: plan_panorama(self.rig, self.width))
        size = plan.view.width_px, plan.view.height_px
        notes: list[str] = self._warnings()
        encoder = choose_encoder(size, cadence, software(), notes.append)
        hardware = choose_decoder(recordings.facts[0].path, notes.append)
        stitcher = costs.measured("kernel", lambda: Stitcher(plan, self.kernel, stitching_threads()))
        notes.append(choice("stitching by", stitcher.kernel.name, stitcher.reasons))
        making = self._making(plan, encoder.codec)
        folder = PanoramaFolder(self.work / "panorama", making)
        first = folder.open()
        progress = Progress(sys.stderr, total, first * cadence.window_frames)
        for words in [*notes, self._plan_words(size, first)]:
            progress.tell(words)
        vision = VisionControl(
            stitcher,
            cadence,
            lambda words: progress.tell(f"warning: {words}"),
            start=folder.start_of(first),
            standpoint=folder.standpoint_before(first),
        )
        conveyor = Conveyor(vision, size, cadence, recordings.colours, encoder, making.preview_width_px, costs)
        moments = recordings.from_frame(
            first * cadence.window_frames, costs, lambda gap: progress.tell(f"note: {gap}"), progress.tell, hardware
        )
        windows, last_frames = first, 0
        try:
            with closing(conveyor.windows(moments)) as made:
                for window in made:
                    folder.store(window)
                    windows, last_frames = window.number + 1, window.picture.frames
                    progress.at(window.number * cadence.window_frames + last_frames)
        except KeyboardInterrupt:
            progress.tell(
                f"stopped; {windows} of {cadence.windows_of(total)} windows are kept in {self.work}: give the same "
                "command again to go on, or delete the folder"
            )
            return STOPPED
        folder.end(windows, last_frames)
        self._hand_over(folder)
        costs.add_rest("library threads")
        progress.tell(cost_table(costs.snapshot()))
        progress.tell(f"{self.out} is made")
        return 0

    def _warnings(self) -> list[str]:
        told = [f"warning: {words}" for words in self.recordings.oddities()]
        if not self.rig.quality.trusted:
            reasons = "; ".join(self.rig.quality.notes) or "its calibration gives no reason"
            told.append(f"warning: the rig is not to be trusted, look at the seams: {reasons}")
        return told

    def _plan_words(self, size: tuple[int, int], first: int) -> str:
        cadence = self.recordings.cadence
        words = (
            f"{self.recordings.frames_total} frames of {size[0]}x{size[1]}, {float(cadence.rate):g} a second, from "
            f"{len(self.rig.cameras)} cameras"
        )
        return f"{words}; {first} windows are there from an earlier run" if first else words

    def _making(self, plan: StitchPlan, encoder: str) -> Making:
        size = plan.view.width_px, plan.view.height_px
        sources = hashlib.sha256()
        for facts in self.recordings.facts:
            stat = facts.path.stat()
            sources.update(f"{facts.path.resolve()}\n{stat.st_size} {stat.st_mtime_ns}\n".encode())
        return Making(
            rig=rig_digest(plan),
            sources=sources.hexdigest(),
            width_px=size[0],
            height_px=size[1],
            rate=self.recordings.cadence.rate.as_integer_ratio(),
            colours=self.recordings.colours,
            encoder=encoder,
            kernel=self.kernel,
            preview_width_px=min(PREVIEW_WIDTH_PX, size[0]) if self._is_playlist else None,
        )

    @property
    def _is_playlist(self) -> bool:
        return self.out.suffix.lower() == _PLAYLIST

    def _hand_over(self, folder: PanoramaFolder) -> None:
        """Give what is made its name, and let go of the rest."""
        if self._is_playlist:
            home = self.out.with_suffix("")
            master = folder.master(f"{quote(home.name)}/")
            if home.exists():
                shutil.rmtree(home)
            folder.root.rename(home)
            sync_folder(home.parent)
            write_durably(self.out, master.encode())
        else:
            folder.archive(self.out)
        shutil.rmtree(self.work)
