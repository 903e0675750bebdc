"""Whether a node has enough to do already."""

import msgspec

from edge.gates.checks import WARM_C
from firmware.health import HealthReading

MOST_LOAD = 1.25
"""Of the run queue's length, for each core: above it somebody waits for the processor all the time."""
BELIEVED = 2
"""Readings in a row that have to say the same of what trembles."""


class Load(msgspec.Struct, frozen=True, kw_only=True):
    """What a node has to bear at one moment.

    `frames_lost` counts the frames of the running recording that were not recorded or not looked at; `lagging` is the
    stage of it that does not keep up.
    """

    frames_lost: int = 0
    lagging: str | None = None
    health: HealthReading = HealthReading()


class Pressure:
    """Judges one reading after the other."""

    def __init__(self) -> None:
        self._frames_lost: int | None = None
        self._lagging = 0

    def too_much(self, load: Load) -> str | None:
        """Why nothing may be done besides recording, as a sentence; None when there is room for more."""
        before, self._frames_lost = self._frames_lost, load.frames_lost
        self._lagging = self._lagging + 1 if load.lagging else 0
        if before is not None and load.frames_lost > before:
            return f"the recording has just lost {load.frames_lost - before} frames"
        if load.lagging and self._lagging >= BELIEVED:
            return f"the recording does not keep up with the camera ({load.lagging})"
        return _board(load.health)


def _board(health: HealthReading) -> str | None:
    if health.temperature_c is not None and health.temperature_c >= WARM_C:
        return f"the board is {health.temperature_c:.0f} °C warm"
    supply = health.supply
    if supply and (
        supply.under_voltage or supply.throttled or supply.frequency_capped or supply.soft_temperature_limit
    ):
        return "the board holds itself back because of heat or power"
    if health.load is not None and health.cores and health.load > MOST_LOAD * health.cores:
        return f"the processor is busy (load {health.load:.1f} on {health.cores} cores)"
    return None
