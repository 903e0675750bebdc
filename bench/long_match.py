"""What the hub's pass over a whole match costs when the match is long: `make bench ARGS="--long-match 5 45 90"`.

Makes the `.tracks` of long simulated matches, as three honest nodes would have written them without any picture drawn,
and lets the hub's final pass run over each in a process of its own.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import av
import cv2
import ffmpeg
import numpy as np
import numpy.typing as npt

from bench.final_pass import PANORAMA_WIDTH
from hub.messages import SessionPlan, SessionRequest
from hub.panorama.encoder import WindowCoder, software
from hub.panorama.video import planes_of
from hub.panorama.windows import USUAL
from hub.panorama.writer import PLAYLIST, playlist
from hub.rendering import part_of, render, thumbnail
from hub.sessions import SessionFolder, Sessions
from hub.stitch import plan_panorama
from simulator.demo.processes import ONE_THREAD
from simulator.match.engine import play
from simulator.match.truth import MatchTruth, Person, truth_events, truth_tracks
from simulator.pictures.outfits import KEEPERS, KITS
from simulator.pictures.rigs import virtual_rig
from simulator.scoring import read_events, read_positions, score_events, score_positions
from simulator.sightings import SEGMENT_S, Scene, sightings_in_parts
from wire.durable import write_parts_durably
from wire.events import events_csv
from wire.ids import SessionId
from wire.match import MatchSheet, Team
from wire.message import encode
from wire.pitch import Pitch, default_pitch
from wire.pitch_tracks import TeamSide, pitch_tracks_csv
from wire.rig import Rig
from wire.session import SegmentKey
from wire.tracks import encode_tracks

SESSION = SessionId("0000000000-simulated")
START_NS = 1_790_000_000_000_000_000
_PART_S = 60.0


@dataclass(frozen=True)
class PassCost:
    """What one run of the final pass cost: CPU seconds and peak memory in MB by stage, in order; `before` is the
    memory of the process with everything loaded and nothing done."""

    minutes: float
    cpu_s: dict[str, float]
    peak_mb: dict[str, float]
    before_mb: float

    @property
    def most_mb(self) -> float:
        """The peak of all stages."""
        return max(self.peak_mb.values())


def measure(minutes: Sequence[float], seed: int) -> None:
    """Make, run and print one match after another."""
    costs = []
    for length in minutes:
        with tempfile.TemporaryDirectory(prefix="touchline-bench-") as folder:
            data = Path(folder)
            size = write_match(data, default_pitch(11), length * 60, seed)
            costs.append(run_final_pass(data, length))
            print(
                f"\n{length:g} minutes, {size / 1e6:.1f} MB of tracks\n{_table(costs[-1])}\n{_quality(data)}",
                flush=True,
            )
    if len(costs) > 1:
        print(f"\n{growth(costs[0], costs[-1]):.2f} MB more at the peak for each minute more")


def growth(short: PassCost, long: PassCost) -> float:
    """How much higher the peak is for each minute that the match is longer, MB."""
    return (long.most_mb - short.most_mb) / (long.minutes - short.minutes)


def write_match(data: Path, pitch: Pitch, seconds: float, seed: int) -> int:
    """A hub's data folder of one simulated session with its panorama made, and the truth beside it; returns the bytes
    of all `.tracks`."""
    truth = play(pitch, seconds, seed)
    rig = virtual_rig("mast", pitch, seed).rig
    folder = _begin(Sessions(data / "sessions"), rig)
    size = 0
    for part in sightings_in_parts(_scenes(truth), rig, seed, START_NS):
        path = data / "segments" / SegmentKey(SESSION, part.node, part.sequence).path(".tracks")
        path.parent.mkdir(parents=True, exist_ok=True)
        raw = encode_tracks(part)
        path.write_bytes(raw)
        size += len(raw)
    _write_panorama(folder, rig, seconds)
    (data / "truth").mkdir()
    played = pitch_tracks_csv(truth_tracks(truth, START_NS))
    write_parts_durably(data / "truth" / "tracks.csv", (part.encode() for part in played))
    (data / "truth" / "events.csv").write_text(events_csv(truth_events(truth)))
    return size


def run_final_pass(data: Path, minutes: float, spell_s: tuple[int, int] | None = None) -> PassCost:
    """The hub's final pass over the session below `data`, in a process of its own; `spell_s` are the seconds of a spell
    and of an overlap where they shall not be the usual ones."""
    command = [sys.executable, "-m", "bench.final_pass", str(data), *map(str, spell_s or ())]
    run = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, env=os.environ | ONE_THREAD)
    stages = json.loads(run.stdout)
    before = stages.pop("before")["peak_mb"]
    return PassCost(
        minutes,
        {stage: cost["cpu_s"] for stage, cost in stages.items()},
        {stage: cost["peak_mb"] for stage, cost in stages.items()},
        before,
    )


def _begin(sessions: Sessions, rig: Rig) -> SessionFolder:
    home, away = ("#{:02x}{:02x}{:02x}".format(*KITS[side].shirt) for side in (TeamSide.HOME, TeamSide.AWAY))
    sheet = MatchSheet(title="A long match", pitch=rig.pitch, home=Team("Home", home), away=Team("Away", away))
    nodes = tuple(camera.node for camera in rig.cameras)
    sessions.begin(SessionPlan(session=SESSION, start_ns=START_NS, nodes=nodes, request=SessionRequest(sheet=sheet)))
    folder = sessions.folder(SESSION)
    folder.rig.write_bytes(encode(rig))
    return folder


def _scenes(truth: MatchTruth) -> Iterator[Scene]:
    """The match in parts of `_PART_S`, each with the first frame of the next."""
    step = round(_PART_S / SEGMENT_S) * round(SEGMENT_S * truth.frames_per_second)
    for first in range(0, truth.frames - 1, step):
        part = slice(first, first + step + 1)
        yield Scene(
            pitch=truth.pitch,
            frames_per_second=truth.frames_per_second,
            people=truth.xy[part].astype(np.float64),
            heights_m=np.array([person.height_m for person in truth.people]),
            colours_lab=np.array([_lab(person) for person in truth.people]),
            ball=truth.ball[part].astype(np.float64),
        )


def _lab(person: Person) -> npt.NDArray[np.float64]:
    """The colour of a person's shirt in OpenCV's 8-bit CIE Lab."""
    kit = KEEPERS[person.team] if person.keeper else KITS[person.team]
    return cv2.cvtColor(np.array([[kit.shirt]], np.uint8), cv2.COLOR_RGB2LAB)[0, 0].astype(np.float64)


def _write_panorama(folder: SessionFolder, rig: Rig, seconds: float) -> None:
    """A grey panorama of the right size and length: its windows are one window, over and over."""
    view = plan_panorama(rig, PANORAMA_WIDTH).view
    grey = av.VideoFrame(view.width_px, view.height_px, "yuv420p")
    for plane in planes_of(grey):
        plane[:] = 128
    coder = WindowCoder(software(), (view.width_px, view.height_px), USUAL, 0)
    for _ in range(USUAL.window_frames):
        coder.add(grey)
    init, media, _ = coder.close()
    folder.panorama.mkdir()
    frames = int(seconds * USUAL.rate) - 1
    windows = USUAL.windows_of(frames)
    last = frames - (windows - 1) * USUAL.window_frames
    (folder.panorama / PLAYLIST).write_text(playlist(windows, last, ended=True))
    one = folder.panorama / "one.mp4"
    one.write_bytes(init + media)
    again = ffmpeg.input(str(one), stream_loop=windows - 1)
    render(again.output(str(part_of(folder.archive)), c="copy"), folder.archive)
    thumbnail(folder.archive, folder.poster, 0.0)


def _table(cost: PassCost) -> str:
    rows = [f"  {'stage':10s} {'CPU s':>8s} {'peak MB':>8s}", f"  {'(loaded)':10s} {'':8s} {cost.before_mb:8.0f}"]
    rows += [f"  {stage:10s} {cpu:8.1f} {cost.peak_mb[stage]:8.0f}" for stage, cpu in cost.cpu_s.items()]
    return "\n".join(rows)


def _quality(data: Path) -> str:
    """How near the truth the pass came, in a few words."""
    found = Sessions(data / "sessions").folder(SESSION)
    words = []
    for kind in ("player", "ball"):
        score = score_positions(
            read_positions(data / "truth" / "tracks.csv", [kind]), read_positions(found.tracks_csv, [kind])
        )
        words.append(f"{kind} mean {score.mean_m:.2f} m, recall {score.recall:.3f}, precision {score.precision:.3f}")
    events = score_events(read_events(data / "truth" / "events.csv"), read_events(found.events_csv))
    right, true, told = (sum(getattr(s, name) for s in events.values()) for name in ("matched", "true", "found"))
    words.append(f"events {right} right of {told} found and {true} played")
    return "  " + "; ".join(words)
