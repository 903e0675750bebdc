"""The processes of a rig: started in order, watched, ended together."""

import asyncio
import contextlib
import json
import os
import signal
import socket
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from simulator.demo.tied import tied
from simulator.errors import PortTaken, ProcessFailed

GRACE_S = 6.0
"""Every process stops within 5 s on SIGTERM; a second more, then it is killed."""

# One thread each: a rig's processes share the machine, and numeric libraries would each take all of it.
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
_ENVIRONMENT = {**ONE_THREAD, "PYTHONUNBUFFERED": "1"}


@dataclass
class Running:
    """One started process, its log, and its memory: what was resident at each sample (seconds, MB), and its peak so
    far as the kernel keeps it, MB."""

    name: str
    process: asyncio.subprocess.Process
    log: Path
    memory: list[tuple[float, float]] = field(default_factory=list)
    peak_mb: float = 0.0

    def look(self, at_s: float) -> None:
        """Take a sample of its memory; a process that has ended keeps what was known of it."""
        found = _resident_and_peak_mb(self.process.pid)
        if found is not None:
            self.memory.append((at_s, found[0]))
            self.peak_mb = max(self.peak_mb, found[1])

    def growth_mb(self) -> float:
        """How much the median of the last third of the samples lies above that of the middle third, MB."""
        samples = [mb for _, mb in self.memory]
        third = len(samples) // 3
        if third == 0:
            return 0.0
        middle, last = sorted(samples[third : 2 * third]), sorted(samples[2 * third :])
        return last[len(last) // 2] - middle[len(middle) // 2]

    def last_words(self) -> str:
        """The last line of its log."""
        with contextlib.suppress(OSError):
            lines = self.log.read_text(errors="replace").strip().splitlines()
            if lines:
                return lines[-1]
        return "it said nothing"


class Processes:
    """Starts processes and ends them all, also by being killed itself; use as an async context manager."""

    def __init__(self, logs: Path) -> None:
        self._logs = logs
        self.running: list[Running] = []
        self._told: dict[str, list[str]] = {}
        self._sampler: asyncio.Task[None] | None = None
        logs.mkdir(parents=True, exist_ok=True)

    async def __aenter__(self) -> "Processes":
        self._sampler = asyncio.create_task(self._sample())
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._sampler is not None:
            self._sampler.cancel()
        ending = asyncio.create_task(self.stop_all())
        interrupted: asyncio.CancelledError | None = None
        # Somebody who presses Ctrl-C again must not leave a process behind.
        while not ending.done():
            try:
                await asyncio.shield(ending)
            except asyncio.CancelledError as fault:
                interrupted = fault
        if interrupted is not None:
            raise interrupted

    async def start(self, name: str, command: Sequence[str], environment: Mapping[str, str] | None = None) -> Running:
        """Start a process in a process group of its own, so that Ctrl-C reaches it only through us; its command line
        is noted in `processes.json`, its environment, where secrets belong, is not."""
        log = self._logs / f"{name}.log"
        with log.open("ab") as out:
            process = await asyncio.create_subprocess_exec(
                *tied(command),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
                env={**os.environ, **_ENVIRONMENT, **(environment or {})},
            )
        running = Running(name, process, log)
        self.running.append(running)
        self._told[name] = list(command)
        (self._logs / "processes.json").write_text(json.dumps(self._told, indent=1) + "\n")
        return running

    async def finish(self, name: str, command: Sequence[str], environment: Mapping[str, str] | None = None) -> str:
        """Run a short command to its end and return its output; raises `ProcessFailed`. Cancelled, it is killed."""
        process = await asyncio.create_subprocess_exec(
            *tied(command),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
            env={**os.environ, **_ENVIRONMENT, **(environment or {})},
        )
        try:
            out, err = await process.communicate()
        finally:
            if process.returncode is None:
                _signal(process, signal.SIGKILL)
                await process.wait()
        if process.returncode:
            words = err.decode(errors="replace").strip().splitlines()
            raise ProcessFailed(f"{name} failed: {words[-1] if words else f'exit code {process.returncode}'}")
        return out.decode()

    def check(self) -> None:
        """Raises `ProcessFailed` when a process has ended by itself."""
        for running in self.running:
            if running.process.returncode is not None:
                raise ProcessFailed(
                    f"{running.name} ended by itself (exit code {running.process.returncode}): {running.last_words()}"
                )

    async def stop(self, stopping: Sequence[Running]) -> None:
        """SIGTERM, then SIGKILL to those that do not stop in time."""
        for running in stopping:
            _signal(running.process, signal.SIGTERM)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(GRACE_S):
                await asyncio.gather(*(running.process.wait() for running in stopping))
        for running in stopping:
            if running.process.returncode is None:
                _signal(running.process, signal.SIGKILL)
                await running.process.wait()
        self.running = [running for running in self.running if running not in stopping]

    async def stop_all(self) -> None:
        """End every process that was started: all at once, for they are used to one another going away."""
        await self.stop(list(self.running))

    async def _sample(self) -> None:
        began = time.monotonic()
        while True:
            for running in self.running:
                running.look(time.monotonic() - began)
            await asyncio.sleep(0.5)


def command(name: str) -> str:
    """Path of one of our own commands, beside the running Python."""
    return str(Path(sys.executable).with_name(name))


def check_free(host: str, port: int, who: str) -> None:
    """Raises `PortTaken` naming the port when somebody listens there."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            raise PortTaken(f"port {port} is taken, and {who} needs it: end the program that uses it") from None


def free_ports(host: str, count: int) -> list[int]:
    """Ports that nobody listens on right now."""
    probes = [socket.socket() for _ in range(count)]
    try:
        for probe in probes:
            probe.bind((host, 0))
        return [int(probe.getsockname()[1]) for probe in probes]
    finally:
        for probe in probes:
            probe.close()


def _signal(process: asyncio.subprocess.Process, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, number)


def _resident_and_peak_mb(pid: int) -> tuple[float, float] | None:
    """What is resident now and the most that ever was, by the kernel's own account (proc(5): VmRSS, VmHWM)."""
    with contextlib.suppress(OSError):
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
        kilobytes = {
            name: int(rest.split()[0]) for name, _, rest in (row.partition(":") for row in lines) if "Vm" in name
        }
        if kilobytes:
            return kilobytes["VmRSS"] * 1024 / 1e6, kilobytes["VmHWM"] * 1024 / 1e6
    return None
