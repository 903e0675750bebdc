"""`make bench`: one match day without serving, then its figures; or what long matches cost the hub."""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import get_args

from bench.long_match import measure
from bench.memory import MOST_BYTES, measured_peak
from bench.recall import LEAST_RECALL, MOST_FALSE_ALARMS, good_enough, measured_recall, recall_line
from bench.stages import bottleneck, stage_rates
from simulator.pictures.rigs import RigKind
from simulator.scoring import read_events, read_positions, score_events, score_positions

MOST_BYTES_PER_DETECTION = 6.0
"""What `.tracks` may take on a real match: the promise of the node."""
SCORERS = ("eval_tracks.py", "eval_events.py")


def main() -> int:
    """Run and print; the exit status is the demo's, or 1 when a node takes too much memory, its tracks are too large,
    or the detector finds too little in the pictures."""
    parser = argparse.ArgumentParser(
        prog="bench", description="What a match day costs and how near the truth it comes."
    )
    parser.add_argument("--seconds", type=float, default=60.0, help="length of the simulated match (default 60)")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--rig", choices=["mast", "sideline"], default="mast")
    parser.add_argument("--players", type=int, choices=[11, 9, 7], default=11)
    parser.add_argument(
        "--no-recall", action="store_true", help="leave out the detector's recall on simulated pictures"
    )
    parser.add_argument(
        "--long-match",
        type=float,
        nargs="+",
        metavar="MINUTES",
        help="instead: memory and CPU of the hub's final pass over matches of these lengths, no picture drawn",
    )
    given = parser.parse_args()
    if given.long_match:
        measure(given.long_match, given.seed)
        return 0
    with tempfile.TemporaryDirectory(prefix="touchline-bench-") as folder:
        out = Path(folder) / "day"
        wishes = ["--seconds", f"{given.seconds:g}", "--seed", str(given.seed), "--rig", given.rig]
        wishes += ["--players", str(given.players), "--out", str(out), "--no-serve"]
        day = subprocess.run([sys.executable, "-m", "simulator.cli", "demo", *wishes], check=False)
        if day.returncode:
            return day.returncode
        status = _print_stages(out)
        _print_tracks(out)
        _print_events(out)
        _run_scorers(out)
    return max(status, _memory(), 0 if given.no_recall else _recall(given.seed))


def _memory() -> int:
    """Print a node's peak of memory on large pictures; 1 when it takes more than is promised."""
    peak = measured_peak()
    print(f"\n{peak.line}")
    if peak.good_enough:
        return 0
    print(f"That is too much: a node takes less than {MOST_BYTES / 1e6:.0f} MB")
    return 1


def _recall(seed: int) -> int:
    """Print the detector's recall on both rigs; 1 when one of them is too low."""
    status = 0
    print()
    for rig in get_args(RigKind):
        found = measured_recall(rig, seed)
        print(recall_line(rig, found))
        if not good_enough(found):
            status = 1
            print(
                f"That is too little: at least {LEAST_RECALL:.0%} at no more than {MOST_FALSE_ALARMS} false alarms "
                "a picture"
            )
    return status


def _print_stages(out: Path) -> int:
    """Print what each stage costs and how small the tracks are; 1 when they are too large."""
    account = json.loads((out / "costs.json").read_text())
    rates = stage_rates(account)
    print("\nSegments per second of CPU through each stage")
    for rate in rates:
        print(f"  {rate.name:24s} {rate.per_second:8.2f}   ({rate.cpu_s:.1f} CPU s for {rate.segments})")
    slowest = bottleneck(rates)
    print(f"  the bottleneck is {slowest.name}: {slowest.per_second:.2f} segments a second")
    nodes = account["nodes"].values()
    detections = sum(node["detections"] for node in nodes)
    size = sum(node["tracks_bytes"] for node in nodes)
    each = size / max(1, detections)
    print(f"\nBytes of tracks per detection: {each:.2f} ({size} bytes, {detections} detections)")
    if each <= MOST_BYTES_PER_DETECTION:
        return 0
    print(f"That is too much: at most {MOST_BYTES_PER_DETECTION:g}")
    return 1


def _print_tracks(out: Path) -> None:
    print("\nPositions against the truth (matched within 2 m, every fifth frame)")
    for kind in ("player", "referee", "ball"):
        score = score_positions(
            read_positions(out / "truth" / "tracks.csv", [kind]), read_positions(out / "tracks.csv", [kind])
        )
        print(
            f"  {kind:8s} mean {score.mean_m:.2f} m, p95 {score.p95_m:.2f} m, "
            f"recall {score.recall:.3f}, precision {score.precision:.3f}"
        )


def _print_events(out: Path) -> None:
    print("\nEvents against the truth")
    scores = score_events(read_events(out / "truth" / "events.csv"), read_events(out / "events.csv"))
    for kind, score in scores.items():
        late = "" if score.mean_dt_s is None else f"  {score.mean_dt_s:+.2f} s"
        counts = f"played {score.true:3d}  found {score.found:3d}  right {score.matched:3d}"
        print(f"  {kind:10s} {counts}  F1 {score.f1:.2f}{late}")


def _run_scorers(out: Path) -> None:
    """The full scores, by the shared scorers where they lie beside the checkout."""
    shared = Path(os.environ.get("TOUCHLINE_SHARED", Path(__file__).resolve().parents[2] / "shared"))
    for scorer, table in zip(SCORERS, ("tracks.csv", "events.csv"), strict=True):
        tool = shared / "tools" / scorer
        if not tool.exists():
            print(f"\n{scorer} is not beside this checkout: its scores are left out")
            continue
        print(f"\n{scorer}")
        command = [sys.executable, str(tool), "--gt", str(out / "truth" / table), "--pred", str(out / table)]
        subprocess.run(command, check=True)


if __name__ == "__main__":
    sys.exit(main())
