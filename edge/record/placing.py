"""The stage that makes finished video durable, whatever the eyes are at."""

from collections.abc import Callable
from functools import partial

from edge.cost import Cost
from edge.errors import DiskFull
from edge.record.feed import Feed
from edge.record.pulse import Pulse
from edge.record.room import with_room
from edge.record.shelf import VIDEO, Placed, Shelf
from edge.record.writing import Written
from wire.ids import NodeId, SessionId
from wire.session import SegmentKey

_UNSEEN = 64
"""Placed segments that may wait for their sight: eyes that take just less than their patience over everything, two
frames ahead in their feed included, answer two minutes late."""


class Placing:
    """Takes written segments, gives them on as `placed` once their video is durable in its place."""

    def __init__(
        self,
        *,
        session: SessionId,
        node: NodeId,
        shelf: Shelf,
        make_room: Callable[[], bool],
        full: Callable[[DiskFull], None],
    ) -> None:
        self.placed: Feed[tuple[Written, Placed]] = Feed(_UNSEEN)
        self.pulse = Pulse()
        self._session = session
        self._node = node
        self._shelf = shelf
        self._make_room = make_room
        self._full = full

    def run(self, written: Feed[Written], cost: Cost) -> None:
        """Place video until `written` ends; `placed` is left open, to be closed once everyone knows why it ended.

        What finds no room on a full disk is told as `full`, and stays where it grew, for `salvage` to place once there
        is room.
        """
        meter = cost.meter("place")
        try:
            for segment in written:
                meter.begin()
                try:
                    with self.pulse.working():
                        video = with_room(partial(self._shelf.place, self._key(segment), VIDEO), self._make_room)
                except DiskFull as fault:
                    self._full(fault)
                    continue
                finally:
                    meter.read()
                # Refused once nobody closes segments any more: the next start does, from video that is safe.
                self.placed.put((segment, video))
        finally:
            written.close()

    def _key(self, segment: Written) -> SegmentKey:
        return SegmentKey(self._session, self._node, segment.sequence)
