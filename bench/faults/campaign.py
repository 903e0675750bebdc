"""What is lost when a node is killed, fails or fills up while it records, measured against the frames there were."""

import hashlib
import io
import json
import random
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import av
import numpy as np

from bench.faults.node import TOKEN
from bench.faults.staged import FRAME_NS, STALLS_S, STEPS_NS
from edge.ledger import Ledger, SegmentRow
from edge.record.fragments import complete_bytes
from edge.record.manifest import SessionManifest
from edge.record.shelf import MANIFEST, TRACKS, VIDEO, Shelf
from firmware.panel.signals import ALARM
from wire.ids import session_id
from wire.message import decode, encode
from wire.rigtime import MILLISECOND, SECOND
from wire.session import SegmentState, StartRecording
from wire.tracks import decode_tracks

SESSION = "campaign"
_START_S = 30.0
_POLL_S = 0.02
_LEAST_STEPS = 6
"""Of a start's salvage: to read and cut the video, place it, write and place the tracks, sweep."""


class Wrong(AssertionError):
    """A promise of the recorder that was broken."""


class NotShown(Exception):
    """What this machine does not let be tried."""


@dataclass
class Loss:
    """What one blow cost, ms: video that the node had taken but did not keep, None where nobody counted what was taken,
    and how long nothing was recorded, frames that the camera dropped for a busy machine among it."""

    blow: str
    taken_ms: float | None
    gap_ms: float


@dataclass
class Findings:
    """What a campaign found."""

    losses: list[Loss] = field(default_factory=list)
    starts: int = 0
    resumed: int = 0


class SupervisedNode:
    """A node's process and what systemd would do for it: whenever it ends, it is started again."""

    def __init__(self, data: Path, log: Path, *options: str) -> None:
        self.data = data
        self.findings = Findings()
        self._options = options
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None
        self.url = ""

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *exc: object) -> None:
        if self._process and self._process.poll() is None:
            self._process.kill()
            self._process.wait()

    def start(self) -> None:
        """Start the process and wait until it answers."""
        if not self.start_doomed(0):
            raise Wrong(f"the node ended before it answered: see {self._log}")

    def start_doomed(self, step: int) -> bool:
        """Start a process that is killed (-9) before this step of its start; whether it was through before, and
        answers."""
        began = self._log.stat().st_size if self._log.exists() else 0
        with self._log.open("ab") as log:
            command = [sys.executable, "-m", "bench.faults.node", "--data", str(self.data), *self._options]
            self._process = process = subprocess.Popen([*command, "--dies-at", str(step)], stderr=log, stdout=log)
        self.findings.starts += 1
        self._await(lambda: process.poll() is not None or self._words(began, "event=listening"), "listen")
        if process.poll() == -signal.SIGKILL:
            return False
        port = self._await(lambda: self._words(began, "event=listening"), "listen").rsplit("port=", 1)[1].split()[0]
        self.url = f"http://127.0.0.1:{port}"
        return True

    def _words(self, began: int, words: str) -> str:
        lines = self._log.read_bytes()[began:].decode(errors="replace").splitlines(keepends=True)
        return next((line for line in lines if words in line and line.endswith("\n")), "")

    def _await(self, condition: Callable[[], object], what: str) -> str:
        end = time.monotonic() + _START_S
        while not (found := condition()):
            if time.monotonic() > end:
                raise Wrong(f"the node did not {what} within {_START_S:g} s: see {self._log}")
            time.sleep(_POLL_S)
        return str(found)

    def ask(self, path: str, body: bytes | None = None, *, post: bool = False) -> dict[str, object]:
        """One call of the node's API."""
        request = urllib.request.Request(  # noqa: S310 - loopback
            self.url + path,
            data=body if body is not None else (b"" if post else None),
            headers={"Authorization": f"Bearer {TOKEN}"},
        )
        with urllib.request.urlopen(request, timeout=20) as answer:  # noqa: S310
            return dict(json.loads(answer.read())["body"])

    def record(self) -> int:
        """Begin the session; when the first frame was taken, ns."""
        order = StartRecording(session=SESSION, start_ns=time.time_ns())
        self.ask("/api/v1/record/start", encode(order))
        return self.await_frames()

    def await_frames(self) -> int:
        """Wait until the node takes frames; when it took the first, ns."""

        def taken() -> int:
            try:
                told = self.ask("/api/v1/status")
            except (urllib.error.URLError, OSError):
                return 0
            return int(str(told["frames"])) if told["recording"] == SESSION else 0

        frames = int(self._await(taken, "record"))
        return time.time_ns() - frames * FRAME_NS

    def kill(self) -> int:
        """Kill -9; the time of it, ns."""
        assert self._process
        at = time.time_ns()
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()
        return at

    def await_end(self, limit_s: float = 60.0) -> int:
        """Wait until the process ends by itself; its exit status."""
        assert self._process
        return self._process.wait(limit_s)

    def await_alarm(self, words: str) -> None:
        """Wait until the node tells an alarm with these words."""
        self._await(lambda: words in str(self.ask("/api/v1/status")["alarms"]), f"tell that {words}")

    def await_stop(self) -> None:
        """Wait until the node has ended the session by itself."""
        self._await(lambda: self.ask("/api/v1/status")["recording"] is None, "stop")

    def stop(self) -> None:
        """End the session and the process, as a person does."""
        self.ask("/api/v1/record/stop", post=True)
        self.end()

    def end(self) -> None:
        """End the process."""
        assert self._process
        self._process.terminate()
        if self._process.wait(10):
            raise Wrong("the node did not end in order")

    def log(self) -> str:
        """All that its processes have logged."""
        return self._log.read_text(errors="replace")

    def await_whole(self, frames: int) -> None:
        """Wait until so many frames, and no more than half as many again, are whole in an open segment that is not the
        session's first."""
        self._await(
            lambda: any(k and frames <= n <= 1.5 * frames for k, n in whole_frames(self.data, self.rows()).items()),
            f"write {frames} frames of a segment",
        )

    def rows(self) -> list[SegmentRow]:
        """The ledger's rows."""
        ledger = Ledger(self.data / "ledger.sqlite")
        try:
            return ledger.segments()
        finally:
            ledger.close()


