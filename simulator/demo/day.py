"""The match day itself: start every process, play the match, wait until the parent can see it."""

import asyncio
import contextlib
import json
import os
import secrets
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import aiohttp

from edge.cost import NodeCost
from hub.messages import SessionPlan, SessionProgress, SessionRequest, Stage
from simulator.console import Console
from simulator.demo import truth
from simulator.demo.options import MARK, Options, keep
from simulator.demo.portal import Portal, answers
from simulator.demo.processes import Processes, check_free, command, free_ports
from simulator.demo.report import account_of, print_costs, print_result
from simulator.errors import PortTaken, ProcessFailed, SimulatorError
from simulator.pictures.rigs import NAMES
from wire.errors import WireError
from wire.message import decode, encode
from wire.session import NodeStatus

HOST = "127.0.0.1"
NODE_PORT, HUB_PORT, VIEWER_PORT = 8080, 8000, 8088
PANORAMA_WIDTH = 2560
"""Two cores play three nodes, a hub and a portal here; a hub by itself makes 4096."""
PASSES_PER_SECOND = 9.0
"""What two cores can spend on all nodes together. With three nodes a fourth pass for each changed the HOTA of a minute
of match by no more than 0.005; two nodes with larger pictures need more than three each to begin with."""
NOT_BEGUN = 2
INTERRUPTED = 130
"""Exit status of a match day that somebody ended before it was played, as shells have it."""
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


async def play_match_day(options: Options) -> int:
    """Play the whole day; returns the exit status: 0 when the match was played, 1 when it failed, 2 when a port that it
    needs is taken, 130 when somebody ended it before. Every process it started has ended when it returns."""
    console = Console(sys.stdout)
    _leave_on_signal()
    played = False
    try:
        with tempfile.TemporaryDirectory(prefix="touchline-") as sockets:
            day = MatchDay(options, console, Path(sockets))
            with _make_room(options.out):
                async with Processes(options.out / "logs") as processes:
                    await day.play(processes)
                    played = True
                    if options.serve:
                        await day.serve(processes)
        return 0
    except asyncio.CancelledError:
        console.say("\nAll ended.")
        return 0 if played else INTERRUPTED
    except PortTaken as fault:
        console.say(f"touchline: {fault}")
        return NOT_BEGUN
    except (SimulatorError, WireError) as fault:
        console.say(f"touchline: {fault}")
    except aiohttp.ClientError as fault:
        console.say(f"touchline: a process of the rig went away: {fault}")
    except OSError as fault:
        _keep_trace(options.out)
        console.say(f"touchline: the match day cannot go on: {fault or type(fault).__name__}")
    except Exception as fault:
        _keep_trace(options.out)
        console.say(f"touchline: this should not happen ({type(fault).__name__}: {fault}); see {options.out / 'logs'}")
    return 1


def _leave_on_signal() -> None:
    """The first signal ends the day; those that follow change nothing, for it is ending already."""
    me = asyncio.current_task()
    loop = asyncio.get_running_loop()

    def leave() -> None:
        for number in _SIGNALS:
            loop.add_signal_handler(number, lambda: None)
        if me is not None:
            me.cancel()

    for number in _SIGNALS:
        loop.add_signal_handler(number, leave)


def _keep_trace(out: Path) -> None:
    # Where nothing can be written there may be no folder for it either, and the sentence on the screen has to do.
    with contextlib.suppress(OSError):
        (out / "logs" / "demo.log").write_text(traceback.format_exc())


@dataclass(frozen=True)
class Camera:
    """One camera of the day: its node's name, what the node is told to open, where the node listens."""

    node: str
    source: str
    port: int

    @property
    def url(self) -> str:
        """The node's address."""
        return f"http://{HOST}:{self.port}"


