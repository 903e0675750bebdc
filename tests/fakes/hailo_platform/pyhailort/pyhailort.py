"""The Python half of the real package, as far as anybody may use it here."""

import gc
import os
from collections.abc import Callable
from enum import Enum, IntEnum
from typing import Any

import numpy as np

from hailo_platform.board import board
from hailo_platform.pyhailort import _pyhailort as native

BBOX_PARAMS = 5


class FormatType(Enum):
    AUTO, UINT8, UINT16, FLOAT32 = range(4)


class FormatOrder(Enum):
    AUTO, NHWC, HAILO_NMS_BY_CLASS = range(3)


class HailoSchedulingAlgorithm(Enum):
    NONE, ROUND_ROBIN = range(2)


class DeviceArchitectureTypes(IntEnum):
    HAILO8_A0, HAILO8, HAILO8L, HAILO15H, HAILO15L, HAILO15M, HAILO10H = range(7)


class HailoRTException(Exception):
    pass


class HailoRTTimeout(HailoRTException):
    pass


class HailoRTStreamAborted(HailoRTException):
    pass


class HailoRTInvalidOperationException(HailoRTException):
    pass


class HailoRTInvalidArgumentException(HailoRTException):
    pass


class HailoRTNotFoundException(HailoRTException):
    pass


class HailoRTInvalidHEFException(HailoRTException):
    pass


class HailoRTHEFNotCompatibleWithDevice(HailoRTException):
    pass


class HailoRTDriverOperationFailedException(HailoRTException):
    pass


class HailoRTNetworkGroupNotActivatedException(HailoRTException):
    pass


_TYPED = {
    2: HailoRTInvalidArgumentException("Invalid argument. See hailort.log for more information"),
    4: HailoRTTimeout("Received a timeout - hailort has failed because a timeout had occurred"),
    6: HailoRTInvalidOperationException("Invalid operation. See hailort.log for more information"),
    26: HailoRTInvalidHEFException("Invalid HEF. See hailort.log for more information"),
    36: HailoRTDriverOperationFailedException(
        "Failure in hailort driver ioctl. run 'dmesg | grep hailo' for more information"
    ),
    61: HailoRTNotFoundException("Item not found. See hailort.log for more information"),
    63: HailoRTStreamAborted("Stream was aborted"),
    69: HailoRTNetworkGroupNotActivatedException("Network group is not activated"),
    93: HailoRTHEFNotCompatibleWithDevice(
        "HEF file is not compatible with device. See hailort.log for more information"
    ),
}


class ExceptionWrapper:
    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: Any, value: BaseException | None, _traceback: object) -> None:
        if kind is native.HailoRTStatusException:
            raise self.create_exception_from_status(int(str(value))) from value

    @staticmethod
    def create_exception_from_status(status: int) -> HailoRTException:
        known = _TYPED.get(status)
        if known:
            return type(known)(*known.args)
        return HailoRTException(f"libhailort failed with error: {status} ({native.STATUS[status]})")


class _Identity:
    def __init__(self, architecture: str) -> None:
        self.device_architecture = DeviceArchitectureTypes[architecture]


class _Control:
    def identify(self) -> _Identity:
        return _Identity(board.chip or "HAILO8")


class Device:
    """The chip for questions. Its opening is not wrapped: faults come as the binding's bare status."""

    @classmethod
    def scan(cls) -> list[str]:
        return native.scan()

    def __init__(self, device_id: str | None = None) -> None:
        if device_id is None and not Device.scan():
            raise HailoRTException("HailoRT device not found in the system")
        native.check_driver()
        self.control = _Control()

    def __enter__(self) -> "Device":
        return self

    def __exit__(self, *_: object) -> None:
        self.release()

    def release(self) -> None:
        pass


class VDeviceParams:
    def __init__(self) -> None:
        self.scheduling_algorithm = HailoSchedulingAlgorithm.NONE
        self.group_id = ""
        self.device_count = 1
        self.multi_process_service = False


class VDevice:
    def __init__(self, params: VDeviceParams | None = None) -> None:
        self._params = params or VDevice.create_params()
        self._creation_pid = os.getpid()
        gc.collect()
        with ExceptionWrapper():
            self._vdevice: native.NativeVDevice | None = native.NativeVDevice(
                self._params.multi_process_service,
                self._params.group_id,
                self._params.scheduling_algorithm is HailoSchedulingAlgorithm.ROUND_ROBIN,
            )

    @staticmethod
    def create_params() -> VDeviceParams:
        return VDeviceParams()

    def create_infer_model(self, hef_source: str | bytes, _name: str = "") -> "InferModel":
        if os.getpid() != self._creation_pid:
            raise HailoRTException("InferModel can be created only from the process VDevice was created in.")
        with ExceptionWrapper():
            return InferModel(self._vdevice, native.NativeHef(hef_source), self._params)

    def release(self) -> None:
        self._vdevice = None


