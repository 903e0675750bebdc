"""Which camera a node has, from one setting: `file:PATH`, `virtual:SOCKET` or `picamera:ID`."""

from dataclasses import dataclass, replace
from pathlib import Path

from edge.capture.camera import Camera
from edge.capture.profiles import Profile
from edge.errors import CameraFault
from firmware.log import Log
from wire.session import Sync

DRIVERS = ("file", "virtual", "picamera")


@dataclass(frozen=True)
class CameraSource:
    """A driver's name and the place it reads from: a file, a socket, or a camera's libcamera Id, which is the path of
    its connector in the device tree (or its number). Profile, part in the rig's synchronisation, the lens's name and
    whether frames `wait` until the rig is in step are a `picamera`'s.
    """

    driver: str
    path: Path
    profile: Profile | None = None
    sync: Sync = Sync.OFF
    lens: str | None = None
    wait: bool = True

    @classmethod
    def parse(
        cls, text: str, profile: Profile | None = None, sync: Sync = Sync.OFF, lens: str | None = None
    ) -> "CameraSource":
        """The source that `text` names; raises `CameraFault` unless it is `file:PATH`, `virtual:SOCKET` or
        `picamera:ID`, and for a profile, synchronisation or lens of what records as it comes."""
        driver, _, path = text.partition(":")
        if driver not in DRIVERS or not path:
            raise CameraFault(f"{text!r} is not a camera: write file:PATH or virtual:SOCKET, or picamera:ID on a board")
        if driver != "picamera" and (profile or sync is not Sync.OFF or lens):
            raise CameraFault(f"profile, synchronisation and lens are for picamera:ID; {text} records as it comes")
        return cls(driver, Path(path), profile, sync, lens)

    def __str__(self) -> str:
        return f"{self.driver}:{self.path}"

    def alone(self) -> "CameraSource":
        """The same camera, for a look through it that does not wait for the rig."""
        return replace(self, sync=Sync.OFF)

    def at_once(self) -> "CameraSource":
        """The same camera, whose frames count from the first one on while it gets in step with the rig."""
        return replace(self, wait=False)

    def open(self, start_ns: int, log: Log | None = None) -> Camera:
        """The opened camera; `start_ns` is the session's zero, from which a source without a clock counts its frames.

        `log` gets what a board's camera has to tell. Raises `CameraFault`.
        """
        # Imported here so that what only speaks of cameras need not load a video library.
        if self.driver == "file":
            from edge.capture.file import FileCamera  # noqa: PLC0415

            return FileCamera(self.path, start_ns)
        if self.driver == "picamera":
            from edge.capture.picamera.camera import PicameraCamera  # noqa: PLC0415

            return PicameraCamera(str(self.path), self.profile, self.sync, log, lens=self.lens, wait=self.wait)
        from edge.capture.virtual import VirtualCamera  # noqa: PLC0415

        return VirtualCamera(self.path, start_ns)

    def check(self) -> None:
        """Find out early what would fail at the start of a recording; raises `CameraFault`.

        A virtual camera is left alone: it may be started after the node. So is a board's: without it the node still
        answers, says what is wrong, and hands over what it has.
        """
        if self.driver == "file":
            with self.open(0) as camera:
                next(iter(camera))
