"""A node's figures in the text format of Prometheus."""

from collections.abc import Iterable, Mapping

from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from edge.condition import NodeCondition
from edge.cost import NodeCost
from wire.rigtime import seconds
from wire.session import NodeStatus, SegmentState

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4
_FAULTS = ("detector-fault", "eyes-fault")


def exposition(status: NodeStatus, condition: NodeCondition, cost: NodeCost, events: Mapping[str, int]) -> bytes:
    """The figures of one moment; `events` counts the lines of the log by what happened.

    What is not known is left out: a figure that stands for "unknown" would be added up as one.
    """
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Moment([*_recording(status, cost), *_condition(condition), *_events(events)]))
    return generate_latest(registry)


class _Moment(Collector):
    def __init__(self, metrics: Iterable[Metric]) -> None:
        self._metrics = list(metrics)

    def collect(self) -> Iterable[Metric]:
        return self._metrics


def _recording(status: NodeStatus, cost: NodeCost) -> Iterable[Metric]:
    yield _gauge("recording", "1 while a session is recorded", float(status.recording is not None))
    yield _gauge("frames_dropped", "frames of this session that are known to be lost", status.frames_dropped)
    yield _gauge("frames_unseen", "frames of this session that were recorded but not looked at", status.frames_unseen)
    yield _counter("frames", "frames recorded since the node was started", cost.frames)
    yield _counter("detections", "persons and balls in recorded frames since the node was started", cost.detections)
    yield _counter("detector_passes", "how often the detector's network was asked", cost.passes)
    yield _counter("video_bytes", "bytes of video recorded since the node was started", cost.video_bytes)
    yield _counter("offload_bytes", "bytes that the hub acknowledged since the node was started", cost.bytes_sent)
    yield _counter("cpu_seconds", "CPU time of the node's process", cost.process_cpu_s)
    yield _gauge("peak_memory_bytes", "largest resident size of the node's process", cost.peak_memory_bytes)


def _condition(condition: NodeCondition) -> Iterable[Metric]:
    segments = GaugeMetricFamily("touchline_segments", "segments in the ledger by their state", labels=["state"])
    for state in SegmentState:
        segments.add_metric([state], condition.segments.get(state, 0))
    yield segments
    yield _gauge("free_bytes", "bytes free on the disk", condition.storage.free_bytes)
    yield _gauge("minutes_left", "minutes of recording that the disk has room for", condition.storage.minutes_left)
    clock, board = condition.clock, condition.board
    if clock.offset_ns is not None:
        yield _gauge("clock_offset_seconds", "what is to be added to the clock", seconds(clock.offset_ns))
    yield _gauge("clock_uncertainty_seconds", "how far the clock may be off", seconds(clock.uncertainty_ns))
    if board.temperature_c is not None:
        yield _gauge("temperature_celsius", "the processor's temperature", board.temperature_c)
    if board.supply is not None:
        yield _gauge("throttled", "1 while the board slows itself down", float(board.supply.throttled))
        yield _gauge("under_voltage", "1 while the supply is too weak", float(board.supply.under_voltage))
    if board.battery is not None:
        yield _gauge("battery_percent", "the battery's charge", board.battery.percent)


def _events(events: Mapping[str, int]) -> Iterable[Metric]:
    yield _counter("detector_faults", "faults of detector and tracker", sum(events.get(name, 0) for name in _FAULTS))
    counted = CounterMetricFamily("touchline_events", "lines of the log since the node was started", labels=["event"])
    for event, times in sorted(events.items()):
        counted.add_metric([event], times)
    yield counted


def _gauge(name: str, meaning: str, value: float) -> Metric:
    return GaugeMetricFamily(f"touchline_{name}", meaning, value=value)


def _counter(name: str, meaning: str, value: float) -> Metric:
    return CounterMetricFamily(f"touchline_{name}", meaning, value=value)
