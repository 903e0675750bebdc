"""What a restore must not bring back: everything that was erased since the backup was made."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import inspect, select
from sqlalchemy.orm import Session

from viewer.privacy.erasure import erase_again
from viewer.privacy.horizon import Entry, Horizon, entries_in
from viewer.privacy.models import Erasure
from viewer.sealing import Seal


class Erasures:
    """The erasures that the table and the file beside the database tell of, for a restore."""

    def __init__(self, horizon: Horizon, seal: Seal) -> None:
        self._horizon = horizon
        self._seal = seal

    def known(self, session: Session | None, since: datetime) -> Sequence[Entry]:
        """The erasures since then, each once; of the file alone without a session, or where there is no table yet."""
        found = {(entry.kind, entry.subject_id, entry.name): entry for entry in entries_in(self._horizon.data)}
        if session is not None and inspect(session.connection()).has_table(Erasure.__tablename__):
            for row in session.scalars(select(Erasure)):
                found[row.kind, row.subject_id, row.name] = Entry(row.kind, row.subject_id, row.at, row.name)
        return [entry for entry in found.values() if entry.at >= since]

    def again(self, session: Session, entries: Sequence[Entry], now: datetime) -> int:
        """Erase them from the restored database; how much of it was there."""
        return erase_again(session, entries, now, self._horizon, self._seal)
