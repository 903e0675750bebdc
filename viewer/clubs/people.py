"""Who has to do with a club: its admins, coaches, managers and parents, and who has been invited."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Select, delete, func, or_, select, tuple_
from sqlalchemy.orm import Session

from viewer.accounts.models import User
from viewer.clubs.actor import Actor
from viewer.clubs.clubs import PAGE
from viewer.clubs.models import Invitation, Organization, OrganizationAdmin, ParentPlayer, Player, Team, TeamCoach
from viewer.errors import BadEntry, NotThere


class Circle(StrEnum):
    """A kind of people of a club."""

    ADMINS = "admins"
    STAFF = "staff"
    PARENTS = "parents"


@dataclass
class Member:
    """Somebody in a circle, and what links them to the club: teams with their duty, or players by name."""

    user: User
    teams: list[tuple[Team, str]] = field(default_factory=list)
    players: list[Player] = field(default_factory=list)


@dataclass(frozen=True)
class Invited:
    """An invitation that is open; `words` say as what."""

    invitation: Invitation
    words: str


def circle_of(
    session: Session, club_id: int, circle: Circle, *, words: str = "", after: int | None = None
) -> list[Member]:
    """The circle by name, from the user numbered `after` on; at most `PAGE`, with `words` in name or address."""
    listed = select(User).where(User.id.in_(_numbers(club_id, circle)))
    if words:
        wanted = words.lower()
        listed = listed.where(
            or_(func.lower(User.name).contains(wanted, autoescape=True), User.mail.contains(wanted, autoescape=True))
        )
    last = None if after is None else session.get(User, after)
    if last is not None:
        listed = listed.where(tuple_(User.name, User.id) > tuple_(last.name, last.id))
    members = {u.id: Member(u) for u in session.scalars(listed.order_by(User.name, User.id).limit(PAGE))}
    if circle is Circle.STAFF:
        coached = select(TeamCoach.user_id, TeamCoach.duty, Team).join(Team, Team.id == TeamCoach.team_id)
        coached = coached.where(Team.organization_id == club_id, TeamCoach.user_id.in_(members)).order_by(Team.name)
        for user_id, duty, team in session.execute(coached).tuples():
            members[user_id].teams.append((team, duty))
    elif circle is Circle.PARENTS:
        stood = select(ParentPlayer.user_id, Player).join(Player, Player.id == ParentPlayer.player_id)
        stood = stood.where(Player.organization_id == club_id, ParentPlayer.user_id.in_(members))
        for user_id, player in session.execute(stood.order_by(Player.first_name)).tuples():
            members[user_id].players.append(player)
    return list(members.values())


def staff_of(session: Session, team_id: int) -> Sequence[tuple[User, str]]:
    """Who coaches or manages the team, and which of the two."""
    rows = select(User, TeamCoach.duty).join(TeamCoach, TeamCoach.user_id == User.id)
    return session.execute(rows.where(TeamCoach.team_id == team_id).order_by(User.name, User.id)).tuples().all()


def invited_to(session: Session, club_id: int, now: datetime, before: int | None = None) -> list[Invited]:
    """The club's open invitations, the newest first; those numbered under `before`, at most `PAGE`."""
    listed = (
        select(Invitation, Team.name, Player.first_name)
        .outerjoin(Team, Team.id == Invitation.team_id)
        .outerjoin(Player, Player.id == Invitation.player_id)
        .where(
            or_(
                Invitation.organization_id == club_id,
                Team.organization_id == club_id,
                Player.organization_id == club_id,
            ),
            Invitation.accepted_at.is_(None),
            Invitation.withdrawn_at.is_(None),
            Invitation.expires_at > now,
        )
    )
    if before is not None:
        listed = listed.where(Invitation.id < before)
    rows = session.execute(listed.order_by(Invitation.id.desc()).limit(PAGE)).tuples()
    return [Invited(row, _as_what(row.role, team, player)) for row, team, player in rows]


def withdraw(session: Session, club_id: int, invitation_id: int, now: datetime, by: Actor) -> None:
    """Take an open invitation of the club back; raises `NotThere`."""
    for invited in invited_to(session, club_id, now, invitation_id + 1)[:1]:
        if invited.invitation.id == invitation_id:
            invited.invitation.withdrawn_at = now
            by.did(session, "withdraw", "invitation", invitation_id, now, organization_id=club_id)
            return
    raise NotThere("This invitation is not open any more.")


def remove_admin(session: Session, club: Organization, user_id: int, now: datetime, by: Actor) -> None:
    """Let somebody run the club no more; raises `BadEntry` for its last admin."""
    admins = session.scalars(
        select(OrganizationAdmin).where(OrganizationAdmin.organization_id == club.id).with_for_update()
    ).all()
    link = next((admin for admin in admins if admin.user_id == user_id), None)
    if link is None:
        raise NotThere("They do not run this club.")
    if len(admins) == 1:
        raise BadEntry("", "A club needs an admin. Invite another one first.")
    session.delete(link)
    by.did(session, "remove_admin", "user", user_id, now, organization_id=club.id)


def remove_staff(session: Session, team: Team, user_id: int, now: datetime, by: Actor) -> None:
    """Let somebody coach or manage the team no more; raises `NotThere`."""
    held = (TeamCoach.team_id == team.id, TeamCoach.user_id == user_id)
    if not session.scalars(delete(TeamCoach).where(*held).returning(TeamCoach.user_id)).all():
        raise NotThere("They neither coach nor manage this team.")
    by.did(session, "remove_staff", "user", user_id, now, organization_id=team.organization_id, team=team.id)


def _numbers(club_id: int, circle: Circle) -> Select[int]:
    if circle is Circle.ADMINS:
        return select(OrganizationAdmin.user_id).where(OrganizationAdmin.organization_id == club_id)
    if circle is Circle.STAFF:
        coaching = select(TeamCoach.user_id).join(Team, Team.id == TeamCoach.team_id)
        return coaching.where(Team.organization_id == club_id)
    standing = select(ParentPlayer.user_id).join(Player, Player.id == ParentPlayer.player_id)
    return standing.where(Player.organization_id == club_id)


def _as_what(role: str, team: str | None, player: str | None) -> str:
    words = role.replace("_", " ")
    if player is not None:
        return f"{words} of {player}" if role == "parent" else f"{player} themselves"
    return f"{words} of {team}" if team is not None else words
