"""Who gets the camera's pictures, and who gets the camera."""

import asyncio
import threading

import pytest

from edge.errors import CameraFault, GateClosed, SelfTesting
from edge.viewing import Viewfinder
from wire.session import SegmentState, StartRecording


@pytest.fixture
def known():
    return []


@pytest.fixture
def viewfinder(source, clock, log, known):
    return Viewfinder(source, clock, log, known.append)


@pytest.fixture
async def node(make_node, source, ledger):
    made = make_node(source, ledger)
    yield made
    if made._recording:
        await made.stop()


def order(zero_ns, session="s1"):
    return StartRecording(session=session, start_ns=zero_ns)


async def test_a_camera_nobody_looks_through_is_not_opened(viewfinder, source):
    assert viewfinder.newest is None
    async with viewfinder.claimed():
        pass
    assert source.opened == []


async def test_the_first_who_looks_opens_the_camera_and_the_last_closes_it(viewfinder, source, known, eventually):
    with viewfinder.looking():
        with viewfinder.looking():
            await eventually(lambda: viewfinder.newest is not None)
        await viewfinder.picture()
        assert [camera.closed for camera in source.opened] == [0]
    assert known[0].width == 320
    await eventually(lambda: source.camera.closed and viewfinder.newest is None)
    assert await viewfinder.picture()
    assert len(source.opened) == 2
    await eventually(lambda: source.camera.closed)


async def test_whoever_looks_again_and_again_finds_the_camera_open(viewfinder, source, eventually, monkeypatch):
    monkeypatch.setattr("edge.viewing.viewfinder._LINGER_S", 0.3)
    for _ in range(3):
        await viewfinder.picture()
    assert [camera.closed for camera in source.opened] == [0]
    await eventually(lambda: source.camera.closed)


async def test_whoever_is_late_gets_the_newest_picture_and_no_other(viewfinder, source, eventually):
    with viewfinder.looking():
        first = await viewfinder.picture()
        await eventually(lambda: viewfinder.newest.index > first.index + 50)
        source.camera.hangs.set()
        newest = viewfinder.newest
        assert (await viewfinder.picture()).index >= newest.index


async def test_whoever_needs_the_camera_gets_it_at_once_and_it_comes_back_to_the_lookers(
    viewfinder, source, eventually
):
    with viewfinder.looking():
        await viewfinder.picture()
        async with asyncio.timeout(2), viewfinder.claimed():
            assert source.camera.closed
            assert viewfinder.newest is None
        await eventually(lambda: len(source.opened) == 2 and viewfinder.newest)
    assert source.most_open == 1


async def test_of_many_claims_one_has_the_camera_at_a_time_and_no_looker_comes_between(viewfinder, source, eventually):
    inside = 0

    async def claim():
        nonlocal inside
        async with viewfinder.claimed():
            inside += 1
            assert (inside, len(source.opened)) == (1, 1)
            await asyncio.sleep(0)
            inside -= 1

    with viewfinder.looking():
        await viewfinder.picture()
        await asyncio.gather(*(claim() for _ in range(5)))
        await eventually(lambda: len(source.opened) == 2 and viewfinder.newest)


async def test_a_camera_that_hangs_is_closed_under_its_reader_and_its_late_picture_is_nobodys(
    make_source, clock, log, known, until, monkeypatch
):
    monkeypatch.setattr("edge.viewing.viewfinder._GIVE_WAY_S", 0.05)
    source = make_source(deaf=True)
    viewfinder = Viewfinder(source, clock, log, known.append)
    with viewfinder.looking():
        await viewfinder.picture()
        readers = [thread for thread in threading.enumerate() if thread.name == "aside"]
        source.camera.hangs.set()
        async with viewfinder.claimed():
            assert source.camera.closed == 1
            viewfinder.lend()
        source.camera.hangs.clear()
        until(lambda: not any(thread.is_alive() for thread in readers))
        assert viewfinder.newest is None


async def test_a_camera_that_does_not_open_is_said_and_tried_again(
    viewfinder, source, eventually, log_text, monkeypatch
):
    monkeypatch.setattr("edge.viewing.viewfinder._AGAIN_S", 0.01)
    source.faults = ["the cable came loose"] * 2
    with viewfinder.looking():
        with pytest.raises(CameraFault, match="the cable came loose"):
            await viewfinder.picture()
        await eventually(lambda: viewfinder.newest)
        assert await viewfinder.picture()
    assert "event=viewfinder-fault" in log_text.getvalue()


async def test_a_camera_that_fails_while_it_is_looked_through_shows_no_old_picture(viewfinder, source, eventually):
    with viewfinder.looking():
        await viewfinder.picture()
        source.camera.fault = ValueError("a speck of dust")
        await eventually(lambda: viewfinder.newest is None)
        with pytest.raises(CameraFault, match="a speck of dust"):
            await viewfinder.picture()
        assert source.camera.closed


