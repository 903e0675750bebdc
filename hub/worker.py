"""The thread that takes sessions through the pipeline, one after another."""

import queue
import threading
import traceback
from collections.abc import Callable

from firmware.log import Log
from hub.errors import HubError, Interrupted
from hub.panorama.timeline import Arrivals
from hub.pipeline import Pipeline
from hub.sessions import Sessions
from wire.errors import WireError
from wire.ids import SessionId

RETRY_S = 60.0
"""After which a session is tried again that failed for want of disk or memory."""


class Worker:
    """Runs unfinished sessions at start, then each new one.

    A session that cannot be finished is marked so and never stops the next, nor the ingest; one that failed for want of
    disk or memory is tried again. `broken` is called when the thread itself cannot go on.
    """

    def __init__(
        self,
        pipeline: Pipeline,
        sessions: Sessions,
        arrivals: Arrivals,
        log: Log,
        broken: Callable[[], None],
        retry_s: float = RETRY_S,
    ) -> None:
        self._pipeline = pipeline
        self._sessions = sessions
        self._arrivals = arrivals
        self._log = log
        self._broken = broken
        self._retry_s = retry_s
        self._waiting: queue.Queue[SessionId | None] = queue.Queue()
        self._again: list[SessionId] = []
        self._thread = threading.Thread(target=self._run, name="pipeline", daemon=True)

    def start(self) -> None:
        """Take up what an earlier run left, then wait for more."""
        for session in self._sessions.unfinished():
            self._log.event("resumed", session=session)
            self._waiting.put(session)
        self._thread.start()

    def add(self, session: SessionId) -> None:
        """A session has begun."""
        self._waiting.put(session)

    def stop(self, deadline_s: float) -> bool:
        """Ask the pipeline to leave its work safe and end; whether it did within the deadline."""
        self._arrivals.stop()
        self._waiting.put(None)
        self._thread.join(deadline_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        try:
            while (session := self._next()) is not None:
                self._take_through(session)
        except Exception as fault:
            self._log.event("broken", part="pipeline", fault=repr(fault), at=_where(fault))
            self._broken()

    def _next(self) -> SessionId | None:
        while True:
            try:
                return self._waiting.get(timeout=self._retry_s if self._again else None)
            except queue.Empty:
                for session in self._again:
                    self._waiting.put(session)
                self._again.clear()

    def _take_through(self, session: SessionId) -> None:
        try:
            self._pipeline.run(session)
            self._log.event("packed", session=session)
        except Interrupted:
            self._log.event("interrupted", session=session)
        except (OSError, MemoryError) as fault:
            self._log.event("waits", session=session, retry_s=round(self._retry_s), fault=repr(fault))
            self._again.append(session)
        except (HubError, WireError) as fault:
            self._fail(session, str(fault), repr(fault), fault)
        except Exception as fault:  # the next match must not suffer from this one's fault
            self._fail(session, "an unexpected fault; the hub's log tells more", repr(fault), fault)

    def _fail(self, session: SessionId, note: str, words: str, fault: Exception) -> None:
        if self._arrivals.stopping:
            # Whatever breaks while everything is being taken down says nothing of the match.
            self._log.event("interrupted", session=session, fault=words)
            return
        self._log.event("failed", session=session, fault=words, at=_where(fault))
        self._sessions.abandon(session, note)


def _where(fault: BaseException) -> str:
    """File and line of the innermost frame of a fault."""
    last = traceback.extract_tb(fault.__traceback__)[-1]
    return f"{last.filename.rsplit('/', 1)[-1]}:{last.lineno}"
