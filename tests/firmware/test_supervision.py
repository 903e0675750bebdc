"""What systemd hears, on a real datagram socket."""

import asyncio
import os
import socket
import subprocess
import sys
from itertools import count
from pathlib import Path

import pytest

from firmware.supervision import DisabledSupervisor, supervisor

PID = 4711
ROOT = Path(__file__).parents[2]


@pytest.fixture(params=["path", "abstract"])
def systemd(request, tmp_path):
    """The socket that systemd listens at, and its address as systemd writes it."""
    name = f"touchline-{os.getpid()}-{tmp_path.name}"
    address = str(tmp_path / "notify") if request.param == "path" else f"@{name}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ear:
        ear.bind(address if request.param == "path" else "\0" + name)
        ear.settimeout(5)
        yield ear, address


def heard(ear):
    return ear.recv(1024).decode()


def is_silent(ear, for_s=0.0):
    ear.settimeout(for_s)
    try:
        return not ear.recv(1024)
    except (BlockingIOError, TimeoutError):
        return True


def watched(address, microseconds=20_000, **environment):
    return {"NOTIFY_SOCKET": address, "WATCHDOG_USEC": str(microseconds), "WATCHDOG_PID": str(PID), **environment}


async def fed(told, gets_on, until):
    feeding = asyncio.create_task(told.feed(gets_on))
    async with asyncio.timeout(5):
        await until.wait()
    feeding.cancel()
    await asyncio.gather(feeding, return_exceptions=True)


def test_systemd_is_told_of_the_beginning_and_the_end(systemd, log):
    ear, address = systemd
    told = supervisor({"NOTIFY_SOCKET": address}, PID, log)
    told.ready()
    told.stopping()
    assert [heard(ear), heard(ear)] == ["READY=1", "STOPPING=1"]


async def test_signs_of_life_come_in_half_of_the_time_that_systemd_grants(systemd, log, monkeypatch):
    ear, address = systemd
    pauses, enough = [], asyncio.Event()
    sleep = asyncio.sleep

    async def quick(pause_s):
        pauses.append(pause_s)
        if len(pauses) == 3:
            enough.set()
        await sleep(0)

    monkeypatch.setattr("firmware.supervision.asyncio.sleep", quick)
    await fed(supervisor(watched(address, 30_000_000), PID, log), lambda: True, enough)
    assert set(pauses) == {15.0}
    assert [heard(ear) for _ in range(3)] == ["WATCHDOG=1"] * 3


async def test_a_sign_of_life_that_is_not_proven_is_withheld_and_the_next_one_is_given(systemd, log, log_text):
    ear, address = systemd
    looks, enough = count(), asyncio.Event()

    def gets_on():
        number = next(looks)
        if number == 4:
            enough.set()
        return number in (0, 3)

    await fed(supervisor(watched(address), PID, log), gets_on, enough)
    assert [heard(ear), heard(ear)] == ["WATCHDOG=1"] * 2
    assert is_silent(ear)
    assert log_text.getvalue().count("event=watchdog-withheld") == 3


@pytest.mark.parametrize("environment", [{"WATCHDOG_PID": "1"}, {"WATCHDOG_USEC": ""}])
async def test_no_sign_of_life_is_given_that_systemd_does_not_want_of_this_process(systemd, log, environment):
    ear, address = systemd
    told = supervisor(watched(address) | environment, PID, log)
    told.ready()
    feeding = asyncio.create_task(told.feed(lambda: pytest.fail("nobody asks for a proof")))
    await asyncio.sleep(0)
    assert not feeding.done()
    feeding.cancel()
    assert heard(ear) == "READY=1"
    assert is_silent(ear)


async def test_a_systemd_that_does_not_hear_ends_nothing(tmp_path, log):
    looks, enough = count(), asyncio.Event()
    told = supervisor(watched(str(tmp_path / "gone")), PID, log)
    told.ready()
    await fed(told, lambda: next(looks) < 3 or enough.set() or True, enough)
    told.stopping()


async def test_without_systemd_nobody_is_told(log):
    told = supervisor({"WATCHDOG_USEC": "20000"}, PID, log)
    assert isinstance(told, DisabledSupervisor)
    told.ready()
    told.stopping()
    feeding = asyncio.create_task(told.feed(lambda: pytest.fail("nobody asks for a proof")))
    await asyncio.sleep(0)
    assert not feeding.done()
    feeding.cancel()


FREEZES = """
import asyncio, ctypes, os, sys
from firmware.clock import SystemClock
from firmware.log import Log
from firmware.supervision import supervisor

async def live():
    told = supervisor(os.environ, os.getpid(), Log(sys.stderr, SystemClock()))
    feeding = asyncio.create_task(told.feed(lambda: True))
    await asyncio.sleep(0.2)
    told.stopping()
    # As a driver's call that never comes back: it keeps the interpreter's lock, and with it every thread.
    ctypes.PyDLL(None).sleep(60)

asyncio.run(live())
"""


def test_a_native_call_that_keeps_the_interpreters_lock_ends_the_signs_of_life(systemd):
    ear, address = systemd
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "NOTIFY_SOCKET": address, "WATCHDOG_USEC": "20000"}
    environment.pop("WATCHDOG_PID", None)
    with subprocess.Popen([sys.executable, "-c", FREEZES], env=environment) as process:
        ear.settimeout(30)
        assert heard(ear) == "WATCHDOG=1"
        while heard(ear) != "STOPPING=1":
            pass
        assert is_silent(ear, for_s=0.5)
        assert process.poll() is None
        process.kill()