async def test_a_live_camera_that_ends_is_a_fault(make_source, clock, log, known, eventually):
    viewfinder = Viewfinder(make_source(last=3), clock, log, known.append)
    with viewfinder.looking():
        await eventually(lambda: viewfinder.newest is None and viewfinder._fault)
        with pytest.raises(CameraFault, match="shows no picture"):
            await viewfinder.picture()


async def test_a_camera_that_shows_nothing_is_a_fault_in_time(make_source, clock, log, known):
    viewfinder = Viewfinder(make_source(hangs=True), clock, log, known.append)
    with pytest.raises(CameraFault, match=r"no picture for 0\.05 s"):
        await viewfinder.picture(0.05)


async def test_a_recorded_camera_is_shown_at_its_own_pace_and_its_last_picture_stays(
    make_source, clock, log, known, eventually
):
    source = make_source(live=False, last=3)
    viewfinder = Viewfinder(source, clock, log, known.append)
    loop = asyncio.get_running_loop()
    began_s = loop.time()
    with viewfinder.looking():
        assert (await viewfinder.picture()).index == 0
        await eventually(lambda: viewfinder.newest.index == 2)
        assert loop.time() - began_s >= 0.08
        assert (await viewfinder.picture()).index == 2
    await eventually(lambda: source.camera.closed)
    assert len(source.opened) == 1


async def test_while_it_records_everybody_sees_what_is_recorded(node, source, zero_ns, eventually):
    with node.viewfinder.looking():
        await node.viewfinder.picture()
        await node.start(order(zero_ns))
        await eventually(lambda: node.viewfinder.newest and node.viewfinder.newest.index >= 59)
        assert [camera.closed for camera in source.opened] == [1, 0]
        await node.stop()
        # And afterwards what the camera sees, opened anew.
        await eventually(lambda: len(source.opened) == 3 and node.viewfinder.newest)
    assert source.most_open == 1


async def test_a_taker_that_hangs_costs_the_recording_nothing(node, source, ledger, zero_ns, eventually):
    released = threading.Event()
    kept = []

    def hang():
        kept.append(node.viewfinder.newest)
        released.wait(30)

    await node.start(order(zero_ns))
    await eventually(lambda: node.viewfinder.newest)
    takers = [asyncio.create_task(asyncio.to_thread(hang)) for _ in range(3)]
    await eventually(lambda: len(kept) == 3)
    last = kept[-1].index
    await eventually(lambda: node.viewfinder.newest.index > last + 100)
    await node.stop()
    rows = ledger.segments(SegmentState.CLOSED)
    recorded = sum(row.offer.frames for row in rows)
    # Not one frame is missing between the first and the last.
    assert recorded > last + 100
    assert rows[-1].offer.end_ns - rows[0].offer.start_ns == recorded * 40_000_000
    released.set()
    await asyncio.gather(*takers)


async def test_after_a_recording_no_old_picture_is_left(node, source, zero_ns, eventually):
    await node.start(order(zero_ns))
    await node.viewfinder.picture()
    await node.stop()
    await eventually(lambda: node.viewfinder.newest is None and source.camera.closed)


async def test_a_start_right_after_a_stop_waits_for_the_camera_to_be_closed(node, source, zero_ns, monkeypatch):
    await node.start(order(zero_ns))
    closing = threading.Event()
    leave = type(source.camera).__exit__

    def slowly(self, *exc):
        closing.wait(30)
        leave(self)

    monkeypatch.setattr(type(source.camera), "__exit__", slowly)
    await node.stop()
    starting = asyncio.create_task(node.start(order(zero_ns, "s2")))
    await asyncio.sleep(0.05)
    assert len(source.opened) == 1
    closing.set()
    await starting
    assert source.most_open == 1


async def test_a_start_that_a_gate_refuses_gives_the_camera_back_to_the_lookers(
    node, source, disk, zero_ns, eventually
):
    disk.free = 0
    with node.viewfinder.looking():
        await node.viewfinder.picture()
        with pytest.raises(GateClosed, match="disk"):
            await node.start(order(zero_ns))
        await eventually(lambda: len(source.opened) == 3 and node.viewfinder.newest)
    assert source.most_open == 1


async def test_a_node_that_leaves_closes_the_camera_whoever_looks_on(node, source):
    with node.viewfinder.looking():
        await node.viewfinder.picture()
        await node.leave()
        assert source.camera.closed
        with pytest.raises(CameraFault, match="has shown no picture"):
            await node.viewfinder.picture(0.05)
    assert len(source.opened) == 1


async def test_a_node_that_tests_itself_has_no_picture_to_show(node):
    testing = asyncio.create_task(node.self_test(0.1))
    await asyncio.sleep(0)
    with pytest.raises(SelfTesting):
        await node.preview()
    await testing
