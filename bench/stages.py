"""Segments per second through each stage of a match day, from its account."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


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
    """Every stage that took CPU time, of all nodes together, then of the hub, as told in `costs.json`: the bottleneck
    may be any of them, and work that is done once a match counts for each of its segments."""
    nodes = list(account["nodes"].values())
    segments = sum(node["segments"] for node in nodes)
    rates = []
    for stage in dict.fromkeys(stage for node in nodes for stage in node["cpu_s"]):
        cpu = sum(node["cpu_s"].get(stage, 0.0) for node in nodes)
        if cpu > 0:
            rates.append(StageRate(f"node: {stage}", cpu, segments))
    # The encoder's and the detector's own threads are in the process's time, but in none of its stages.
    inside = sum(node["process_cpu_s"] - sum(node["cpu_s"].values()) for node in nodes)
    if inside > 0:
        rates.append(StageRate("node: library threads", inside, segments))
    windows = max((node["segments"] for node in nodes), default=0)
    rates += [
        StageRate(f"hub: {stage}", cost["cpu_s"], windows)
        for stage, cost in account["hub"].items()
        if cost["cpu_s"] > 0
    ]
    return rates


def bottleneck(rates: list[StageRate]) -> StageRate:
    """The stage that lets the fewest segments through a second of CPU."""
    return min(rates, key=lambda rate: rate.per_second)
