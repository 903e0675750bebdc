"""The thread that takes sessions through the pipeline, one after another."""

import queue
import threading
import traceback

from firmware.log import Log
from hub.errors import HubError
from hub.panorama.timeline import Arrivals, Interrupted
from hub.pipeline import Pipeline
from hub.sessions import Sessions
from wire.errors import WireError
from wire.ids import SessionId


class Worker:
    """Runs unfinished sessions at start, then each new one; a failed session never stops the next, nor the ingest."""

    def __init__(self, pipeline: Pipeline, sessions: Sessions, arrivals: Arrivals, log: Log) -> None:
        self._pipeline = pipeline
        self._sessions = sessions
        self._arrivals = arrivals
        self._log = log
        self._waiting: queue.Queue[SessionId | None] = queue.Queue()
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
        while (session := self._waiting.get()) is not None:
            try:
                self._pipeline.run(session)
                self._log.event("done", session=session)
            except Interrupted:
                self._log.event("interrupted", session=session)
                return
            except (HubError, WireError) as fault:
                self._log.event("failed", session=session, reason=fault)
                self._sessions.abandon(session, str(fault))
            except Exception as fault:  # the next match must not suffer from this one's fault
                self._log.event("failed", session=session, fault=repr(fault), at=_where(fault))
                self._sessions.abandon(session, "an unexpected fault; the hub's log tells more")


def _where(fault: BaseException) -> str:
    """File and line of the innermost frame of a fault."""
    last = traceback.extract_tb(fault.__traceback__)[-1]
    return f"{last.filename.rsplit('/', 1)[-1]}:{last.lineno}"
