"""Routes of the match pages; the guard has checked who may see the match named in the path."""

from typing import Annotated, Any

from litestar import HttpMethod, Request, Response, get, route
from litestar.datastructures import State
from litestar.exceptions import NotFoundException
from litestar.params import FromPath, QueryParameter
from litestar.response import Template

from viewer.accounts.models import Account
from viewer.matches import movement, view
from viewer.matches.store import file_of, matches_of, media_url, on_disk, plain_match, whole_match
from viewer.media.files import answer_file
from viewer.web.portal import portal_of


@get("/", sync_to_thread=True)
def home_page(request: Request[Account, Any, Any], state: State) -> Template:
    """The matches of the reader's teams."""
    with portal_of(state).database.reading() as session:
        cards = [view.card(match) for match in matches_of(session, request.user)]
    return Template("home.html", context={"account": request.user, "cards": cards})


@get("/matches/{match_session:str}", sync_to_thread=True)
def match_page(request: Request[Account, Any, Any], state: State, match_session: FromPath[str]) -> Template:
    """Video, events, clips, tactical map and numbers of one match."""
    with portal_of(state).database.reading() as session:
        match = whole_match(session, match_session)
        players, pieces = view.player_lines(match)
        context = {
            "account": request.user,
            "card": view.card(match),
            "match": match,
            "video": media_url(match, match.panorama),
            "events": view.event_lines(match),
            "clips": view.clip_cards(match),
            "players": players,
            "pieces": pieces,
            "data": view.page_data(match),
        }
    return Template("match.html", context=context)


@route(
    "/matches/{match_session:str}/media/{path:path}",
    http_method=[HttpMethod.GET, HttpMethod.HEAD],
    status_code=200,
    sync_to_thread=True,
)
def match_file(
    request: Request[Account, Any, Any], state: State, match_session: FromPath[str], path: FromPath[str]
) -> Response[Any]:
    """A file that the match's package listed, whole or in part."""
    portal = portal_of(state)
    with portal.database.reading() as session:
        found = file_of(session, match_session, str(path).lstrip("/"))
    if found is None:
        raise NotFoundException("There is no such file in this match.")
    match, file = found
    headers = {"Cache-Control": "private, max-age=3600", "Content-Disposition": "inline"}
    return answer_file(request, on_disk(portal.settings, match, file.path), file.sha256[:32], headers)


@get("/matches/{match_session:str}/tracks.json", sync_to_thread=True)
def match_tracks(
    state: State,
    match_session: FromPath[str],
    start_s: Annotated[float, QueryParameter(name="from", ge=0)] = 0.0,
    end_s: Annotated[float | None, QueryParameter(name="to", ge=0)] = None,
) -> dict[str, Any]:
    """Positions of everybody for a stretch of the match, at most five minutes."""
    tracks, match = _tracks(state, match_session)
    end_s = min(match.duration_s if end_s is None else end_s, start_s + movement.LONGEST_S, match.duration_s + 1)
    return movement.positions(tracks, start_s, end_s)


@get("/matches/{match_session:str}/players/{track:int}", sync_to_thread=True)
def player_movement(state: State, match_session: FromPath[str], track: FromPath[int]) -> dict[str, Any]:
    """Where one player was: a heat map, and the same as shares of the nine fields of the pitch."""
    tracks, match = _tracks(state, match_session)
    if track not in {t.id for t in tracks.tracks}:
        raise NotFoundException("There is no such player in this match.")
    heat = movement.heat(tracks, track, match.pitch_length_m, match.pitch_width_m)
    return {
        "track": track,
        "heat": [[round(v, 2) for v in row] for row in heat.seconds.tolist()],
        "thirds": movement.thirds(tracks, track, match.pitch_length_m, match.pitch_width_m),
    }


def _tracks(state: State, match_session: str) -> tuple[Any, Any]:
    portal = portal_of(state)
    with portal.database.reading() as session:
        match = plain_match(session, match_session)
    return movement.load_tracks(on_disk(portal.settings, match, match.tracks)), match
