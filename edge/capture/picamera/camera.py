"""One camera of a Raspberry Pi 5, from opening it to its frames."""

import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

from edge.capture.clocks import boottime_ns, real_minus_boot_ns
from edge.capture.details import CameraDetails
from edge.capture.picamera.device import Device
from edge.capture.picamera.find import find
from edge.capture.picamera.front_end import raise_timeout
from edge.capture.picamera.loans import Loan, Loans
from edge.capture.picamera.planes import tight
from edge.capture.picamera.sync import can_sync, sync_controls, sync_patience_s
from edge.capture.picamera.times import lost_between
from edge.capture.pictures import Pictures
from edge.capture.profiles import RATE_TOLERANCE, Profile, SensorMode, default_profile, plan
from edge.encode import Coder
from edge.encode.libav import LibavCoder
from edge.errors import CameraFault
from edge.frame import Frame, detect_factor
from firmware.log import Log
from wire.rigtime import nanoseconds
from wire.session import Sync

MOST_KEPT = 4
"""Requests between reader and coder: one in the recorder's hands, two in its feed, one being coded."""
MOST_LENT = MOST_KEPT + 2
"""Requests out at a time: two more wait to be read."""
BUFFERS = MOST_LENT + 5
"""One more that picamera2's encoder lets go of late, and four with which the camera keeps its rate."""
_LENSES = {"imx708": "standard, 4.74 mm", "imx708_wide": "wide, 2.75 mm"}
"""Of sensors that libcamera names by their lens (Camera Module 3), but for `_noir`; others take any, or do not tell."""


@dataclass(frozen=True)
class Patience:
    """How long a camera may take, in seconds: to be listed, to show its first frame, to be in step with its rig (None:
    as its rate asks for), to stop; and how many frames may be missing in a row before its front end is taken for
    dead."""

    ready_s: float = 10.0
    first_frame_s: float = 5.0
    silence_frames: int = 60
    sync_s: float | None = None
    stop_s: float = 2.0


