"""Finding accounts, and what links each of them to clubs."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from viewer.accounts.models import Passkey, SignIn, Totp, User
from viewer.clubs.models import Organization, OrganizationAdmin, ParentPlayer, Player, Team, TeamCoach
from viewer.errors import NotThere

PAGE = 50


@dataclass(frozen=True)
class Account:
    """An account as the platform's admin sees it: `links` say what it is where, without a child's name."""

    user: User
    links: tuple[str, ...]
    sign_ins: int
    seen_at: datetime | None
    second_factor: bool


def users_page(session: Session, words: str, after: int | None) -> Sequence[User]:
    """Accounts by number, from the one numbered `after` on; at most `PAGE`, with `words` in name or address."""
    listed = select(User).order_by(User.id).limit(PAGE)
    if after is not None:
        listed = listed.where(User.id > after)
    if words:
        wanted = words.lower()
        listed = listed.where(
            or_(User.mail.contains(wanted, autoescape=True), func.lower(User.name).contains(wanted, autoescape=True))
        )
    return session.scalars(listed).all()


def user_of(session: Session, user_id: int) -> User:
    """One account; raises `NotThere`."""
    user = session.get(User, user_id)
    if user is None:
        raise NotThere("There is no such account.")
    return user


def account_of(session: Session, user_id: int) -> Account:
    """One account with what it is linked to; raises `NotThere`."""
    user = user_of(session, user_id)
    run = select(Organization.name).join(OrganizationAdmin, OrganizationAdmin.organization_id == Organization.id)
    coached = (
        select(TeamCoach.duty, Team.name, Organization.name)
        .join(Team, Team.id == TeamCoach.team_id)
        .join(Organization, Organization.id == Team.organization_id)
        .where(TeamCoach.user_id == user_id)
    )
    stands = (
        select(Organization.name, func.count())
        .join(Player, Player.organization_id == Organization.id)
        .join(ParentPlayer, ParentPlayer.player_id == Player.id)
        .where(ParentPlayer.user_id == user_id)
        .group_by(Organization.name)
    )
    plays = select(Organization.name).join(Player, Player.organization_id == Organization.id)
    links = [f"Admin of {name}" for name in session.scalars(run.where(OrganizationAdmin.user_id == user_id))]
    links += [f"{duty.capitalize()} of {team}, {club}" for duty, team, club in session.execute(coached)]
    links += [f"Parent of {n} player{'' if n == 1 else 's'} of {club}" for club, n in session.execute(stands)]
    links += [f"Player of {name}" for name in session.scalars(plays.where(Player.user_id == user_id))]
    count, seen = session.execute(select(func.count(), func.max(SignIn.seen_at)).where(SignIn.user_id == user_id)).one()
    factor = select(Totp.user_id).where(Totp.user_id == user_id, Totp.confirmed_at.is_not(None))
    keys = select(Passkey.id).where(Passkey.user_id == user_id)
    has_factor = any(session.scalar(held.limit(1)) is not None for held in (factor, keys))
    return Account(user, tuple(links), count, seen, has_factor)
