"""What the match day cost and brought, as tables at its end."""

import csv
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hub.messages import SessionProgress
from simulator.console import Console
from simulator.demo.processes import Running


@dataclass(frozen=True)
class NodeCost:
    """A node's own account, as its API tells it."""

    node: str
    account: Mapping[str, Any]


def print_costs(
    console: Console, running: Sequence[Running], nodes: Sequence[NodeCost], progress: SessionProgress, wall_s: float
) -> None:
    """Time per stage, memory per process, bytes sent."""
    rows = [["stage", "CPU s", "items", "per s of CPU"]]
    for node in nodes:
        for stage, cost in node.account["stages"].items():
            rows.append(_stage_row(f"{node.node}: {stage}", cost["cpu_s"], cost["items"]))
    for stage, spent in progress.costs.items():
        rows.append(_stage_row(f"hub: {stage}", spent.cpu_s, spent.items))
    console.table("Time per stage", rows)
    memory = [["process", "peak MB", "growth over the match MB"]]
    memory += [[process.name, f"{process.peak_mb:.0f}", f"{process.growth_mb():+.0f}"] for process in running]
    console.table("Memory", memory)
    sent = sum(int(node.account["bytes_sent"]) for node in nodes)
    console.say(f"\n  {sent / 1e6:.1f} MB sent from the nodes to the hub; {wall_s:.0f} s from kick-off to the portal.")


def _stage_row(name: str, cpu_s: float, items: int) -> list[str]:
    return [name, f"{cpu_s:.2f}", str(items), f"{items / cpu_s:.0f}" if cpu_s > 0.005 else ""]


def print_result(console: Console, out: Path, simulated: bool) -> None:
    """What was found, and against what was played."""
    found = _count(out / "events.csv")
    rows = [["event", "found", *(["played"] if simulated else [])]]
    played = _count(out / "truth" / "events.csv") if simulated else Counter[str]()
    for kind in sorted(found | played, key=lambda k: (-(found | played)[k], k)):
        rows.append([kind.replace("_", " "), str(found[kind]), *([str(played[kind])] if simulated else [])])
    console.table("Events", rows)


def _count(path: Path) -> Counter[str]:
    with path.open() as file:
        return Counter(row["type"] for row in csv.DictReader(file))
