"""Fusion: what the cameras tracked becomes pitch tracks of everybody and the ball."""

from collections.abc import Mapping, Sequence

import numpy as np

from hub.fuse.ball import choose
from hub.fuse.ball_path import trace
from hub.fuse.ground import FRAMES_PER_SECOND, points
from hub.fuse.people import Followed, follow_people
from wire.ids import NodeId
from wire.match import MatchSheet
from wire.pitch_tracks import PitchTracks, Role, TeamSide, Track
from wire.rig import Rig
from wire.rigtime import SECOND
from wire.tracks import Kind, SegmentTracks

_PEOPLE_MARGIN_M = 2.5
# A ball in the air meets the ground far behind where it is.
_BALL_MARGIN_M = 120.0


def fuse(
    rig: Rig,
    sheet: MatchSheet,
    start_ns: int,
    end_ns: int,
    tracks_by_node: Mapping[NodeId, Sequence[SegmentTracks]],
) -> PitchTracks:
    """Pitch tracks, 25 frames a second from rig time `start_ns` to `end_ns`, of all that the rig's cameras saw then.

    One track per player, referee and ball, as long as they could be followed; short gaps are bridged, long ones left
    out. Nodes that are not in `rig` are ignored.
    """
    frames = int((end_ns - start_ns) * FRAMES_PER_SECOND // SECOND) + 1
    window = (start_ns, end_ns)
    persons = points(rig, Kind.PERSON, window, tracks_by_node, _PEOPLE_MARGIN_M)
    people = follow_people(persons, sheet, len(rig.cameras), frames)
    followed: list[Followed] = sorted(people, key=lambda f: (f.role is Role.REFEREE, f.team != "home"))
    candidates = points(rig, Kind.BALL, window, tracks_by_node, _BALL_MARGIN_M)
    ball = trace(candidates.take(choose(candidates, persons, sheet.pitch)), rig.cameras, sheet.pitch, frames)
    if len(ball[0]):
        followed.append(Followed(Role.BALL, TeamSide.NONE, *ball))
    return PitchTracks(
        start_ns=start_ns,
        frames_per_second=FRAMES_PER_SECOND,
        tracks=tuple(Track(i + 1, f.role, f.team) for i, f in enumerate(followed)),
        frame=np.concatenate([f.frame for f in followed] or [np.zeros(0, np.int64)]),
        track=np.concatenate(
            [np.full(len(f.frame), i + 1, np.int64) for i, f in enumerate(followed)] or [np.zeros(0, np.int64)]
        ),
        xy=np.concatenate([f.xy for f in followed] or [np.zeros((0, 2))]),
        seen=np.concatenate([f.seen for f in followed] or [np.zeros(0, np.bool_)]),
    )
