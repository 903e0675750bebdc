"""Working off the club's own jobs and mails here and now; what waits for other clubs is left to their worker."""

import secrets
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from simulator.errors import ProcessFailed
from viewer.clock import now
from viewer.errors import Incurable
from viewer.jobs.duties import Tools, Work
from viewer.jobs.lease import State, claim, settle, tidied
from viewer.jobs.models import Job
from viewer.jobs.register import KINDS
from viewer.mail.mailer import MailboxMailer
from viewer.mail.models import Mail
from viewer.mail.sending import send_mail

_PATIENCE_S = 120.0


@dataclass(frozen=True)
class Hands:
    """What works, as if it were the moment that a piece of work is of."""

    tools: Tools

    def at(self, moment: datetime) -> Tools:
        """The tools as they were then."""
        return Tools(self.tools.database, self.tools.settings, lambda: moment, self.tools.seal)

    def _now(self) -> datetime:
        # The later of the two: what is due by the club's clock is due, and no lease ends while its work is under way.
        return max(now(), self.tools.clock())

    def job(self, key: str, moment: datetime) -> State:
        """Work off the job of this key; how it ended. A worker that is up may be quicker, and then does it instead."""
        database, kinds = self.tools.database, {kind.name: kind for kind in KINDS}
        tools = self.at(moment)
        end = time.monotonic() + _PATIENCE_S
        while time.monotonic() < end:
            token = secrets.token_hex(16)
            with database.writing() as session:
                row = claim(session, Job, self._now(), token, Job.key == key)
            if row is not None:
                kind = kinds[row.kind]
                try:
                    kind.run(Work(row, token, tools, lambda: None))
                except Incurable as fault:
                    with database.writing() as session:
                        settle(session, row, token, State.FAILED, fault=str(fault))
                kind.closed(tools, row)
                with database.writing() as session:
                    tidied(session, row, token)
            with database.reading() as session:
                state = session.scalars(select(Job.state).where(Job.key == key)).one()
            if state in (State.DONE, State.FAILED):
                return State(state)
            time.sleep(0.1)
        raise ProcessFailed(f"the portal has not worked off {key}: is another worker hanging?")

    def mails(self, ids: Iterable[int]) -> None:
        """Put these mails where a demo shows them: they are for nobody who exists, and none leaves the machine."""
        database, batch = self.tools.database, MailboxMailer()
        for number in ids:
            token = secrets.token_hex(16)
            with database.writing() as session:
                mail = claim(session, Mail, self._now(), token, Mail.id == number)
            if mail is not None:
                send_mail(database, batch, mail, token, lambda sent=mail.made_at: sent)
