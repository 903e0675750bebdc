"""A small match package, databases of both kinds, and portals that run as real processes."""

import hashlib
import io
import math
import os
import shutil
import signal
import socket
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import av
import cv2
import httpx
import msgspec
import numpy as np
import pytest

from tests.viewer.buckets import bucket, s3, s3_world, store  # noqa: F401 - fixtures
from tests.viewer.world import World, make_world
from viewer.db import Database
from viewer.settings import Settings
from wire.events import Event, EventType
from wire.ids import session_id
from wire.match import Clip, MatchPackage, MatchSheet, PackagedFile, PlayerStatistics, Team
from wire.message import encode
from wire.panorama import PanoramaView
from wire.pitch import Pitch
from wire.pitch_tracks import PitchTracks, Role, TeamSide, Track, encode_pitch_tracks

ROOT = Path(__file__).parents[2]
SESSION = "1795344000-0a1b2c3d4e"
START_NS = 1_795_344_000_000_000_000
PATIENCE_S = 60.0


# ---------------------------------------------------------------------------------------------- a made-up match


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


@pytest.fixture(scope="session")
def made_package() -> PackageMaker:
    """A match of 20 s; copy it (`dataclasses.replace` makes it anew) before changing anything."""
    return PackageMaker()


# ---------------------------------------------------------------------------------------------- databases


