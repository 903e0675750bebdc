"""Routes of files that are saved, and of links to single files."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from litestar import HttpMethod, Request, Response, post, route
from litestar.datastructures import State
from litestar.exceptions import NotAuthorizedException, NotFoundException, PermissionDeniedException
from litestar.params import FromPath
from litestar.response import Redirect
from litestar.types import ControllerRouterHandler
from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from viewer.accounts.service import key_hash, signed_in
from viewer.clubs.rights import rights_of
from viewer.errors import BadLink
from viewer.games.models import Clip, Game, Recording
from viewer.games.store import file_of, plain_recording
from viewer.games.watching import noted
from viewer.media.links import Claim, LinkFor, media_link, opened
from viewer.media.serving import answer_media, file_name
from viewer.shares.links import shown_by
from viewer.shares.models import Share
from viewer.web.access import MEMBER, PUBLIC, Access, check, cookie_name, open_to
from viewer.web.address import client_address
from viewer.web.person import Person
from viewer.web.portal import portal_of


@post("/clips/{clip_id:int}/download", opt=MEMBER, sync_to_thread=True)
def save_clip(request: Request[Person, Any, Any], state: State, clip_id: FromPath[int]) -> Redirect:
    """Write down that somebody saves a clip, and lead to it."""
    with portal_of(state).database.reading() as session:
        clip = session.get_one(Clip, clip_id)
        recording = session.get_one(Recording, clip.recording_id)
    return _lead(request, state, recording, clip.path, clip=clip.id)


@post("/matches/{match_session:str}/download", opt=open_to(Access.STAFF), sync_to_thread=True)
def save_match(request: Request[Person, Any, Any], state: State, match_session: FromPath[str]) -> Redirect:
    """Write down that somebody saves a whole match, and lead to its video."""
    with portal_of(state).database.reading() as session:
        recording = plain_recording(session, match_session)
    return _lead(request, state, recording, recording.panorama)


@route(
    "/media/{token:str}",
    http_method=[HttpMethod.GET, HttpMethod.HEAD],
    opt=PUBLIC,
    status_code=200,
    sync_to_thread=True,
)
def linked_file(request: Request[Any, Any, Any], state: State, token: FromPath[str]) -> Response[Any]:
    """The file that a signed link stands for, while it lasts: for the browser it was made for, a mail, or a share."""
    portal = portal_of(state)
    key, now = request.cookies.get(cookie_name(portal), ""), portal.clock()
    try:
        claim = opened(portal.seal, token, now, key_hash(key) if key else "")
    except BadLink as fault:
        raise PermissionDeniedException(str(fault)) from fault
    match_session = claim.folder.partition("/")[0]
    with portal.database.reading() as session:
        _check_claim(session, claim, match_session, key, now)
        found = file_of(session, match_session, claim.path, claim.folder)
        name = _name(session, match_session, claim.path) if claim.purpose is LinkFor.SAVE else ""
    if found is None:
        raise NotFoundException("This file is gone.")
    return answer_media(request, found, save_as=name)


def _lead(
    request: Request[Person, Any, Any], state: State, recording: Recording, path: str, **detail: object
) -> Redirect:
    portal, person = portal_of(state), request.user
    now = portal.clock()
    with portal.database.writing() as session:
        noted(session, "download", person, recording.session, now, client_address(request), path=path, **detail)
    link = media_link(portal.seal, LinkFor.SAVE, recording.folder, path, now, sign_in=person.sign_in)
    return Redirect(link, status_code=303)


def _check_claim(session: Session, claim: Claim, match_session: str, key: str, now: datetime) -> None:
    if claim.purpose is LinkFor.SAVE:
        # Signed for this sign-in; whether that still goes on and still opens the match is another question.
        sign_in = signed_in(session, key, now)
        if sign_in is None:
            raise NotAuthorizedException("Please sign in.")
        check(session, rights_of(session, sign_in.user), Access.MEMBER, {"match_session": match_session})
    elif claim.purpose is LinkFor.SHARE:
        opens = shown_by(session, session.get(Share, claim.share), now)
        if opens is None or claim.path not in (opens.clip.path, opens.clip.thumbnail):
            raise PermissionDeniedException("This share has ended.")


def _name(session: Session, match_session: str, path: str) -> str:
    wanted = select(Recording).where(Recording.session == match_session).options(joinedload(Recording.game))
    recording = session.scalars(wanted).one()
    clip = session.scalars(select(Clip).where(Clip.recording_id == recording.id, Clip.path == path).limit(1)).first()
    game: Game = recording.game
    day = game.starts_at.astimezone(ZoneInfo(game.time_zone))
    minute = "" if clip is None else f"minute {int(clip.start_s // 60) + 1}"
    suffix = f".{path.rpartition('.')[2]}"
    return file_name(f"{recording.home} - {recording.away}", f"{day:%Y-%m-%d}", minute, suffix=suffix)


ROUTES: list[ControllerRouterHandler] = [save_clip, save_match, linked_file]
