"""Erasing a player or an account: what tells who they are goes at once, and again whenever a backup brings it back."""

import json
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Text, cast, delete, func, select, update
from sqlalchemy.orm import Session

from viewer.accounts.models import SignInTry, User
from viewer.audit.acts import Act
from viewer.clock import local_day
from viewer.clubs.actor import Actor
from viewer.clubs.models import Invitation, Organization, ParentPlayer, Player, TeamPlayer
from viewer.games.models import Availability, GameEvent, GameTeam, HeatMap, PlayerGameStats, Recording
from viewer.imports.models import ImportRun, Origin
from viewer.mail.models import Mail
from viewer.privacy.blur import missing, refused
from viewer.privacy.consent import end_links
from viewer.privacy.deleting import delete_recording
from viewer.privacy.export import drop_exports
from viewer.privacy.horizon import Entry, Horizon, remember
from viewer.privacy.models import ConsentRecord, Erasure, NotShown
from viewer.privacy.pictures import recordings_showing
from viewer.privacy.traces import ERASED, account_of, addresses_of, forget_addresses, forget_words, pseudonym
from viewer.privacy.traces import counted as _count
from viewer.sealing import Seal

DELIVERY = timedelta(days=30)
"""How long after a match its hub may still bring it: some stay in a cupboard for weeks."""


def erase_player(
    session: Session, player: Player, by: Actor, now: datetime, horizon: Horizon, seal: Seal
) -> dict[str, int]:
    """Erase what the portal knows of a player; how much went, by kind.

    Their own account goes, too, unless it is something else to anybody: a parent's, a coach's, an admin's.

    A nameless row stays, for two reasons: the newest consent of each scope must be provable, and a player who is yet to
    be blurred must stay known by track and jersey number until that is done (`finish`).
    """
    account = account_of(session, player)
    counts = forget_words(session, player)
    counts |= _forget_player(session, player, now, seal)
    counts["accounts"] = int(account is not None)
    also = {} if account is None else {"account": account.id}
    by.did(session, Act.ERASE, "player", player.id, now, organization_id=player.organization_id, **counts, **also)
    remember(session, Entry("player", player.id, now), horizon, counts)
    session.flush()
    if account is not None:
        _remove_user(session, account, _forget_user(session, account, seal), now, horizon)
    return counts


def erase_user(session: Session, user: User, by: Actor, now: datetime, horizon: Horizon, seal: Seal) -> dict[str, int]:
    """Erase an account; how much went, by kind. What its person did stays in the audit log under a pseudonym.

    That an act happened must outlast whoever did it, or erasing oneself would hide what one did to others. The
    pseudonym is made with the portal's secret: nobody reads the address off it, yet a club can check one it is given.
    """
    counts = _forget_user(session, user, seal)
    own = by.id == user.id
    actor = Actor(mail=pseudonym(seal, user.mail)) if own else by
    actor.did(session, Act.ERASE, "user", user.id, now, **counts)
    _remove_user(session, user, counts, now, horizon)
    return counts


def erase_again(session: Session, entries: Iterable[Entry], now: datetime, horizon: Horizon, seal: Seal) -> int:
    """Erase anew, in a database out of a backup, what was erased since that was made; returns how much was there."""
    found = 0
    for entry in entries:
        if entry.kind == "recording":
            recording = session.scalar(select(Recording).where(Recording.session == entry.name))
            if recording is not None:
                delete_recording(session, recording, Actor(), now, horizon, reason="erased before")
                found += 1
            elif session.scalar(select(Erasure.id).where(Erasure.name == entry.name)) is None:
                remember(session, entry, horizon)
            continue
        kind: type[Player | User] = Player if entry.kind == "player" else User
        subject = session.get(kind, entry.subject_id)
        if isinstance(subject, Player) and subject.first_name != ERASED:
            erase_player(session, subject, Actor(), now, horizon, seal)
            found += 1
        elif isinstance(subject, User):
            erase_user(session, subject, Actor(), now, horizon, seal)
            found += 1
    return found


def finish(session: Session, now: datetime, seal: Seal) -> None:
    """Unlink erased players from recordings in which they have been blurred meanwhile."""
    waiting = select(PlayerGameStats.player_id).union(select(TeamPlayer.player_id)).subquery()
    erased = select(Player).where(Player.first_name == ERASED, Player.last_name == "")
    for player in session.scalars(erased.where(Player.id.in_(select(waiting.c.player_id)))):
        _forget_player(session, player, now, seal)