def _postgres_binaries() -> Path | None:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda p: int(p.parts[4]))
    return found[-1].parent if found else None


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """A private PostgreSQL on a socket in a temporary folder; yields that folder."""
    binaries = _postgres_binaries()
    if binaries is None:
        if os.environ.get("CI") == "true":
            pytest.fail("PostgreSQL is not installed: apt-get install postgresql")
        pytest.skip("PostgreSQL is not installed (apt-get install postgresql)")
    folder = Path(tempfile.mkdtemp(prefix="touchline-pg-"))
    # initdb refuses to run as root.
    as_other = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"] if os.geteuid() == 0 else []
    if as_other:
        shutil.chown(folder, "nobody", "nogroup")
    cluster = folder / "cluster"
    env = {"PATH": os.environ["PATH"], "LC_ALL": "C", "HOME": str(folder)}

    def call(*command: str) -> None:
        done = subprocess.run([*as_other, *command], cwd=folder, env=env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr

    call(str(binaries / "initdb"), "-D", str(cluster), "-U", "touchline", "--auth=trust", "--encoding=UTF8", "-N")
    options = f"-k {folder} -c listen_addresses='' -c fsync=off -c shared_buffers=16MB -c max_connections=40"
    call(str(binaries / "pg_ctl"), "-D", str(cluster), "-o", options, "-l", str(folder / "log"), "-w", "start")
    try:
        yield str(folder)
    finally:
        call(str(binaries / "pg_ctl"), "-D", str(cluster), "-m", "immediate", "-w", "stop")
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def new_postgres_url(postgres_server: str) -> Iterator[str]:
    """An empty database of its own on the private server."""
    import psycopg

    name = f"t_{time.monotonic_ns()}"
    admin = psycopg.connect(host=postgres_server, user="touchline", dbname="postgres", autocommit=True)
    admin.execute(f"CREATE DATABASE {name}")
    yield f"postgresql+psycopg://touchline@/{name}?host={postgres_server}"
    admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
    admin.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty database, of either kind."""
    if request.param == "postgresql":
        return str(request.getfixturevalue("new_postgres_url"))
    return f"sqlite:///{tmp_path / 'empty.db'}"


@pytest.fixture
def empty_database(database_url: str) -> Iterator[Database]:
    """A database without tables."""
    database = Database(database_url)
    yield database
    database.close()


def _with_tables(url: str) -> None:
    from viewer.db.migrate import upgrade

    database = Database(url)
    upgrade(database)
    database.close()


@pytest.fixture(scope="session")
def sqlite_tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with today's tables to copy: the migrations are tried elsewhere, and cost more than most tests."""
    file = tmp_path_factory.mktemp("tables") / "tables.db"
    _with_tables(f"sqlite:///{file}")
    return file


@pytest.fixture(scope="session")
def postgres_tables(postgres_server: str) -> str:
    """A database with today's tables on the private server, to copy."""
    import psycopg

    with psycopg.connect(host=postgres_server, user="touchline", dbname="postgres", autocommit=True) as admin:
        admin.execute("CREATE DATABASE with_tables")
    _with_tables(f"postgresql+psycopg://touchline@/with_tables?host={postgres_server}")
    return "with_tables"


@pytest.fixture
def database(empty_database: Database, request: pytest.FixtureRequest) -> Database:
    """A database with today's tables."""
    import psycopg

    url = empty_database.engine.url
    assert url.database
    if url.drivername.startswith("sqlite"):
        shutil.copyfile(request.getfixturevalue("sqlite_tables"), url.database)
        return empty_database
    template = request.getfixturevalue("postgres_tables")
    server = request.getfixturevalue("postgres_server")
    with psycopg.connect(host=server, user="touchline", dbname="postgres", autocommit=True) as admin:
        admin.execute(f"DROP DATABASE {url.database}")
        admin.execute(f"CREATE DATABASE {url.database} TEMPLATE {template}")
    return empty_database


@pytest.fixture
def settings(tmp_path: Path, database: Database) -> Settings:
    """Settings over `database`."""
    settings = Settings(data=tmp_path / "portal", database=database.engine.url.render_as_string(hide_password=False))
    settings.make_folders()
    return settings


# ---------------------------------------------------------------------------------------------- processes


def free_port() -> int:
    """A port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class RunningPortal:
    """A portal of real processes with demo accounts and a device key."""

    data: Path
    port: int
    database: str
    key: str = ""
    parent: tuple[str, str] = ("parent@example.org", "green grass 11")
    coach: tuple[str, str] = ("coach@example.org", "muddy boots 22")

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    def command(self, *words: str) -> list[str]:
        """A command line of the portal."""
        where = ["--data", str(self.data), *(["--database", self.database] if self.database else [])]
        return [sys.executable, "-m", "viewer.cli", words[0], *where, *words[1:]]

    def run(self, *words: str) -> str:
        """Run a housekeeping command; returns what it printed."""
        done = subprocess.run(self.command(*words), cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def start(self, kind: str, *more: str) -> subprocess.Popen[bytes]:
        """Start `serve` or `worker`."""
        words = self.command(kind, "--port", str(self.port), "--demo-mailbox", *more)
        log = open(self.data.parent / f"{kind}.log", "ab")  # noqa: SIM115
        with log:
            return subprocess.Popen(words, cwd=ROOT, stdout=log, stderr=log)

    @contextmanager
    def signed_in(self, who: tuple[str, str]) -> Iterator[httpx.Client]:
        """A browser-like client that has signed in."""
        with httpx.Client(base_url=self.url, headers={"Accept": "text/html"}, timeout=30) as client:
            answer = client.post("/sign-in", data={"mail": who[0], "password": who[1]})
            assert answer.status_code == 303, answer.text
            yield client

    def wait_for(self, done: Callable[[], bool], what: str) -> None:
        """Wait until `done` says so."""
        end = time.monotonic() + PATIENCE_S
        while not done():
            assert time.monotonic() < end, f"{what} did not happen"
            time.sleep(0.1)

    def package_state(self, session: str = SESSION) -> dict[str, object]:
        """What the portal says of a package."""
        answer = httpx.get(f"{self.url}/api/v1/packages/{session}", headers={"Authorization": f"Bearer {self.key}"})
        return answer.json() if answer.status_code == 200 else {"state": None}


def answers(url: str) -> bool:
    """Whether the portal is up."""
    try:
        return httpx.get(f"{url}/healthz").status_code == 200
    except httpx.TransportError:
        return False


def end(process: subprocess.Popen[bytes]) -> None:
    """Stop a process that may already be gone."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextmanager
def running_portal(folder: Path, database: str, *, worker: bool) -> Iterator[RunningPortal]:
    """A portal with its accounts made, its server up, and its worker when wanted."""
    portal = RunningPortal(folder / "portal", free_port(), database)
    portal.run(
        "demo-accounts",
        *("--home", "Riverside Rovers", "--away", "Hillside United"),
        *("--parent", portal.parent[0], "--parent-password", portal.parent[1]),
        *("--coach", portal.coach[0], "--coach-password", portal.coach[1]),
    )
    portal.key = portal.run("device-key", "--name", "hub").strip()
    with ExitStack() as stack:
        server = portal.start("serve")
        stack.callback(end, server)
        if worker:
            stack.callback(end, portal.start("worker"))
        portal.wait_for(lambda: answers(portal.url), "the portal's start")
        yield portal


@pytest.fixture
def portal(tmp_path: Path) -> Iterator[RunningPortal]:
    """A portal without a worker, on SQLite."""
    with running_portal(tmp_path, "", worker=False) as portal:
        yield portal


@pytest.fixture(scope="session")
def portal_with_match(tmp_path_factory: pytest.TempPathFactory, made_package: PackageMaker) -> Iterator[RunningPortal]:
    """A portal that has taken in one match through a real upload; tests only read from it."""
    folder = tmp_path_factory.mktemp("with-match")
    with running_portal(folder, "", worker=True) as portal:
        send(portal, made_package.tar(folder / "package.tar"))
        portal.wait_for(lambda: portal.package_state()["state"] == "done", "the intake")
        yield portal


def send(portal: RunningPortal, package: Path, session: str = SESSION) -> str:
    """Upload a package as a hub does; returns the upload's address."""
    import asyncio

    import aiohttp

    from wire.tus.client import TusClient

    async def upload() -> str:
        async with aiohttp.ClientSession() as http:
            client = TusClient(http, f"{portal.url}/api/v1/uploads", {"Authorization": f"Bearer {portal.key}"})
            return await client.upload(package, {"session": session, "kind": "match-package"})

    return asyncio.run(upload())


@pytest.fixture(scope="session")
def send_package() -> Callable[..., str]:
    """`send(portal, package, session)`: uploads as a hub does."""
    return send


@pytest.fixture(scope="session")
def make_package() -> type[PackageMaker]:
    """`PackageMaker`, for packages other than the usual one."""
    return PackageMaker


@pytest.fixture
def world(database: Database, settings: Settings) -> World:
    """Two clubs with everybody in them, on both databases; `world.client("coach")` is signed in."""
    return make_world(database, settings)
