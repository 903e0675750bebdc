"""Whatever somebody presses, every process of the rig ends with the demo, and the exit status says how far it came."""

import asyncio
import contextlib
import os
import select
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from simulator.cli import main
from simulator.demo import processes as processes_module
from simulator.demo.day import MatchDay
from simulator.demo.processes import Processes

STUBBORN = """
import signal, sys, time
signal.signal(signal.SIGTERM, lambda *_: print("no", flush=True))
print("ready", flush=True)
while True:
    time.sleep(60)
"""


async def until(condition: Callable[[], object]) -> None:
    for _ in range(2000):
        if condition():
            return
        await asyncio.sleep(0.01)
    pytest.fail("it did not come about")


def is_alive(pid: int) -> bool:
    return Path(f"/proc/{pid}/stat").exists()


async def stubborn(running: Processes) -> processes_module.Running:
    """A process that does not heed SIGTERM, once it has come so far."""
    process = await running.start("stubborn", [sys.executable, "-c", STUBBORN])
    await until(lambda: process.last_words() == "ready")
    return process


async def test_being_cancelled_again_while_stopping_leaves_no_process_behind(tmp_path, monkeypatch):
    # Long enough to say no, however busy the machine is.
    monkeypatch.setattr(processes_module, "GRACE_S", 4.0)
    started = []

    async def day() -> None:
        async with Processes(tmp_path) as running:
            started.append(await stubborn(running))
            await asyncio.Event().wait()

    task = asyncio.create_task(day())
    await until(lambda: started)
    task.cancel()
    await until(lambda: started[0].last_words() == "no")
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not is_alive(started[0].process.pid)


async def test_a_short_command_ends_when_nobody_waits_for_it_any_more(tmp_path):
    note = tmp_path / "pid"
    async with Processes(tmp_path) as running:
        script = f"import os, time; open({str(note)!r}, 'w').write(str(os.getpid())); time.sleep(60)"
        task = asyncio.create_task(running.finish("a nap", [sys.executable, "-c", script]))
        await until(lambda: note.exists() and note.read_text())
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert not is_alive(int(note.read_text()))


async def test_the_peak_of_memory_is_seen_also_between_two_samples(tmp_path):
    script = "block = b'x' * 300_000_000; del block; print('ready', flush=True); import time; time.sleep(60)"
    async with Processes(tmp_path) as running:
        process = await running.start("peak", [sys.executable, "-c", script])
        await until(lambda: process.last_words() == "ready")
        process.memory.clear()
        process.look(0.0)
        [(_, resident)] = process.memory
        assert resident < 100
        assert process.peak_mb > 300


STARTER = """
import asyncio, sys
from pathlib import Path
from simulator.demo.processes import Processes

async def start():
    async with Processes(Path(sys.argv[1])) as running:
        nap = await running.start("nap", [sys.executable, "-c", "import time; time.sleep(600)"])
        print(nap.process.pid, flush=True)
        await asyncio.Event().wait()

asyncio.run(start())
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_whoever_is_killed_leaves_no_process_behind(tmp_path, number):
    with subprocess.Popen([sys.executable, "-c", STARTER, str(tmp_path)], stdout=subprocess.PIPE) as starter:
        left = os.pidfd_open(int(starter.stdout.readline()))
        starter.send_signal(number)
    try:
        ended, _, _ = select.select([left], [], [], 30)
        assert ended
    finally:
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(left, signal.SIGKILL)
        os.close(left)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize(("finished", "status"), [(False, 130), (True, 0)])
def test_the_exit_status_tells_whether_the_match_was_played(tmp_path, monkeypatch, number, finished, status):
    monkeypatch.setattr(processes_module, "GRACE_S", 0.5)
    pids = []

    async def play(self: MatchDay, running: Processes) -> None:
        pids.append((await stubborn(running)).process.pid)
        if not finished:
            await wait_for_somebody()

    async def serve(self: MatchDay, running: Processes) -> None:
        await wait_for_somebody()

    async def wait_for_somebody() -> None:
        loop = asyncio.get_running_loop()
        for after_s in (0.0, 0.1, 0.2):
            loop.call_later(after_s, os.kill, os.getpid(), number)
        await asyncio.Event().wait()

    monkeypatch.setattr(MatchDay, "play", play)
    monkeypatch.setattr(MatchDay, "serve", serve)
    monkeypatch.setattr(MatchDay, "_ports", lambda self, count: list(range(9000, 9000 + count)))
    assert main(["demo", "--out", str(tmp_path / "out")]) == status
    assert not is_alive(pids[0])