class MatchDay:
    """One match day: `play` ends when the parent sees the match."""

    def __init__(self, options: Options, console: Console, sockets: Path) -> None:
        self._options = options
        self._console = console
        self._sockets = sockets
        self._token = secrets.token_urlsafe(24)
        names = [camera for camera in NAMES if len(options.recordings) != 2 or camera != "centre"]
        self._names = names
        ports = self._ports(len(names) + 2)
        self._node_ports, self._hub_port, self._viewer_port = ports[:-2], ports[-2], ports[-1]
        self._sheet = truth.sheet_of(options)
        self._portal = Portal(f"http://{HOST}:{self._viewer_port}", options.out / "viewer", self._sheet)
        self._hub = f"http://{HOST}:{self._hub_port}"
        self._match_page = ""

    async def play(self, processes: Processes) -> None:
        """From an empty field to the match in the portal; raises `SimulatorError` when a process fails."""
        options, console = self._options, self._console
        cameras = await self._cameras(processes)
        console.step("Opening the portal.")
        await self._portal.open(processes, self._viewer_port)
        await self._cameras_ready(processes)
        console.step("Raising the rig: " + ", ".join(camera.node for camera in cameras) + ", and the hub.")
        headers = {"Authorization": f"Bearer {self._token}"}
        async with aiohttp.ClientSession(headers=headers) as http:
            await self._raise(processes, cameras, http)
            began = time.monotonic()
            console.step("Kick-off: the nodes record, the hub stitches behind them.")
            plan = await self._kick_off(http)
            progress = await self._follow(processes, plan, cameras, http)
            console.step("The portal takes the match in.")
            self._match_page = await self._portal.wait_for_match(plan.session, processes.check)
            wall = time.monotonic() - began
            nodes = [decode(await _raw(http, f"{camera.url}/api/v1/cost"), NodeCost) for camera in cameras]
        self._export(plan)
        print_result(console, options.out, options.simulated)
        account = account_of(processes.running, nodes, progress, wall)
        (options.out / "costs.json").write_text(json.dumps(account, indent=1) + "\n")
        print_costs(console, account)
        console.say(f"\n  Everything is in {options.out}")

    async def serve(self, processes: Processes) -> None:
        """Leave only the portal running, say where it is, and stay until somebody ends it."""
        portal = {"viewer", "viewer-worker"}
        await processes.stop([process for process in processes.running if process.name not in portal])
        self._portal.introduce(self._console, self._match_page)
        self._console.say("  Ctrl-C ends it.")
        while True:
            processes.check()
            await asyncio.sleep(0.5)

    def _ports(self, count: int) -> list[int]:
        """The well-known ports where people will look; any free ones when nobody will."""
        if not self._options.serve:
            return free_ports(HOST, count)
        ports = [*(NODE_PORT + index for index in range(count - 2)), HUB_PORT, VIEWER_PORT]
        owners = [*(f"node {name}" for name in self._names), "the hub", "the portal"]
        for port, who in zip(ports, owners, strict=True):
            check_free(HOST, port, who)
        return ports

    async def _cameras(self, processes: Processes) -> list[Camera]:
        """What each node opens: a recorded file, or a lens process that shows the simulated match."""
        options = self._options
        if not options.simulated:
            self._console.step(
                f"Laying out {len(options.recordings)} recordings of {options.recordings[0].duration_s:.0f} s."
            )
            files = [f"file:{recording.path.resolve()}" for recording in options.recordings]
            return [Camera(*row) for row in zip(self._names, files, self._node_ports, strict=True)]
        pitch = options.pitch
        self._console.step(
            f"Setting the field: {pitch.length_m:g}x{pitch.width_m:g} m, {pitch.players} a side, "
            f"{options.seconds:g} s, seed {options.seed}; a {options.rig} rig of three virtual cameras."
        )
        cameras = []
        for index, name in enumerate(self._names):
            path = self._sockets / f"{name}.sock"
            shown = ["--rig", options.rig, "--pitch", f"{pitch.length_m:g}x{pitch.width_m:g}"]
            shown += ["--players", str(pitch.players), "--seconds", f"{options.seconds:g}", "--seed", str(options.seed)]
            await processes.start(
                f"lens-{name}",
                [sys.executable, "-m", "simulator.lens", "--socket", str(path), "--camera", str(index), *shown],
            )
            cameras.append(Camera(name, f"virtual:{path}", self._node_ports[index]))
        await asyncio.to_thread(truth.write, options)
        return cameras

    async def _cameras_ready(self, processes: Processes) -> None:
        """Wait until every lens has set up its scene; recorded files are always ready."""
        while self._options.simulated and not all((self._sockets / f"{name}.sock").exists() for name in self._names):
            processes.check()
            await asyncio.sleep(0.1)

    async def _raise(self, processes: Processes, cameras: Sequence[Camera], http: aiohttp.ClientSession) -> None:
        options = self._options
        # By the environment: everybody on the machine can read a command line.
        secret = {"TOUCHLINE_TOKEN": self._token}
        for camera in cameras:
            own = [
                "--host",
                HOST,
                "--node",
                camera.node,
                "--camera",
                camera.source,
                "--port",
                str(camera.port),
                "--hub",
                self._hub,
            ]
            own += ["--data", str(options.out / "nodes" / camera.node)]
            own += ["--passes-per-second", f"{PASSES_PER_SECOND / len(cameras):g}"]
            # A laptop that plays a match day may run hot and on a low battery.
            own += ["--health", "disabled"]
            await processes.start(f"node-{camera.node}", [command("touchline-edge"), "serve", *own], secret)
        await self._portal.pair(processes, options.out / "hub")
        own = ["--host", HOST, "--data", str(options.out / "hub"), "--port", str(self._hub_port)]
        own += [f"--node={camera.node}={camera.url}" for camera in cameras]
        own += ["--panorama-width", str(PANORAMA_WIDTH)]
        await processes.start("hub", [command("touchline-hub"), "serve", *own], secret)
        for url in [f"{camera.url}/api/v1/status" for camera in cameras] + [f"{self._hub}/api/v1/sessions"]:
            await answers(http, url, processes)

    async def _kick_off(self, http: aiohttp.ClientSession) -> SessionPlan:
        # Nobody clicks in the simulated match: the hub finds the pitch by itself.
        request = SessionRequest(
            sheet=self._sheet, clicks=self._options.clicks, lens_degrees=truth.lens_of(self._options)
        )
        async with http.post(f"{self._hub}/api/v1/sessions", data=encode(request)) as answer:
            raw = await answer.read()
            if answer.status != 201:
                raise ProcessFailed(f"the hub did not start the match: {raw.decode(errors='replace')}")
            return decode(raw, SessionPlan)

    async def _follow(
        self, processes: Processes, plan: SessionPlan, cameras: Sequence[Camera], http: aiohttp.ClientSession
    ) -> SessionProgress:
        """Show how far nodes and hub are until the portal has the package."""
        frames = self._frames_expected()
        said = Stage.RECORDING
        recorded = 0.0
        while True:
            processes.check()
            progress = decode(await _raw(http, f"{self._hub}/api/v1/sessions/{plan.session}"), SessionProgress)
            if progress.stage is Stage.FAILED:
                raise ProcessFailed(f"the hub could not finish the match: {progress.note}")
            if progress.stage is Stage.DONE:
                return progress
            statuses = [decode(await _raw(http, f"{camera.url}/api/v1/status"), NodeStatus) for camera in cameras]
            faults = [f"{status.node}: {status.fault}" for status in statuses if status.fault]
            if faults:
                raise ProcessFailed(f"a node reports a fault: {'; '.join(faults)}")
            if progress.stage is not said and progress.stage in (Stage.FUSING, Stage.CUTTING, Stage.PUSHING):
                said = progress.stage
                self._console.step(_STEPS[progress.stage])
            elif progress.stage not in _STEPS:
                # A node that has finished counts from nought again.
                now = sum(status.frames for status in statuses) / max(1, frames * len(cameras))
                recorded = max(recorded, now)
                stitched = progress.windows_done * 50 / max(1, frames)
                self._console.progress((recorded + stitched) / 2, _shares(recorded, stitched, progress))
            await asyncio.sleep(0.5)

    def _frames_expected(self) -> int:
        recordings = self._options.recordings
        seconds = min(r.duration_s for r in recordings) if recordings else self._options.seconds
        return round(seconds * (recordings[0].frames_per_second if recordings else 25.0))

    def _export(self, plan: SessionPlan) -> None:
        """The results where people look for them, linked from the hub's session folder."""
        session, out = self._options.out / "hub" / "sessions" / plan.session, self._options.out
        for name in ("panorama.mp4", "rig.json", "tracks.csv", "events.csv"):
            _link(session / name, out / name)
        (out / "clips").mkdir(exist_ok=True)
        for clip in sorted((session / "clips").iterdir()):
            _link(clip, out / "clips" / clip.name)


_STEPS = {
    Stage.FUSING: "Full time: the hub follows every player over all cameras.",
    Stage.CUTTING: "Cutting clips around the events.",
    Stage.PUSHING: "Handing the match package to the portal.",
    Stage.PACKING: "Packing.",
}


def _shares(recorded: float, stitched: float, progress: SessionProgress) -> str:
    stage = f", {progress.stage}" if progress.stage is Stage.CALIBRATING else ""
    return f"recorded {min(recorded, 1):.0%}, stitched {min(stitched, 1):.0%}{stage}"


def _make_room(out: Path) -> IO[str]:
    """An empty folder for this day, kept to it until what is returned is closed; only what an earlier demo made is
    swept away."""
    ours = (out / MARK).exists()
    out.mkdir(parents=True, exist_ok=True)
    kept = keep(out)
    for left in out.iterdir() if ours else ():
        if left.is_dir() and not left.is_symlink():
            shutil.rmtree(left)
        elif left.name != MARK:
            left.unlink()
    (out / MARK).write_text(json.dumps({"made_by": "touchline demo"}) + "\n")
    return kept


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


async def _raw(http: aiohttp.ClientSession, url: str) -> bytes:
    async with http.get(url) as answer:
        answer.raise_for_status()
        return await answer.read()
