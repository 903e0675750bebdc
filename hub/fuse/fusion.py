"""Fusion: what the cameras tracked becomes pitch tracks of everybody and the ball."""

from hub.fuse.ball import choose
from hub.fuse.ball_path import trace
from hub.fuse.ground import FRAMES_PER_SECOND, points
from hub.fuse.joining import Joined
from hub.fuse.people import Followed, follow_people
from hub.fuse.shirts import Kits
from hub.rigs import RigHistory
from hub.spells import Seen, Spell, spells
from wire.match import MatchSheet
from wire.pitch_tracks import PitchTracks, Role, TeamSide
from wire.rigtime import SECOND
from wire.tracks import Kind

# A ball in the air meets the ground far behind where it is.
_MARGINS_M = {Kind.PERSON: 2.5, Kind.BALL: 120.0}


def fuse(rigs: RigHistory, sheet: MatchSheet, start_ns: int, end_ns: int, seen: Seen) -> PitchTracks:
    """Pitch tracks, 25 frames a second from rig time `start_ns` to `end_ns`, of all that the rig's cameras saw then.

    One track per player, referee and ball, as long as they could be followed; short gaps are bridged, long ones left
    out. A long match is worked on spell by spell, and the spells' paths are joined.
    """
    joined = Joined()
    worn: Kits | None = None
    for spell in spells(start_ns, end_ns):
        followed, kits = _followed(rigs, sheet, start_ns, spell, seen, worn)
        worn = worn if kits is None else kits.after(worn)
        joined.add(followed, _frame(spell.first_ns - start_ns))
    return joined.tracks(start_ns)


def _followed(
    rigs: RigHistory, sheet: MatchSheet, start_ns: int, spell: Spell, seen: Seen, worn: Kits | None
) -> tuple[list[Followed], Kits | None]:
    """Everybody and the ball in one spell, and the teams' colours then."""
    span = range(_frame(spell.from_ns - start_ns), _frame(spell.until_ns - start_ns) + 1)
    found = points(rigs, start_ns, (spell.from_ns, spell.until_ns), seen, _MARGINS_M)
    persons, balls = found[Kind.PERSON], found[Kind.BALL]
    followed, kits = follow_people(persons, sheet, len(rigs.rig.cameras), span, worn)
    ball = trace(balls.take(choose(balls, persons, sheet.pitch)), rigs.cameras, sheet.pitch, span)
    if len(ball[0]):
        followed.append(Followed(Role.BALL, TeamSide.NONE, *ball))
    return followed, kits


def _frame(time_ns: int) -> int:
    return int(time_ns * FRAMES_PER_SECOND // SECOND)
