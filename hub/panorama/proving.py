"""Trying hardware whose driver may never answer."""

import queue
import threading
from collections.abc import Callable, Sequence
from typing import TypeVar

T = TypeVar("T")
_PATIENCE_S = 20.0


def in_time(work: Callable[[], T], limit_s: float | None = None) -> T:
    """What `work` gives, or raises; `TimeoutError` when it has not ended after so long. Then it is left hanging in a
    thread of its own, which holds up nobody's end."""
    patience_s = _PATIENCE_S if limit_s is None else limit_s
    answer: queue.Queue[tuple[T | None, BaseException | None]] = queue.Queue()

    def run() -> None:
        try:
            answer.put((work(), None))
        except BaseException as fault:  # for whoever waits
            answer.put((None, fault))

    threading.Thread(target=run, name="proving", daemon=True).start()
    try:
        result, fault = answer.get(timeout=patience_s)
    except queue.Empty:
        raise TimeoutError(f"no answer within {patience_s:g} s") from None
    if fault is not None:
        raise fault
    return result  # type: ignore[return-value]  # it is what `work` gave


def choice(doing: str, by: str, reasons: Sequence[str]) -> str:
    """What was chosen, in words, and what was found out on the way."""
    return f"{doing} {by} ({'; '.join(reasons)})" if reasons else f"{doing} {by}"
