"""The calibration, and the clicks for one, that a command is given, and what is told of one."""

import sys
from pathlib import Path

from hub.errors import HubError
from wire.clicks import Click, read_clicks
from wire.errors import BadTable, WireError
from wire.message import decode
from wire.rig import Rig

UNTRUSTED = 1
"""Exit status of a command whose calibration is there but is not to be trusted."""


def read_rig(path: Path) -> Rig:
    """The calibration in a file; raises `HubError`."""
    try:
        return decode(path.read_bytes(), Rig)
    except OSError as fault:
        raise HubError(f"--rig {path} cannot be read: {fault.strerror}") from fault
    except WireError as fault:
        raise HubError(f"--rig {path} is {fault}") from fault


def clicks_in(path: Path | None) -> list[Click]:
    """The clicks in a file; raises `BadTable`."""
    if path is None:
        return []
    try:
        return read_clicks(path.read_text(encoding="utf-8-sig"), str(path))
    except (UnicodeDecodeError, OSError):
        raise BadTable(f"{path} is not a readable CSV file") from None


def report(rig: Rig, what: str) -> None:
    """Tell how well a rig is calibrated, for a person to judge."""
    quality = rig.quality
    for camera in rig.cameras:
        x, y, z = camera.position_m
        shift = f", times {camera.clock_offset_ns / 1e6:+.0f} ms" if camera.clock_offset_ns else ""
        print(
            f"{camera.node}: at ({x:.2f}, {y:.2f}) m, {z:.2f} m high, focal length {camera.lens.focal_px:.0f} px{shift}"
        )
    for name, value, unit in (
        ("clicks", quality.clicks_px, "px"),
        ("overlap", quality.overlap_px, "px"),
        ("lines", quality.lines_px, "px"),
        ("error to expect on the pitch", quality.pitch_m, "m"),
    ):
        if value is not None:
            print(f"{name}: {value:.2f} {unit}")
    for note in quality.notes:
        print(f"touchline-hub: {note}", file=sys.stderr)
    print(f"{what}: {'calibrated' if quality.trusted else 'NOT to be trusted'}")
