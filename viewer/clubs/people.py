"""Who has to do with a club: its admins, coaches, managers and parents, and who has been invited."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Select, delete, func, or_, select, tuple_
from sqlalchemy.orm import Session

from viewer.accounts.models import Role, User
from viewer.audit.acts import Act
from viewer.clubs.actor import Actor
from viewer.clubs.clubs import PAGE
from viewer.clubs.invitations import invite, open_invitations, withdraw
from viewer.clubs.models import Invitation, Organization, OrganizationAdmin, ParentPlayer, Player, Team, TeamCoach
from viewer.errors import BadEntry, BadInvitation, NotThere


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
        for user_id, duty, team in session.execute(coached):
            members[user_id].teams.append((team, duty))
    elif circle is Circle.PARENTS:
        stood = select(ParentPlayer.user_id, Player).join(Player, Player.id == ParentPlayer.player_id)
        stood = stood.where(Player.organization_id == club_id, ParentPlayer.user_id.in_(members))
        for user_id, player in session.execute(stood.order_by(Player.first_name)):
            members[user_id].players.append(player)
    return list(members.values())


def staff_of(session: Session, team_id: int) -> Sequence[tuple[User, str]]:
    """Who coaches or manages the team, and which of the two."""
    rows = select(User, TeamCoach.duty).join(TeamCoach, TeamCoach.user_id == User.id)
    return session.execute(rows.where(TeamCoach.team_id == team_id).order_by(User.name, User.id)).all()


def invite_as(
    session: Session,
    mail: str,
    role: Role,
    now: datetime,
    by: Actor,
    url: str,
    *,
    organization_id: int | None = None,
    team_id: int | None = None,
    player_id: int | None = None,
) -> None:
    """Invite somebody by mail to be that; raises `BadEntry`."""
    inviter = None if by.id is None else session.get(User, by.id)
    try:
        invite(
            session,
            mail,
            role,
            now=now,
            url=url,
            by=inviter,
            organization_id=organization_id,
            team_id=team_id,
            player_id=player_id,
        )
    except BadInvitation as fault:
        raise BadEntry("mail", str(fault)) from fault


def invited_to(session: Session, club_id: int, now: datetime, before: int | None = None) -> list[Invited]:
    """The club's open invitations, the newest first; those numbered under `before`, at most `PAGE`."""
    listed = (
        open_invitations(club_id, now)
        .outerjoin(Team, Team.id == Invitation.team_id)
        .outerjoin(Player, Player.id == Invitation.player_id)
        .add_columns(Team.name, Player.first_name)
        .limit(PAGE)
    )
    if before is not None:
        listed = listed.where(Invitation.id < before)
    return [Invited(row, _as_what(row.role, team, player)) for row, team, player in session.execute(listed)]


def take_back(session: Session, club_id: int, invitation_id: int, now: datetime, by: Actor) -> None:
    """End an open invitation of the club; raises `NotThere`."""
    found = session.scalar(open_invitations(club_id, now).where(Invitation.id == invitation_id))
    if found is None:
        raise NotThere("This invitation is not open any more.")
    withdraw(session, found, now, None if by.id is None else session.get(User, by.id))


def admin_of(session: Session, club_id: int, user_id: int) -> User:
    """Somebody who runs the club; raises `NotThere` for everybody else, so that no name or address is told of them."""
    link = session.get(OrganizationAdmin, (club_id, user_id))
    if link is None:
        raise NotThere("They do not run this club.")
    return session.get_one(User, user_id)


def staff_member(session: Session, team_id: int, user_id: int) -> User:
    """Somebody who coaches or manages the team; raises `NotThere` for everybody else."""
    link = session.get(TeamCoach, (team_id, user_id))
    if link is None:
        raise NotThere("They neither coach nor manage this team.")
    return session.get_one(User, user_id)


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
    by.did(session, Act.REMOVE_ADMIN, "user", user_id, now, organization_id=club.id)


def remove_staff(session: Session, team: Team, user_id: int, now: datetime, by: Actor) -> None:
    """Let somebody coach or manage the team no more; raises `NotThere`."""
    held = (TeamCoach.team_id == team.id, TeamCoach.user_id == user_id)
    if not session.scalars(delete(TeamCoach).where(*held).returning(TeamCoach.user_id)).all():
        raise NotThere("They neither coach nor manage this team.")
    by.did(session, Act.REMOVE_STAFF, "user", user_id, now, organization_id=team.organization_id, team=team.id)


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