class InferModel:
    class InferStream:
        def __init__(self, name: str, shape: tuple[int, ...], is_nms: bool) -> None:
            self.name = name
            self.shape = list(shape)
            self.is_nms = is_nms
            self.type = FormatType.FLOAT32 if is_nms else FormatType.UINT8
            self.thresholds: dict[str, float] = {}

        def set_format_type(self, type: FormatType) -> None:
            self.type = FormatType(type)

        def set_nms_score_threshold(self, threshold: float) -> None:
            self.thresholds["score"] = threshold

        def set_nms_iou_threshold(self, threshold: float) -> None:
            self.thresholds["iou"] = threshold

    def __init__(self, vdevice: native.NativeVDevice | None, hef: native.NativeHef, params: VDeviceParams) -> None:
        # As long as a model is there, so is the device.
        self._vdevice = vdevice
        self._hef = hef
        self._scheduled = params.scheduling_algorithm is HailoSchedulingAlgorithm.ROUND_ROBIN
        network = hef.network
        self.inputs = [self.InferStream(network.input_name, network.shape, False)]
        self.outputs = [self.InferStream(name, shape, network.nms) for name, shape in network.outputs.items()]

    @property
    def input_names(self) -> list[str]:
        return [stream.name for stream in self.inputs]

    @property
    def output_names(self) -> list[str]:
        return [stream.name for stream in self.outputs]

    def input(self, name: str = "") -> InferStream:
        return _named(self.inputs, name)

    def output(self, name: str = "") -> InferStream:
        return _named(self.outputs, name)

    def set_batch_size(self, batch_size: int) -> None:
        pass

    def configure(self) -> "ConfiguredInferModel":
        with ExceptionWrapper():
            self._hef.check()
            if any(stream.thresholds and not stream.is_nms for stream in [*self.inputs, *self.outputs]):
                raise native.failed("HAILO_INVALID_OPERATION")
            set_to = self.outputs[0].thresholds
            thresholds = (set_to.get("score", 0.2), set_to.get("iou", 0.7))
            configured = native.NativeConfigured(self._vdevice, self._hef.network, thresholds, self._scheduled)
            return ConfiguredInferModel(configured, self)


def _named(streams: list[Any], name: str) -> Any:
    found = [stream for stream in streams if stream.name == name or (not name and len(streams) == 1)]
    if not found:
        with ExceptionWrapper():
            raise native.failed("HAILO_NOT_FOUND")
    return found[0]


class AsyncInferCompletionInfo:
    def __init__(self, exception: HailoRTException | None) -> None:
        self.exception = exception


class ConfiguredInferModel:
    class Bindings:
        class InferStream:
            def __init__(self, name: str, classes: int | None) -> None:
                self.name = name
                self._classes = classes
                self._buffer: Any = None

            def set_buffer(self, buffer: Any) -> None:
                if not buffer.flags.c_contiguous:
                    raise HailoRTException("Buffer must be C_CONTIGUOUS")
                if not buffer.flags.writeable:
                    raise ValueError("array is not writeable")
                self._buffer = buffer

            def get_buffer(self, tf_format: bool | None = False) -> Any:
                if tf_format is None or self._classes is None:
                    return self._buffer
                return _by_class(self._buffer, self._classes)

        def __init__(self, model: InferModel) -> None:
            classes = model._hef.network.classes
            self._inputs = [self.InferStream(stream.name, None) for stream in model.inputs]
            self._outputs = [
                self.InferStream(stream.name, classes if stream.is_nms else None) for stream in model.outputs
            ]

        def input(self, name: str = "") -> InferStream:
            return _named(self._inputs, name)

        def output(self, name: str = "") -> InferStream:
            return _named(self._outputs, name)

    def __init__(self, configured: native.NativeConfigured, model: InferModel) -> None:
        self._configured = configured
        self._model = model

    def create_bindings(self, input_buffers: Any = None, output_buffers: Any = None) -> Bindings:
        bindings = self.Bindings(self._model)
        for name, buffer in (input_buffers or {}).items():
            bindings.input(name).set_buffer(buffer)
        for name, buffer in (output_buffers or {}).items():
            bindings.output(name).set_buffer(buffer)
        return bindings

    def get_async_queue_size(self) -> int:
        return self._configured.queue

    def wait_for_async_ready(self, timeout_ms: int = 1000, frames_count: int = 1) -> None:
        with ExceptionWrapper():
            self._configured.wait_for_async_ready(timeout_ms, frames_count)

    def run_async(self, bindings: list[Bindings], callback: Callable[..., None] | None = None) -> "AsyncInferJob":
        [bound] = bindings

        def ended(status: int) -> None:
            if callback:
                fault = ExceptionWrapper.create_exception_from_status(status) if status else None
                callback(completion_info=AsyncInferCompletionInfo(fault))

        if any(stream.type is not FormatType.FLOAT32 for stream in self._model.outputs):
            raise HailoRTInvalidOperationException("Invalid operation. See hailort.log for more information")
        outputs = {stream.name: stream.get_buffer(None) for stream in bound._outputs}
        with ExceptionWrapper():
            return AsyncInferJob(self._configured.run_async(bound.input().get_buffer(None), outputs, ended))

    def shutdown(self) -> None:
        with ExceptionWrapper():
            self._configured.shutdown()


class AsyncInferJob:
    """`wait` says that the job is over, not that it went well: only the callback is told of a fault."""

    def __init__(self, job: native.NativeJob) -> None:
        self._job = job

    def wait(self, timeout_ms: int) -> None:
        with ExceptionWrapper():
            self._job.wait(timeout_ms)


def _by_class(buffer: Any, classes: int) -> list[Any]:
    """Views on the buffer: for each class its number of boxes, then the boxes."""
    found, at = [], 0
    for _ in range(classes):
        count = int(buffer[at])
        at += 1
        if count:
            found.append(buffer[at : at + BBOX_PARAMS * count].reshape(count, BBOX_PARAMS))
            at += BBOX_PARAMS * count
        else:
            found.append(np.empty([0, BBOX_PARAMS]))
    return found
