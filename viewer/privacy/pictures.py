"""Who is in which recording: only what a human has confirmed counts."""

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Select, select, union
from sqlalchemy.orm import Session

from viewer.clubs.models import TeamPlayer
from viewer.games.models import Game, GameEvent, PlayerGameStats, Recording, RecordingFile
from wire.match import MatchPackage


def recordings_showing(player_id: int) -> Select[int]:
    """The ids of the recordings in which somebody found the player, by a track or by an event."""
    tracks = select(PlayerGameStats.recording_id).where(PlayerGameStats.player_id == player_id)
    events = select(GameEvent.recording_id).where(GameEvent.player_id == player_id)
    found = union(tracks, events).subquery()
    return select(found.c.recording_id)


def players_in(session: Session, recording_id: int) -> frozenset[int]:
    """The players whom somebody has found in the recording.

    A clip's picture takes in half the pitch, so each of them counts as shown in each of its clips.
    """
    tracks = select(PlayerGameStats.player_id).where(PlayerGameStats.recording_id == recording_id)
    events = select(GameEvent.player_id).where(GameEvent.recording_id == recording_id)
    return frozenset(player for player in session.scalars(union(tracks, events)) if player is not None)


def rostered(session: Session, game: Game) -> frozenset[int]:
    """Everybody who was on a roster of the game's teams on its day."""
    on = select(TeamPlayer.player_id).where(
        TeamPlayer.team_id.in_([team.id for team in game.teams]),
        TeamPlayer.joined_on <= game.day,
        TeamPlayer.left_on.is_(None) | (TeamPlayer.left_on >= game.day),
    )
    return frozenset(session.scalars(on))


@dataclass(frozen=True)
class Confirmed:
    """Who was found in a recording: player, by whom and when for each track; the player for each event's ordinal."""

    tracks: dict[int, tuple[int, int | None, datetime | None]] = field(default_factory=dict)
    events: dict[int, int] = field(default_factory=dict)


def confirmed_in(session: Session, recording: Recording, manifest: MatchPackage) -> Confirmed:
    """What stays true of a recording when `manifest` replaces its package: all where the tracks are the very same."""
    new = next((file.sha256.lower() for file in manifest.files if file.path == manifest.tracks), "")
    held = None if recording.id is None else session.get(RecordingFile, (recording.id, recording.tracks))
    if held is None or held.sha256 != new:
        return Confirmed()
    return Confirmed(
        {n.track: (n.player_id, n.confirmed_by, n.confirmed_at) for n in recording.stats if n.player_id is not None},
        {event.ordinal: event.player_id for event in recording.events if event.player_id is not None},
    )


def confirm_again(recording: Recording, known: Confirmed) -> None:
    """Write what was confirmed onto the rows of the new package."""
    for numbers in recording.stats:
        if numbers.track in known.tracks:
            numbers.player_id, numbers.confirmed_by, numbers.confirmed_at = known.tracks[numbers.track]
    for event in recording.events:
        event.player_id = known.events.get(event.ordinal)
