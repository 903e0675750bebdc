"""Short simulated matches, drawn as a panorama and cut as a hub would, to be packed under any sheet."""

import shutil
import tempfile
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import av
import cv2
import numpy as np

from hub.clips import look_path, made_clips
from hub.package import listed, pack
from hub.rendering import RenderingFailed, cut_followed, thumbnail
from hub.statistics import player_statistics
from simulator.match.engine import play
from simulator.match.truth import MatchTruth, truth_events, truth_tracks
from simulator.pictures.camera import VirtualCamera
from simulator.pictures.outfits import KITS
from simulator.pictures.rigs import PictureFaults, TrueRig, virtual_rig
from simulator.scenes.cylinder import Cylinder, panorama_view
from wire.events import Event, EventType
from wire.ids import SessionId
from wire.match import Clip, MatchPackage, MatchSheet, Team
from wire.panorama import PanoramaView
from wire.pitch import PlayersPerSide, default_pitch
from wire.pitch_tracks import Role, TeamSide, encode_pitch_tracks
from wire.rig import Rig

VIDEO, POSTER, TRACKS, CLIPS = "panorama.mp4", "poster.jpg", "match.tracks", "clips"
_AT_HAND = PictureFaults(gain=1.0, white_balance=(1.0, 1.0, 1.0), vignette=(0.0, 0.0), noise_sigma=1.0, phase_s=0.0)
_HALF_OF_A_CLIP = 0.5


@dataclass(frozen=True)
class Wanted:
    """A match to draw: players a side, its seed, how long and how wide."""

    players: PlayersPerSide
    seed: int
    seconds: float = 20.0
    width_px: int = 1280
    every: int = 1


MATCHES = (Wanted(7, 3), Wanted(9, 6), Wanted(11, 4))
"""One for each form of the game; home scores in each."""


@dataclass(frozen=True)
class Footage:
    """A drawn match in `folder`; home plays in red."""

    wanted: Wanted
    folder: Path
    view: PanoramaView
    clips: tuple[Clip, ...]

    @property
    def truth(self) -> MatchTruth:
        """What really happens in it."""
        return play(default_pitch(self.wanted.players), self.wanted.seconds, self.wanted.seed)


def draw_all(wanted: tuple[Wanted, ...], folder: Path, done: Callable[[int], None], hands: int = 2) -> list[Footage]:
    """Draw the matches below `folder`, `hands` at a time; `done` is told how many are ready."""
    # Spawned, not forked: whoever calls has threads.
    with ProcessPoolExecutor(hands, mp_context=get_context("spawn")) as pool:
        drawing = {pool.submit(draw, one, folder / str(at)): at for at, one in enumerate(wanted)}
        found: dict[int, Footage] = {}
        for future in as_completed(drawing):
            found[drawing[future]] = future.result()
            done(len(found))
    return [found[at] for at in range(len(wanted))]


def draw(wanted: Wanted, folder: Path) -> Footage:
    """Draw one match: the panorama, a picture of it, and clips of its best moments."""
    cv2.setNumThreads(1)
    folder.mkdir(parents=True)
    pitch = default_pitch(wanted.players)
    truth = play(pitch, wanted.seconds, wanted.seed)
    view = panorama_view(virtual_rig("mast", pitch, wanted.seed).rig, wanted.width_px)
    # A panorama is a camera that stands where the rig does: no lens to bend it, no seams to close.
    rig = TrueRig("mast", Rig(pitch=pitch, cameras=(Cylinder(view),)), (_AT_HAND,))  # type: ignore[arg-type]
    camera = VirtualCamera(rig, 0, truth, wanted.seed)
    _film(camera, truth, folder / VIDEO, wanted.every)
    thumbnail(folder / VIDEO, folder / POSTER, wanted.seconds / 2, width=wanted.width_px)
    tracks = truth_tracks(truth, 0)
    (folder / CLIPS).mkdir()

    def make(clip: Path, picture: Path, _event: object, start_s: float, end_s: float) -> None:
        look = look_path(tracks, start_s, end_s)
        pixels = view.project(np.column_stack([look[:, 1:], np.zeros(len(look))]))
        path = [(float(t), float(u), float(v)) for t, (u, v) in zip(look[:, 0], pixels, strict=True)]
        cut_followed(
            folder / VIDEO, clip, start_s, end_s - start_s, (view.width_px, view.height_px), path, size=(640, 360)
        )
        thumbnail(clip, picture, _HALF_OF_A_CLIP * (end_s - start_s))

    def missed(fault: RenderingFailed) -> None:
        raise fault

    clips = made_clips(_events(truth), wanted.seconds, folder / CLIPS, make, missed)
    return Footage(wanted, folder, view, tuple(clips))


def write_package(
    footage: Footage, session: SessionId, start_ns: int, title: str, home: str, away: str, target: Path
) -> None:
    """Pack the match as that of `home` against `away`, begun at rig time `start_ns`."""
    truth = footage.truth
    tracks = truth_tracks(truth, start_ns)
    with tempfile.TemporaryDirectory(dir=target.parent) as room:
        root = Path(room, "match")
        shutil.copytree(footage.folder, root)
        (root / TRACKS).write_bytes(encode_pitch_tracks(tracks))
        paths = [VIDEO, POSTER, TRACKS, *(path for clip in footage.clips for path in (clip.path, clip.thumbnail))]
        package = MatchPackage(
            session=session,
            sheet=MatchSheet(
                title=title,
                pitch=truth.pitch,
                home=Team(home, _colour(TeamSide.HOME)),
                away=Team(away, _colour(TeamSide.AWAY)),
            ),
            start_ns=start_ns,
            duration_s=footage.wanted.seconds,
            panorama=VIDEO,
            panorama_width_px=footage.view.width_px,
            panorama_height_px=footage.view.height_px,
            poster=POSTER,
            tracks=TRACKS,
            events=tuple(_events(truth)),
            clips=footage.clips,
            statistics=tuple(player_statistics(tracks)),
            files=listed(root, paths),
            view=footage.view,
        )
        pack(package, root, target)


def shirts(footage: Footage, side: TeamSide) -> list[tuple[int, int]]:
    """The tracks of a side with the number on each shirt."""
    return [
        (person.id, person.number)
        for person in footage.truth.people
        if person.role is Role.PLAYER and person.team is side
    ]


def _events(truth: MatchTruth) -> list[Event]:
    """What happens, and that somebody at the mast pressed the button near the end."""
    mark = Event(time_s=truth.frames / truth.frames_per_second - 1, type=EventType.MARK)
    return sorted([*truth_events(truth), mark], key=lambda event: event.time_s)


def _film(camera: VirtualCamera, truth: MatchTruth, target: Path, every: int) -> None:
    rate = round(truth.frames_per_second) // every
    with av.open(str(target), "w", format="mp4", options={"movflags": "faststart"}) as container:
        options = {"g": str(rate), "preset": "veryfast", "crf": "24"}
        stream = container.add_stream("libx264", rate=rate, options=options)
        stream.width, stream.height, stream.pix_fmt = camera.camera.width_px, camera.camera.height_px, "yuv420p"
        stream.thread_count = 1
        for frame in range(0, truth.frames, every):
            picture = av.VideoFrame.from_ndarray(camera.frame(frame / truth.frames_per_second), format="yuv420p")
            container.mux(stream.encode(picture))
        container.mux(stream.encode())


def _colour(side: TeamSide) -> str:
    return "#{:02x}{:02x}{:02x}".format(*KITS[side].shirt)
