"""What goes wrong in one recording."""

from edge.errors import EdgeError
from firmware.log import Log
from wire.ids import SessionId


class Faults:
    """Keeps the last fault's sentence for the status, and logs each under the session; any thread may tell one."""

    def __init__(self, session: SessionId, log: Log) -> None:
        self.last: str | None = None
        self._session = session
        self._log = log

    def note(self, fault: Exception, event: str) -> str:
        """A fault that the recording survives, or that ends it, and its sentence; `event` names the part, as
        `eyes-fault`."""
        self.last = told = str(fault) if isinstance(fault, EdgeError) else f"{event}: {type(fault).__name__}: {fault}"
        self._log.event(event, session=self._session, fault=told)
        return told
