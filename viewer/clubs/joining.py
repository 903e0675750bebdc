"""Joining a team by its code: somebody asks, and a coach or manager says whom they stand for."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session, joinedload

from viewer.accounts.mails import tell_decision
from viewer.accounts.models import User
from viewer.accounts.service import note_own, one_line
from viewer.accounts.throttle import Trial, count_try
from viewer.audit.acts import Act
from viewer.clubs.actor import Actor
from viewer.clubs.invitations import link_player
from viewer.clubs.models import JoinRequest, Player, Team, TeamPlayer
from viewer.clubs.rosters import make_parent
from viewer.db import Database
from viewer.errors import AlreadyDecided, WrongCode


class As(StrEnum):
    """What somebody is let in as."""

    PARENT = "parent"
    PLAYER = "player"


def ask(database: Database, user: User, code: str, words: str, address: str, now: datetime) -> Team:
    """Ask to join the team of this code; asking again changes the words. Raises `WrongCode` or `Throttled`."""
    with database.writing() as session:
        count_try(session, user.id, address, now, Trial.JOIN)
    plain = "".join(c for c in code.upper() if c.isalnum())[:12]
    with database.writing() as session:
        team = session.scalar(select(Team).where(Team.code == plain)) if plain else None
        if team is None:
            note_own(session, "join-refused", user, now, address)
        else:
            _write(session, team, user, words, address, now)
    if team is None:
        raise WrongCode("No team has this code. Ask the coach for it again.")
    return team


def open_requests(session: Session, team_id: int) -> Sequence[JoinRequest]:
    """What waits for an answer, oldest first."""
    waiting = select(JoinRequest).where(JoinRequest.team_id == team_id, JoinRequest.decided_at.is_(None))
    return session.scalars(waiting.order_by(JoinRequest.id).options(joinedload(JoinRequest.user))).all()


def requests_of(session: Session, user_id: int) -> Sequence[tuple[JoinRequest, Team]]:
    """What a user has asked for and nobody answered yet, with the team."""
    mine = select(JoinRequest, Team).join(Team, Team.id == JoinRequest.team_id)
    mine = mine.where(JoinRequest.user_id == user_id, JoinRequest.decided_at.is_(None)).order_by(JoinRequest.id)
    return [(row[0], row[1]) for row in session.execute(mine)]


def roster(session: Session, team_id: int) -> Sequence[Player]:
    """Who plays in the team now, by name."""
    on = select(Player).join(TeamPlayer, TeamPlayer.player_id == Player.id)
    on = on.where(TeamPlayer.team_id == team_id, TeamPlayer.left_on.is_(None)).distinct()
    return session.scalars(on.order_by(Player.first_name, Player.last_name, Player.id)).all()


def admit(
    session: Session, request: JoinRequest, player: Player, role: As, by: Actor, now: datetime, *, url: str
) -> None:
    """Let somebody in as a player's parent or as the player. Raises `AlreadyDecided` or `PlayerTaken`."""
    _decide(session, request, True, by, now, url, player_id=player.id, role=role)
    user = session.get_one(User, request.user_id)
    if role is As.PLAYER:
        link_player(session, player, user)
    else:
        make_parent(session, user, player, "parent", now)


def decline(session: Session, request: JoinRequest, by: Actor, now: datetime, *, url: str) -> None:
    """Do not let somebody in. Raises `AlreadyDecided`."""
    _decide(session, request, False, by, now, url)


def _write(session: Session, team: Team, user: User, words: str, address: str, now: datetime) -> None:
    words = one_line(words, 500)
    waiting = select(JoinRequest).where(JoinRequest.team_id == team.id, JoinRequest.user_id == user.id)
    request = session.scalar(waiting.where(JoinRequest.decided_at.is_(None)).with_for_update())
    if request is None:
        session.add(JoinRequest(team_id=team.id, user_id=user.id, words=words, made_at=now))
        note_own(session, "ask-to-join", user, now, address, team=team.id)
    else:
        request.words = words


def _decide(
    session: Session, request: JoinRequest, admitted: bool, by: Actor, now: datetime, url: str, **detail: Any
) -> None:
    answered = update(JoinRequest).where(JoinRequest.id == request.id, JoinRequest.decided_at.is_(None))
    answered = answered.values(decided_at=now, decided_by=by.id, admitted=admitted).returning(JoinRequest.id)
    if session.scalar(answered) is None:
        raise AlreadyDecided("Somebody else has answered this request already.")
    team, user = session.get_one(Team, request.team_id), session.get_one(User, request.user_id)
    tell_decision(session, user, team.name, admitted, request.id, now, url)
    act = Act.ADMIT if admitted else Act.DECLINE
    by.did(session, act, "account", user.id, now, organization_id=team.organization_id, team=team.id, **detail)