class PicameraCamera:
    """The camera `which` (its libcamera Id, or Num), recording `profile` or what suits it, in step with a rig (`sync`):
    from the first frame that is, or all that it shows where they do not `wait` for it.

    `lens` names its lens, where the sensor's name does not say it. Its stream begins with the first frame that is asked
    for. `log` gets what happens to it. Raises `CameraFault`: `ProfileRefused` for more than sensor or board can hold,
    `CameraStuck` when only a new process can use it again.
    """

    live = True

    def __init__(
        self,
        which: str,
        profile: Profile | None,
        sync: Sync,
        log: Log | None,
        *,
        lens: str | None = None,
        wait: bool = True,
        patience: Patience = Patience(),
        cores: int | None = None,
        boottime_ns: Callable[[], int] = boottime_ns,
        realtime_ns: Callable[[], int] = time.time_ns,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        short = raise_timeout(os.environ)
        try:
            import libcamera  # noqa: PLC0415
            import picamera2  # noqa: PLC0415
        except ImportError as fault:
            raise CameraFault(
                f"picamera2 of the board's system is missing ({fault}): install python3-picamera2"
            ) from None
        self.frames_dropped = 0
        self._libcamera = libcamera
        self._picamera2 = picamera2
        self._sync = sync
        self._wait = wait
        self._synchronised = False
        self._log = log
        self._lens = lens
        self._patience = patience
        self._clocks = boottime_ns, realtime_ns
        self._loans = Loans(MOST_LENT, MOST_KEPT)
        self._running = self._left = False
        self._index = 0
        self._first_ns: int | None = None
        self._last_ns: int | None = None
        look = picamera2.Picamera2.global_camera_info
        place, found = find(which, look, patience_s=patience.ready_s, sleep=sleep)
        self._model = str(found["Model"])
        try:
            picam2 = picamera2.Picamera2(place)
        except (RuntimeError, IndexError) as fault:
            raise CameraFault(f"camera {which} cannot be opened, perhaps another process uses it: {fault}") from fault
        self._device = Device(picam2, which, patience.stop_s, self._loans.give_back_all)
        if short:
            self._tell("camera-impatient", fault=short)
        try:
            self._configure(profile, cores or os.cpu_count() or 1, sum("/usb" not in c["Id"] for c in look()))
        except BaseException as fault:
            self._device.leave()
            if isinstance(fault, RuntimeError):
                raise CameraFault(f"camera {which} cannot be set up: {fault}") from fault
            raise

    def _configure(self, profile: Profile | None, cores: int, cameras: int) -> None:
        picam2, name = self._device.picam2, self._device.name
        self._agree_on_sync()
        modes = _modes(picam2.sensor_modes)
        if not modes:
            raise CameraFault(
                f"camera {name} tells no sensor modes: only cameras on the board's connectors can be used"
            )
        profile = profile or default_profile(modes)
        planned = plan(profile, modes, cores=cores, cameras=max(1, cameras), synced=self._sync is not Sync.OFF)
        self.width, self.height, self.codec = profile.width, profile.height, profile.codec
        self.frames_per_second = float(planned.frames_per_second)
        self._frame_ns = nanoseconds(1 / planned.frames_per_second)
        told_s = self._patience.sync_s
        in_step_s = sync_patience_s(self.frames_per_second) if told_s is None else told_s
        self.waits_s = in_step_s if self._wait and self._sync is not Sync.OFF else 0.0
        self._threads = planned.threads
        self._detect = _detect_size(profile.width, profile.height)
        self._pictures = Pictures(self.width, self.height)
        self._small_pictures = Pictures(*self._detect) if self._detect else None
        mode = planned.mode
        configuration = picam2.create_video_configuration(
            main={"format": "YUV420", "size": (self.width, self.height)},
            lores={"format": "YUV420", "size": self._detect} if self._detect else None,
            raw=None,
            # The colours every coder of the node states; picamera2 would take those of SD for a small picture.
            colour_space=self._libcamera.ColorSpace.Rec709(),
            buffer_count=BUFFERS,
            # Nobody asks picamera2 for its last picture, so it need not hold on to one.
            queue=False,
            display=None,
            controls=self._controls(),
            sensor={"output_size": (mode.width, mode.height), "bit_depth": mode.bit_depth},
        )
        picam2.configure(configuration)
        self._check(mode)
        self.details = CameraDetails(
            model=self._model,
            lens=self._lens or _LENSES.get(self._model.removesuffix("_noir")),
            mode=f"{mode.width}x{mode.height}/{mode.bit_depth}",
            profile=str(profile),
        )
        self._tell(
            "camera-opened",
            model=self._model,
            profile=profile,
            rate=planned.frames_per_second,
            mode=self.details.mode,
            sync=self._sync,
        )

    def _agree_on_sync(self) -> None:
        if self._sync is not Sync.OFF and not can_sync(self._picamera2.Picamera2, self._model):
            self._sync = Sync.OFF
            self._free_run(f"the tuning of sensor {self._model} has no rpi.sync")

    def _controls(self) -> dict[str, Any]:
        known = self._libcamera.controls
        frame_us = self._frame_ns // 1000
        # Equal limits: in the dusk exposure must not slow the camera down. Noise reduction stays at picamera2's choice
        # for video, the fast one.
        controls: dict[str, Any] = {"FrameDurationLimits": (frame_us, frame_us)}
        if "LensPosition" in self._device.picam2.camera_controls:
            # At infinity: a pitch is far away, and a lens that searches would blur the match for seconds.
            controls |= {"AfMode": known.AfModeEnum.Manual, "LensPosition": 0.0}
        return controls | sync_controls(self._sync, known.rpi.SyncModeEnum)

    def _check(self, mode: SensorMode) -> None:
        """libcamera changes what it cannot do, and picamera2 writes that into what it was given, without a word."""
        given = self._device.picam2.camera_configuration()
        fastest_us = self._device.picam2.camera_controls["FrameDurationLimits"][0]
        if (
            (given["main"]["format"], given["main"]["size"]) != ("YUV420", (self.width, self.height))
            or (self._detect and (given["lores"]["format"], given["lores"]["size"]) != ("YUV420", self._detect))
            or given["sensor"] != {"output_size": (mode.width, mode.height), "bit_depth": mode.bit_depth}
            or fastest_us * RATE_TOLERANCE > self._frame_ns / 1000
        ):
            raise CameraFault(
                f"camera {self._device.name} does not give {self.width} x {self.height} as it said it would"
            )
        self._stream = given["main"]

    @cached_property
    def ahead_ns(self) -> int:
        """How far the node's clock is ahead of the time since boot."""
        return real_minus_boot_ns(*self._clocks)

    def coder(self) -> Coder:
        """picamera2's encoder, which codes a frame where the camera put it; H.265, which it cannot, and frames that are
        left when the camera is closed, are coded from their planes."""
        from edge.capture.picamera.coder import PicameraCoder  # noqa: PLC0415

        if self.codec == "h264" and self._device.join():
            return PicameraCoder(self._device, self._loans, self._stream, round(self.frames_per_second), self._threads)
        return LibavCoder(self.codec, self.width, self.height, self.frames_per_second, self._threads)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        if self._left:
            return
        self._left = True
        self._loans.close()
        try:
            self._device.stop()
        finally:
            self._device.leave()
            self._tell(
                "camera-closed",
                frames=self._index,
                dropped=self.frames_dropped,
                too_slow=self._loans.refused,
            )

    def __iter__(self) -> Iterator[Frame]:
        if self._running:
            self._begin_anew()
        else:
            self._start()
        while loan := self._next():
            try:
                frame = self._read(loan)
            except BaseException:
                loan.give_back()
                raise
            if frame is None:
                loan.give_back()
                continue
            self._loans.keep(frame.index, loan)
            yield frame

    def _start(self) -> None:
        self._running = True
        picam2 = self._device.picam2
        picam2.post_callback = self._loans.lend
        try:
            picam2.start()
        except RuntimeError as fault:
            raise CameraFault(f"camera {self._device.name} does not start: {fault}") from fault

    def _begin_anew(self) -> None:
        self._loans.begin_anew()
        self._last_ns = None
        self.frames_dropped = 0

    def _next(self) -> Loan | None:
        patience = self._patience
        silence_s = patience.silence_frames / self.frames_per_second
        limit_s = patience.first_frame_s if self._first_ns is None else silence_s
        loan = self._loans.take(limit_s)
        if loan or self._left:
            return loan
        raise CameraFault(
            f"camera {self._device.name} has shown nothing for {limit_s:.1f} s: its front end timed out, or its cable "
            "came loose"
        )

    def _read(self, loan: Loan) -> Frame | None:
        """The frame of a request; None while it waits for the rig."""
        metadata = loan.request.get_metadata()
        sensor_ns = int(metadata["SensorTimestamp"])
        if self._first_ns is None:
            self._first_ns = sensor_ns
        if not self._in_step(metadata, sensor_ns - self._first_ns):
            return None
        if self._last_ns is not None:
            self.frames_dropped += lost_between(self._last_ns, sensor_ns, self._frame_ns)
        self._last_ns = sensor_ns
        with self._picamera2.MappedArray(loan.request, "main", write=False) as main:
            planes = tight(main.array, self._pictures.blank())
        detect = None
        if self._small_pictures:
            with self._picamera2.MappedArray(loan.request, "lores", write=False) as lores:
                detect = tight(lores.array, self._small_pictures.blank())
        frame = Frame(planes, sensor_ns + self.ahead_ns, self._index, detect)
        self._index += 1
        return frame

    def _in_step(self, metadata: dict[str, Any], waited_ns: int) -> bool:
        if self._sync is Sync.OFF:
            return True
        if metadata.get("SyncReady") and not self._synchronised:
            self._synchronised = True
            self._tell("camera-synchronised", sync=self._sync)
        if self._synchronised or self._index:
            return True
        if waited_ns < nanoseconds(self.waits_s):
            return False
        within = f"within {self.waits_s:.3g} s" if self._wait else "yet, and no frame waits for it"
        self._free_run(f"the rig was not in step {within}")
        return True

    def _tell(self, event: str, **fields: object) -> None:
        if self._log:
            self._log.event(event, camera=self._device.name, **fields)

    def _free_run(self, why: str) -> None:
        """Record all the same: cameras out of step are half a frame apart at most, and every frame has its time."""
        self._tell("camera-free-running", fault=why)


def _modes(told: Sequence[dict[str, Any]]) -> list[SensorMode]:
    """What picamera2 has read from the sensor; a camera that is no sensor only names formats."""
    modes = []
    for mode in told:
        if "size" in mode:
            (width, height), (_, _, wide, high) = mode["size"], mode["crop_limits"]
            modes.append(SensorMode(width, height, mode["bit_depth"], mode["fps"], (wide, high)))
    return modes


def _detect_size(width: int, height: int) -> tuple[int, int] | None:
    """The size of `Frame.detect`; None where the ISP cannot make it, which takes even sides only."""
    factor = detect_factor(width)
    small = width // factor, height // factor
    return None if small[0] % 2 or small[1] % 2 or factor == 1 else small
