"""Sessions on the hub's disk: what was asked, what is made, how far it is."""

import contextlib
import shutil
import threading
from collections.abc import Collection
from pathlib import Path

import msgspec

from hub.errors import HubError, ViewsDoNotFit
from hub.messages import BlurredTracks, CalibrationRequest, SessionPlan, SessionProgress, Stage
from wire.durable import sync_folder, write_durably
from wire.errors import WireError
from wire.ids import NodeId, SessionId, session_id
from wire.message import decode, encode


class NoSuchSession(HubError, KeyError):
    """A session this hub knows nothing of."""

    def __str__(self) -> str:
        return f"this hub has no session {self.args[0]}"


class SessionAtWork(HubError):
    """A session that the hub is still making, or delivering."""


class SessionFolder:
    """One session's folder and the names in it; every file there is whole or absent."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.plan = root / "plan.json"
        self.rig = root / "rig.json"
        self.calibration = root / "calibration"
        self.over = root / "start-over"
        self.panorama = root / "panorama"
        self.archive = root / "panorama.mp4"
        self.poster = root / "poster.jpg"
        self.tracks = root / "tracks.bin"
        self.tracks_csv = root / "tracks.csv"
        self.marks = root / "marks.json"
        self.events = root / "events.json"
        self.events_csv = root / "events.csv"
        self.clips = root / "clips"
        self.package = root / "package.tar"
        self.upload = root / "upload.url"
        self.progress = root / "progress.json"
        self.blur = root / "blur.json"
        self.blurred = root / "blurred.json"

    def still(self, node: NodeId) -> Path:
        """The picture that a node's camera was calibrated by."""
        return self.calibration / f"{node}.jpg"

    def lines(self, node: NodeId) -> Path:
        """That picture with the found lines drawn in."""
        return self.calibration / f"{node}-lines.jpg"

    def clear(self) -> None:
        """Take away all that is made of the recording but the pictures that it is calibrated by."""
        for made in (
            self.package,
            self.upload,
            self.events,
            self.events_csv,
            self.tracks,
            self.tracks_csv,
            self.poster,
            # Track numbers mean nothing in other tracks.
            self.blur,
            self.blurred,
        ):
            made.unlink(missing_ok=True)
        shutil.rmtree(self.clips, ignore_errors=True)
        self.archive.unlink(missing_ok=True)
        shutil.rmtree(self.panorama, ignore_errors=True)
        self.rig.unlink(missing_ok=True)
        sync_folder(self.root)


def blurred_tracks(path: Path) -> frozenset[int]:
    """The tracks that a session's file tells of; none where there is no such file."""
    return frozenset(decode(path.read_bytes(), BlurredTracks).tracks) if path.exists() else frozenset()


class Sessions:
    """All sessions below a folder. Progress is told by the pipeline's thread and read by the API's."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._lock = threading.Lock()
        self._progress: dict[SessionId, SessionProgress] = {}
        root.mkdir(parents=True, exist_ok=True)

    def folder(self, session: SessionId) -> SessionFolder:
        """The folder of a session, made when it is not there."""
        folder = SessionFolder(self._root / session_id(session))
        folder.root.mkdir(parents=True, exist_ok=True)
        return folder

    def begin(self, plan: SessionPlan) -> None:
        """Remember a session before any node is asked to record it."""
        write_durably(self.folder(plan.session).plan, encode(plan, indent=1))
        self.tell(SessionProgress(session=plan.session, stage=Stage.RECORDING))

    def start_over(self, session: SessionId, asked: CalibrationRequest) -> None:
        """Have a recorded session made once more, with another calibration; what is made of it stays until that is
        found. Raises `NoSuchSession`, `ViewsDoNotFit`, or `SessionAtWork` unless it is done or has failed."""
        stage = self.progress(session).stage
        if stage not in (Stage.DONE, Stage.FAILED):
            raise SessionAtWork(f"session {session} is still at work ({stage}): wait until it is done")
        plan = msgspec.structs.replace(self.plan(session), calibration=asked)
        stray = sorted({click.camera for click in asked.clicks if click.camera >= len(plan.nodes)})
        if stray:
            raise ViewsDoNotFit(
                f"there are clicks for camera {stray[0]}, but cameras only from 0 to {len(plan.nodes) - 1}"
            )
        folder = self.folder(session)
        write_durably(folder.plan, encode(plan, indent=1))
        write_durably(folder.over, b"")
        # From here on a hub that is switched off takes it up by itself.
        self.tell(SessionProgress(session=session, stage=Stage.RECORDING))

    def blur(self, session: SessionId, tracks: Collection[int]) -> bool:
        """Have a finished session made once more with these tracks blurred; False where they are already.

        What was blurred before stays so: its pixels are gone.
        """
        folder = self.folder(session)
        done = blurred_tracks(folder.blurred)
        if done.issuperset(tracks):
            return False
        write_durably(folder.blur, encode(BlurredTracks(tracks=tuple(sorted(done.union(tracks))))))
        # From here on a hub that is switched off takes it up by itself.
        self.tell(msgspec.structs.replace(self.progress(session), stage=Stage.BLURRING, note=""))
        return True

    def abandon(self, session: SessionId, note: str) -> None:
        """A session that will never be finished, and why."""
        self.tell(SessionProgress(session=session, stage=Stage.FAILED, note=note))

    def plan(self, session: SessionId) -> SessionPlan:
        """What was asked; raises `NoSuchSession`."""
        path = self._root / session_id(session) / "plan.json"
        if not path.exists():
            raise NoSuchSession(session)
        return decode(path.read_bytes(), SessionPlan)

    def known(self) -> list[SessionId]:
        """All sessions, oldest first."""
        return sorted(SessionId(path.parent.name) for path in self._root.glob("*/plan.json"))

    def unfinished(self) -> list[SessionId]:
        """Sessions whose package is not made and that have not failed for good, oldest first."""
        return [s for s in self.known() if self.progress(s).stage not in (Stage.PUSHING, Stage.DONE, Stage.FAILED)]

    def at(self, stage: Stage) -> list[SessionId]:
        """Sessions at a stage, oldest first."""
        return [session for session in self.known() if self.progress(session).stage is stage]

    def tell(self, progress: SessionProgress) -> None:
        """Note how far a session is; another stage, and what was told of its cameras, is written to disk."""
        with self._lock:
            before = self._progress.get(progress.session)
            self._progress[progress.session] = progress
        if before is None or (before.stage, before.warnings) != (progress.stage, progress.warnings):
            write_durably(self.folder(progress.session).progress, encode(progress, indent=1))

    def progress(self, session: SessionId) -> SessionProgress:
        """How far a session is; raises `NoSuchSession`. Where that cannot be read any more the session starts over:
        what is made of it is found and not made again."""
        with self._lock:
            if session in self._progress:
                return self._progress[session]
        self.plan(session)
        found = SessionProgress(session=session, stage=Stage.RECORDING)
        path = self._root / session_id(session) / "progress.json"
        with contextlib.suppress(FileNotFoundError, WireError):
            found = decode(path.read_bytes(), SessionProgress)
        with self._lock:
            return self._progress.setdefault(session, found)
