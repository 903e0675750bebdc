"""Telling systemd how the process is (sd_notify(3)), so that it starts anew one that hangs as a whole."""

import asyncio
import contextlib
import socket
from collections.abc import Callable, Mapping
from typing import Protocol

from firmware.log import Log


class Supervisor(Protocol):
    """Whoever started the process and looks after it."""

    def ready(self) -> None:
        """The process serves from now on."""

    def stopping(self) -> None:
        """The process is about to end of its own accord."""

    async def feed(self, gets_on: Callable[[], bool]) -> None:
        """Give signs of life for ever, as often as they are wanted, but only while `gets_on` proves them; run it in the
        event loop that does the work, so that none comes from a process whose loop stands still."""


class DisabledSupervisor:
    """Nobody looks after the process."""

    def ready(self) -> None:
        """Tells nobody."""

    def stopping(self) -> None:
        """Tells nobody."""

    async def feed(self, gets_on: Callable[[], bool]) -> None:
        """Nobody wants a sign of life."""
        await asyncio.Event().wait()


class SystemdSupervisor:
    """systemd, which hears at the Unix socket `address` ("@" for the abstract ones) and wants a sign of life every
    `within_s` seconds at least, or none (None)."""

    def __init__(self, address: str, within_s: float | None, log: Log) -> None:
        self._address = "\0" + address[1:] if address.startswith("@") else address
        self._within_s = within_s
        self._log = log

    def ready(self) -> None:
        """The process serves from now on."""
        self._tell("READY=1")

    def stopping(self) -> None:
        """The process is about to end of its own accord."""
        self._tell("STOPPING=1")

    async def feed(self, gets_on: Callable[[], bool]) -> None:
        """Give a sign of life in half of the time that there is, for ever; one that `gets_on` does not prove is
        withheld, and logged."""
        if self._within_s is None:
            await asyncio.Event().wait()
            return
        while True:
            if gets_on():
                self._tell("WATCHDOG=1")
            else:
                self._log.event("watchdog-withheld", fault="the node has not proven that it gets on")
            await asyncio.sleep(self._within_s / 2)

    def _tell(self, state: str) -> None:
        # Whom systemd does not hear, it starts anew: nothing that fails here is worth ending or waiting for.
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
            line.setblocking(False)
            line.sendto(state.encode(), self._address)


def supervisor(environment: Mapping[str, str], pid: int, log: Log) -> Supervisor:
    """The supervisor of the process `pid` that was started with this environment."""
    address = environment.get("NOTIFY_SOCKET")
    if not address:
        return DisabledSupervisor()
    microseconds = environment.get("WATCHDOG_USEC")
    meant = environment.get("WATCHDOG_PID", str(pid)) == str(pid)
    return SystemdSupervisor(address, int(microseconds) / 1e6 if microseconds and meant else None, log)
