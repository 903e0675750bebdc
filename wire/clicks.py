"""Points of the pitch that a person clicked in the cameras' pictures, as CSV `camera,x_m,y_m,u_px,v_px`."""

import csv
import io
import math
from collections.abc import Iterable, Mapping

import msgspec

from wire.errors import BadTable

HEADER = ("camera", "x_m", "y_m", "u_px", "v_px")


class Click(msgspec.Struct, frozen=True):
    """Pitch point (x_m, y_m) seen at pixel (u_px, v_px) of `camera`, counted from the left from 0."""

    camera: int
    x_m: float
    y_m: float
    u_px: float
    v_px: float


def read_clicks(text: str, name: str = "the clicks") -> list[Click]:
    """The rows of the CSV `text`; raises `BadTable` with `name` and the line at fault."""
    rows = csv.DictReader(io.StringIO(text))
    try:
        missing = [column for column in HEADER if column not in (rows.fieldnames or [])]
        if missing:
            raise BadTable(f"{name}: the header must be {','.join(HEADER)} (missing: {', '.join(missing)})")
        out = [_click(row, f"{name}, line {line}") for line, row in enumerate(rows, 2)]
    except csv.Error as fault:
        raise BadTable(f"{name}: not a CSV table ({fault})") from None
    if not out:
        raise BadTable(f"{name}: there is no click in it")
    return out


def _click(row: Mapping[str, str], where: str) -> Click:
    try:
        values = [float(row[column]) for column in HEADER[1:]]
        camera = int(row["camera"])
    except (TypeError, ValueError):
        raise BadTable(f"{where}: every value must be a number") from None
    if camera < 0 or not all(map(math.isfinite, values)):
        raise BadTable(f"{where}: every value must be a finite number, the camera 0 or more")
    return Click(camera, *values)


def clicks_csv(clicks: Iterable[Click]) -> str:
    """The CSV of `clicks`."""
    out = io.StringIO()
    write = csv.writer(out, lineterminator="\n").writerow
    write(HEADER)
    for click in clicks:
        write([click.camera, *(f"{v:.3f}" for v in (click.x_m, click.y_m, click.u_px, click.v_px))])
    return out.getvalue()
