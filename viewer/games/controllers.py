"""Routes of the match pages; the guard has checked who may see the match named in the path."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import numpy as np
from litestar import HttpMethod, Request, Response, get, route
from litestar.datastructures import State
from litestar.exceptions import NotFoundException
from litestar.params import FromPath, QueryParameter
from litestar.response import Template
from litestar.types import ControllerRouterHandler

from viewer.games import movement, view
from viewer.games.models import PlayerGameStats, Recording
from viewer.games.store import (
    PAGE,
    file_of,
    heat_of,
    media_path,
    media_url,
    plain_recording,
    recordings_of,
    whole_recording,
)
from viewer.games.watching import Watching
from viewer.media.serving import answer_media
from viewer.privacy.blur import open_to
from viewer.privacy.match_pages import match_notes
from viewer.privacy.names import names_in
from viewer.web.access import MEMBER, SIGNED_IN
from viewer.web.address import client_address
from viewer.web.person import Person
from viewer.web.portal import portal_of
from wire.pitch_tracks import PitchTracks

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@get("/", opt=SIGNED_IN, sync_to_thread=True)
def home_page(
    request: Request[Person, Any, Any],
    state: State,
    before_ns: Annotated[int | None, QueryParameter(name="before", ge=0, le=1 << 62)] = None,
) -> Template:
    """The newest matches that are open to the reader, or those played before a time (nanoseconds since 1970)."""
    before = None if before_ns is None else EPOCH + timedelta(microseconds=before_ns // 1000)
    with portal_of(state).database.glancing() as session:
        recordings = recordings_of(session, request.user.rights, before)
        cards = [view.card(recording) for recording in open_to(session, request.user.rights, recordings)]
    older = (
        int((recordings[-1].game.starts_at - EPOCH) / timedelta(microseconds=1)) * 1000
        if len(recordings) == PAGE
        else None
    )
    return Template("home.html", context={"person": request.user, "here": "/", "cards": cards, "older": older})


@get("/matches/{match_session:str}", opt=MEMBER, sync_to_thread=True)
def match_page(request: Request[Person, Any, Any], state: State, match_session: FromPath[str]) -> Template:
    """Video, events, clips, tactical map and numbers of one recording."""
    _viewed(request, state, match_session)
    with portal_of(state).database.reading() as session:
        recording = whole_recording(session, match_session)
        players, pieces = view.player_lines(recording)
        context = {
            "person": request.user,
            "card": view.card(recording),
            "match": recording,
            "video": media_url(recording, recording.panorama),
            "events": view.event_lines(recording),
            "clips": view.clip_cards(recording),
            "may_save": view.may_save(request.user.rights, recording),
            "players": players,
            "pieces": pieces,
            "data": view.page_data(recording),
            "names": names_in(session, recording.id),
            **match_notes(session, request.user, recording),
        }
    return Template("match.html", context=context)


@route(
    "/matches/{match_session:str}/media/{path:path}",
    http_method=[HttpMethod.GET, HttpMethod.HEAD],
    opt=MEMBER,
    status_code=200,
    sync_to_thread=True,
)
def match_file(
    request: Request[Person, Any, Any], state: State, match_session: FromPath[str], path: FromPath[str]
) -> Response[Any]:
    """A file that the match's package listed, whole or in part."""
    with portal_of(state).database.reading() as session:
        found = file_of(session, match_session, str(path).lstrip("/"))
    if found is None:
        raise NotFoundException("There is no such file in this recording.")
    if found.is_video:
        _viewed(request, state, match_session)
    return answer_media(request, found)


@get("/matches/{match_session:str}/tracks.json", opt=MEMBER, sync_to_thread=True)
def match_tracks(
    state: State,
    match_session: FromPath[str],
    start_s: Annotated[float, QueryParameter(name="from", ge=0)] = 0.0,
    end_s: Annotated[float | None, QueryParameter(name="to", ge=0)] = None,
) -> dict[str, Any]:
    """Positions of everybody for a stretch of the match, at most five minutes."""
    tracks, recording = _tracks(state, match_session)
    end_s = min(
        recording.duration_s if end_s is None else end_s, start_s + movement.LONGEST_S, recording.duration_s + 1
    )
    return movement.positions(tracks, start_s, end_s)


@get("/matches/{match_session:str}/players/{track:int}", opt=MEMBER, sync_to_thread=True)
def player_movement(state: State, match_session: FromPath[str], track: FromPath[int]) -> dict[str, Any]:
    """Where one player was: a heat map, and the same as shares of the nine fields of the pitch."""
    with portal_of(state).database.glancing() as session:
        seconds = heat_of(session, match_session, track)
        if seconds is None:
            recording = plain_recording(session, match_session)
            if session.get(PlayerGameStats, (recording.id, track)) is None:
                raise NotFoundException("There is no such player in this match.")
    if seconds is None:
        # Recordings from before heat maps were kept.
        tracks, _ = _tracks(state, match_session)
        seconds = movement.heat(tracks, track, recording.pitch_length_m, recording.pitch_width_m)
    return {"track": track, "heat": np.round(seconds, 1).tolist(), "thirds": movement.thirds(seconds)}


def _tracks(state: State, match_session: str) -> tuple[PitchTracks, Recording]:
    portal = portal_of(state)
    with portal.database.reading() as session:
        recording = plain_recording(session, match_session)
    return movement.load_tracks(portal.media, media_path(recording.folder, recording.tracks)), recording


def _viewed(request: Request[Person, Any, Any], state: State, match_session: str) -> None:
    watching: Watching = state.watching
    watching.viewed(request.user, match_session, portal_of(state).clock(), client_address(request))


ROUTES: list[ControllerRouterHandler] = [home_page, match_page, match_file, match_tracks, player_movement]
