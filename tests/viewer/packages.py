"""A made-up match of a few seconds, as the package that a hub sends."""

import hashlib
import io
import math
import tarfile
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import av
import cv2
import msgspec
import numpy as np

from wire.events import Event, EventType
from wire.ids import session_id
from wire.match import Clip, MatchPackage, MatchSheet, PackagedFile, PlayerStatistics, Team
from wire.message import encode
from wire.panorama import PanoramaView
from wire.pitch import Pitch
from wire.pitch_tracks import PitchTracks, Role, TeamSide, Track, encode_pitch_tracks

SESSION = "1795344000-0a1b2c3d4e"
START_NS = 1_795_344_000_000_000_000


def made_up_tracks(seconds: float, fps: float = 25.0) -> PitchTracks:
    """Eleven a side on their own loops, a referee, and a ball that wanders between them."""
    n = int(seconds * fps)
    t = np.arange(n) / fps
    tracks, frame, group, places = [], [], [], []
    for i in range(24):
        side = TeamSide.HOME if i < 11 else TeamSide.AWAY if i < 22 else TeamSide.NONE
        role = Role.PLAYER if i < 22 else Role.REFEREE if i == 22 else Role.BALL
        phase, pace = 0.7 * i, 0.10 + 0.011 * (i % 7)
        line, seat = (i % 11) // 4, (i % 11) % 4
        ahead = -1 if side is TeamSide.HOME else 1
        centre = (ahead * (34 - 17 * line), -24 + 16 * seat) if i < 22 else (0, 0)
        reach = (9.0, 6.0) if i < 22 else (16.0, 9.0) if i == 22 else (46.0, 27.0)
        x = centre[0] + reach[0] * np.sin(2 * math.pi * pace * t + phase) * np.cos(0.31 * t)
        y = centre[1] + reach[1] * np.cos(2 * math.pi * pace * 1.3 * t + 1.7 * phase)
        here = np.ones(n, bool) if i % 5 else (t % 20) < 17
        tracks.append(Track(i + 1, role, side))
        frame.append(np.arange(n)[here])
        group.append(np.full(int(here.sum()), i + 1))
        places.append(np.stack([x, y], 1)[here])
    rows = np.concatenate(frame)
    return PitchTracks(
        START_NS, fps, tuple(tracks), rows, np.concatenate(group), np.concatenate(places), np.ones(len(rows), bool)
    )


def made_up_view(width: int, height: int) -> PanoramaView:
    """A panorama from a mast ten metres behind the near touchline; it shows the whole pitch."""
    return PanoramaView(width, height, width / 3, -1.5, 0.02, (0.0, -44.0, 7.0), 0.4)


