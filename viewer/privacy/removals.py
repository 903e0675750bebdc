"""Asking to have a recording or clip removed, and the club's decision."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

from sqlalchemy import func, select
from sqlalchemy.orm import Session, contains_eager

from viewer.accounts.models import User
from viewer.audit.acts import Act
from viewer.clubs.actor import Actor
from viewer.clubs.models import Organization, OrganizationAdmin
from viewer.errors import AlreadyDecided, BadEntry
from viewer.games.models import Clip, Game, Recording
from viewer.imports.snapshot import mail_of
from viewer.mail.outbox import queue_mail
from viewer.privacy.deleting import delete_recording, take_clip_away
from viewer.privacy.horizon import Horizon
from viewer.privacy.models import RemovalRequest

PAGE = 50
MOST_FROM_OUTSIDE = 3
"""Undecided requests about a clip by people without an account."""


class Outcome(StrEnum):
    """What a club can decide."""

    HIDE_CLIP = "hide_clip"
    DELETE_CLIP = "delete_clip"
    DELETE_RECORDING = "delete_recording"
    REFUSE = "refuse"


SAID = {
    Outcome.HIDE_CLIP: "The clip is hidden from everybody.",
    Outcome.DELETE_CLIP: "The clip is deleted.",
    Outcome.DELETE_RECORDING: "The whole recording is deleted.",
    Outcome.REFUSE: "The club has decided not to remove it.",
}


def ask_removal(
    session: Session,
    recording: Recording,
    clip_id: int | None,
    words: str,
    by: Actor,
    now: datetime,
    url: str,
    *,
    contact: str = "",
) -> RemovalRequest:
    """Write the request down and mail it to the club's admins; `contact` is for people without an account."""
    if clip_id is not None and clip_id not in {clip.id for clip in recording.clips}:
        raise BadEntry("clip", "This clip is not part of the match.")
    request = RemovalRequest(
        recording_id=recording.id,
        clip_id=clip_id,
        user_id=by.id,
        contact=(contact or by.mail)[:320],
        words=words[:2000],
        made_at=now,
    )
    session.add(request)
    session.flush()
    club = session.get_one(Organization, recording.game.organization_id)
    by.did(session, Act.REMOVAL_ASK, "recording", recording.id, now, organization_id=club.id, clip=clip_id)
    link = f"{url}/clubs/{club.slug}/removals"
    admins = select(User).join(OrganizationAdmin, OrganizationAdmin.user_id == User.id)
    open_admins = admins.where(OrganizationAdmin.organization_id == club.id, User.disabled_at.is_(None))
    for admin in session.scalars(open_admins.order_by(User.id)):
        text = (
            f"Hello {admin.name},\n\n"
            f"somebody asks {club.name} to remove a recording or a clip of a match. Please decide soon:\n\n"
            f"{link}\n\n"
            "Touchline\n"
        )
        queue_mail(
            session,
            f"removal:{request.id}:{admin.id}",
            admin.mail,
            "Somebody asks to have a recording removed",
            text,
            now,
            url=url,
            user_id=admin.id,
        )
    return request


def ask_removal_from_outside(
    session: Session, clip: Clip, words: str, contact: str, by: Actor, now: datetime, url: str
) -> RemovalRequest:
    """The same for somebody without an account who follows a link to a clip; raises `BadEntry`.

    Only so many of these wait at once: a link that went astray must not fill the club's mailbox.
    """
    address = mail_of(contact)
    if not address:
        raise BadEntry("contact", "Please give an e-mail address, so that the club can tell you what it decides.")
    strange = select(func.count()).where(
        RemovalRequest.clip_id == clip.id, RemovalRequest.user_id.is_(None), RemovalRequest.decided_at.is_(None)
    )
    if (session.scalar(strange) or 0) >= MOST_FROM_OUTSIDE:
        raise BadEntry("words", "Others have asked for this already: the club is about to decide.")
    recording = session.get_one(Recording, clip.recording_id)
    return ask_removal(session, recording, clip.id, words, by, now, url, contact=address)


def decide_removal(
    session: Session,
    request: RemovalRequest,
    outcome: Outcome,
    words: str,
    by: Actor,
    now: datetime,
    horizon: Horizon,
    url: str,
) -> None:
    """Do what the club has decided, and tell whoever asked, with the club's words."""
    if request.decided_at is not None:
        raise AlreadyDecided("This request is decided already.")
    recording = session.get_one(Recording, request.recording_id)
    clip = None if request.clip_id is None else session.get(Clip, request.clip_id)
    if outcome in (Outcome.HIDE_CLIP, Outcome.DELETE_CLIP) and clip is None:
        raise BadEntry("outcome", "The request is not about a clip, or the clip is gone: decide on the recording.")
    request.decided_at, request.decided_by = now, by.id
    request.outcome = f"{outcome}: {words.strip()}"[:500].rstrip(": ")
    by.did(
        session,
        Act.REMOVAL_DECIDE,
        "recording",
        recording.id,
        now,
        organization_id=recording.game.organization_id,
        request=request.id,
        outcome=str(outcome),
    )
    _tell(session, request, outcome, words.strip(), now, url)
    session.flush()
    if outcome is Outcome.DELETE_RECORDING:
        # The request itself goes with the recording; the audit log keeps that it was asked and decided.
        delete_recording(session, recording, by, now, horizon, reason="removal request")
    elif clip is not None and outcome is not Outcome.REFUSE:
        take_clip_away(session, clip, recording, now, removed=outcome is Outcome.DELETE_CLIP)


def decision_key(request_id: int) -> str:
    """The key of the mail that tells what was decided, with the club's words."""
    return f"removal-decided:{request_id}"


def removals_of(
    session: Session, organization_id: int, *, decided: bool, before_id: int | None = None
) -> Sequence[tuple[RemovalRequest, Recording, Clip | None]]:
    """A club's open or decided requests with their recordings and clips, newest first, a page at a time."""
    state = RemovalRequest.decided_at.is_not(None) if decided else RemovalRequest.decided_at.is_(None)
    wanted = (
        select(RemovalRequest, Recording, Clip)
        .outerjoin(Clip, Clip.id == RemovalRequest.clip_id)
        .join(Recording, Recording.id == RemovalRequest.recording_id)
        .join(Recording.game)
        .options(contains_eager(Recording.game))
        .where(Game.organization_id == organization_id, state)
        .order_by(RemovalRequest.id.desc())
        .limit(PAGE)
    )
    if before_id is not None:
        wanted = wanted.where(RemovalRequest.id < before_id)
    return [(request, recording, clip) for request, recording, clip in session.execute(wanted)]


def _tell(session: Session, request: RemovalRequest, outcome: Outcome, words: str, now: datetime, url: str) -> None:
    if "@" not in request.contact:
        return
    said = f"{SAID[outcome]}\n\n{words}\n" if words else f"{SAID[outcome]}\n"
    queue_mail(
        session,
        decision_key(request.id),
        request.contact,
        "About your removal request",
        f"Hello,\n\nyou asked to have something removed from a match on Touchline.\n\n{said}\nTouchline\n",
        now,
        url=url,
        user_id=request.user_id,
    )
