"""Inviting people by mail, and what accepting makes of them: exactly what they were invited to be."""

import secrets
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import ColumnElement, Select, select, update
from sqlalchemy.orm import Session

from viewer.accounts.mails import send_invitation
from viewer.accounts.models import Role, User
from viewer.accounts.service import key_hash, mail_address
from viewer.audit.log import note
from viewer.clubs.models import Duty, Invitation, Organization, Player, Team
from viewer.clubs.rosters import make_admin, make_coach, make_parent
from viewer.errors import BadInvitation, LinkSpent, PlayerTaken

VALID = timedelta(days=7)
_NEEDS = {
    Role.CLUB_ADMIN: "organization_id",
    Role.COACH: "team_id",
    Role.MANAGER: "team_id",
    Role.PARENT: "player_id",
    Role.PLAYER: "player_id",
}


class Offer(NamedTuple):
    """What an invitation offers: the club, and in words what its taker becomes."""

    organization_id: int
    becomes: str


def invite(
    session: Session,
    mail: str,
    role: Role,
    *,
    now: datetime,
    url: str,
    by: User | None = None,
    organization_id: int | None = None,
    team_id: int | None = None,
    player_id: int | None = None,
) -> Invitation:
    """Write an invitation and queue its mail; an open one to the same address for the same thing ends.

    A club admin is invited to the organization, coach and manager to the team, parent and player to the player. Raises
    `BadInvitation` when that is missing. Whether `by` may invite is for the caller to know.
    """
    mail = mail_address(mail)
    if "@" not in mail or len(mail) > 320:
        raise BadInvitation("An invitation needs an e-mail address.")
    given = {"organization_id": organization_id, "team_id": team_id, "player_id": player_id}
    wanted = _NEEDS.get(role)
    if wanted is None or given[wanted] is None:
        raise BadInvitation(f"Nobody can be invited as {role} without saying of what.")
    named = {name: number if name == wanted else None for name, number in given.items()}
    offer = _offer(session, role, **named)
    named["organization_id"] = offer.organization_id
    same = [getattr(Invitation, name) == number for name, number in named.items()]
    session.execute(
        update(Invitation)
        .where(Invitation.mail == mail, Invitation.role == role, *same)
        .where(Invitation.accepted_at.is_(None), Invitation.withdrawn_at.is_(None))
        .values(withdrawn_at=now)
    )
    secret = secrets.token_urlsafe(32)
    invitation = Invitation(
        secret_hash=key_hash(secret),
        mail=mail,
        role=role,
        invited_by=by.id if by else None,
        made_at=now,
        expires_at=now + VALID,
        **named,
    )
    session.add(invitation)
    session.flush()
    send_invitation(session, mail, offer.becomes, secret, VALID.days, now, url)
    _note(session, "invite", invitation, now, by, mail=mail, role=role)
    return invitation


def withdraw(session: Session, invitation: Invitation, now: datetime, by: User | None = None) -> None:
    """End an invitation; one that was accepted stays as it is."""
    if invitation.accepted_at is None and invitation.withdrawn_at is None:
        invitation.withdrawn_at = now
        _note(session, "withdraw-invitation", invitation, now, by, mail=invitation.mail, role=invitation.role)


def open_invitations(organization_id: int, now: datetime) -> Select[Invitation]:
    """A club's invitations that can still be accepted, newest first."""
    mine = select(Invitation).where(Invitation.organization_id == organization_id, *_open(now))
    return mine.order_by(Invitation.id.desc())


def found(session: Session, secret: str, now: datetime) -> Invitation:
    """The open invitation behind a link; raises `LinkSpent`."""
    wanted = select(Invitation).where(Invitation.secret_hash == key_hash(secret), *_open(now))
    invitation = session.scalar(wanted)
    if invitation is None:
        raise LinkSpent("This invitation was accepted, withdrawn, or is too old. Ask your club for a new one.")
    return invitation


def offer_of(session: Session, invitation: Invitation) -> Offer:
    """What the invitation offers; raises `BadInvitation` when it is gone."""
    role = Role(invitation.role)
    return _offer(session, role, invitation.organization_id, invitation.team_id, invitation.player_id)


def accept(session: Session, invitation: Invitation, user: User, now: datetime, address: str = "") -> None:
    """Make the user what the invitation says, once. Raises `LinkSpent` or `PlayerTaken`.

    The caller has seen to it that the user is who signs in here: an address alone makes nobody anything.
    """
    taken = update(Invitation).where(Invitation.id == invitation.id, *_open(now)).values(accepted_at=now)
    if session.scalar(taken.returning(Invitation.id)) is None:
        raise LinkSpent("This invitation was accepted already, or withdrawn.")
    role = Role(invitation.role)
    if role is Role.CLUB_ADMIN:
        make_admin(session, user, session.get_one(Organization, invitation.organization_id), now)
    elif role in (Role.COACH, Role.MANAGER):
        make_coach(session, user, session.get_one(Team, invitation.team_id), Duty(role.value), now)
    elif role is Role.PARENT:
        make_parent(session, user, session.get_one(Player, invitation.player_id), "parent", now)
    else:
        link_player(session, session.get_one(Player, invitation.player_id), user)
    _note(session, "accept-invitation", invitation, now, user, address, role=role, mail=invitation.mail)


def link_player(session: Session, player: Player, user: User) -> None:
    """Let the user be the player; raises `PlayerTaken` when somebody else is."""
    free = update(Player).where(Player.id == player.id, (Player.user_id.is_(None)) | (Player.user_id == user.id))
    if session.scalar(free.values(user_id=user.id).returning(Player.id)) is None:
        raise PlayerTaken(f"{player.first_name} has an account already. Ask your club to look into it.")


def _open(now: datetime) -> tuple[ColumnElement[bool], ...]:
    return Invitation.accepted_at.is_(None), Invitation.withdrawn_at.is_(None), Invitation.expires_at > now


def _offer(
    session: Session, role: Role, organization_id: int | None, team_id: int | None, player_id: int | None
) -> Offer:
    if role is Role.CLUB_ADMIN and (club := session.get(Organization, organization_id)):
        return Offer(club.id, f"an admin of {club.name}")
    if role in (Role.COACH, Role.MANAGER) and (team := session.get(Team, team_id)):
        return Offer(team.organization_id, f"a {role} of {team.name}, {team.organization.name}")
    if role in (Role.PARENT, Role.PLAYER) and (player := session.get(Player, player_id)):
        name = f"{player.first_name} {player.last_name}"
        return Offer(player.organization_id, f"a parent of {name}" if role is Role.PARENT else f"the player {name}")
    raise BadInvitation("What this invitation is for is not there any more.")


def _note(
    session: Session, act: str, invitation: Invitation, now: datetime, by: User | None, address: str = "", **detail: str
) -> None:
    note(
        session,
        act,
        "invitation",
        invitation.id,
        now,
        actor_id=by.id if by else None,
        actor_mail=by.mail if by else "",
        organization_id=invitation.organization_id,
        address=address,
        **detail,
    )
