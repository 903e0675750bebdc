"""What the match day cost and brought, as tables at its end."""

import csv
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from edge.cost import NodeCost
from hub.messages import SessionProgress
from simulator.console import Console
from simulator.demo.processes import Running


def account_of(
    running: Sequence[Running], nodes: Sequence[NodeCost], progress: SessionProgress, wall_s: float
) -> dict[str, Any]:
    """The day's whole account, as it is written to `costs.json`."""
    return {
        "wall_s": round(wall_s, 2),
        "nodes": {node.node: msgspec.to_builtins(node) for node in nodes},
        "hub": msgspec.to_builtins(progress.costs),
        "memory_mb": {
            process.name: {"peak": round(process.peak_mb, 1), "growth": round(process.growth_mb(), 1)}
            for process in running
        },
    }


def print_costs(console: Console, account: Mapping[str, Any]) -> None:
    """Time per stage, memory per process, bytes sent."""
    rows = [["stage", "wall s", "CPU s", "items"]]
    for name, node in account["nodes"].items():
        for stage, cpu in node["cpu_s"].items():
            wall = max(node["wall_s"][stage], cpu)
            rows.append([f"node {name}: {stage}", f"{wall:.1f}", f"{cpu:.1f}", str(node["frames"])])
    for stage, cost in account["hub"].items():
        rows.append([f"hub: {stage}", f"{cost['wall_s']:.1f}", f"{cost['cpu_s']:.1f}", str(cost["items"])])
    console.table("Time per stage", rows)
    memory = [["process", "peak MB", "growth over the match MB"]]
    memory += [[name, f"{mb['peak']:.0f}", f"{mb['growth']:+.0f}"] for name, mb in account["memory_mb"].items()]
    console.table("Memory", memory)
    sent = sum(int(node["bytes_sent"]) for node in account["nodes"].values())
    wall = account["wall_s"]
    console.say(f"\n  {sent / 1e6:.1f} MB sent from the nodes to the hub; {wall:.0f} s from kick-off to the portal.")


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
