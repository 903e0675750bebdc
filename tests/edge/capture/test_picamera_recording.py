"""A whole recording from a board's camera that waits for nobody: the node as it is, the fake board in real time."""

import threading
import time

import av
import numpy as np
import pytest

from edge.capture import CameraSource, Profile, Sync
from edge.capture.picamera.sync import SYNC_FRAMES
from edge.errors import SoundFault
from edge.ledger import Ledger
from edge.record import Patience, Shelf
from edge.record.manifest import SessionManifest
from edge.record.shelf import MANIFEST, TRACKS, VIDEO
from firmware.clock import SystemClock
from wire.message import decode
from wire.rigtime import SECOND
from wire.session import StartRecording
from wire.tracks import decode_tracks


def told_as_dropped(log: str) -> int:
    told = log.rsplit("dropped=", 1)
    return int(told[1].split()[0]) if len(told) > 1 else 0


async def test_every_frame_the_camera_showed_is_recorded_or_counted(
    hardware, plug, small_modes, tmp_path, make_node, log_text, eventually
):
    sensor = hardware.Sensor("imx708_wide", modes=small_modes)
    plug(sensor, live=True)
    sensor.lost = {15}
    ledger, shelf, clock = Ledger(tmp_path / "ledger.sqlite"), Shelf(tmp_path), SystemClock()
    source = CameraSource.parse("picamera:0", Profile.parse("320x180@25"))
    node = make_node(source, ledger, clock=clock, hub_is_here=True)
    begun_ns = clock.now_ns()
    await node.start(StartRecording(session="s1", start_ns=begun_ns))
    await eventually(lambda: len(ledger.segments()) > 1)
    assert (await node.status()).frames_dropped >= 1
    status = await node.stop()
    times_ns = []
    for row in ledger.segments():
        tracks = decode_tracks(shelf.path(row.key, TRACKS).read_bytes())
        with av.open(str(shelf.path(row.key, VIDEO))) as video:
            keys = [picture.key_frame for picture in video.decode(video=0)]
        assert keys == [True] + [False] * (len(tracks.frame_times_ns) - 1)
        times_ns += tracks.frame_times_ns.tolist()
    ledger.close()
    manifest = decode(shelf.about("s1", MANIFEST).read_bytes(), SessionManifest)
    assert (manifest.details.model, manifest.details.profile) == ("imx708_wide", "320x180@25")
    assert manifest.details.lens == "wide, 2.75 mm"
    assert manifest.details.mode
    assert not status.recording
    assert not status.fault, log_text.getvalue()
    steps = np.round(np.diff(times_ns) / 40_000_000).astype(int)
    assert np.abs(np.diff(times_ns) - steps * 40_000_000).max() == 0
    missing = int((steps - 1).sum())
    assert missing >= 1
    # The camera gives its last account when it is closed, which nobody waits for.
    await eventually(lambda: told_as_dropped(log_text.getvalue()) >= missing)
    # The node's clock and the sensor's are compared once, so nothing is captured before the start, or in the future.
    assert begun_ns < times_ns[0] < times_ns[-1] < clock.now_ns()
    assert times_ns[-1] - times_ns[0] > 1_000_000_000


async def test_a_session_begins_without_a_hole_however_long_its_microphone_takes_to_open(
    plug, open_camera, ledger, tmp_path, make_node, log_text, zero_ns, monkeypatch, eventually
):
    class Source:
        def open(self, _start_ns, log):
            return open_camera(log=log)

    def slowly(_device):
        # The camera waits for nobody meanwhile.
        board.let_ahead(100)
        assert shown.wait(20)
        board.let_ahead(5)
        raise SoundFault("there is no microphone")

    board, shown = plug(offset_ns=zero_ns - 100 * SECOND), threading.Event()
    board.sensors[0].before = {60: shown.set}
    monkeypatch.setattr("edge.node.open_microphone", slowly)
    node = make_node(Source(), ledger, sound="alsa:hw:1")
    await node.start(StartRecording(session="s1", start_ns=zero_ns))
    await eventually(lambda: node._recording.frames > 50)
    assert (await node.status()).frames_dropped == 0
    await node.stop()
    await eventually(lambda: "event=camera-closed" in log_text.getvalue())
    times_ns = [
        time_ns
        for row in ledger.segments()
        for time_ns in decode_tracks(Shelf(tmp_path).path(row.key, TRACKS).read_bytes()).frame_times_ns.tolist()
    ]
    assert len(times_ns) > 50
    assert set(np.diff(times_ns).tolist()) == {SECOND // 25}
    assert "dropped=0 too_slow=0" in log_text.getvalue()


@pytest.fixture
def rigged(plug, open_camera, zero_ns):
    """A board of a rig that is in step after `SYNC_FRAMES` at ten a second, and the source of its camera."""

    class Source:
        wait = True

        def at_once(self):
            self.wait = False
            return self

        def open(self, _start_ns, log):
            return open_camera(profile="320x180@10", sync=Sync.SERVER, log=log, wait=self.wait)

    board = plug(offset_ns=zero_ns - 100 * SECOND)
    board.sensors[0].ready_after = SYNC_FRAMES
    return board, Source()


async def test_a_camera_that_waits_for_a_slow_rig_is_not_taken_for_silent(
    rigged, ledger, make_node, log_text, zero_ns, eventually
):
    board, source = rigged
    # The board's time is its own: the wait is real only here, longer than the recorder has patience with a camera.
    board.sensors[0].before = {SYNC_FRAMES - 1: lambda: time.sleep(2.0)}
    node = make_node(source, ledger, patience=Patience(camera_s=1.0))
    await node.start(StartRecording(session="s1", start_ns=zero_ns))
    await eventually(lambda: ledger.segments() and ledger.segments()[0].offer)
    status = await node.stop()
    await eventually(lambda: not board.opened[-1].is_open)
    assert not status.fault
    assert not node.broken.is_set()
    assert "event=camera-synchronised" in log_text.getvalue()
    assert ledger.segments()[0].start_ns >= zero_ns + SYNC_FRAMES * SECOND // 10


async def test_a_session_that_is_gone_on_with_does_not_wait_for_its_rig(
    rigged, ledger, make_node, session_row, log_text, clock, zero_ns, eventually
):
    board, source = rigged
    ledger.begin_session(session_row(frames_per_second=10, detector="one-ball"))
    clock.ns = zero_ns + 1
    node = make_node(source, ledger)
    await node.resume(ledger.sessions()[0])
    await eventually(lambda: "event=camera-synchronised" in log_text.getvalue())
    status = await node.stop()
    await eventually(lambda: not board.opened[-1].is_open)
    assert not status.fault
    first = ledger.segments()[0]
    # All that the camera showed, but for the two frames in which a sensor wakes.
    assert (first.start_ns, first.offer.frames) == (zero_ns + 2 * SECOND // 10, 18)
    assert "event=camera-free-running" in log_text.getvalue()
    assert "the rig was not in step yet, and no frame waits for it" in log_text.getvalue()
