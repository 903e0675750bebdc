"""Marks on their way from a node's button to the match's events."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer

from hub.marks import MarkBook, marked
from hub.nodes import Node, NodeRefused, RigNodes
from hub.sessions import Sessions
from wire.events import EventType
from wire.ids import node_id, session_id
from wire.marks import Mark
from wire.rigtime import SECOND

SESSION, LEFT, RIGHT = session_id("s"), node_id("left"), node_id("right")
START = 100 * SECOND


def mark(time_s, node=LEFT, **more):
    return Mark(session=SESSION, node=node, time_ns=START + round(time_s * SECOND), **more)


def times(*marks, offsets=(), duration_s=60.0):
    return [event.time_s for event in marked(marks, dict(offsets), START, duration_s)]


def test_a_mark_is_an_event_at_its_time_on_the_rigs_clock():
    [event] = marked([mark(12.5)], {LEFT: 250_000_000}, START, 60.0)
    assert (event.type, event.time_s, event.x_m) == (EventType.MARK, 12.75, None)


def test_two_who_mark_one_moment_make_one_event():
    assert times(mark(12.5), mark(12.9, RIGHT), mark(14.0, RIGHT)) == [12.5, 14.0]
    # Their clocks were apart.
    assert times(mark(12.5), mark(15.5, RIGHT), offsets={RIGHT: -3 * SECOND}.items()) == [12.5]


def test_what_no_picture_shows_is_no_event():
    assert times(mark(-0.5), mark(61.0), mark(60.0)) == [60.0]


def test_a_book_keeps_every_mark_once_with_its_newest_note(tmp_path):
    book = MarkBook(Sessions(tmp_path))
    assert book.of(SESSION) == []
    book.take(SESSION, [mark(9), mark(3)])
    book.take(SESSION, [mark(9, note="what a save"), mark(9, RIGHT)])
    book.take(SESSION, [])
    book.take(SESSION, [Mark(session=session_id("other"), node=LEFT, time_ns=5)])
    assert MarkBook(Sessions(tmp_path)).of(SESSION) == [mark(3), mark(9, note="what a save"), mark(9, RIGHT)]


def test_a_book_loses_nothing_of_what_is_taken_at_once(tmp_path):
    book, marks = MarkBook(Sessions(tmp_path)), [mark(time_s) for time_s in range(40)]
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda each: book.take(SESSION, [each]), marks))
    assert book.of(SESSION) == marks


@pytest.fixture
async def rig():
    """Asks a node that answers the raw bytes it is given."""
    raw = bytearray()

    async def answer(request):
        assert request.headers["Authorization"] == "Bearer open-sesame"
        return web.Response(body=bytes(raw))

    app = web.Application()
    app.router.add_get("/api/v1/sessions/s/marks", answer)
    async with TestServer(app) as server, ClientSession() as http:
        node = Node(LEFT, str(server.make_url("")).rstrip("/"))
        yield RigNodes(http, [node], "open-sesame"), node, raw


async def test_a_node_is_asked_for_its_marks(rig):
    nodes, node, raw = rig
    raw += b'[{"session":"s","node":"left","time_ns":7,"note":"what a save"}]'
    assert await nodes.marks(node, SESSION) == [Mark(session=SESSION, node=LEFT, time_ns=7, note="what a save")]


@pytest.mark.parametrize("answer", [b"<html>", b'[{"session":"../x","node":"left","time_ns":7}]', b"{}"])
async def test_what_is_no_list_of_marks_is_refused(rig, answer):
    nodes, node, raw = rig
    raw += answer
    with pytest.raises(NodeRefused, match="left tells its marks"):
        await nodes.marks(node, SESSION)
