"""The calibration that a command is given."""

from pathlib import Path

from hub.errors import HubError
from wire.errors import WireError
from wire.message import decode
from wire.rig import Rig


def read_rig(path: Path) -> Rig:
    """The calibration in a file; raises `HubError`."""
    try:
        return decode(path.read_bytes(), Rig)
    except OSError as fault:
        raise HubError(f"--rig {path} cannot be read: {fault.strerror}") from fault
    except WireError as fault:
        raise HubError(f"--rig {path} is {fault}") from fault
