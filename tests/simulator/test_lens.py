import json
import os
import signal
import socket
import struct
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from simulator.lens import Lens, listen
from simulator.match.engine import play
from simulator.pictures.camera import VirtualCamera
from simulator.pictures.rigs import virtual_rig
from wire.pitch import default_pitch

EPOCH_NS = 1_800_000_000_000_000_000


def receive(client, count):
    out = bytearray()
    while len(out) < count:
        part = client.recv(count - len(out))
        assert part, "the lens hung up early"
        out += part
    return bytes(out)


def film(path, frames=None):
    """The head and the (time, picture) pairs that a client gets; None for all frames to the end."""
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(60)
        client.connect(str(path))
        client.sendall(struct.pack("<q", EPOCH_NS))
        assert receive(client, 4) == b"TLvc"
        head = json.loads(receive(client, struct.unpack("<I", receive(client, 4))[0]))
        out = []
        while frames is None or len(out) < frames:
            time_ns, length = struct.unpack("<qI", receive(client, 12))
            if time_ns == -1:
                assert length == 0
                assert client.recv(1) == b""
                break
            out.append((time_ns, receive(client, length)))
        return head, out


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    pitch = default_pitch(7)
    true_rig = virtual_rig("mast", pitch, 3, 640, 360)
    camera = VirtualCamera(true_rig, 2, play(pitch, 1.0, 3), 3)
    lens = Lens(true_rig, 2, camera, 1.0)
    path = tmp_path_factory.mktemp("lens") / "right.sock"
    listener = listen(path)

    def accept():
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=lens.serve, args=(client,), daemon=True).start()

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    yield path, true_rig
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join(5)


def test_every_frame_carries_its_time_on_the_wrong_clock(served):
    path, true_rig = served
    head, frames = film(path)
    assert head == {"width": 640, "height": 360, "frames_per_second": 25.0}
    assert len(frames) == 25
    offset = true_rig.rig.cameras[2].clock_offset_ns
    rig_times = [time_ns + offset - EPOCH_NS for time_ns, _ in frames]
    phase = true_rig.faults[2].phase_s
    assert np.allclose(np.array(rig_times) / 1e9, phase + np.arange(25) / 25, atol=1e-8)
    assert all(len(picture) == 640 * 360 * 3 // 2 for _, picture in frames)


def test_each_connection_begins_the_match_anew_even_while_another_waits(served):
    path, _ = served
    with socket.socket(socket.AF_UNIX) as idle:
        idle.connect(str(path))
        assert film(path, 3) == film(path, 3)


def test_a_client_that_leaves_early_harms_nobody(served):
    path, _ = served
    film(path, 1)
    assert len(film(path)[1]) == 25


def test_a_socket_left_by_a_dead_process_is_replaced(tmp_path):
    path = tmp_path / "old.sock"
    with socket.socket(socket.AF_UNIX) as old:
        old.bind(str(path))
    listen(path).close()


@pytest.mark.slow
def test_the_process_says_ready_serves_and_ends_promptly_on_sigterm(tmp_path):
    path = tmp_path / "left.sock"
    command = [sys.executable, "-m", "simulator.lens", "--socket", str(path), "--camera", "0", "--seconds", "2"]
    command += ["--pitch", "55x37", "--players", "7", "--seed", "2"]
    root = Path(__file__).parents[2]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=root, env={**os.environ}) as process:
        try:
            assert process.stdout.readline() == "ready\n"
            head, frames = film(path, 2)
            assert (head["width"], head["height"], len(frames)) == (1920, 1080, 2)
            process.send_signal(signal.SIGTERM)
            assert process.wait(5) == 0
            assert not path.exists()
        finally:
            process.kill()
