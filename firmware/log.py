"""The log of an appliance: one line per event, `key=value`, made to be read by people and cut by programs."""

import contextlib
import json
import threading
from collections import Counter, deque
from datetime import UTC, datetime
from typing import TextIO

from firmware.clock import Clock
from wire.rigtime import SECOND

KEPT = 500
"""Lines that a log remembers: some 100 kB, and an hour of a quiet match."""


class Log:
    """Writes events to a stream, one whole line at a time from whichever thread, and remembers the newest.

    A line that cannot be written is lost and nothing more: a full disk or a closed pipe must not stop whoever logs.
    """

    def __init__(self, stream: TextIO, clock: Clock, **always: object) -> None:
        self._stream = stream
        self._clock = clock
        self._always = always
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()
        self._recent: deque[str] = deque(maxlen=KEPT)

    def event(self, event: str, **fields: object) -> None:
        """One line: the time, what happened, and the fields, quoted where they hold more than one word."""
        at = datetime.fromtimestamp(self._clock.now_ns() / SECOND, UTC).isoformat(timespec="milliseconds")
        pairs = {"time": at, "event": event, **self._always, **fields}
        line = " ".join(f"{key}={_word(value)}" for key, value in pairs.items())
        self._recent.append(line)
        self._counts[event] += 1
        # ValueError is what a closed stream raises.
        with self._lock, contextlib.suppress(OSError, ValueError):
            self._stream.write(line + "\n")
            self._stream.flush()

    def recent(self, lines: int = KEPT) -> list[str]:
        """The newest lines, oldest first, whether they could be written or not."""
        # Not under the lock, which a stream that hangs would hold.
        return list(self._recent.copy())[-lines:]

    def counts(self) -> dict[str, int]:
        """How many lines there were of each event."""
        return dict(self._counts)


def _word(value: object) -> str:
    text = str(value)
    plain = text.isprintable() and not any(c in text for c in ' "=') and text
    return text if plain else json.dumps(text, ensure_ascii=False)
