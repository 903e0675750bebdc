"""A microphone beside the camera: sound as samples with the time they were heard."""

import os
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Protocol, Self

import av
import numpy as np
import numpy.typing as npt

from edge.capture.clocks import boottime_ns, real_minus_boot_ns
from edge.errors import SoundFault
from wire.rigtime import MILLISECOND, SECOND

RATE = 48_000
"""Samples a second of every microphone."""
OPEN_S = 5.0
"""How long a device may take to open: ALSA waits without an end for one that another program holds, and a recording
would wait with it."""
_PIECE = RATE // 100
"""Samples that are handed on at once, at least: FFmpeg reads by the smallest period that a device has."""
_ALSA_CONFIG = "/usr/share/alsa"
_STEP_NS = 5 * MILLISECOND
"""A smaller step of the clock moves the sound by no more than anybody hears."""
_UNSETTLED = 3 * RATE
"""Samples after a step of which FFmpeg's stamps are not believed: they follow the clock within two seconds."""


@dataclass(frozen=True, slots=True)
class Sound:
    """Samples (n,) float32, -1 to 1, one channel, and when the first of them was heard, ns: since boot as a
    microphone gives them, on the node's clock in a recording."""

    samples: npt.NDArray[np.float32]
    time_ns: int


class Microphone(Protocol):
    """An opened microphone: iterate it for what is heard, close it by leaving its `with` block.

    Whatever goes wrong raises `SoundFault` with a sentence that names the device.
    """

    def __enter__(self) -> Self: ...

    def __exit__(self, *exc: object) -> None: ...

    def __iter__(self) -> Iterator[Sound]: ...


class WatchedMicrophone:
    """`microphone`, and what was noticed of it.

    A microphone's sound has no end: one that comes to it raises `SoundFault`, too.
    """

    def __init__(self, microphone: Microphone) -> None:
        self.samples = 0
        """How many were heard."""
        self.peak = 0.0
        """The loudest of them, 0 to 1: 0 is what no room sounds like, and a muted device does."""
        self._microphone = microphone

    def __enter__(self) -> Self:
        self._microphone.__enter__()
        return self

    def __exit__(self, *exc: object) -> None:
        self._microphone.__exit__(*exc)

    def __iter__(self) -> Iterator[Sound]:
        for sound in self._microphone:
            self.samples += len(sound.samples)
            self.peak = max(self.peak, float(np.abs(sound.samples).max(initial=0)))
            yield sound
        raise SoundFault("the microphone gives no more sound")


class AlsaMicrophone:
    """An ALSA device by its name, as `arecord -L` lists it; raises `SoundFault` where there is none.

    `boottime_ns` and `realtime_ns` are the node's two clocks.
    """

    def __init__(
        self,
        device: str,
        *,
        boottime_ns: Callable[[], int] = boottime_ns,
        realtime_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        self._device = device
        self._stamps = _SteadyStamps(boottime_ns, realtime_ns)
        # PyAV brings its own libasound, which looks for the devices where its maker had them.
        os.environ.setdefault("ALSA_CONFIG_DIR", _ALSA_CONFIG)
        try:
            self._container = av.open(
                device, format="alsa", options={"channels": "1", "sample_rate": str(RATE)}, timeout=5.0
            )
        except (av.FFmpegError, OSError):
            raise SoundFault(
                f"there is no microphone {device}: `arecord -L` lists what is there; one that has no single channel is "
                "had as plughw:…"
            ) from None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self._container.close()

    def __iter__(self) -> Iterator[Sound]:
        resampler = av.AudioResampler(format="flt", layout="mono", rate=RATE)
        gathered, stamp_ns = av.AudioFifo(), 0
        try:
            for packet in self._container.demux(audio=0):
                for frame in packet.decode():
                    if packet.pts is None or packet.time_base is None or not isinstance(frame, av.AudioFrame):
                        continue
                    if not gathered.samples:
                        stamp_ns = round(packet.pts * packet.time_base * SECOND)
                    # Stamps tremble, and a fifo would refuse that.
                    frame.pts = None
                    gathered.write(frame)
                    if gathered.samples < _PIECE or (piece := gathered.read()) is None:
                        continue
                    for part in resampler.resample(piece):
                        samples = part.to_ndarray().reshape(-1).astype(np.float32)
                        yield Sound(samples, self._stamps.heard_ns(stamp_ns, len(samples)))
        except (av.FFmpegError, OSError):
            raise SoundFault(f"the microphone {self._device} fell silent") from None


class _SteadyStamps:
    """FFmpeg's stamps as time since boot.

    FFmpeg stamps what it reads with the system's clock, less the samples that still wait in the device
    (libavdevice/alsa_dec.c), and smooths its stamps (libavdevice/timefilter.c): when the clock is set they lie between
    the old time and the new for a while, in which the samples are counted on.
    """

    def __init__(self, boottime_ns: Callable[[], int], realtime_ns: Callable[[], int]) -> None:
        self._clocks = boottime_ns, realtime_ns
        self._ahead_ns = real_minus_boot_ns(*self._clocks)
        self._unsettled = 0
        self._due_ns: int | None = None

    def heard_ns(self, stamp_ns: int, samples: int) -> int:
        """When the first of so many samples was heard, which were read just now and got this stamp."""
        ahead_ns = real_minus_boot_ns(*self._clocks)
        if abs(ahead_ns - self._ahead_ns) > _STEP_NS:
            self._unsettled = _UNSETTLED
        self._ahead_ns = ahead_ns
        heard_ns = stamp_ns - ahead_ns if self._due_ns is None or not self._unsettled else self._due_ns
        self._unsettled -= min(samples, self._unsettled)
        self._due_ns = heard_ns + samples * SECOND // RATE
        return heard_ns


def open_microphone(source: str, limit_s: float = OPEN_S) -> Microphone:
    """The microphone of a setting `alsa:DEVICE`; raises `SoundFault`, also for one that is not open in time."""
    driver, _, device = source.partition(":")
    if driver != "alsa" or not device:
        raise SoundFault(f"{source!r} is not a microphone: write alsa:DEVICE")
    opening: Future[Microphone] = Future()

    def open_device() -> None:
        try:
            microphone = AlsaMicrophone(device)
        except Exception as fault:
            if opening.set_running_or_notify_cancel():
                opening.set_exception(fault)
            return
        if opening.set_running_or_notify_cancel():
            opening.set_result(microphone)
        else:
            # Nobody waits for it any more.
            microphone.__exit__()

    threading.Thread(target=open_device, name="microphone", daemon=True).start()
    try:
        return opening.result(limit_s)
    except TimeoutError:
        # In the last moment, then.
        if not opening.cancel():
            return opening.result()
        raise SoundFault(f"the microphone {device} does not open: another program may hold it") from None
