"""A whole recording from a board's camera that waits for nobody: the node as it is, the fake board in real time."""

import av
import numpy as np

from edge.capture import CameraSource, Profile
from edge.cost import Cost
from edge.ledger import Ledger
from edge.node import Node
from edge.record import Shelf
from edge.record.shelf import TRACKS, VIDEO
from firmware.clock import SystemClock
from wire.session import StartRecording
from wire.tracks import decode_tracks


async def test_every_frame_the_camera_showed_is_recorded_or_counted(
    hardware, plug, small_modes, tmp_path, make_eyes, log, log_text, eventually
):
    sensor = hardware.Sensor("toy", modes=small_modes)
    plug(sensor, live=True)
    sensor.lost = {15}
    ledger, shelf, clock = Ledger(tmp_path / "ledger.sqlite"), Shelf(tmp_path), SystemClock()
    node = Node(
        node="left",
        source=CameraSource.parse("picamera:0", Profile.parse("320x180@25")),
        eyes_for=lambda _camera, _first: make_eyes(),
        detector="one-ball",
        shelf=shelf,
        ledger=ledger,
        clock=clock,
        cost=Cost(),
        log=log,
        segment_closed=lambda: None,
    )
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
    assert not status.recording
    assert not status.fault, log_text.getvalue()
    steps = np.round(np.diff(times_ns) / 40_000_000).astype(int)
    assert np.abs(np.diff(times_ns) - steps * 40_000_000).max() == 0
    counted = int(log_text.getvalue().rsplit("dropped=", 1)[1].split()[0])
    assert counted >= (steps - 1).sum() >= 1
    # The node's clock and the sensor's are compared once, so nothing is captured before the start, or in the future.
    assert begun_ns < times_ns[0] < times_ns[-1] < clock.now_ns()
    assert times_ns[-1] - times_ns[0] > 1_000_000_000
