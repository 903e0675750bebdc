"""What the demo says while it works: one moving line on a terminal, one line per step elsewhere."""

import time
from collections.abc import Sequence
from typing import TextIO


class Console:
    """Prints steps, progress and tables to `out`."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._moving = out.isatty()
        self._began = time.monotonic()
        self._last = ""
        self._last_tenth = -1

    def step(self, text: str) -> None:
        """A new step begins."""
        self._end_line()
        self._print(f"{self._clock()} {text}")
        self._last_tenth = -1

    def progress(self, share: float, text: str) -> None:
        """How far the present step is, 0 to 1."""
        share = min(max(share, 0.0), 1.0)
        if self._moving:
            bar = "█" * round(share * 24)
            line = f"        {bar:░<24} {share:4.0%}  {text}"
            self._out.write("\r" + line[:118].ljust(len(self._last)))
            self._out.flush()
            self._last = line[:118]
        elif int(share * 10) > self._last_tenth:
            self._last_tenth = int(share * 10)
            self._print(f"        {share:4.0%}  {text}")

    def say(self, text: str = "") -> None:
        """A plain line."""
        self._end_line()
        self._print(text)

    def table(self, title: str, rows: Sequence[Sequence[str]]) -> None:
        """A small table: the first row is its head, the first column is left-aligned, the rest to the right."""
        self._end_line()
        widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
        self._print(f"\n{title}")
        for row in rows:
            cells = [
                row[0].ljust(widths[0]),
                *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)),
            ]
            self._print("  " + "  ".join(cells))

    def _clock(self) -> str:
        passed = int(time.monotonic() - self._began)
        return f"[{passed // 60}:{passed % 60:02d}]"

    def _end_line(self) -> None:
        if self._last:
            self._out.write("\n")
            self._last = ""

    def _print(self, line: str) -> None:
        self._out.write(line + "\n")
        self._out.flush()
