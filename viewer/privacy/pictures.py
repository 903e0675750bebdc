"""Who is in which recording: only what a human has confirmed counts."""

from sqlalchemy import Select, select, union
from sqlalchemy.orm import Session

from viewer.games.models import GameEvent, PlayerGameStats


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
