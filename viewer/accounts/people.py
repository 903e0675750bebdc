"""Making clubs, teams and accounts from the command line; doing it again changes nothing but passwords."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from viewer.accounts.models import Account
from viewer.accounts.passwords import hash_password
from viewer.accounts.service import mail_address
from viewer.teams.models import Club, Duty, Membership, Team


def make_club(session: Session, name: str) -> Club:
    """The club of this name."""
    club = session.scalar(select(Club).where(Club.name == name))
    if club is None:
        club = Club(name=name)
        session.add(club)
        session.flush()
    return club


def make_team(session: Session, club: Club, name: str) -> Team:
    """The club's team of this name."""
    team = session.scalar(select(Team).where(Team.club_id == club.id, Team.name == name))
    if team is None:
        team = Team(club_id=club.id, name=name)
        session.add(team)
        session.flush()
    return team


def make_account(session: Session, mail: str, name: str, password: str, now: datetime) -> Account:
    """The account of this address, with this name and password."""
    account = session.scalar(select(Account).where(Account.mail == mail_address(mail)))
    if account is None:
        account = Account(mail=mail_address(mail), made_at=now)
        session.add(account)
    account.name, account.password_hash = name, hash_password(password)
    session.flush()
    return account


def link(session: Session, account: Account, team: Team, duty: Duty) -> None:
    """Make the account a member of the team, which opens the team's matches to it."""
    member = session.get(Membership, (account.id, team.id))
    if member is None:
        session.add(Membership(account_id=account.id, team_id=team.id, duty=duty))
    else:
        member.duty = duty
