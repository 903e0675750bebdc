"""A microphone beside the camera: sound as samples with the time they were heard."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol, Self

import av
import numpy as np
import numpy.typing as npt

from edge.errors import SoundFault

RATE = 48_000
"""Samples a second of every microphone."""


@dataclass(frozen=True, slots=True)
class Sound:
    """Samples (n,) float32, -1 to 1, one channel, and when the first of them was heard, ns on the node's clock."""

    samples: npt.NDArray[np.float32]
    time_ns: int


class Microphone(Protocol):
    """An opened microphone: iterate it for what is heard, close it by leaving its `with` block.

    Whatever goes wrong raises `SoundFault` with a sentence that names the device.
    """

    def __enter__(self) -> Self: ...

    def __exit__(self, *exc: object) -> None: ...

    def __iter__(self) -> Iterator[Sound]: ...


class AlsaMicrophone:
    """An ALSA device by its name, as `arecord -L` lists it; raises `SoundFault` where there is none.

    FFmpeg stamps what it reads with the system's clock, less the samples that still wait in the device
    (libavdevice/alsa_dec.c).
    """

    def __init__(self, device: str) -> None:
        self._device = device
        try:
            self._container = av.open(
                device, format="alsa", options={"channels": "1", "sample_rate": str(RATE)}, timeout=5.0
            )
        except (av.FFmpegError, OSError):
            raise SoundFault(f"there is no microphone {device}: `arecord -L` lists what is there") from None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self._container.close()

    def __iter__(self) -> Iterator[Sound]:
        resampler = av.AudioResampler(format="flt", layout="mono", rate=RATE)
        try:
            for packet in self._container.demux(audio=0):
                for frame in packet.decode():
                    if packet.pts is None or packet.time_base is None or not isinstance(frame, av.AudioFrame):
                        continue
                    time_ns = round(packet.pts * packet.time_base * 1_000_000_000)
                    for part in resampler.resample(frame):
                        yield Sound(part.to_ndarray().reshape(-1).astype(np.float32), time_ns)
        except (av.FFmpegError, OSError):
            raise SoundFault(f"the microphone {self._device} fell silent") from None


def open_microphone(source: str) -> Microphone:
    """The microphone of a setting `alsa:DEVICE`; raises `SoundFault`."""
    driver, _, device = source.partition(":")
    if driver != "alsa" or not device:
        raise SoundFault(f"{source!r} is not a microphone: write alsa:DEVICE")
    return AlsaMicrophone(device)
