"""Sending one mail of the outbox, and writing down what became of it."""

from sqlalchemy import update
from sqlalchemy.orm import Session

from viewer.accounts.models import User
from viewer.clock import Clock
from viewer.db import Database
from viewer.jobs.lease import State, settle
from viewer.mail.mailer import AddressRefused, Batch
from viewer.mail.models import Mail


def send_mail(database: Database, batch: Batch, mail: Mail, token: str, clock: Clock) -> None:
    """Send a leased mail and close it. Killed in between, it goes out once more, with the same Message-ID.

    Raises `MailRefused` or `MailDelayed`; an address that does not exist is marked first.
    """
    try:
        batch.send(mail)
    except AddressRefused:
        with database.writing() as session:
            _mark(session, mail, refused=True)
        raise
    with database.writing() as session:
        if settle(session, mail, token, State.DONE, tidy=False):
            session.get_one(Mail, mail.id).sent_at = clock()
            _mark(session, mail, refused=False)


def _mark(session: Session, mail: Mail, *, refused: bool) -> None:
    account = update(User).where(User.mail == mail.recipient)
    if refused:
        session.execute(account.values(refused_mail=mail.recipient))
    else:
        # It exists after all: somebody asked for a new password, and the mail got there.
        session.execute(account.where(User.refused_mail == mail.recipient).values(refused_mail=None))
