"""Stages of a pipeline, each in its own thread with a bounded belt between them."""

import queue
import threading
import time
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

from hub.messages import StageCost

T = TypeVar("T")
_END = object()


class CostBook:
    """Adds up wall time, CPU time and items per stage; safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._costs: dict[str, StageCost] = {}
        self._began = time.process_time()

    def add(self, stage: str, wall_s: float, cpu_s: float, items: int) -> None:
        """Note what a piece of work cost."""
        with self._lock:
            before = self._costs.get(stage, StageCost(wall_s=0.0, cpu_s=0.0, items=0))
            self._costs[stage] = StageCost(
                wall_s=before.wall_s + wall_s, cpu_s=before.cpu_s + cpu_s, items=before.items + items
            )

    def measured(self, stage: str, work: Callable[[], T], items: int = 1, waited: Callable[[], float] = float) -> T:
        """Do `work` and note its cost; CPU time is this thread's, and what `waited` grows by is no wall time of it."""
        wall, cpu, slept = time.perf_counter(), time.thread_time(), waited()
        try:
            return work()
        finally:
            passed = time.perf_counter() - wall - (waited() - slept)
            self.add(stage, passed, time.thread_time() - cpu, items)

    def add_rest(self, stage: str) -> None:
        """Note under `stage` the process's CPU time since this book was begun that is in no other stage."""
        spent = time.process_time() - self._began
        self.add(stage, 0.0, max(0.0, spent - sum(cost.cpu_s for cost in self.snapshot().values())), 0)

    def snapshot(self) -> dict[str, StageCost]:
        """The costs so far."""
        with self._lock:
            return dict(self._costs)


class Belt(Generic[T]):
    """Runs an iterator in a thread of its own, at most `depth` items ahead of the reader.

    A fault of the iterator is raised at the reader. Leaving the `with` block ends the thread.
    """

    def __init__(self, items: Iterator[T], depth: int, name: str) -> None:
        self._items = items
        self._queue: queue.Queue[object] = queue.Queue(depth)
        self._stop = threading.Event()
        self._fault: BaseException | None = None
        self._waited_s = 0.0
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def __enter__(self) -> "Belt[T]":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        while self._thread.is_alive():
            self._drain()
            self._thread.join(0.05)

    def __iter__(self) -> Iterator[T]:
        while (item := self._take()) is not _END:
            yield item  # type: ignore[misc]  # the queue carries T and the end mark
        if self._fault is not None:
            raise self._fault

    def waited(self) -> float:
        """Seconds that the reader has waited for items."""
        return self._waited_s

    def _take(self) -> object:
        began = time.perf_counter()
        item = self._queue.get()
        self._waited_s += time.perf_counter() - began
        return item

    def _run(self) -> None:
        try:
            for item in self._items:
                if not self._put(item):
                    return
        except BaseException as fault:  # handed to the reader, who is waiting for it
            self._fault = fault
        finally:
            self._put(_END)

    def _put(self, item: object) -> bool:
        while not self._stop.is_set():
            try:
                self._queue.put(item, timeout=0.2)
            except queue.Full:
                continue
            return True
        return False

    def _drain(self) -> None:
        try:
            while True:
                self._queue.get_nowait()
        except queue.Empty:
            return