def verify(data: Path, rows: list[SegmentRow]) -> np.ndarray:
    """Check every row against the files; the capture times (n,) ns of all frames that are kept, in order.

    Raises `Wrong` for a row that promises what is not there, a file without a row, or a time that comes twice.
    """
    shelf = Shelf(data)
    times = []
    for row in rows:
        if row.offer is None:
            raise Wrong(f"segment {row.key.sequence} was left open")
        for suffix, size, sha256 in (
            (VIDEO, row.offer.video_bytes, row.offer.video_sha256),
            (TRACKS, row.offer.tracks_bytes, row.offer.tracks_sha256),
        ):
            path = shelf.path(row.key, suffix)
            raw = path.read_bytes() if path.exists() else b""
            if len(raw) != size or hashlib.sha256(raw).hexdigest() != sha256:
                raise Wrong(f"segment {row.key.sequence}{suffix} is not what its row promises")
        with av.open(str(shelf.path(row.key, VIDEO))) as container:
            shown = sum(1 for _ in container.decode(video=0))
        told = decode_tracks(shelf.path(row.key, TRACKS).read_bytes()).frame_times_ns
        if not shown == row.offer.frames == len(told):
            raise Wrong(f"segment {row.key.sequence} shows {shown} frames, its row says {row.offer.frames}")
        times.append(told)
    files = sum(1 for path in (data / "segments").rglob("*") if path.is_file())
    if files != 2 * len(rows):
        raise Wrong(f"{files} files lie beside {len(rows)} rows")
    kept = np.concatenate(times) if times else np.zeros(0, np.int64)
    if np.any(np.diff(kept) < FRAME_NS // 2):
        raise Wrong("a time came twice")
    return kept


def loss_at(kept: np.ndarray, blow: str, taken_from_ns: int, at_ns: int) -> Loss:
    """What a blow at `at_ns` cost a process that took frames since `taken_from_ns`, by the frames that were kept."""
    before, after = kept[kept <= at_ns], kept[kept > at_ns]
    tail = at_ns - max(taken_from_ns, before[-1] if len(before) else 0)
    gap = after[0] - before[-1] if len(before) and len(after) else 0
    return Loss(blow, max(0, tail - FRAME_NS) / MILLISECOND, max(0, gap - FRAME_NS) / MILLISECOND)


def kills(folder: Path, times: int, seed: int) -> Findings:
    """Kill -9 a recording node at so many random moments; each time it is only started again."""
    moments = random.Random(seed)
    blows: list[tuple[int, int]] = []
    closed: dict[int, str] = {}
    with SupervisedNode(folder / "data", folder / "log") as node:
        taken_from = node.record()
        for _ in range(times):
            time.sleep(moments.uniform(0.1, 4.5))
            blows.append((taken_from, node.kill()))
            for row in node.rows():
                if row.state is SegmentState.OPEN or row.offer is None:
                    continue
                if closed.setdefault(row.key.sequence, row.offer.video_sha256) != row.offer.video_sha256:
                    raise Wrong(f"segment {row.key.sequence} changed after it was closed")
            node.start()
            taken_from = node.await_frames()
            node.findings.resumed += 1
        time.sleep(2.5)
        node.stop()
        rows = node.rows()
        if missing := set(closed) - {row.key.sequence for row in rows}:
            raise Wrong(f"closed segments were lost: {sorted(missing)}")
        kept = verify(node.data, rows)
        node.findings.losses = [loss_at(kept, "kill -9", *blow) for blow in blows]
        return node.findings


def whole_frames(data: Path, rows: list[SegmentRow]) -> dict[int, int]:
    """How many frames are whole in the file of each open segment, by its number."""
    shelf = Shelf(data)
    found = {}
    for row in rows:
        if row.state is SegmentState.OPEN:
            placed = shelf.path(row.key, VIDEO)
            path = placed if placed.exists() else shelf.open_path(row.key, VIDEO)
            raw = path.read_bytes() if path.exists() else b""
            found[row.key.sequence] = 0
            if whole := complete_bytes(raw):
                with av.open(io.BytesIO(raw[:whole])) as container:
                    found[row.key.sequence] = sum(1 for _ in container.decode(video=0))
    return found


def killed_salvaging(folder: Path) -> Findings:
    """Kill -9 a recording node in the middle of a segment, and then every start one step later than the one before,
    until one gets through: what was whole in that segment must be kept, and the session gone on with."""
    with SupervisedNode(folder / "data", folder / "log") as node:
        taken_from = node.record()
        node.await_whole(20)
        at = node.kill()
        before = node.rows()
        [(sequence, whole)] = whole_frames(node.data, before).items()
        closed = {row.key: row.offer for row in before if row.offer}
        deaths = 0
        while not node.start_doomed(deaths + 1):
            deaths += 1
            if any(row.offer != closed[row.key] for row in node.rows() if row.key in closed):
                raise Wrong(f"a closed segment changed when the start was killed at step {deaths}")
        node.await_frames()
        node.findings.resumed += 1
        time.sleep(2.5)
        node.stop()
        rows = node.rows()
        kept = verify(node.data, rows)
        saved = {row.key.sequence: row.offer.frames for row in rows if row.offer}
        if not closed.keys() <= {row.key for row in rows}:
            raise Wrong("closed segments were lost by kills while a start salvaged")
        if saved.get(sequence) != whole:
            raise Wrong(f"of {whole} whole frames in the broken-off segment {saved.get(sequence, 0)} were kept")
        if deaths < _LEAST_STEPS:
            raise Wrong(f"only {deaths} starts were killed: a salvage takes more steps than that")
        node.findings.losses = [loss_at(kept, f"{deaths} starts killed:", taken_from, at)]
        return node.findings


def fault(folder: Path, kind: str, *, ends_process: bool, at: int = 60) -> Findings:
    """Let one part of a recording node fail once, about 2.4 s after the start, and see what it cost.

    A fault of which the people beside the node have to know must be an alarm while it lasts.
    """
    with SupervisedNode(folder / "data", folder / "log", "--fault", kind, "--at", str(at)) as node:
        node.record()
        if kind in STALLS_S:
            node.await_alarm("the disk is too slow")
        if ends_process:
            status = node.await_end()
            if status == 0:
                raise Wrong(f"after {kind} the process ended as if nothing had happened")
            node.start()
            node.await_frames()
            node.findings.resumed += 1
            time.sleep(2.5)
        else:
            time.sleep(7.0)
            if step_ns := STEPS_NS.get(kind):
                node.await_alarm(_set_by(step_ns))
        node.stop()
        kept = verify(node.data, node.rows())
        holes = np.flatnonzero(np.diff(kept) > 1.5 * FRAME_NS)
        lost_ns = int(sum(np.diff(kept)[holes] - FRAME_NS))
        # A process that ended has taken its count of dropped frames with it.
        taken_ns = None if ends_process else lost_ns - FRAME_NS * _dropped(node.data)
        node.findings.losses = [Loss(kind, None if taken_ns is None else taken_ns / MILLISECOND, lost_ns / MILLISECOND)]
        if kept[-1] - kept[0] < 4 * SECOND:
            raise Wrong(f"after {kind} nothing more was recorded")
        if kind in STEPS_NS and (taken_ns or 0) > 0:
            # What the camera did not drop is no gap in what it saw: the times themselves have moved.
            raise Wrong(f"at {kind} the capture times jumped by {taken_ns / MILLISECOND:.0f} ms")
        if kind in STEPS_NS and (told_ns := _lost_trust_ns(node.rows())) < abs(STEPS_NS[kind]) - MILLISECOND:
            raise Wrong(
                f"at {kind} the rows say that times may be only {told_ns / MILLISECOND:.0f} ms more off than before"
            )
        return node.findings


def killed_behind(folder: Path, kind: str) -> Findings:
    """Set the clock of a recording node back, kill -9 it when it has told so, and start it again.

    The new process, whose frames have the new clock's time, must not give a time that was kept before a second time.
    """
    step_ns = STEPS_NS[kind]
    with SupervisedNode(folder / "data", folder / "log", "--fault", kind) as node:
        node.record()
        node.await_alarm(_set_by(step_ns))
        node.kill()
        node.start()
        node.await_frames()
        node.findings.resumed += 1
        time.sleep(2.5)
        end_ns = time.time_ns() + step_ns
        node.stop()
        kept = verify(node.data, node.rows())
        if abs(off_ns := int(kept[-1]) - end_ns) > SECOND:
            raise Wrong(f"after {kind} and kill -9 the frames are {off_ns / SECOND:.1f} s off the node's clock")
        gap_ns = int(np.diff(kept).max()) - FRAME_NS - step_ns
        node.findings.losses = [Loss(f"{kind}, kill -9:", None, gap_ns / MILLISECOND)]
        return node.findings


def _lost_trust_ns(rows: list[SegmentRow]) -> int:
    """By how much more the times of the last segment may be off than those of the first, by what their rows say."""
    told = [row.offer.clock_uncertainty_ns for row in rows if row.offer]
    return told[-1] - told[0]


def _set_by(step_ns: int) -> str:
    """What a node says of such a step."""
    way = "forward" if step_ns > 0 else "back"
    return f"the clock was set {way} by {abs(step_ns) / SECOND:.2f} s"


def _dropped(data: Path) -> int:
    """Frames that the session's manifest tells as dropped by the camera."""
    return decode(Shelf(data).about(session_id(SESSION), MANIFEST).read_bytes(), SessionManifest).frames_dropped


def full_disk(folder: Path, megabytes: int = 3) -> str:
    """Record onto a disk of so many megabytes until it is full; what happened, in a sentence.

    Raises `NotShown` where the right to mount a memory disk is missing.
    """
    disk = folder / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(disk)],
        capture_output=True,
        text=True,
        check=False,
    )
    if mounted.returncode:
        raise NotShown(f"a full disk: mounting a small one needs root ({mounted.stderr.strip()})")
    try:
        with SupervisedNode(disk / "data", folder / "log") as node:
            node.record()
            node.await_stop()
            fault = str(node.ask("/api/v1/status")["fault"])
            node.end()
            rows = node.rows()
            kept = verify(node.data, rows)
            check_full(fault, node.log(), rows)
        seconds = len(kept) * FRAME_NS / SECOND
        return f"full disk      {megabytes} MB held {seconds:.0f} s, all of it kept; then the node said: {fault}"
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def check_full(fault: str, log: str, rows: list[SegmentRow]) -> None:
    """Raises `Wrong` unless a node that filled its disk said so, sounded the alarm, and holds every segment that it had
    closed: no hub has confirmed any, so none might go."""
    if "the disk is full" not in fault:
        raise Wrong(f"on a full disk the node said: {fault}")
    if f"name={ALARM.name}" not in log:
        raise Wrong("a full disk was no alarm")
    closed = {int(sequence) for sequence in re.findall(r"event=segment-closed .*?segment=(\d+)", log)}
    if not closed:
        raise Wrong("nothing was recorded before the disk was full")
    if lost := closed - {row.key.sequence for row in rows}:
        raise Wrong(f"closed segments were lost on a full disk: {sorted(lost)}")
