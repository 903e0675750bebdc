"""Making clubs, teams and players, and linking people to them; doing it again changes nothing."""

import re
import secrets
import unicodedata
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from viewer.accounts.models import User
from viewer.clubs.models import Duty, Organization, OrganizationAdmin, ParentPlayer, Player, Team, TeamCoach, TeamPlayer

_CODE = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
"""Nothing that is read as something else when it is passed on by hand."""


def slug_of(name: str) -> str:
    """A name as it stands in addresses: small letters, digits and hyphens, at most 50 of them."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:50].rstrip("-") or "club"


def make_organization(session: Session, name: str, now: datetime) -> Organization:
    """The club of this name; a new one gets a slug that nobody has."""
    organization = session.scalar(select(Organization).where(Organization.name == name).order_by(Organization.id))
    if organization is None:
        wanted = slug_of(name)
        taken = set(session.scalars(select(Organization.slug).where(Organization.slug.startswith(wanted))))
        ends = ("", *(f"-{n}" for n in range(2, len(taken) + 3)))
        slug = next(wanted + end for end in ends if wanted + end not in taken)
        organization = Organization(name=name, slug=slug, made_at=now)
        session.add(organization)
        session.flush()
    return organization


def make_team(session: Session, organization: Organization, name: str, now: datetime) -> Team:
    """The club's newest team of this name."""
    named = select(Team).where(Team.organization_id == organization.id, Team.name == name)
    team = session.scalar(named.order_by(Team.id.desc()).limit(1))
    if team is None:
        team = Team(organization_id=organization.id, name=name, code=new_code(), made_at=now)
        session.add(team)
        session.flush()
    return team


def make_player(
    session: Session, team: Team, first_name: str, last_name: str, joined_on: date, now: datetime
) -> Player:
    """The player of this name on the team's roster."""
    listed = select(Player).join(TeamPlayer, TeamPlayer.player_id == Player.id).where(TeamPlayer.team_id == team.id)
    player = session.scalar(listed.where(Player.first_name == first_name, Player.last_name == last_name).limit(1))
    if player is None:
        player = Player(organization_id=team.organization_id, first_name=first_name, last_name=last_name, made_at=now)
        session.add(player)
        session.flush()
        session.add(TeamPlayer(team_id=team.id, player_id=player.id, joined_on=joined_on))
        session.flush()
    return player


def make_coach(session: Session, user: User, team: Team, duty: Duty, now: datetime) -> None:
    """Let the user coach or manage the team."""
    link = session.get(TeamCoach, (team.id, user.id))
    if link is None:
        session.add(TeamCoach(team_id=team.id, user_id=user.id, duty=duty, made_at=now))
    else:
        link.duty = duty


def make_parent(session: Session, user: User, player: Player, relationship: str, now: datetime) -> None:
    """Let the user stand for the player."""
    if session.get(ParentPlayer, (user.id, player.id)) is None:
        link = ParentPlayer(user_id=user.id, player_id=player.id, relationship_name=relationship, made_at=now)
        session.add(link)


def make_admin(session: Session, user: User, organization: Organization, now: datetime) -> None:
    """Let the user run the club."""
    if session.get(OrganizationAdmin, (organization.id, user.id)) is None:
        session.add(OrganizationAdmin(organization_id=organization.id, user_id=user.id, made_at=now))


def new_code() -> str:
    """A code by which people ask to join a team: 40 bits, easily read out."""
    return "".join(secrets.choice(_CODE) for _ in range(8))
