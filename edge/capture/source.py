"""Which camera a node has, from one setting: `file:PATH` or `virtual:SOCKET`."""

from dataclasses import dataclass
from pathlib import Path

from edge.capture.camera import Camera
from edge.errors import CameraFault

DRIVERS = ("file", "virtual")


@dataclass(frozen=True)
class CameraSource:
    """A driver's name and the place it reads from."""

    driver: str
    path: Path

    @classmethod
    def parse(cls, text: str) -> "CameraSource":
        """The source that `text` names; raises `CameraFault` unless it is `file:PATH` or `virtual:SOCKET`."""
        driver, _, path = text.partition(":")
        if driver not in DRIVERS or not path:
            raise CameraFault(f"{text!r} is not a camera: write file:PATH or virtual:SOCKET")
        return cls(driver, Path(path))

    def open(self, start_ns: int) -> Camera:
        """The opened camera; `start_ns` is the session's zero, from which a source without a clock counts its frames.

        Raises `CameraFault`.
        """
        # Imported here so that what only speaks of cameras need not load a video library.
        if self.driver == "file":
            from edge.capture.file import FileCamera  # noqa: PLC0415

            return FileCamera(self.path, start_ns)
        from edge.capture.virtual import VirtualCamera  # noqa: PLC0415

        return VirtualCamera(self.path, start_ns)

    def check(self) -> None:
        """Find out early what would fail at the start of a recording; raises `CameraFault`.

        A virtual camera is left alone: it may be started after the node.
        """
        if self.driver == "file":
            with self.open(0) as camera:
                next(iter(camera))
