"""A locked view, and the mast that is knocked while it records."""

import asyncio

import cv2
import numpy as np
import pytest

from edge.framing import LockedView
from edge.serve import notice_steps
from edge.viewing.lookout import BELIEVED, LOST_LOOKS, Lookout
from firmware.panel.signals import KNOCKED, RECORDING, STARTED, TROUBLED, WARNING
from wire.session import StartRecording


def place():
    random = np.random.default_rng(7)
    luma = np.full((240, 420), 110.0, np.float32)
    for size, weight in ((3, 18), (12, 30), (60, 30)):
        coarse = random.normal(0, 1, (240 // size + 2, 420 // size + 2)).astype(np.float32)
        luma += weight * cv2.resize(coarse, (420, 240), interpolation=cv2.INTER_CUBIC)
    return np.clip(luma, 16, 235).astype(np.uint8)


PLACE = place()


def seen(right):
    """What a camera of 320 x 180 sees that was turned so many pixels to the right."""
    planes = np.full((270, 320), 128, np.uint8)
    planes[:180] = PLACE[30:210, 40 + right : 360 + right]
    return planes


@pytest.fixture
def source(make_source, monkeypatch):
    monkeypatch.setattr("edge.viewing.lookout.LOOK_EVERY_S", 0.01)
    made = make_source()
    made._picture = seen
    return made


@pytest.fixture
async def node(make_node, source, ledger):
    made = make_node(source, ledger)
    look_at(source, 0)
    yield made
    if made._recording:
        await made.stop()


def look_at(source, right):
    """Turn the camera, whichever it is, so many pixels to the right."""
    source.turned = right
    if not hasattr(source, "_plain"):
        source._plain = source.open

        def opened(*how):
            camera = source._plain(*how)
            camera.shows = lambda _number: source.turned
            return camera

        source.open = opened


def order(zero_ns, session="s1"):
    return StartRecording(session=session, start_ns=zero_ns)


async def test_a_locked_view_outlives_the_process(node, make_node, source, ledger, tmp_path):
    assert not node.lookout.state().locked
    await node.lookout.lock()
    assert make_node(source, ledger).lookout.state().locked
    assert [path.name for path in tmp_path.iterdir() if "view" in path.name] == ["locked-view"]
    await node.lookout.unlock()
    await node.lookout.unlock()
    assert not node.lookout.state().locked


async def test_a_knocked_mast_is_seen_heard_told_and_logged_and_so_is_its_coming_back(
    node, source, panel, zero_ns, eventually, log_text
):
    await node.lookout.lock()
    await node.start(order(zero_ns))
    await eventually(lambda: node.lookout.state().knock)
    assert (await node.status()).alarms == ()
    look_at(source, 12)
    await eventually(lambda: node.lookout.state().alarm)
    status = await node.status()
    assert (status.recording, status.fault) == ("s1", None)
    [alarm] = status.alarms
    assert "the camera was knocked: its picture has moved by 12 pixels" in alarm
    assert node.lookout.state().knock.right_px == pytest.approx(-12, abs=1)
    assert (panel.beeped, panel.lit[-1]) == ([STARTED, KNOCKED], TROUBLED)
    assert log_text.getvalue().count("event=camera-knocked") == 1
    look_at(source, 0)
    await eventually(lambda: not node.lookout.state().alarm)
    assert (await node.status()).alarms == ()
    assert (panel.beeped, panel.lit[-1]) == ([STARTED, KNOCKED], RECORDING)
    assert log_text.getvalue().count("event=camera-back") == 1


async def test_a_mast_that_leans_is_told_with_its_angle(node, source, zero_ns, eventually, monkeypatch):
    rolling = cv2.getRotationMatrix2D((210, 120), 3.0, 1.0)
    leaning = cv2.warpAffine(PLACE, rolling, PLACE.shape[::-1])
    await node.lookout.lock()
    await node.start(order(zero_ns))
    await eventually(lambda: node.lookout.state().knock)
    monkeypatch.setattr("tests.edge.viewing.test_lookout.PLACE", leaning)
    await eventually(lambda: node.lookout.state().alarm)
    assert "and leans by 3.0° since the view was locked" in node.lookout.state().alarm
    assert node.lookout.state().knock.roll_deg == pytest.approx(-3, abs=0.2)


async def test_locking_the_new_view_ends_the_alarm(node, source, panel, zero_ns, eventually):
    await node.lookout.lock()
    await node.start(order(zero_ns))
    look_at(source, -15)
    await eventually(lambda: node.lookout.state().alarm)
    await node.lookout.lock()
    assert (await node.status()).alarms == ()
    assert panel.lit[-1] is RECORDING
    await eventually(lambda: node.lookout.state().knock)
    assert not node.lookout.state().knock.moved


async def test_one_look_alone_raises_no_alarm(node, source, zero_ns, eventually, monkeypatch):
    await node.lookout.lock()
    looks = []
    compare = LockedView.compare

    def knocked_once(self, planes):
        # In the first picture the place is recognised, too.
        looks.append(planes)
        return compare(self, seen(20) if len(looks) == 4 else seen(0))

    monkeypatch.setattr("edge.framing.lock.LockedView.compare", knocked_once)
    await node.start(order(zero_ns))
    await eventually(lambda: len(looks) > 4 + 2 * BELIEVED)
    assert (await node.status()).alarms == ()


async def test_without_a_locked_view_a_recording_is_compared_with_its_own_first_picture(
    node, source, panel, zero_ns, eventually, log_text
):
    await node.start(order(zero_ns))
    await eventually(lambda: node.lookout.state().knock)
    assert not node.lookout.state().knock.moved
    assert not node.lookout.state().locked
    look_at(source, 12)
    await eventually(lambda: node.lookout.state().alarm)
    assert (
        "by 12 pixels since the recording began; point it as before, or lock the new view" in node.lookout.state().alarm
    )
    assert panel.beeped == [STARTED, KNOCKED]
    assert log_text.getvalue().count("event=view-taken") == 1


async def test_the_next_recording_without_a_locked_view_has_its_own_first_picture(node, source, zero_ns, eventually):
    await node.start(order(zero_ns))
    await eventually(lambda: node.lookout.state().knock)
    await node.stop()
    look_at(source, 12)
    await node.start(order(zero_ns, "s2"))
    await eventually(lambda: node.lookout.state().knock)
    assert abs(node.lookout.state().knock.right_px) < 1
    assert (await node.status()).alarms == ()


@pytest.fixture
def turned_away(source, monkeypatch):
    """Whether the camera shows another place, one that has as much in it."""
    away = [False]
    monkeypatch.setattr(
        source, "_picture", lambda right: np.ascontiguousarray(seen(right)[::-1]) if away[0] else seen(right)
    )
    return away


@pytest.mark.parametrize("locked", [True, False])
async def test_a_camera_that_is_turned_away_is_told_once_and_so_is_its_coming_back(
    node, source, turned_away, panel, zero_ns, eventually, log_text, locked
):
    if locked:
        await node.lookout.lock()
    await node.start(order(zero_ns))
    await eventually(lambda: node.lookout.state().knock)
    turned_away[0] = True
    await eventually(lambda: node.lookout.state().alarm)
    since = "the view was locked" if locked else "the recording began"
    [alarm] = (await node.status()).alarms
    assert f"does not show any more what it showed when {since}" in alarm
    first = node.viewfinder.newest.index
    await eventually(lambda: node.viewfinder.newest.index > first + 60)
    assert (panel.beeped, panel.lit[-1]) == ([STARTED, KNOCKED], TROUBLED)
    assert log_text.getvalue().count("event=view-lost") == 1
    turned_away[0] = False
    await eventually(lambda: not node.lookout.state().alarm)
    assert panel.lit[-1] is RECORDING


async def test_a_camera_that_comes_back_elsewhere_is_told_as_knocked(node, source, turned_away, zero_ns, eventually):
    await node.lookout.lock()
    await node.start(order(zero_ns))
    turned_away[0] = True
    await eventually(lambda: node.lookout.state().alarm)
    look_at(source, 12)
    turned_away[0] = False
    await eventually(lambda: "moved by 12 pixels" in node.lookout.state().alarm)


@pytest.fixture
def strange(monkeypatch):
    """Of every look that did not recognise the view, whether anything stood out in it."""
    looks = []

    stands_out = Lookout._stands_out

    def noted(self, planes):
        looks.append(stands_out(self, planes))
        return looks[-1]

    monkeypatch.setattr(Lookout, "_stands_out", noted)
    return looks


async def test_what_hides_the_view_for_less_than_a_minute_at_a_time_is_no_alarm(
    node, turned_away, strange, zero_ns, eventually
):
    await node.lookout.lock()
    await node.start(order(zero_ns))
    for _ in range(3):
        turned_away[0] = True
        counted = sum(strange)
        # A picture or two of it may still be looked at afterwards.
        await eventually(lambda before=counted: sum(strange) >= before + LOST_LOOKS // 2)
        turned_away[0] = False
        node.lookout._knock = None
        await eventually(lambda: node.lookout.state().knock)
    assert sum(strange) > LOST_LOOKS
    assert (await node.status()).alarms == ()


@pytest.fixture(params=[0, 9], ids=["black", "noisy"])
def night(source, monkeypatch, request):
    """Whether it is dark, with as much noise as a camera makes of that."""
    dark, random = [False], np.random.default_rng(3)

    def shown(right):
        if not dark[0]:
            return seen(right)
        planes = np.full((270, 320), 128, np.uint8)
        planes[:180] = np.clip(random.normal(30, request.param, (180, 320)), 16, 235)
        return planes

    monkeypatch.setattr(source, "_picture", shown)
    return dark


async def test_the_dark_is_no_alarm(node, night, strange, zero_ns, eventually):
    await node.lookout.lock()
    await node.start(order(zero_ns))
    await eventually(lambda: node.lookout.state().knock)
    night[0] = True
    strange.clear()
    await eventually(lambda: len(strange) > 2 * LOST_LOOKS)
    assert not any(strange)
    assert (await node.status()).alarms == ()


async def test_a_locked_view_from_another_place_is_told_and_stays_what_is_asked_for(
    node, turned_away, zero_ns, eventually, tmp_path
):
    turned_away[0] = True
    await node.lookout.lock()
    turned_away[0] = False
    await node.viewfinder.back()
    await node.start(order(zero_ns))
    await eventually(lambda: node.lookout.state().alarm)
    assert "what it showed when the view was locked" in node.lookout.state().alarm
    assert not (tmp_path / "recording-view").exists()
    await node.lookout.lock()
    assert (await node.status()).alarms == ()
    await eventually(lambda: node.lookout.state().knock)
    assert not node.lookout.state().knock.moved


async def test_a_mast_knocked_before_the_recording_is_told_by_the_locked_view(node, source, zero_ns, eventually):
    await node.lookout.lock()
    look_at(source, 12)
    await node.start(order(zero_ns))
    await eventually(lambda: node.lookout.state().alarm)
    assert "by 12 pixels since the view was locked" in node.lookout.state().alarm


async def test_a_picture_in_which_nothing_can_be_recognised_is_no_reference(
    node, source, night, zero_ns, eventually, tmp_path
):
    night[0] = True
    await node.start(order(zero_ns))
    first = (await node.viewfinder.picture()).index
    await eventually(lambda: node.viewfinder.newest.index > first + 30)
    assert not (tmp_path / "recording-view").exists()
    night[0] = False
    await eventually(lambda: node.lookout.state().knock)
    look_at(source, -12)
    await eventually(lambda: node.lookout.state().alarm)


@pytest.mark.parametrize("locks", [True, False], ids=["lock", "unlock"])
async def test_the_operator_has_the_last_word_on_what_a_recording_is_compared_with(
    locks, node, source, zero_ns, eventually
):
    await node.start(order(zero_ns))
    await eventually(lambda: node.lookout.state().knock)
    look_at(source, 12)
    await eventually(lambda: node.lookout.state().alarm)
    await (node.lookout.lock() if locks else node.lookout.unlock())
    assert (await node.status()).alarms == ()
    first = node.viewfinder.newest.index
    await eventually(lambda: node.viewfinder.newest.index > first + 30)
    assert (await node.status()).alarms == ()
    assert (node.lookout.state().knock is not None) is locks


async def test_a_recording_that_is_gone_on_with_is_compared_with_its_first_picture_of_before(
    make_node, node, source, ledger, clock, zero_ns, eventually
):
    await node.start(order(zero_ns))
    await eventually(lambda: node.lookout.state().knock)
    await node.leave()
    _, clock.ns = ledger.reach("s1")
    clock.ns += 1
    [broken_off] = ledger.sessions()
    look_at(source, 12)
    later = make_node(source, ledger)
    await later.resume(broken_off)
    await eventually(lambda: later.lookout.state().alarm)
    assert "by 12 pixels since the recording began" in later.lookout.state().alarm
    await later.stop()


async def test_a_damaged_view_is_said_and_the_recording_goes_on(node, tmp_path, zero_ns, eventually, log_text):
    (tmp_path / "locked-view").write_bytes(b"no view at all")
    await node.start(order(zero_ns))
    await eventually(lambda: "holds no view: lock it anew" in log_text.getvalue())
    assert (await node.status()).fault is None


async def test_the_alarm_of_one_recording_is_not_the_next_ones(node, source, zero_ns, eventually):
    await node.lookout.lock()
    await node.start(order(zero_ns))
    look_at(source, 12)
    await eventually(lambda: node.lookout.state().alarm)
    await node.stop()
    # Whoever comes to the mast afterwards is still told.
    assert node.lookout.state().alarm
    look_at(source, 0)
    await node.start(order(zero_ns, "s2"))
    assert (await node.status()).alarms == ()


async def test_a_clock_that_is_set_while_it_records_is_told_and_heard(node, panel, zero_ns, log_text, eventually):
    node.clock_stepped(-3_000_000_000)
    assert (await node.status()).alarms == ()
    await node.start(order(zero_ns))
    # Told by the recorder's thread, with its first frame.
    await eventually(lambda: panel.beeped == [STARTED])
    node.clock_stepped(2_500_000_000)
    [alarm] = (await node.status()).alarms
    assert "set forward by 2.50 s" in alarm
    assert panel.beeped == [STARTED, WARNING]
    assert "event=clock-stepped ms=-3000 recording=False" in log_text.getvalue()
    assert "event=clock-stepped ms=2500 recording=True" in log_text.getvalue()
    await node.stop()
    await node.start(order(zero_ns, "s2"))
    assert (await node.status()).alarms == ()


async def test_every_step_of_the_clock_is_noticed_and_no_rest(monkeypatch, eventually):
    monkeypatch.setattr("edge.serve._STEP_EVERY_S", 0)
    steps, told = iter([0, 5, 0, -7]), []
    noticing = asyncio.create_task(notice_steps(lambda: next(steps, 0), told.append))
    await eventually(lambda: len(told) == 2)
    noticing.cancel()
    assert told == [5, -7]
