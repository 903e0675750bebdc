"""H.264 by picamera2's own encoder, in the recorder's thread and out of the camera's memory."""

from collections import deque
from collections.abc import Callable
from typing import Any

import av
from av.video.frame import PictureType
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc

from edge.capture.picamera.device import Device
from edge.capture.picamera.loans import Loans
from edge.encode import Packet
from edge.errors import CoderFault
from edge.frame import Frame

PRESET, QUALITY = "superfast", "23"
"""As every recording of this node: constant quality, and the fastest preset that is not Baseline."""


_Coded = tuple[bytes, bool, int]
"""A packet's bytes, whether it is a key frame, and microseconds since the encoder's first frame."""


class PicameraCoder:
    """`edge.encode.Coder` for the frames of one opened camera, coded where the camera put them.

    It may outlive the camera's `with` block: what was captured is still coded. `device` is already joined. Raises
    `CoderFault`; the frame that a coder failed at can be given to the next one.
    """

    def __init__(self, device: Device, loans: Loans, stream: dict[str, Any], rate: int, threads: int) -> None:
        self._device = device
        self._loans = loans
        self._coded: list[_Coded] = []
        self._coming: deque[tuple[int, int]] = deque()
        """SensorTimestamp in microseconds and capture time of the frames whose packets are not out yet."""
        self._open = True
        try:
            self._encoder = _encoder(stream, rate, threads, self._coded.append)
        except Exception as fault:  # of picamera2 and libav, which share no base
            device.leave()
            raise CoderFault(f"the encoder of camera {device.name} does not start: {fault}") from fault

    def encode(self, frame: Frame, *, key: bool) -> list[Packet]:
        """Code a frame of this camera and give its request back; the packets that are ready."""
        loan = self._loans.kept(frame.index)
        if not loan:
            raise CoderFault(f"camera {self._device.name} no longer holds frame {frame.index}")
        try:
            # As the encoder rounds it.
            stamp_us = int(loan.request.get_metadata()["SensorTimestamp"] / 1000)
            self._coming.append((stamp_us, frame.time_ns))
            if key:
                self._encoder.force_key_frame()
            self._encoder.encode("main", loan.request)
        except Exception as fault:  # of picamera2 and libav, which share no base
            raise CoderFault(f"the encoder of camera {self._device.name} failed: {fault}") from fault
        packets = self._ready()
        self._loans.done(frame.index)
        return packets

    def flush(self) -> list[Packet]:
        """The packets still to come; nothing may be encoded afterwards."""
        try:
            self._encoder.stop()
        except Exception as fault:  # of picamera2 and libav, which share no base
            raise CoderFault(f"the encoder of camera {self._device.name} failed at its end: {fault}") from fault
        packets = self._ready()
        if self._coming:
            raise CoderFault(f"the encoder of camera {self._device.name} lost {len(self._coming)} frames")
        return packets

    def close(self) -> None:
        """Let go of the camera's memory; may be called twice."""
        if not self._open:
            return
        self._open = False
        try:
            if self._encoder.running:
                self._encoder.drop_final_frames = True
                self._encoder.stop()
        finally:
            self._device.leave()

    def _ready(self) -> list[Packet]:
        ready = []
        for data, key, since_first_us in self._coded:
            stamp_us, time_ns = self._coming.popleft() if self._coming else (None, 0)
            if self._encoder.firsttimestamp + since_first_us != stamp_us:
                raise CoderFault(f"the encoder of camera {self._device.name} confuses its frames")
            ready.append(Packet("h264", data, time_ns, key))
        self._coded.clear()
        return ready


def _encoder(stream: dict[str, Any], rate: int, threads: int, out: Callable[[_Coded], None]) -> Any:
    """picamera2's encoder at work on the camera's main stream; not `start_encoder`, which would have picamera2's event
    thread do the coding."""
    # By name: on anything but a Pi 5 `H264Encoder` is another class. Only here, as it comes from the board's system.
    from picamera2.encoders import LibavH264Encoder  # noqa: PLC0415

    class SegmentEncoder(LibavH264Encoder):  # type: ignore[misc]
        drop_final_frames: bool

        def _start(self) -> None:
            super()._start()
            context = self._stream.codec_context
            # No key frame but those asked for, whatever is seen; `crf` wins over the bit rate.
            context.options.update({"crf": QUALITY, "sc_threshold": "0"})
            context.color_range, context.colorspace = ColorRange.MPEG, Colorspace.ITU709
            context.color_primaries, context.color_trc = ColorPrimaries.BT709, ColorTrc.BT709
            self._stream: Any = _KeyedStream(self._stream)

        def _stop(self) -> None:
            # Where libav fails to flush, picamera2 would forget the requests that it still holds.
            try:
                for packet in [] if self.drop_final_frames else self._stream.encode():
                    out((bytes(packet), packet.is_keyframe, packet.pts))
            finally:
                self.drop_final_frames = True
                super()._stop()

        def force_key_frame(self) -> None:
            self._stream.key = True

        def outputframe(self, frame: bytes, keyframe: bool, timestamp: int, *_: object, **__: object) -> None:
            out((frame, keyframe, timestamp))

    # A bit rate of 0 keeps picamera2 from choosing one; an interval of 0 means none; key frames repeat SPS and PPS.
    encoder = SegmentEncoder(bitrate=0, iperiod=0, framerate=rate, profile="high", repeat=True)
    encoder.preset = PRESET
    encoder.threads = threads
    encoder.name = "main"
    encoder.size = stream["size"]
    encoder.format = stream["format"]
    encoder.stride = stream["stride"]
    encoder.start()
    return encoder


class _KeyedStream:
    """A stream of PyAV that makes the next picture a key frame when told.

    picamera2 (0.3.36) names a picture's type by a letter, which PyAV has refused since version 14: its own
    `force_key_frame` raises a TypeError from the next frame on.
    """

    def __init__(self, stream: Any) -> None:
        self.key = False
        self._stream = stream

    def encode(self, picture: av.VideoFrame | None = None) -> Any:
        if picture is not None and self.key:
            picture.pict_type = PictureType.I
            self.key = False
        return self._stream.encode(picture)
