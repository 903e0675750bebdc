"""Links to single clips: only with everybody's consent, for some days, and as long as that consent lasts."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from viewer.accounts.models import User
from viewer.accounts.service import key_hash
from viewer.audit.acts import Act
from viewer.clubs.actor import Actor
from viewer.errors import BadEntry
from viewer.games.models import Clip, Recording
from viewer.privacy.blur import withheld
from viewer.privacy.consent import consents_of, shown_in
from viewer.privacy.models import Scope
from viewer.privacy.pictures import players_in, rostered
from viewer.shares.models import Share

USUAL_DAYS, LONGEST_DAYS = 7, 30
_NEEDED = (Scope.PUBLIC, Scope.HIGHLIGHTS)


@dataclass(frozen=True)
class Shown:
    """What a link opens, and who made it."""

    share: Share
    clip: Clip
    recording: Recording
    maker: str


def why_not(session: Session, recording: Recording) -> str:
    """Why no clip of the recording may be shown outside of the team, in words; empty where one may.

    A link is public and shows moments: everybody whom a human has found in the recording must have agreed to both, and
    somebody must have been found, else nobody knows who is in it. Who was on the roster and has refused either may be
    in it unrecognised.
    """
    if withheld(session, [recording.id]):
        return "The match is held back until somebody in it has been blurred."
    found = players_in(session, recording.id)
    if not found:
        return "Nobody has confirmed yet which players the match shows, so nobody can have agreed."
    squad = rostered(session, recording.game)
    answers = consents_of(session, found | squad)
    if not all(shown_in(answers[player], scope) for player in found for scope in _NEEDED):
        return "Not everybody who is in the match has agreed to be shown in public."
    if any(answers[player][scope] is False for player in squad for scope in _NEEDED):
        return "Somebody of the team has refused to be shown in public."
    return ""


def make_share(
    session: Session, clip: Clip, by: Actor, now: datetime, *, days: int = USUAL_DAYS, may_download: bool = False
) -> str:
    """The secret of a fresh link to the clip, told this once; raises `BadEntry` with the reason why not."""
    recording = session.get_one(Recording, clip.recording_id)
    reason = "The clip was taken away." if clip.hidden_at else why_not(session, recording)
    if reason or by.id is None:
        raise BadEntry("clip", reason or "Only somebody with an account makes links.")
    secret = secrets.token_urlsafe(24)
    share = Share(
        secret_hash=key_hash(secret),
        clip_id=clip.id,
        made_by=by.id,
        made_at=now,
        expires_at=now + timedelta(days=min(max(days, 1), LONGEST_DAYS)),
        may_download=may_download,
    )
    session.add(share)
    session.flush()
    by.did(
        session,
        Act.SHARE,
        "clip",
        clip.id,
        now,
        organization_id=recording.game.organization_id,
        share=share.id,
        until=share.expires_at.isoformat(),
        may_download=may_download,
    )
    return secret


def open_share(session: Session, secret: str, now: datetime) -> Shown | None:
    """What the link shows now; None when it is made up, over or revoked, or when consent does not carry it any more."""
    return shown_by(session, session.scalar(select(Share).where(Share.secret_hash == key_hash(secret))), now)


def shown_by(session: Session, share: Share | None, now: datetime) -> Shown | None:
    """What the row of a link shows now, as `open_share`."""
    if share is None or share.revoked_at is not None or share.expires_at <= now:
        return None
    clip, maker = session.get_one(Clip, share.clip_id), session.get_one(User, share.made_by)
    recording = session.get_one(Recording, clip.recording_id)
    if clip.hidden_at is not None or maker.disabled_at is not None or why_not(session, recording):
        return None
    return Shown(share, clip, recording, maker.name)


def count_view(session: Session, shown: Shown, act: Act, address: str, now: datetime) -> None:
    """Count and write down that somebody has looked at a link's page, or fetched its file."""
    if act is Act.SHARE_VIEW:
        session.execute(update(Share).where(Share.id == shown.share.id).values(views=Share.views + 1))
    Actor(address=address).did(
        session,
        act,
        "clip",
        shown.clip.id,
        now,
        organization_id=shown.recording.game.organization_id,
        share=shown.share.id,
    )


def shares_of(session: Session, clip_id: int, now: datetime, user_id: int | None = None) -> Sequence[Share]:
    """The links to a clip that still open, newest first; of one user where one is given."""
    live = select(Share).where(Share.clip_id == clip_id, Share.revoked_at.is_(None), Share.expires_at > now)
    if user_id is not None:
        live = live.where(Share.made_by == user_id)
    return session.scalars(live.order_by(Share.id.desc())).all()


def revoke_share(session: Session, share: Share, by: Actor, now: datetime, organization_id: int) -> None:
    """End a link at once."""
    if share.revoked_at is None:
        share.revoked_at = now
        by.did(session, Act.SHARE_REVOKE, "clip", share.clip_id, now, organization_id=organization_id, share=share.id)
