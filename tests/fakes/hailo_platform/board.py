"""The board under the fake: which chip is on it, and what is wrong with it. The real package has no such module."""

import json
import os
import threading
from dataclasses import dataclass, field, fields
from pathlib import Path

MAGIC = b"\x01HEF"


@dataclass
class Board:
    """`chip` None: no /dev/hailo0. Jobs are counted from 0 since the last `reset`."""

    chip: str | None = "HAILO8L"
    driver: str = "4.23.0"
    driver_runs: bool = True
    taken_by_another: bool = False
    service: str | None = None
    """The version of HailoRT's service that runs, which can give one chip to several processes; None for no service."""
    opening_hangs: bool = field(default_factory=lambda: bool(os.environ.get("FAKE_HAILORT_OPENING_HANGS")))
    """For ever, and nothing else of the process runs meanwhile."""
    queue: int = 4
    hangs_from: int | None = None
    """The chip never answers this job, nor any after it."""
    fails: dict[int, int] = field(default_factory=dict)
    """Status by job that ends with it."""
    jobs: int = 0
    most_under_way: int = 0
    in_use: bool = False
    """A VDevice, or a model of one, of this process or of the service has the chip."""
    groups: list[str] = field(default_factory=list)
    """The group of each VDevice that the service has made of it."""
    lets_go: threading.Event | None = None
    """A network that hangs is not gone before this is set: the real one waits up to ten seconds for its pictures."""
    complaints: list[str] = field(default_factory=list)
    """What would have hurt on the real thing."""

    def reset(self) -> None:
        """Whole again; what has the chip keeps it."""
        fresh = Board(in_use=self.in_use, groups=self.groups)
        for entry in fields(Board):
            setattr(self, entry.name, getattr(fresh, entry.name))


board = Board()


def write_hef(path: Path, network: str, chip: str) -> None:
    """A file that the fake takes for a compiled model."""
    path.write_bytes(MAGIC + json.dumps({"network": network, "chip": chip}).encode())
