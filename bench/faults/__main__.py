"""`python -m bench.faults`: the whole campaign, and what was lost."""

import argparse
import sys
import tempfile
from pathlib import Path

from bench.faults.campaign import Findings, NotShown, Wrong, fault, full_disk, killed_behind, killed_salvaging, kills

ENDS_PROCESS = {"coder-stall", "coder-memory", "camera-silent", "camera-error", "disk-hang"}
KILLED = ("clock-behind", "clock-far-behind")
HEALED = ("coder-error", "file-error", "eyes-hang", "eyes-memory", "clock-ahead", "disk-slow", *KILLED)


def main() -> int:
    """Run and print; 1 when a promise was broken, 2 when one could not be shown."""
    parser = argparse.ArgumentParser(prog="bench.faults", description="A node under fire, and what was lost.")
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--without-disk", action="store_true", help="leave out the full disk, which needs root")
    given = parser.parse_args()
    try:
        with tempfile.TemporaryDirectory(prefix="touchline-faults-") as folder:
            _print_kills(kills(_fresh(folder, "kills"), given.kills, given.seed))
            for kind in (*HEALED, *sorted(ENDS_PROCESS)):
                ends = kind in ENDS_PROCESS
                _print_fault(fault(_fresh(folder, kind), kind, ends_process=ends), ends=ends)
            _print_fault(killed_salvaging(_fresh(folder, "salvage")), ends=True)
            for kind in KILLED:
                _print_fault(killed_behind(_fresh(folder, f"{kind}-killed"), kind), ends=True)
            if not given.without_disk:
                print(full_disk(_fresh(folder, "full")))
    except Wrong as broken:
        print(f"A promise was broken: {broken}")
        return 1
    except NotShown as missing:
        print(f"Not shown: {missing}; --without-disk leaves it out")
        return 2
    return 0


def _fresh(folder: str, name: str) -> Path:
    made = Path(folder) / name
    made.mkdir()
    return made


def _print_kills(found: Findings) -> None:
    tails = sorted(loss.taken_ms for loss in found.losses if loss.taken_ms is not None)
    gaps = sorted(loss.gap_ms for loss in found.losses)
    print(f"kill -9 at {len(tails)} random moments: resumed by itself {found.resumed} times, no closed segment lost,")
    print(f"  every row true. Taken but not kept: median {tails[len(tails) // 2]:.0f} ms, at most {tails[-1]:.0f} ms;")
    print(f"  until it recorded again: median {gaps[len(gaps) // 2]:.0f} ms, at most {gaps[-1]:.0f} ms")
    if tails[-1] > 2000:
        raise Wrong(f"a kill cost {tails[-1]:.0f} ms of video that had been taken")


def _print_fault(found: Findings, *, ends: bool) -> None:
    [loss] = found.losses
    how = "process ended, started again, went on" if ends else "healed in place"
    kept = "" if loss.taken_ms is None else f", taken but not kept: {loss.taken_ms:.0f} ms"
    print(f"{loss.blow:14s} {how}; not recorded: {loss.gap_ms:.0f} ms{kept}")


if __name__ == "__main__":
    sys.exit(main())
