import numpy as np


class CompletedRequest:
    def __init__(self, request, picam2):
        self.request = request
        self.ref_count = 1
        self.lock = picam2.request_lock
        self.picam2 = picam2
        self.stop_count = picam2.stop_count
        self.config = dict(picam2.camera_config)
        picam2.outstanding.add(self)

    def acquire(self):
        with self.lock:
            if self.ref_count == 0:
                raise RuntimeError("CompletedRequest: acquiring lock with ref_count 0")
            self.ref_count += 1

    def release(self):
        with self.lock:
            self.ref_count -= 1
            if self.ref_count < 0:
                raise RuntimeError("CompletedRequest: lock now has negative ref_count")
            if self.ref_count == 0:
                self.picam2.outstanding.discard(self)
                if self.picam2.camera and self.stop_count == self.picam2.stop_count and self.picam2.started:
                    self.request.reuse()
                    self.picam2.camera.queue(self.request)
                self.request = None
                self.config = {}

    def get_metadata(self):
        return {key.name: value for key, value in self.request.metadata.items()}

    def make_array(self, name):
        with MappedArray(self, name) as mapped:
            return np.copy(mapped.array)


class MappedArray:
    """The camera's own memory; YUV420 comes as (height * 3 // 2, stride), columns of padding included."""

    def __init__(self, request, stream, reshape=True, write=True):
        self._request, self._stream, self._reshape = request, stream, reshape
        self.array = None

    def __enter__(self):
        if self._request.picam2.camera is None:
            raise RuntimeError("failed to find buffer")
        self.array = self._request.request.buffers[self._stream].memory
        if self._reshape:
            config = self._request.config[self._stream]
            self.array = self.array.reshape(config["size"][1] * 3 // 2, config["stride"])
        return self

    def __exit__(self, *_):
        self.array = None
