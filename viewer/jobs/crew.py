"""A crew: threads of one process that work on one table, called when there is a nudge or their alarm rings."""

import logging
import threading
import time
from collections.abc import Callable

from viewer.jobs.wake import Queue

log = logging.getLogger("viewer.worker")
SWEEP_S = 60.0
"""A nudge that was lost costs at most this long; so does the word of a duty that has become due."""
_SOONEST_S = 1.0
_LONGEST_FAULT_S = 30.0


class Crew:
    """`drain` works everything off and says in how many seconds there will be more; meanwhile it may call for hands.

    Nudges are only listened to while a thread is free: those that this process has no hand for stay for another one.
    """

    def __init__(
        self,
        name: str,
        queue: Queue,
        wake: Callable[[], None],
        drain: Callable[[Callable[[], None]], float | None],
        hands: int,
        stop: threading.Event,
    ) -> None:
        self._queue, self._wake, self._drain, self._stop = queue, wake, drain, stop
        self._free, self._calls = threading.Semaphore(0), threading.Semaphore(0)
        self._alarm, self._lock = 0.0, threading.Lock()
        self.threads = [threading.Thread(target=self._listen, name=f"{name}-ear", daemon=True)]
        self.threads += [threading.Thread(target=self._work, name=f"{name}-{n}", daemon=True) for n in range(hands)]

    def start(self) -> None:
        """Start the threads; what is there already is looked at first."""
        for thread in self.threads:
            thread.start()

    def _listen(self) -> None:
        while not self._stop.is_set():
            if not self._free.acquire(timeout=0.2):
                continue
            while not (self._stop.is_set() or self._rings() or self._queue.heard(self._stop.wait)):
                pass
            self._calls.release()
        for _ in self.threads:
            self._calls.release()
        self._queue.close()

    def _work(self) -> None:
        failed = 0
        while True:
            self._free.release()
            self._calls.acquire()
            if self._stop.is_set():
                return
            try:
                again = self._drain(self._call_for_hands)
            except Exception:
                # The database is away, most of all. The rows wait.
                log.exception("work stalled")
                failed += 1
                again = min(2.0**failed, _LONGEST_FAULT_S)
            else:
                failed = 0
            if again is not None:
                self._ring_in(max(again, _SOONEST_S))

    def _call_for_hands(self) -> None:
        """Call a free thread here, which the queue is not needed for, and another process."""
        self._ring_in(0)
        self._wake()

    def _rings(self) -> bool:
        with self._lock:
            if time.monotonic() < self._alarm:
                return False
            self._alarm = time.monotonic() + SWEEP_S
            return True

    def _ring_in(self, seconds: float) -> None:
        with self._lock:
            self._alarm = min(self._alarm, time.monotonic() + seconds)
