"""Segments per second through each stage of a match day, from its account."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

NODE_STAGES = ("capture", "encode", "look", "close")
HUB_STAGES = ("decode", "stitch", "encode", "fuse")


@dataclass(frozen=True)
class StageRate:
    """How many segments (of one camera, or of the panorama) a stage handles in a second of CPU time."""

    name: str
    cpu_s: float
    segments: int

    @property
    def per_second(self) -> float:
        """Segments a second of CPU."""
        return self.segments / self.cpu_s if self.cpu_s > 0 else float("inf")


def stage_rates(account: Mapping[str, Any]) -> list[StageRate]:
    """The stages of all nodes together, then the hub's, as told in `costs.json`."""
    nodes = list(account["nodes"].values())
    segments = sum(node["segments"] for node in nodes)
    rates = []
    for stage in NODE_STAGES:
        cpu = sum(node["cpu_s"].get(stage, 0.0) for node in nodes)
        if cpu > 0:
            rates.append(StageRate(f"node: {stage}", cpu, segments))
    # The encoder's and the detector's own threads are in the process's time, but in none of its stages.
    inside = sum(node["process_cpu_s"] - sum(node["cpu_s"].values()) for node in nodes)
    if inside > 0:
        rates.append(StageRate("node: library threads", inside, segments))
    windows = max((node["segments"] for node in nodes), default=0)
    rates += [
        StageRate(f"hub: {stage}", account["hub"][stage]["cpu_s"], windows)
        for stage in HUB_STAGES
        if stage in account["hub"]
    ]
    return rates


def bottleneck(rates: list[StageRate]) -> StageRate:
    """The stage that lets the fewest segments through a second of CPU."""
    return min(rates, key=lambda rate: rate.per_second)
