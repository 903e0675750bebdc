"""People who prove themselves: mails as they lie in the outbox, and codes as an app shows them."""

import re
from dataclasses import dataclass

import pyotp
from sqlalchemy import select

from tests.viewer.world import PASSWORD, World
from viewer.accounts import passwords
from viewer.accounts.models import Totp, User
from viewer.audit.models import AuditEntry
from viewer.jobs.duties import Tools
from viewer.jobs.worker import Worker
from viewer.mail.models import Mail


@dataclass
class People:
    """The world's people with passwords, and what is in their mail."""

    world: World

    def work(self) -> None:
        """Let a worker do what waits, mails apart."""
        portal = self.world.portal
        Worker(Tools(portal.database, portal.settings, portal.clock, portal.seal), None, lambda: False).drain()

    def mails(self, to: str) -> list[Mail]:
        """What was written to an address."""
        with self.world.database.reading() as session:
            return list(session.scalars(select(Mail).where(Mail.recipient == to).order_by(Mail.id)))

    def link(self, to: str) -> str:
        """The path of the link in the newest mail to an address."""
        [found] = re.findall(r"http://127\.0\.0\.1:8080(/\S+/\S+)", self.mails(to)[-1].text)
        return found

    def acts(self, act: str) -> list[AuditEntry]:
        """What the audit log tells of one kind of act."""
        with self.world.database.reading() as session:
            return list(session.scalars(select(AuditEntry).where(AuditEntry.act == act).order_by(AuditEntry.id)))

    def code(self, who: str, later: int = 0) -> str:
        """What the user's app shows, `later` steps from now."""
        with self.world.database.reading() as session:
            secret = self.world.portal.seal.unseal(session.get_one(Totp, self.world.users[who]).sealed_secret)
        return pyotp.TOTP(secret).at(self.world.clock(), counter_offset=later)

    def user(self, who: str) -> User:
        """The user as the database has them."""
        with self.world.database.reading() as session:
            return session.get_one(User, self.world.users[who])


def make_people(world: World) -> People:
    """The world's people, who all get `PASSWORD`."""
    kept = passwords.hash_password(PASSWORD)
    with world.database.writing() as session:
        for user in session.scalars(select(User)):
            user.password_hash = kept
    return People(world)
