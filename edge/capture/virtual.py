"""A camera that another process plays over a Unix socket: the simulator's lens.

The node connects and sends the session's zero (int64). The camera answers `TLvc`, a length (uint32) and that much JSON
`{"width", "height", "frames_per_second"}`, then per frame its capture time (int64 ns, the node's clock), the payload's
length (uint32) and the I420 planes; a time of -1 ends the recording. All numbers are little-endian.
"""

import socket
import struct
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Self

import msgspec

from edge.capture.clocks import real_minus_boot_ns
from edge.capture.pictures import Pictures
from edge.encode.libav import LibavCoder
from edge.errors import CameraFault
from edge.frame import Frame

MAGIC = b"TLvc"
ZERO = struct.Struct("<q")
LENGTH = struct.Struct("<I")
FRAME_HEAD = struct.Struct("<qI")
END_NS = -1

_CONNECT_S = 5.0
_SILENCE_S = 60.0
_HEAD_LIMIT = 4096


class VirtualHead(msgspec.Struct, frozen=True):
    """What a virtual camera says of its pictures: pixels, nominal rate."""

    width: int
    height: int
    frames_per_second: float


class VirtualCamera:
    """The client of a virtual camera's socket; raises `CameraFault` when none is there or it breaks the rules."""

    live = False
    waits_s = 0.0

    def __init__(self, path: Path, start_ns: int) -> None:
        self._path = path
        self.frames_dropped = 0
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self._greet(start_ns)
        except BaseException:
            self._socket.close()
            raise

    def _greet(self, start_ns: int) -> None:
        self._socket.settimeout(_CONNECT_S)
        try:
            self._socket.connect(str(self._path))
        except OSError:
            raise CameraFault(f"no virtual camera answers at {self._path}") from None
        self._socket.settimeout(_SILENCE_S)
        try:
            self._socket.sendall(ZERO.pack(start_ns))
        except OSError:
            raise CameraFault(f"the virtual camera at {self._path} hung up") from None
        magic = self._receive(bytearray(4))
        (length,) = LENGTH.unpack(self._receive(bytearray(LENGTH.size)))
        if bytes(magic) != MAGIC or length > _HEAD_LIMIT:
            raise CameraFault(f"what answers at {self._path} is not a virtual camera")
        try:
            head = msgspec.json.decode(self._receive(bytearray(length)), type=VirtualHead)
        except msgspec.MsgspecError:
            raise CameraFault(f"the virtual camera at {self._path} does not say what it shows") from None
        sizes = (head.width, head.height)
        if any(not 16 <= side <= 16384 or side % 2 for side in sizes) or not 0 < head.frames_per_second <= 1000:
            raise CameraFault(
                f"the virtual camera at {self._path} shows {head.width} x {head.height} at "
                f"{head.frames_per_second:g} frames a second: a recording needs an even size and a rate above 0"
            )
        self.width, self.height = sizes
        self.frames_per_second = head.frames_per_second

    @cached_property
    def ahead_ns(self) -> int:
        """How far the node's clock is ahead of the time since boot."""
        return real_minus_boot_ns()

    def coder(self) -> LibavCoder:
        """x264 on one thread."""
        return LibavCoder("h264", self.width, self.height, self.frames_per_second)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self._socket.close()

    def __iter__(self) -> Iterator[Frame]:
        index = 0
        size = self.width * self.height * 3 // 2
        pictures = Pictures(self.width, self.height)
        while True:
            time_ns, length = FRAME_HEAD.unpack(self._receive(bytearray(FRAME_HEAD.size)))
            if time_ns == END_NS and not length:
                return
            if length != size:
                raise CameraFault(
                    f"the virtual camera at {self._path} sent frame {index} with {length} of {size} bytes"
                )
            planes = pictures.blank()
            self._receive(planes.reshape(-1).data)
            yield Frame(planes, time_ns, index)
            index += 1

    def _receive(self, into: bytearray | memoryview) -> bytearray | memoryview:
        view = memoryview(into)
        while view:
            try:
                got = self._socket.recv_into(view)
            except TimeoutError:
                raise CameraFault(f"the virtual camera at {self._path} has fallen silent") from None
            except OSError:
                got = 0
            if not got:
                raise CameraFault(f"the virtual camera at {self._path} hung up")
            view = view[got:]
        return into
