"""The file that a command writes its table to."""

from collections.abc import Iterable
from pathlib import Path

from edge.errors import BadInput, EdgeError
from wire.durable import write_parts_durably


def check_place(out: Path, source: Path) -> None:
    """Raises `BadInput` where no file can be, or where it would replace what is to be looked at."""
    if out.is_dir() or not out.parent.is_dir():
        raise BadInput(f"--out {out}: give the name of a file in a folder that is there")
    if out.exists() and source.exists() and out.samefile(source):
        raise BadInput(f"--out {out} is {source} itself: give another name")


def write_table(out: Path, parts: Iterable[bytes]) -> None:
    """The whole table or none; raises `BadInput` when the disk takes none."""
    try:
        write_parts_durably(out, parts)
    except OSError as fault:
        raise BadInput(f"--out {out} cannot be written: {fault.strerror}") from fault


def give_up(fault: EdgeError) -> None:
    """A node gets over a chip that fails; who asks for a table wants to know."""
    raise fault
