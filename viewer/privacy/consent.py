"""Consent: what was answered for a player, what that allows, and what a new answer changes at once."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from viewer.audit.acts import Act
from viewer.clubs.actor import Actor
from viewer.clubs.models import Player, TeamPlayer
from viewer.games.models import Clip
from viewer.privacy.models import ConsentRecord, Scope
from viewer.privacy.pictures import recordings_showing
from viewer.privacy.texts import text_in_force
from viewer.shares.models import Share

PAGE = 100
"""Players in one part of a club's overview."""
Answers = Mapping[Scope, bool | None]
"""What was answered for each scope; None where nobody has."""
_LINKED = {Scope.TEAM, Scope.HIGHLIGHTS, Scope.PUBLIC}
"""Without any of these no clip with the player may be behind a link."""


def consents_of(session: Session, player_ids: Collection[int]) -> dict[int, dict[Scope, bool | None]]:
    """The newest answers for each of the players, in one query; every player and scope has an entry."""
    answers: dict[int, dict[Scope, bool | None]] = {player: dict.fromkeys(Scope) for player in player_ids}
    newest = (
        select(func.max(ConsentRecord.id))
        .where(ConsentRecord.player_id.in_(player_ids))
        .group_by(ConsentRecord.player_id, ConsentRecord.scope)
    )
    records = select(ConsentRecord.player_id, ConsentRecord.scope, ConsentRecord.given)
    for player, scope, given in session.execute(records.where(ConsentRecord.id.in_(newest))) if player_ids else ():
        answers[player][Scope(scope)] = given
    return answers


def players_of(session: Session, club_id: int, team_id: int | None, after: int | None) -> Sequence[Player]:
    """A club's players, of one team or of all, that are numbered higher than `after`; at most `PAGE`."""
    listed = select(Player).where(Player.organization_id == club_id, Player.inactive_at.is_(None))
    if team_id is not None:
        on = select(TeamPlayer.player_id).where(TeamPlayer.team_id == team_id, TeamPlayer.left_on.is_(None))
        listed = listed.where(Player.id.in_(on))
    if after is not None:
        listed = listed.where(Player.id > after)
    return session.scalars(listed.order_by(Player.id).limit(PAGE)).all()


def shown_in(answers: Answers, scope: Scope) -> bool:
    """Whether a player may be shown there: unknown means the team alone, refused to the team means nowhere."""
    if answers[Scope.TEAM] is False:
        return False
    said = answers[scope]
    return scope is Scope.TEAM if said is None else said


def news(session: Session, player_id: int, said: Answers) -> dict[Scope, bool]:
    """Those of the answers that say something else than the newest ones do."""
    held = consents_of(session, [player_id])[player_id]
    return {scope: given for scope, given in said.items() if given is not None and given is not held[scope]}


def answer(
    session: Session,
    player: Player,
    answers: Mapping[Scope, bool],
    by: Actor,
    now: datetime,
    *,
    source: str = "page",
    signed_by: str = "",
) -> None:
    """Write new answers down beside the old ones; links to clips that they no longer allow end with them.

    `source` is page, paper or import. `signed_by` is whose answers they are where `by` only typed them in.
    """
    text = text_in_force(session, now)
    for scope, given in answers.items():
        session.add(
            ConsentRecord(
                player_id=player.id,
                scope=scope,
                given=given,
                given_by=None if signed_by else by.id,
                given_by_mail=(signed_by or by.mail)[:320],
                text_version=text.version,
                source=source,
                at=now,
            )
        )
    ended = 0
    if any(not given for scope, given in answers.items() if scope in _LINKED):
        ended = end_links(session, player.id, now)
    by.did(
        session,
        Act.CONSENT,
        "player",
        player.id,
        now,
        organization_id=player.organization_id,
        answers={str(scope): given for scope, given in answers.items()},
        source=source,
        links_ended=ended,
    )
    session.flush()


def end_links(session: Session, player_id: int, now: datetime) -> int:
    """Revoke every link to a clip of a recording in which the player was found; returns how many."""
    clips = select(Clip.id).where(Clip.recording_id.in_(recordings_showing(player_id)))
    ended = session.scalars(
        update(Share)
        .where(Share.clip_id.in_(clips), Share.revoked_at.is_(None))
        .values(revoked_at=now)
        .returning(Share.id)
        .execution_options(synchronize_session=False)
    )
    return len(ended.all())