def _forget_player(session: Session, player: Player, now: datetime, seal: Seal) -> dict[str, int]:
    _leave(session, player, now)
    pending = _shown_to_blur(session, player, now)
    counts = {"links": end_links(session, player.id, now)}
    own = (PlayerGameStats.player_id == player.id, PlayerGameStats.recording_id.not_in(pending))
    tracks = session.execute(select(PlayerGameStats.recording_id, PlayerGameStats.track).where(*own)).all()
    for recording, track in tracks:
        session.execute(delete(HeatMap).where(HeatMap.recording_id == recording, HeatMap.track == track))
    counts["tracks"] = len(tracks)
    nobody: dict[str, Any] = {"player_id": None, "confirmed_by": None, "confirmed_at": None}
    session.execute(update(PlayerGameStats).where(*own).values(**nobody))
    events = update(GameEvent).where(GameEvent.player_id == player.id).values(player_id=None)
    counts["events"] = _count(session, events)
    for table in (ParentPlayer, Availability, Invitation):
        counts[table.__tablename__] = _count(session, delete(table).where(table.player_id == player.id))
    if not pending and not _may_come(session, player, now):
        session.execute(delete(NotShown).where(NotShown.player_id == player.id))
        counts["rosters"] = _count(session, delete(TeamPlayer).where(TeamPlayer.player_id == player.id))
    drop_exports(session, "player", player.id)
    _drop_runs_naming(session, (player.first_name, player.last_name), player.organization_id)
    counts["origins"] = _forget_origins(session, player)
    counts["consents"] = _reduce_consents(session, player.id, seal)
    player.first_name, player.last_name, player.birth_year, player.default_position = ERASED, "", None, ""
    player.user_id, player.inactive_at = None, player.inactive_at or now
    return counts


def _leave(session: Session, player: Player, now: datetime) -> None:
    # What is played from now on shows them no more, and waits for nothing.
    today = local_day(now, session.get_one(Organization, player.organization_id).time_zone)
    seats = select(TeamPlayer).where(TeamPlayer.player_id == player.id, TeamPlayer.left_on.is_(None))
    for seat in session.scalars(seats):
        seat.left_on = max(today, seat.joined_on)


def _may_come(session: Session, player: Player, now: datetime) -> bool:
    """Whether a hub may yet bring a match to be blurred, of a day on which the player was on a roster."""
    if session.scalar(refused().where(ConsentRecord.player_id == player.id)) is None:
        return False
    lately = (now - DELIVERY).date()
    seats = select(TeamPlayer.id).where(TeamPlayer.player_id == player.id, TeamPlayer.left_on >= lately)
    return session.scalar(seats.limit(1)) is not None


def _shown_to_blur(session: Session, player: Player, now: datetime) -> set[int]:
    """Recordings in which the player must stay known: those that wait for the blur, or all while more may come."""
    rostered = (
        select(Recording.id)
        .join(GameTeam, GameTeam.game_id == Recording.game_id)
        .join(TeamPlayer, TeamPlayer.team_id == GameTeam.team_id)
        .where(TeamPlayer.player_id == player.id)
    )
    candidates = {*session.scalars(recordings_showing(player.id)), *session.scalars(rostered)}
    if _may_come(session, player, now):
        return candidates
    return {recording for recording, players in missing(session, candidates).items() if player.id in players}


def _forget_origins(session: Session, player: Player) -> int:
    origin = (
        Origin.organization_id == player.organization_id,
        Origin.kind == "player",
        Origin.local_id == player.id,
    )
    # What waits to be confirmed may hold names as the other service has them.
    stale = delete(ImportRun).where(ImportRun.organization_id == player.organization_id)
    if session.scalar(select(Origin.id).where(*origin).limit(1)) is not None:
        session.execute(stale)
    return _count(session, delete(Origin).where(*origin))


def _drop_runs_naming(session: Session, words: Iterable[str], organization_id: int | None = None) -> None:
    # An import that waits to be looked through holds people as another service or a table has them.
    seen = func.lower(cast(ImportRun.snapshot, Text))
    # As JSON writes them.
    written = (json.dumps(word)[1:-1].lower() for word in words if word not in ("", ERASED))
    named = [seen.contains(word, autoescape=True) for word in written]
    if named:
        clubs = () if organization_id is None else (ImportRun.organization_id == organization_id,)
        session.execute(delete(ImportRun).where(*named, *clubs))


def _reduce_consents(session: Session, player_id: int, seal: Seal) -> int:
    """Keep the newest answer of each scope and when it was given to which text; whose it was, as a pseudonym."""
    records = ConsentRecord.player_id == player_id
    newest = select(func.max(ConsentRecord.id)).where(records).group_by(ConsentRecord.scope)
    kept = set(session.scalars(newest))
    gone = _count(session, delete(ConsentRecord).where(records, ConsentRecord.id.not_in(kept)))
    for record in session.scalars(select(ConsentRecord).where(records)):
        record.given_by, record.given_by_mail = None, pseudonym(seal, record.given_by_mail)
    return gone


def _remove_user(session: Session, user: User, counts: dict[str, int], now: datetime, horizon: Horizon) -> None:
    remember(session, Entry("user", user.id, now), horizon, counts)
    session.flush()
    session.execute(delete(User).where(User.id == user.id))


def _forget_user(session: Session, user: User, seal: Seal) -> dict[str, int]:
    addresses = addresses_of(session, user)
    counts = forget_addresses(session, user, addresses, seal)
    tries = [f"account:{mail}" for mail in addresses.free]
    session.execute(delete(SignInTry).where(SignInTry.subject.in_(tries)))
    session.execute(delete(Invitation).where(Invitation.mail.in_(addresses.free)))
    drop_exports(session, "user", user.id)
    _drop_runs_naming(session, addresses.free)
    mails = delete(Mail).where((Mail.user_id == user.id) | Mail.recipient.in_(addresses.free))
    counts["mails"] = _count(session, mails)
    return counts
