"""Which tracks of a recording are shown by name: those that a human confirmed, of players who agreed to statistics."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from viewer.clubs.models import Player
from viewer.games.models import PlayerGameStats
from viewer.privacy.consent import consents_of, shown_in
from viewer.privacy.models import Scope


def names_in(session: Session, recording_id: int) -> dict[int, str]:
    """The first name and initial of each such track's player."""
    found = session.execute(
        select(PlayerGameStats.track, Player.id, Player.first_name, Player.last_name)
        .join(Player, Player.id == PlayerGameStats.player_id)
        .where(PlayerGameStats.recording_id == recording_id)
    ).all()
    answers = consents_of(session, {player for _, player, _, _ in found})
    return {
        track: f"{first} {last[:1]}".strip()
        for track, player, first, last in found
        if shown_in(answers[player], Scope.STATISTICS)
    }
