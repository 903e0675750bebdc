"""`python -m bench.faults.node`: a node as it runs on a board, but for the parts that can be made to fail."""

import argparse
import asyncio
import sys
from pathlib import Path

from bench.faults.staged import (
    FAULTS,
    Doom,
    FrailEyes,
    Fuse,
    StagedSource,
    SteppingClock,
    ToldPanels,
    let_disk_stall,
    let_files_fail,
)
from edge.config import Config, NodeConfig
from edge.record import Patience
from edge.serve import Settings, serve
from firmware.health import DisabledHealth
from firmware.leaving import leave
from firmware.log import Log
from wire.ids import node_id

TOKEN = "staged-token"  # noqa: S105 - of a node that only this machine can reach


def main() -> int:
    """Serve until told to stop, or until the fault ends the process."""
    parser = argparse.ArgumentParser(prog="bench.faults.node")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--fault", choices=("none", *FAULTS), default="none")
    parser.add_argument("--at", type=int, default=60, help="frames after which the fault strikes")
    parser.add_argument("--dies-at", type=int, default=0, help="the step of its start at which it is killed")
    given = parser.parse_args()
    given.data.mkdir(parents=True, exist_ok=True)
    fuse = Fuse(given.data, given.fault, given.at)
    clock = SteppingClock(fuse)
    let_files_fail(fuse)
    let_disk_stall(fuse)
    settings = Settings(
        node=node_id("left"),
        source=StagedSource(fuse, clock, Doom(given.data, given.dies_at)),
        data=given.data,
        host="127.0.0.1",
        port=0,
        hub="http://127.0.0.1:9",
        token=TOKEN,
        config=NodeConfig(
            detector="staged",
            passes_per_second=1,
            poses_per_second=0,
            sound=None,
            delete_confirmed=False,
            offload_mbit=None,
        ),
        kept=Config(given.data / "config.json"),
        health=DisabledHealth(),
        panel=ToldPanels(None),
        # As a test is in a hurry; the rules are the same.
        patience=Patience(eyes_s=2, coder_s=2, camera_s=2, disk_s=10),
    )
    log = Log(sys.stderr, clock, node=settings.node)
    return leave(asyncio.run(serve(settings, lambda _camera, _first: FrailEyes(fuse), clock, log)))


if __name__ == "__main__":
    sys.exit(main())
