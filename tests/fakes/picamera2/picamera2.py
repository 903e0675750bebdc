import atexit
import os
import threading
from concurrent.futures import Future
from types import MappingProxyType

import libcamera
import numpy as np
from libcamera import FrameMetadata, Request, hardware

from picamera2.request import CompletedRequest

NONE = MappingProxyType({})


class Picamera2:
    # Read once, as libcamera's camera manager does, which starts with the module.
    configured_by = os.environ.get("LIBCAMERA_RPI_CONFIG_FILE")

    @staticmethod
    def global_camera_info():
        cameras = [
            {"Model": sensor.model, "Location": 2, "Rotation": 180, "Id": sensor.id, "Num": number}
            for number, sensor in enumerate(hardware.plugged.present())
        ]
        return sorted(cameras, key=lambda camera: ("/usb" not in camera["Id"], camera["Id"]), reverse=True)

    @staticmethod
    def load_tuning_file(tuning_file, dir=None):
        for sensor in hardware.plugged.sensors:
            if tuning_file == f"{sensor.model}.json":
                algorithms = [{"rpi.black_level": {}}, *([{"rpi.sync": {}}] if sensor.sync else [])]
                return {"version": 2.0, "target": "pisp", "algorithms": algorithms}
        raise RuntimeError("Tuning file not found")

    @staticmethod
    def find_tuning_algo(tuning, name):
        return next(algorithm for algorithm in tuning["algorithms"] if name in algorithm)[name]

    def __init__(self, camera_num=0, verbose_console=None, tuning=None, allocator=None):
        # As in the original, `camera_num` counts in the sorted list, and is not what that list calls "Num".
        number = self.global_camera_info()[camera_num]["Num"]
        self.camera = None
        self.is_open = False
        self.started = False
        self.request_lock = threading.Lock()
        self.lock = threading.Lock()
        self.stop_count = self.configure_count = 0
        self.camera_config = {}
        self.camera_controls = {}
        self.sensor_modes_ = []
        self.pre_callback = self.post_callback = None
        self._encoders = set()
        self._requests = []
        self._kept = []
        self._jobs = []
        self._woken = threading.Condition()
        self._preview = None
        self._buffers = []
        self.outstanding = set()
        """Requests that somebody holds: none when the camera was closed properly."""
        sensor = hardware.plugged.sensors[number]
        try:
            sensor.acquire(self)
        except RuntimeError as fault:
            raise RuntimeError("Camera __init__ sequence did not complete.") from fault
        self.camera = sensor
        hardware.plugged.opened.append(self)
        self.is_open = True
        self._advertise(1.0)
        atexit.register(self.close)

    @property
    def camera_properties(self):
        return {"Model": self.camera.model, "ColorFilterArrangement": 0} if self.camera else {}

    @property
    def sensor_modes(self):
        """As in the original, the first reading configures the camera once for every mode."""
        if not self.camera.modes:
            return [{"format": "YUYV"}]
        if not self.sensor_modes_:
            for size, bits, rate, crop in self.camera.modes:
                raw = {"format": f"SRGGB{bits}_CSI2P", "size": size}
                self.configure(self.create_preview_configuration(raw=raw))
                self.sensor_modes_.append(
                    {
                        "format": raw["format"],
                        "unpacked": f"SRGGB{bits}",
                        "bit_depth": bits,
                        "size": size,
                        "fps": rate,
                        "crop_limits": crop,
                        "exposure_limits": (9, 77208384, 20000),
                    }
                )
        return self.sensor_modes_

    def create_preview_configuration(self, main=NONE, lores=None, raw=NONE, buffer_count=4, controls=NONE, **rest):
        defaults = {"FrameDurationLimits": (100, 83333)}
        return self._configuration({"size": (640, 480)} | main, lores, raw, buffer_count, defaults | controls, rest)

    def create_video_configuration(self, main=NONE, lores=None, raw=NONE, buffer_count=6, controls=NONE, **rest):
        defaults = {
            "NoiseReductionMode": libcamera.controls.draft.NoiseReductionModeEnum.Fast,
            "FrameDurationLimits": (33333, 33333),
        }
        return self._configuration({"size": (1280, 720)} | main, lores, raw, buffer_count, defaults | controls, rest)

    def _configuration(self, main, lores, raw, buffer_count, controls, rest):
        unknown = set(rest) - {"transform", "colour_space", "display", "encode", "queue", "sensor", "use_case"}
        if unknown:
            raise TypeError(f"create_configuration() got an unexpected keyword argument {min(unknown)!r}")
        main = _stream({"format": "XBGR8888", "preserve_ar": True}, main)
        if lores is not None:
            lores = _stream({"format": "YUV420", "size": main["size"], "preserve_ar": False}, lores)
        if raw is not None:
            raw = {"format": "SRGGB12_CSI2P", "size": main["size"]} | raw
        config = {
            "transform": libcamera.Transform(),
            "colour_space": libcamera.ColorSpace.Rec709(),
            "buffer_count": buffer_count,
            "queue": True,
            "main": main,
            "lores": lores,
            "raw": raw,
            "controls": controls,
            "sensor": {},
            "display": "main",
            "encode": "main",
        } | rest
        for part in ("display", "encode"):
            if config[part] is not None and config.get(config[part]) is None:
                raise RuntimeError(f"{part.title()} stream {config[part]} was not defined")
        return config

    def configure(self, config):
        if self.started:
            raise RuntimeError("Camera must be stopped before configuring")
        config = dict(config)
        self.camera_config = {}
        self._check(config)
        for name in ("main", "lores"):
            if config[name] is not None:
                # As in the original, what libcamera made of it is written into the caller's own streams.
                config[name]["size"] = self.camera.adjust(config[name]["size"])
                config[name]["stride"] = _stride(config[name])
        self._mode = self._nearest_mode(config)
        config["sensor"] = {"output_size": self._mode[0], "bit_depth": self._mode[1]}
        self._advertise(self._mode[2])
        for name in config["controls"]:
            if name not in self.camera_controls:
                raise RuntimeError(f"Control {name} is not advertised by libcamera")
        self.camera_config = config
        self.configure_count += 1

    def _check(self, config):
        if not isinstance(config["colour_space"], libcamera.ColorSpace):
            raise RuntimeError("Colour space has incorrect type")
        bad = set(config["sensor"] or ()) - {"bit_depth", "output_size"}
        if bad:
            raise RuntimeError(f"Unexpected keys {bad} in sensor configuration")
        for name in ("main", "lores"):
            stream = config[name]
            if stream is None:
                continue
            if type(stream["size"]) is not tuple or len(stream["size"]) != 2:
                raise RuntimeError(f"size in {name} stream should be (width, height)")
            if stream["size"][0] % 2 or stream["size"][1] % 2:
                raise RuntimeError("width and height should be even")
        if config["lores"] and any(a > b for a, b in zip(config["lores"]["size"], config["main"]["size"], strict=True)):
            raise RuntimeError("lores stream dimensions may not exceed main stream")

    def _nearest_mode(self, config):
        """A mode that is not there is not refused: the one that resembles it most is taken."""
        sensor = config["sensor"] or {}
        size = sensor.get("output_size") or (config["raw"] or config["main"])["size"]
        bits = sensor.get("bit_depth") or 12

        def score(mode):
            (width, height), depth, *_ = mode
            away = sum((a - b) * 2 if a > b else (b - a) / 4 for a, b in zip(size, (width, height), strict=True))
            shape = size[0] / size[1] - width / height
            return away + 1500 * (shape * 2 if shape > 0 else -shape / 4) + 500 * abs(bits - depth)

        return min(self.camera.modes, key=score)

    def _advertise(self, rate):
        self.camera_controls = {
            "FrameDurationLimits": (round(1e6 / rate), 120_000_000, 33333),
            "ExposureTime": (9, 77208384, 20000),
            "ScalerCrop": ((0, 0, 64, 64), (0, 0, 4056, 3040), (0, 0, 4056, 3040)),
            "NoiseReductionMode": (0, 4, 0),
            "SyncMode": (0, 2, 0),
            "SyncFrames": (1, 1_000_000, 100),
        }
        if self.camera.focus:
            self.camera_controls |= {"AfMode": (0, 2, 0), "LensPosition": (0.0, 15.0, 1.0)}

    def camera_configuration(self):
        return self.camera_config

    def start(self, config=None, show_preview=False):
        if config is not None:
            self.configure(config)
        if not self.camera_config:
            raise RuntimeError("Camera has not been configured")
        if self._preview is None:
            self._leaving = False
            self._preview = threading.Thread(target=self._event_loop, name="picamera2 events", daemon=True)
            self._preview.start()
        if self.started:
            return
        streams = {name: self.camera_config[name] for name in ("main", "lores") if self.camera_config[name]}
        self.started = True
        self.camera.start(
            self._mode,
            self.camera_config["controls"],
            {name: (stream["size"], stream["stride"]) for name, stream in streams.items()},
            self.camera_config["buffer_count"],
            self._completed,
        )
        for _ in range(self.camera_config["buffer_count"]):
            buffers = {
                name: libcamera.Buffer(np.zeros(stream["stride"] * stream["size"][1] * 3 // 2, np.uint8))
                for name, stream in streams.items()
            }
            self._buffers += buffers.values()
            self.camera.queue(Request(buffers))

    def stop(self):
        if not self.started:
            return
        if self._preview is None:
            self._stop()
            return
        # In the event thread; whoever calls waits, for ever where that thread has died.
        job = Future()
        with self._woken:
            self._jobs.append(job)
            self._woken.notify_all()
        job.result()

    def _stop(self):
        if self.started:
            self.stop_count += 1
            self.camera.stop()
            self.started = False
            with self._woken:
                unseen, self._requests = self._requests, []
            for request in unseen + self._kept:
                request.release()
            self._kept = []

    def close(self):
        atexit.unregister(self.close)
        if self._preview:
            with self._woken:
                self._leaving = True
                self._woken.notify_all()
            self._preview.join()
            self._preview = None
        if not self.is_open:
            return
        self.stop()
        self.camera.release()
        self.is_open = False
        self.camera = None
        self.camera_config = {}
        for buffer in self._buffers:
            buffer.memory[:] = hardware.STALE

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def start_encoder(self, encoder, output=None, name=None):
        if output is not None:
            encoder.output = output
        stream = self.camera_config[name or self.camera_config["encode"]]
        encoder.name = name or self.camera_config["encode"]
        encoder.size, encoder.format, encoder.stride = stream["size"], stream["format"], stream["stride"]
        encoder.start()
        self._encoders.add(encoder)

    def _completed(self, request):
        with self._woken:
            self._requests.append(CompletedRequest(request, self))
            self._woken.notify_all()

    def _event_loop(self):
        while True:
            with self._woken:
                self._woken.wait_for(lambda: self._leaving or self._requests or self._jobs)
                if self._leaving:
                    return
                requests, self._requests = self._requests, []
                jobs, self._jobs = self._jobs, []
            self._process(requests, jobs)

    def _process(self, completed, jobs):
        requests = []
        for request in completed:
            status = next(iter(request.request.buffers.values())).status
            if status == FrameMetadata.Status.Success:
                requests.append(request)
            else:
                request.release()
        with self.lock:
            for request in requests:
                if self.pre_callback:
                    self.pre_callback(request)
            if jobs:
                self._stop()
            for request in requests:
                if self.post_callback:
                    self.post_callback(request)
                for encoder in self._encoders:
                    encoder.encode(encoder.name, request)
                # With `queue` the last one is kept for whoever asks for a picture.
                self._kept.append(request)
            while len(self._kept) > (1 if self.started and self.camera_config["queue"] else 0):
                self._kept.pop(0).release()
        for job in jobs:
            job.set_result(None)


def _stream(defaults, given):
    for key in given:
        if key not in ("format", "size", "stride", "preserve_ar"):
            raise ValueError(f"Bad key {key!r}: valid stream configuration keys are format, size, stride, preserve_ar")
    stream = defaults | given
    width, height = stream["size"]
    return stream | {"size": (width - width % 2, height - height % 2)}


def _stride(stream):
    """Bytes in a row on a Pi 5: 64 at a time, and in YUV420 so many for chroma too."""
    step, wide = {
        "YUV420": (128, 1),
        "RGB888": (64, 3),
        "BGR888": (64, 3),
        "XBGR8888": (64, 4),
        "XRGB8888": (64, 4),
    }[stream["format"]]
    return -(-stream["size"][0] * wide // step) * step
