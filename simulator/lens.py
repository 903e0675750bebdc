"""A virtual camera as a process: it films the simulated match and hands its frames to one node's `virtual` driver.

It plays the match from its seed by itself, so that no truth is ever handed to anybody. Protocol, over a Unix socket:
the client sends the rig time of match time zero (int64, ns); the server answers `TLvc`, the length (uint32) of a JSON
object {"width", "height", "frames_per_second"} and that object, then for each frame its capture time on the node's
wrong clock (int64, ns), the length (uint32) and the I420 bytes; after the last one time -1 and length 0. Everything is
little-endian. Each connection begins the match anew.
"""

import argparse
import contextlib
import json
import signal
import socket
import struct
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn, cast, get_args

import cv2

from firmware.leaving import leave
from simulator.match.engine import play
from simulator.pictures.camera import VirtualCamera
from simulator.pictures.rigs import RigKind, TrueRig, virtual_rig
from wire.errors import BadPitch
from wire.pitch import PlayersPerSide, parse_pitch
from wire.rigtime import nanoseconds

MAGIC = b"TLvc"
END = struct.pack("<qI", -1, 0)
_SEND_BUFFER = 8 << 20


class Lens:
    """Serves the frames of one virtual camera to anybody who connects, each time from the start of the match."""

    def __init__(self, true_rig: TrueRig, index: int, camera: VirtualCamera, seconds: float) -> None:
        self._rate = true_rig.frames_per_second
        self._phase_s = true_rig.faults[index].phase_s
        self._offset_ns = true_rig.rig.cameras[index].clock_offset_ns
        self._camera = camera
        self._seconds = seconds
        self._drawing = threading.Lock()

    def exposures(self) -> Iterator[float]:
        """The match times in seconds at which this camera exposes."""
        k = 0
        while (time_s := self._phase_s + k / self._rate) < self._seconds:
            yield time_s
            k += 1

    def serve(self, client: socket.socket) -> None:
        """Answer one client to the end of the match, or until it goes away."""
        with client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER)
            try:
                epoch = b""
                while len(epoch) < 8:
                    part = client.recv(8 - len(epoch))
                    if not part:
                        return
                    epoch += part
                (epoch_ns,) = struct.unpack("<q", epoch)
                model = self._camera.camera
                shape = {"width": model.width_px, "height": model.height_px, "frames_per_second": self._rate}
                head = json.dumps(shape).encode()
                client.sendall(MAGIC + struct.pack("<I", len(head)) + head)
                for time_s in self.exposures():
                    with self._drawing:
                        picture = self._camera.frame(time_s).tobytes()
                    stamp = epoch_ns + nanoseconds(time_s) - self._offset_ns
                    client.sendall(struct.pack("<qI", stamp, len(picture)))
                    client.sendall(picture)
                client.sendall(END)
            except (BrokenPipeError, ConnectionResetError):
                return


def listen(path: Path) -> socket.socket:
    """A listening Unix socket at `path`; one that a dead process left behind is replaced."""
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(str(path))
    listener.listen(4)
    return listener


def _arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="simulator.lens", description="One virtual camera of a simulated match.")
    parser.add_argument("--socket", type=Path, required=True, help="the Unix socket to listen at")
    parser.add_argument("--camera", type=int, choices=(0, 1, 2), required=True, help="which camera, from the left")
    parser.add_argument("--rig", choices=get_args(RigKind), default="mast")
    parser.add_argument("--pitch", default="105x68", help="length x width in metres")
    parser.add_argument("--players", type=int, choices=(11, 9, 7), default=11, help="players a side")
    parser.add_argument("--seconds", type=float, default=60.0, help="how long the match lasts")
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    """Run one lens until SIGTERM; prints `ready` when it listens."""
    given = _arguments(argv)
    cv2.setNumThreads(1)
    try:
        pitch = parse_pitch(given.pitch, cast(PlayersPerSide, given.players))
    except BadPitch as fault:
        sys.stderr.write(f"{fault}\n")
        return 2
    true_rig = virtual_rig(given.rig, pitch, given.seed)
    camera = VirtualCamera(true_rig, given.camera, play(pitch, given.seconds, given.seed), given.seed)
    lens = Lens(true_rig, given.camera, camera, given.seconds)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.default_int_handler)
    with contextlib.suppress(KeyboardInterrupt):
        _attend(lens, given.socket)
    # A client may still be served, and its thread would be torn out of the picture it draws.
    return leave(0)


def _attend(lens: Lens, path: Path) -> NoReturn:
    listener = listen(path)
    try:
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        while True:
            client, _ = listener.accept()
            threading.Thread(target=lens.serve, args=(client,), daemon=True).start()
    finally:
        listener.close()
        path.unlink(missing_ok=True)


if __name__ == "__main__":
    sys.exit(main())
