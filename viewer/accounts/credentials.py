"""Changing what names and proves an account: its password, with or without the old one, and its mail address."""

import secrets
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from viewer.accounts.mails import send_mail_change, send_reset, tell
from viewer.accounts.models import Purpose, SignIn, User
from viewer.accounts.passwords import check_new, hash_password, matches
from viewer.accounts.service import mail_address, note_own
from viewer.accounts.sign_ins import end_sign_ins
from viewer.accounts.throttle import Trial, count_try, forget_tries
from viewer.accounts.tickets import VALID, issue, redeem, void
from viewer.db import Database
from viewer.errors import AddressTaken, LinkSpent, WrongSignIn
from viewer.jobs.duties import Kind, Work, queue_job
from viewer.jobs.lease import State, settle

_RESET = "reset-mail"


def prove(database: Database, user: User, password: str, address: str, now: datetime) -> None:
    """Check the password of somebody who is signed in; raises `WrongSignIn` or `Throttled`."""
    with database.writing() as session:
        count_try(session, user.mail, address, now)
    if not matches(password, user.password_hash):
        with database.writing() as session:
            note_own(session, "proof-refused", user, now, address)
        raise WrongSignIn("This is not your password.")
    with database.writing() as session:
        forget_tries(session, user.mail, address)


def change_password(
    session: Session, user: User, new: str, now: datetime, *, url: str, keep: str = "", address: str = ""
) -> None:
    """Set a new password; every sign-in ends but the one whose cookie has the hash `keep`. Raises `WeakPassword`."""
    check_new(new, user.mail)
    session.get_one(User, user.id).password_hash = hash_password(new)
    end_sign_ins(session, user.id, but=keep)
    for purpose in (Purpose.RESET, Purpose.CHANGE_MAIL):
        # What somebody else began before the password was changed must not take the account over after it.
        void(session, purpose, user.id)
    note_own(session, "change-password", user, now, address)
    tell(session, user, "Your password was changed", "the password of your account was changed just now.", now, url)


# ---------------------------------------------------------------------------------------------- a forgotten password


def ask_reset(session: Session, mail: str, address: str, now: datetime) -> None:
    """Write down that somebody wants a new password; raises `Throttled`.

    Whether there is such an account is looked up later, by a worker: neither the answer nor its time tells.
    """
    mail = mail_address(mail)
    count_try(session, mail, address, now, Trial.RESET)
    payload: dict[str, object] = {"mail": mail, "address": address}
    queue_job(session, _RESET, f"{_RESET}:{secrets.token_hex(16)}", "a new password", payload, now)


def _send_reset(work: Work) -> None:
    tools, asked = work.tools, work.job.payload
    now = tools.clock()
    with tools.database.writing() as session:
        if not settle(session, work.job, work.token, State.DONE):
            return
        user = session.scalar(select(User).where(User.mail == asked["mail"], User.disabled_at.is_(None)))
        if user is not None:
            void(session, Purpose.RESET, user.id)
            secret = issue(session, Purpose.RESET, user.id, now)
            send_reset(session, user, secret, VALID[Purpose.RESET].seconds // 60, now, tools.settings.url)
            note_own(session, "ask-reset", user, now, asked["address"])


def reset_password(session: Session, secret: str, new: str, now: datetime, *, url: str, address: str = "") -> None:
    """Set a new password by a mailed link; nobody is signed in by it. Raises `LinkSpent`, `WeakPassword`.

    The second factor stays what it was and is asked for at the next sign-in.
    """
    ticket = redeem(session, secret, Purpose.RESET, now)
    user = session.get(User, ticket.user_id)
    if user is None or user.disabled_at:
        raise LinkSpent("This account is not open any more. Ask your club.")
    # A weak password undoes the transaction: the link can be used again.
    change_password(session, user, new, now, url=url, address=address)
    forget_tries(session, user.mail, address)


# ---------------------------------------------------------------------------------------------- another mail address


def ask_mail_change(session: Session, user: User, new: str, now: datetime, *, url: str, address: str = "") -> None:
    """Send the link that confirms a new address to that address; nothing changes yet. Raises `Throttled`.

    Whoever has an account under the new address already is told there, and the asker sees no difference.
    """
    new = mail_address(new)
    count_try(session, f"mail-change {user.id}", address, now, Trial.RESET)
    void(session, Purpose.CHANGE_MAIL, user.id)
    holder = session.scalar(select(User).where(User.mail == new))
    if holder is None:
        secret = issue(session, Purpose.CHANGE_MAIL, user.id, now, new)
        send_mail_change(session, user, new, secret, VALID[Purpose.CHANGE_MAIL].seconds // 60, now, url)
    elif holder.id != user.id:
        words = "somebody wanted to use this address for another account. It stays with yours."
        tell(session, holder, "Your address stays yours", words, now, url)
    note_own(session, "ask-mail-change", user, now, address, to=new)


def confirm_mail_change(session: Session, secret: str, now: datetime, *, url: str, address: str = "") -> User:
    """Use the new address from now on, and tell the old one. Raises `LinkSpent` or `AddressTaken`."""
    ticket = redeem(session, secret, Purpose.CHANGE_MAIL, now)
    user = session.get(User, ticket.user_id)
    if user is None or user.disabled_at:
        raise LinkSpent("This account is not open any more. Ask your club.")
    old, user.mail = user.mail, ticket.detail
    try:
        session.flush()
    except IntegrityError as fault:
        raise AddressTaken("Another account has this address by now.") from fault
    void(session, Purpose.RESET, user.id)
    note_own(session, "change-mail", user, now, address, old=old)
    words = f"your account uses the address {user.mail} from now on."
    tell(session, user, "Your address was changed", words, now, url, to=old)
    return user


def user_of(session: Session, sign_in: str) -> User:
    """The user behind a sign-in's hash; raises `WrongSignIn` when it ended meanwhile."""
    found = session.get(SignIn, sign_in)
    if found is None:
        raise WrongSignIn("You are signed out. Sign in again.")
    return found.user


KINDS = (Kind(_RESET, _send_reset),)
