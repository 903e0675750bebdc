"""The one encoder a Pi 5 has; the coding itself is PyAV's, as in the original."""

import collections
import threading
from enum import Enum
from fractions import Fraction

from libcamera import controls

from picamera2.outputs import Output
from picamera2.request import MappedArray


class Quality(Enum):
    VERY_LOW = 0
    LOW = 1
    MEDIUM = 2
    HIGH = 3
    VERY_HIGH = 4


class Encoder:
    def __init__(self, framerate=30):
        self._running = False
        self._lock = threading.Lock()
        self._output = []
        self._format = None
        self.width = self.height = self.stride = 0
        self.name = None
        self.firsttimestamp = None
        self.frame_skip_count = 1
        self._skip_count = 0
        self.frames_encoded = 0
        self.sync_enable = False
        self.sync = threading.Event()
        self.audio = False

    @property
    def running(self):
        return self._running

    @property
    def size(self):
        return (self.width, self.height)

    @size.setter
    def size(self, value):
        if not isinstance(value, tuple) or len(value) != 2 or not all(type(side) is int for side in value):
            raise RuntimeError("Size must be a tuple of two integers")
        self.width, self.height = value

    @property
    def format(self):
        return self._format

    @format.setter
    def format(self, value):
        if value not in ("YUV420", "RGB888", "BGR888", "XRGB8888", "XBGR8888", "YVU420", "NV12"):
            raise ValueError(f"Invalid format: {value}")
        self._format = value

    @property
    def output(self):
        return self._output[0] if len(self._output) == 1 else self._output

    @output.setter
    def output(self, value):
        outputs = value if isinstance(value, list) else [value]
        if not all(isinstance(output, Output) for output in outputs):
            raise RuntimeError("Must pass Output")
        self._output = outputs

    def encode(self, stream, request):
        if self.sync_enable:
            if not request.get_metadata().get("SyncReady", False):
                return
            self.sync_enable = False
            self.sync.set()
        if self._skip_count == 0:
            with self._lock:
                if not self._running:
                    return
                self._encode(stream, request)
        self._skip_count = (self._skip_count + 1) % self.frame_skip_count
        self.frames_encoded += 1

    def start(self, quality=None):
        with self._lock:
            if self._running:
                raise RuntimeError("Encoder already running")
            self.frames_encoded = 0
            self._setup(quality)
            self._running = True
            self.firsttimestamp = None
            for output in self._output:
                output.start()
            self._start()

    def stop(self):
        with self._lock:
            if not self._running:
                raise RuntimeError("Encoder already stopped")
            self._running = False
            self._stop()
            for output in self._output:
                output.stop()

    def outputframe(self, frame, keyframe=True, timestamp=None, packet=None, audio=False):
        for output in self._output:
            output.outputframe(frame, keyframe, timestamp, packet, audio)

    def _timestamp(self, request):
        """Microseconds since the first frame that was encoded."""
        now = int(request.request.metadata[controls.SensorTimestamp] / 1000)
        if self.firsttimestamp is None:
            self.firsttimestamp = now
        return now - self.firsttimestamp


class LibavH264Encoder(Encoder):
    def __init__(self, bitrate=None, repeat=True, iperiod=30, framerate=30, qp=None, profile=None):
        super().__init__()
        self.bitrate, self.repeat, self.iperiod, self.framerate = bitrate, repeat, iperiod, framerate
        self.qp, self.profile = qp, profile
        self.preset = None
        self.threads = 0
        self.drop_final_frames = False
        self._request_release_queue = collections.deque()
        self._keys_asked = self._keys_made = 0

    def _setup(self, quality):
        if quality is not None or (self.bitrate is None and self.qp is None):
            megabits = {"VERY_LOW": 3, "LOW": 4, "MEDIUM": 7, "HIGH": 10, "VERY_HIGH": 14}
            ratio = self.width * self.height * self.framerate / (1920 * 1080 * 30)
            self.bitrate = int(megabits[(quality or Quality.MEDIUM).name] * 1_000_000 * ratio**0.5)

    def _start(self):
        import av

        self._container = av.open("/dev/null", "w", format="null")
        self._stream = self._container.add_stream("h264", rate=self.framerate)
        context = self._stream.codec_context
        context.thread_count = self.threads
        context.thread_type = av.codec.context.ThreadType.FRAME
        self._stream.width, self._stream.height, self._stream.pix_fmt = self.width, self.height, "yuv420p"
        for output in self._output:
            output._add_stream(self._stream, "h264", rate=self.framerate, width=self.width, height=self.height)
        preset = "ultrafast"
        if self.profile is not None:
            known = [name for name in self._stream.profiles if name.lower() == self.profile.lower()]
            if not known:
                raise RuntimeError("Profile " + self.profile + " not recognised")
            self._stream.profile = known[0]
            preset = preset if "baseline" in self.profile.lower() else "superfast"
        if self.bitrate is not None:
            context.bit_rate = self.bitrate
        context.gop_size = self.iperiod or (1 << 31) - 1
        context.options["preset"] = self.preset or preset
        context.options["deblock"] = "1"
        if not self.repeat:
            # The original's spelling, which PyAV has not known since version 14: AttributeError.
            context.flags |= av.codec.context.Flags.GLOBAL_HEADER
        if self.qp is not None:
            context.qmin = context.qmax = self.qp
        context.time_base = Fraction(1, 1_000_000)
        context.options["tune"] = "zerolatency"
        self._av_input_format = {"YUV420": "yuv420p", "BGR888": "rgb24", "RGB888": "bgr24"}[self._format]

    def _stop(self):
        if not self.drop_final_frames:
            for packet in self._stream.encode():
                self.outputframe(bytes(packet), packet.is_keyframe, timestamp=packet.pts, packet=packet)
        while self._request_release_queue:
            self._request_release_queue.popleft().release()
        self._container.close()

    def _encode(self, stream, request):
        import av

        request.acquire()
        self._request_release_queue.append(request)
        timestamp_us = self._timestamp(request)
        with MappedArray(request, stream) as mapped:
            frame = av.VideoFrame.from_numpy_buffer(mapped.array, format=self._av_input_format, width=self.width)
            frame.pts = timestamp_us
            if self._keys_asked > self._keys_made:
                self._keys_made += 1
                # The original's spelling, which PyAV has not taken since version 14: TypeError.
                frame.pict_type = "I"
            for packet in self._stream.encode(frame):
                self.outputframe(bytes(packet), packet.is_keyframe, timestamp=packet.pts, packet=packet)
        while len(self._request_release_queue) > 1:
            self._request_release_queue.popleft().release()

    def force_key_frame(self):
        self._keys_asked += 1
