"""A whole recording from a board's camera that waits for nobody: the node as it is, the fake board in real time."""

import time

import av
import numpy as np

from edge.capture import CameraSource, Profile, Sync
from edge.capture.picamera.sync import SYNC_FRAMES
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


async def test_a_camera_that_waits_for_a_slow_rig_is_not_taken_for_silent(
    plug, open_camera, tmp_path, make_node, session_row, log, log_text, clock, zero_ns, eventually
):
    board = plug(offset_ns=zero_ns - 100 * SECOND)
    sensor = board.sensors[0]
    sensor.ready_after = SYNC_FRAMES
    # The board's time is its own: the wait is real only here, longer than the recorder has patience with a camera.
    sensor.before = {SYNC_FRAMES - 1: lambda: time.sleep(2.0)}

    class Source:
        def open(self, _start_ns, log):
            return open_camera(profile="320x180@10", sync=Sync.SERVER, log=log)

    ledger = Ledger(tmp_path / "ledger.sqlite")
    ledger.begin_session(session_row(frames_per_second=10, detector="one-ball"))
    clock.ns = zero_ns + 1
    node = make_node(Source(), ledger, patience=Patience(camera_s=1.0))
    await node.resume(ledger.sessions()[0])
    await eventually(lambda: ledger.segments() and ledger.segments()[0].offer)
    status = await node.stop()
    ledger.close()
    await eventually(lambda: not board.opened[-1].is_open)
    assert not status.fault
    assert not node.broken.is_set()
    assert "event=camera-synchronised" in log_text.getvalue()
