import io

import pytest

from firmware.clock import SystemClock
from firmware.log import Log
from hub.marks import MarkBook
from hub.messages import SessionPlan, SessionRequest
from hub.nodes import Node, NodeUnreachable
from hub.panorama.timeline import Arrivals
from hub.sessions import Sessions
from hub.watch import IDLE_LOOKS, LOOK_S, SILENT_S, Watch
from wire.ids import node_id, session_id
from wire.marks import Mark
from wire.match import MatchSheet, Team
from wire.pitch import Pitch
from wire.session import NodeStatus

SESSION, LEFT, RIGHT = session_id("s"), node_id("left"), node_id("right")


class FakeShelf:
    def __init__(self):
        self.lasts = {}

    def last(self, _session, node):
        return self.lasts.get(node)

    def finish(self, _session, node):
        self.lasts[node] = -1


class FakeNodes:
    """Nodes whose state a test sets: what they record and what waits, or None for silence."""

    def __init__(self):
        self.nodes = (Node(LEFT, "http://l"), Node(RIGHT, "http://r"))
        self.states = {LEFT: (SESSION, 0), RIGHT: (SESSION, 0)}
        self.marked = {LEFT: [], RIGHT: []}

    async def marks(self, node, session):
        if self.states[node.id] is None:
            raise NodeUnreachable("silent")
        return [Mark(session=session, node=node.id, time_ns=ns) for ns in self.marked[node.id]]

    async def status(self, node):
        state = self.states[node.id]
        if state is None:
            raise NodeUnreachable("silent")
        return NodeStatus(
            node=node.id, software="0", width_px=2, height_px=2, frames_per_second=25.0, recording=state[0], frames=0,
            frames_dropped=0, segments_waiting=state[1], detector="motion",
        )  # fmt: skip


@pytest.fixture
def parts(tmp_path):
    sessions, shelf, nodes = Sessions(tmp_path), FakeShelf(), FakeNodes()
    sheet = MatchSheet(title="A v B", pitch=Pitch(), home=Team("A"), away=Team("B"))
    sessions.begin(SessionPlan(session=SESSION, start_ns=5, nodes=(LEFT, RIGHT), request=SessionRequest(sheet=sheet)))
    return (
        Watch(sessions, MarkBook(sessions), shelf, nodes, Arrivals(), Log(io.StringIO(), SystemClock())),
        shelf,
        nodes,
    )


async def look(watch, times):
    for _ in range(times):
        await watch.look(SESSION)


async def test_a_node_that_stays_idle_with_nothing_to_hand_over_has_finished(parts):
    watch, shelf, nodes = parts
    nodes.states[RIGHT] = (None, 0)
    await look(watch, IDLE_LOOKS - 1)
    assert shelf.lasts == {}
    await look(watch, 1)
    assert shelf.lasts == {RIGHT: -1}


async def test_a_node_that_records_or_still_hands_over_has_not(parts):
    watch, shelf, nodes = parts
    nodes.states[RIGHT] = (None, 4)
    await look(watch, 50)
    assert shelf.lasts == {}


async def test_a_node_that_is_only_about_to_begin_is_not_given_up(parts):
    watch, shelf, nodes = parts
    for state in ((None, 0), (None, 0), (SESSION, 0), (None, 0), (None, 0)):
        nodes.states[RIGHT] = state
        await look(watch, 1)
    assert shelf.lasts == {}


async def test_a_silent_node_is_given_up_only_long_after_another_has_finished(parts):
    watch, shelf, nodes = parts
    nodes.states[RIGHT] = None
    await look(watch, round(SILENT_S / LOOK_S) + 5)
    assert RIGHT not in shelf.lasts
    shelf.lasts[LEFT] = 9
    await look(watch, 1)
    assert shelf.lasts == {LEFT: 9, RIGHT: -1}


async def test_marks_set_at_a_node_are_kept_though_it_is_packed_away_afterwards(parts, tmp_path):
    watch, _, nodes = parts
    nodes.marked[LEFT] = [7_000_000_005]
    await look(watch, 2)
    nodes.marked[LEFT].append(9_000_000_005)
    await look(watch, 1)
    nodes.states[LEFT] = None
    await look(watch, 1)
    assert [mark.time_ns for mark in MarkBook(Sessions(tmp_path)).of(SESSION)] == [7_000_000_005, 9_000_000_005]