def made_up_video(tracks: PitchTracks, seconds: float, view: PanoramaView, fps: int = 25) -> bytes:
    """The tracks as coloured dots on green, where `view` shows them: H.264 in an MP4 whose index comes first."""
    pitch = np.full((view.height_px, view.width_px, 3), (58, 118, 72), np.uint8)
    for line in Pitch().lines():
        ends = np.linspace((line.x0, line.y0, 0.0), (line.x1, line.y1, 0.0), 40)
        curve = np.round(view.project(ends)).astype(np.int32)
        cv2.polylines(pitch, [curve], False, (235, 240, 235), max(view.height_px // 180, 1))
    where = {t.id: dict(zip(*[a.tolist() for a in tracks.of(t.id)[:2]], strict=True)) for t in tracks.tracks}
    colours = {TeamSide.HOME: (214, 60, 44), TeamSide.AWAY: (52, 98, 200), TeamSide.NONE: (240, 220, 90)}
    # Moving the index to the front needs a file that can be opened again.
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder, "made-up.mp4")
        _encode(out, pitch, where, tracks, colours, seconds, fps, view)
        return out.read_bytes()


def _encode(out, pitch, where, tracks, colours, seconds, fps, view) -> None:  # type: ignore[no-untyped-def]
    height, width = pitch.shape[:2]
    with av.open(str(out), "w", format="mp4", options={"movflags": "faststart"}) as container:
        stream = container.add_stream("libx264", rate=fps, options={"g": str(fps), "preset": "ultrafast", "crf": "26"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for k in range(int(seconds * fps)):
            picture = pitch.copy()
            for track in tracks.tracks:
                if (xy := where[track.id].get(k)) is None:
                    continue
                u, v = (int(px) for px in view.to_pixel(*xy, 0.5))
                size = max(height // 60, 1)
                if track.role is Role.BALL:
                    cv2.circle(picture, (u, v), size, (255, 255, 255), -1)
                else:
                    cv2.ellipse(picture, (u, v), (size, 3 * size), 0, 0, 360, colours[track.team], -1)
            for packet in stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")):
                container.mux(packet)
        for packet in stream.encode():
            container.mux(packet)


def picture_of(video: bytes, at_s: float = 0.0) -> bytes:
    """A frame of a video as JPEG."""
    with av.open(io.BytesIO(video)) as container:
        container.seek(int(at_s * av.time_base))
        frame = next(container.decode(video=0))
        return cv2.imencode(".jpg", frame.to_ndarray(format="bgr24"))[1].tobytes()


@dataclass
class PackageMaker:
    """Makes match packages; `files` are their contents by path and may be spoiled before `tar` is called."""

    seconds: float = 20.0
    width: int = 320
    height: int = 120
    session: str = SESSION
    start_ns: int = START_NS
    home: str = "Riverside Rovers"
    away: str = "Hillside United"
    title: str = "U12 league"
    events: tuple[tuple[float, EventType, TeamSide], ...] = (
        (0.0, EventType.KICK_OFF, TeamSide.HOME),
        (2.0, EventType.PASS, TeamSide.HOME),
        (7.5, EventType.SHOT, TeamSide.HOME),
        (8.2, EventType.GOAL, TeamSide.HOME),
        (14.0, EventType.CORNER, TeamSide.AWAY),
        (17.0, EventType.SAVE, TeamSide.HOME),
    )
    clips_of: tuple[int, ...] = (3, 5)
    files: dict[str, bytes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        tracks = made_up_tracks(self.seconds)
        self.view = made_up_view(self.width, self.height)
        video = made_up_video(tracks, self.seconds, self.view)
        clip = made_up_video(tracks, 2.0, self.view)
        self.files = {
            "panorama.mp4": video,
            "poster.jpg": picture_of(video, self.seconds / 2),
            "match.tracks": encode_pitch_tracks(tracks),
        }
        for n in self.clips_of:
            self.files[f"clips/{n:03d}.mp4"] = clip
            self.files[f"clips/{n:03d}.jpg"] = picture_of(video, self.events[n][0])
        self.statistics = tuple(
            PlayerStatistics(
                track=track.id,
                team=track.team,
                distance_m=float(np.hypot(*np.diff(xy, axis=0).T).sum()),
                top_speed_mps=6.5 + 0.1 * track.id,
                followed_s=len(frames) / 25,
            )
            for track in tracks.tracks
            if track.role is Role.PLAYER
            for frames, xy, _ in [tracks.of(track.id)]
        )

    def manifest(self) -> MatchPackage:
        """The manifest that is true of `files`."""
        return MatchPackage(
            session=session_id(self.session),
            sheet=MatchSheet(
                title=self.title,
                pitch=Pitch(),
                home=Team(self.home, "#c8452f"),
                away=Team(self.away, "#2f62c0"),
            ),
            start_ns=self.start_ns,
            duration_s=self.seconds,
            panorama="panorama.mp4",
            panorama_width_px=self.width,
            panorama_height_px=self.height,
            poster="poster.jpg",
            tracks="match.tracks",
            events=tuple(Event(time_s=t, type=kind, team=side, x_m=1.0, y_m=2.0) for t, kind, side in self.events),
            clips=tuple(
                Clip(
                    f"clips/{n:03d}.mp4", f"clips/{n:03d}.jpg", n, max(self.events[n][0] - 1, 0), self.events[n][0] + 1
                )
                for n in self.clips_of
            ),
            statistics=self.statistics,
            files=tuple(
                PackagedFile(path, len(data), hashlib.sha256(data).hexdigest()) for path, data in self.files.items()
            ),
            view=self.view,
        )

    def tar(self, path: Path, manifest: MatchPackage | None = None, **changes: object) -> Path:
        """Write the package; `changes` replace fields of its manifest."""
        manifest = msgspec.structs.replace(manifest or self.manifest(), **changes)
        with tarfile.open(path, "w") as tar:
            for name, data in {"package.json": encode(manifest), **self.files}.items():
                member = tarfile.TarInfo(name)
                member.size = len(data)
                tar.addfile(member, io.BytesIO(data))
        return path
