"""The page on which a team's staff says who is who in a match, and so who is to be blurred."""

from dataclasses import dataclass
from typing import Any

from litestar import Response, get, post
from litestar.datastructures import State
from litestar.params import FromPath
from litestar.response import Template
from sqlalchemy import select
from sqlalchemy.orm import Session

from viewer.clubs.models import Player, TeamPlayer
from viewer.errors import NotThere
from viewer.games import view
from viewer.games.calendar import members_of
from viewer.games.models import Recording
from viewer.games.store import whole_recording
from viewer.mail.notices import match_ready
from viewer.privacy.blur import missing, opted_out_in, say_where, withheld
from viewer.privacy.models import NotShown
from viewer.privacy.pictures import players_in, rostered
from viewer.web.access import Access, open_to
from viewer.web.forms import Form, Sent
from viewer.web.pages import Asked, actor_of, done, show
from viewer.web.portal import portal_of

STAFF = open_to(Access.STAFF)


@dataclass(frozen=True)
class Someone:
    """A player who is, or may be, in the match: the numbers on the shirt, the tracks that are known, and what is so."""

    player: Player
    numbers: str
    tracks: str
    opted_out: bool
    waits: bool
    absent: bool


@get("/matches/{match_session:str}/players", opt=STAFF, sync_to_thread=True)
def who_page(request: Asked, state: State, match_session: FromPath[str]) -> Template:
    """Who of the rosters is which track, those first who opted out; and forms to say so."""
    return _who(request, state, match_session, Form())


@post("/matches/{match_session:str}/players", opt=STAFF, sync_to_thread=True)
def take_who(request: Asked, state: State, match_session: FromPath[str], data: Sent) -> Response[Any]:
    """Take somebody's word for which tracks a player is, or that the player is not in the match."""
    form, portal = Form(data), portal_of(state)
    now = portal.clock()
    with portal.database.writing() as session:
        recording = whole_recording(session, match_session)
        out = opted_out_in(session, recording.id)
        player = form.row("player", _players(session, recording) | out)
        if player is None:
            raise NotThere("Nobody is this player who may be in the match. Look at the page again.")
        tracks = _tracks(form, {numbers.track for numbers in recording.stats}, needed=player in out)
        if not form.faults:
            was_held = withheld(session, [recording.id])
            say_where(session, recording, player, tracks, actor_of(request), now)
            if was_held and not withheld(session, [recording.id]):
                for user in members_of(session, recording.game):
                    match_ready(session, recording, user, portal.settings.url, now, portal.seal)
    if form.faults:
        return _who(request, state, match_session, form, 422)
    portal.wake()
    return done(f"/matches/{match_session}/players", "saved")


def _who(request: Asked, state: State, name: str, form: Form, status: int = 200) -> Template:
    with portal_of(state).database.reading() as session:
        recording = whole_recording(session, name)
        context = {"card": view.card(recording), "everybody": _everybody(session, recording), "form": form}
    return show(request, "privacy/who.html", "/", status=status, **context)


def _everybody(session: Session, recording: Recording) -> list[Someone]:
    out, waiting = opted_out_in(session, recording.id), missing(session, [recording.id]).get(recording.id, {})
    looked = select(NotShown.player_id).where(NotShown.recording_id == recording.id)
    absent = frozenset(session.scalars(looked))
    tracks: dict[int, list[int]] = {}
    for numbers in recording.stats:
        if numbers.player_id is not None:
            tracks.setdefault(numbers.player_id, []).append(numbers.track)
    worn: dict[int, set[str]] = {}
    teams = [team.id for team in recording.game.teams]
    for player_id, number in session.execute(
        select(TeamPlayer.player_id, TeamPlayer.jersey_number).where(TeamPlayer.team_id.in_(teams))
    ):
        worn.setdefault(player_id, set()).update({number} if number else ())
    found = session.scalars(select(Player).where(Player.id.in_(_players(session, recording) | out)))
    everybody = [
        Someone(
            player,
            ", ".join(sorted(worn.get(player.id, ()))),
            ", ".join(map(str, sorted(tracks.get(player.id, ())))),
            player.id in out,
            player.id in waiting,
            player.id in absent,
        )
        for player in found
    ]
    return sorted(everybody, key=lambda s: (not s.waits, not s.opted_out, s.player.first_name, s.player.id))


def _players(session: Session, recording: Recording) -> frozenset[int]:
    """Everybody on a roster of the game's teams on its day, and whoever was recognised."""
    return rostered(session, recording.game) | players_in(session, recording.id)


def _tracks(form: Form, known: set[int], *, needed: bool) -> set[int] | None:
    """The tracks of the form: none for a player who is not in the match, None where nobody knows."""
    if form.values.get("absent") == "yes":
        return set()
    words = form.values.get("tracks", "").replace(",", " ").split()
    if not words and not needed:
        return None
    tracks = {int(word) for word in words if word.isdecimal() and len(word) < 10}
    if not words or len(tracks) < len(set(words)) or not tracks <= known:
        form.faults["tracks"] = "Give the numbers of the tracks as the match page shows them, such as 4, 17."
    return tracks
