"""What the match pages are filled with."""

from dataclasses import dataclass
from typing import Any

from viewer.clubs.rights import Rights, Standing, Subject
from viewer.games.models import Clip, GameEvent, PlayerGameStats, Recording
from viewer.games.store import media_url
from viewer.games.words import WORDS, day, match_clock
from wire.pitch import Arc, Line, Pitch
from wire.pitch_tracks import TeamSide

HOME_COLOUR, AWAY_COLOUR = "#c2402c", "#2a5fb8"
"""Shown when nobody entered a team's colour."""
_SURE = 0.5
_SHORT = 0.2


@dataclass(frozen=True)
class Card:
    """A match in the list."""

    url: str
    poster: str
    home: str
    away: str
    home_colour: str
    away_colour: str
    score: tuple[int, int]
    title: str
    day: str
    length: str


@dataclass(frozen=True)
class EventLine:
    """An event in the list and on the bar."""

    ordinal: int
    time_s: float
    clock: str
    type: str
    name: str
    mark: str
    key: bool
    side: str
    team: str
    sure: bool


@dataclass(frozen=True)
class ClipCard:
    """A clip in the grid."""

    id: int
    url: str
    thumbnail: str
    name: str
    clock: str
    length_s: int
    side: str
    team: str


@dataclass(frozen=True)
class PlayerLine:
    """A player in the table."""

    track: int
    side: str
    team: str
    distance_m: int
    top_kmh: float
    followed: str


def card(recording: Recording) -> Card:
    """The match as a picture card."""
    home_colour, away_colour = colours(recording)
    return Card(
        f"/matches/{recording.session}",
        media_url(recording, recording.poster),
        recording.home,
        recording.away,
        home_colour,
        away_colour,
        home_score(recording),
        recording.game.title,
        day(recording.game.starts_at, recording.game.time_zone),
        match_clock(recording.duration_s),
    )


def home_score(recording: Recording) -> tuple[int, int]:
    """The game's score as the recording's sheet has the teams: home first; nothing known is 0."""
    ours, theirs = recording.game.our_score or 0, recording.game.their_score or 0
    return (ours, theirs) if recording.our_side == TeamSide.HOME else (theirs, ours)


def colours(recording: Recording) -> tuple[str, str]:
    """The teams' colours, ours where the sheet has none."""
    return _colour(recording.home_colour, HOME_COLOUR), _colour(recording.away_colour, AWAY_COLOUR)


def may_save(rights: Rights, recording: Recording) -> bool:
    """Whether somebody with these rights is offered the whole recording as a file; clips every member may save."""
    game = recording.game
    return rights.standing(Subject(game.organization_id, frozenset({game.team_id}))) >= Standing.STAFF


def event_lines(recording: Recording) -> list[EventLine]:
    """The match's events in order of time."""
    return [_event_line(recording, event) for event in recording.events]


def clip_cards(recording: Recording) -> list[ClipCard]:
    """The match's clips in order of time, but for those that somebody had taken away."""
    events = {event.ordinal: event for event in recording.events}
    shown = [clip for clip in recording.clips if clip.hidden_at is None]
    return [_clip_card(recording, clip, events[clip.event_ordinal]) for clip in shown]


def player_lines(recording: Recording) -> tuple[list[PlayerLine], list[PlayerLine]]:
    """Players who were followed for a good part of the match, and the shorter pieces; those who ran most first."""
    ran = sorted(recording.stats, key=lambda n: (n.side != TeamSide.HOME, n.side, -n.distance_m))
    most = max((n.followed_s for n in ran), default=0.0)
    long = [_player_line(recording, n) for n in ran if n.followed_s >= _SHORT * most]
    short = [_player_line(recording, n) for n in ran if n.followed_s < _SHORT * most]
    return long, short


def page_data(recording: Recording) -> dict[str, Any]:
    """What the page's modules need, as plain data."""
    home_colour, away_colour = colours(recording)
    return {
        "session": recording.session,
        "duration": recording.duration_s,
        "home": {"name": recording.home, "colour": home_colour},
        "away": {"name": recording.away, "colour": away_colour},
        "pitch": drawn_pitch(recording),
        "view": recording.view,
    }


def drawn_pitch(recording: Recording) -> dict[str, Any]:
    """The pitch's size and markings in metres."""
    pitch = Pitch(recording.pitch_length_m, recording.pitch_width_m, recording.players_a_side)  # type: ignore[arg-type]
    return {
        "length": pitch.length_m,
        "width": pitch.width_m,
        "goal": pitch.form.goal_width,
        "lines": [_line(line) for line in pitch.lines()],
        "arcs": [_arc(arc) for arc in pitch.arcs()],
        "spots": [list(xy) for name, xy in pitch.points().items() if name.endswith("spot")],
    }


def _line(line: Line) -> list[float]:
    return [line.x0, line.y0, line.x1, line.y1]


def _arc(arc: Arc) -> list[float]:
    return [arc.x, arc.y, arc.radius, arc.start, arc.end]


def _event_line(recording: Recording, event: GameEvent) -> EventLine:
    words = WORDS[event.type]
    return EventLine(
        event.ordinal,
        round(event.time_s, 2),
        match_clock(event.time_s),
        event.type,
        words.name,
        words.mark,
        words.key,
        event.side,
        _team(recording, event.side),
        event.confidence >= _SURE,
    )


def _clip_card(recording: Recording, clip: Clip, event: GameEvent) -> ClipCard:
    return ClipCard(
        clip.id,
        media_url(recording, clip.path),
        media_url(recording, clip.thumbnail),
        WORDS[event.type].name,
        match_clock(event.time_s),
        max(round(clip.end_s - clip.start_s), 1),
        event.side,
        _team(recording, event.side),
    )


def _player_line(recording: Recording, numbers: PlayerGameStats) -> PlayerLine:
    return PlayerLine(
        numbers.track,
        numbers.side,
        _team(recording, numbers.side),
        round(numbers.distance_m),
        round(numbers.top_speed_mps * 3.6, 1),
        match_clock(numbers.followed_s),
    )


def _team(recording: Recording, side: str) -> str:
    return {TeamSide.HOME: recording.home, TeamSide.AWAY: recording.away}.get(TeamSide(side), "")


def _colour(text: str, otherwise: str) -> str:
    good = len(text) == 7 and text[0] == "#" and all(c in "0123456789abcdefABCDEF" for c in text[1:])
    return text if good else otherwise
