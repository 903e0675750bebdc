"""Reading matches for the pages."""

from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from viewer.accounts.models import Account
from viewer.matches.models import Match, MatchFile, MatchTeam
from viewer.settings import Settings
from viewer.teams.models import Membership


def matches_of(session: Session, account: Account) -> Sequence[Match]:
    """The matches of the account's teams, newest first, with their events."""
    own = select(MatchTeam.match_id).join(Membership, Membership.team_id == MatchTeam.team_id)
    return session.scalars(
        select(Match)
        .where(Match.id.in_(own.where(Membership.account_id == account.id)))
        .options(selectinload(Match.events))
        .order_by(Match.start_ns.desc())
    ).all()


def whole_match(session: Session, match_session: str) -> Match:
    """A match with everything its page shows. Whether the reader may see it, the guard has checked."""
    parts = (selectinload(Match.events), selectinload(Match.clips), selectinload(Match.numbers))
    return session.scalars(select(Match).where(Match.session == match_session).options(*parts)).one()


def plain_match(session: Session, match_session: str) -> Match:
    """A match without its parts."""
    return session.scalars(select(Match).where(Match.session == match_session)).one()


def file_of(session: Session, match_session: str, path: str) -> tuple[Match, MatchFile] | None:
    """A file that belongs to the match; None for any other path."""
    found = session.execute(
        select(Match, MatchFile)
        .join(MatchFile, MatchFile.match_id == Match.id)
        .where(Match.session == match_session, MatchFile.path == path)
    ).first()
    return None if found is None else (found[0], found[1])


def on_disk(settings: Settings, match: Match, path: str) -> Path:
    """Where a listed file of the match lies."""
    return settings.media / match.folder / path


def media_url(match: Match, path: str) -> str:
    """The address of a file of the match; it changes with the package's content, so that browsers may keep it."""
    return f"/matches/{match.session}/media/{path}?v={match.folder[-16:]}"
