"""Stages of a pipeline, each in its own thread with a bounded belt between them."""

import queue
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from hub.messages import StageCost

T = TypeVar("T")
_END = object()


@dataclass
class _Account:
    wall_s: float = 0.0
    cpu_s: float = 0.0
    items: int = 0
    fill: float = 0.0
    looks: int = 0


class CostBook:
    """Adds up wall time, CPU time and items per stage, and how full the belt behind it was; safe to use from several
    threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._accounts: dict[str, _Account] = defaultdict(_Account)
        self._began = time.process_time()

    def add(self, stage: str, wall_s: float, cpu_s: float, items: int) -> None:
        """Note what a piece of work cost."""
        with self._lock:
            account = self._accounts[stage]
            account.wall_s += wall_s
            account.cpu_s += cpu_s
            account.items += items

    def saw_belt(self, stage: str, fill: float) -> None:
        """Note which share of the belt behind a stage is full, as the next stage takes from it."""
        with self._lock:
            account = self._accounts[stage]
            account.fill += fill
            account.looks += 1

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
            return {
                stage: StageCost(
                    wall_s=account.wall_s,
                    cpu_s=account.cpu_s,
                    items=account.items,
                    fill=account.fill / account.looks if account.looks else None,
                )
                for stage, account in self._accounts.items()
            }


class Belt(Generic[T]):
    """Runs an iterator in a thread of its own, at most `depth` items ahead of the reader, and books its cost under
    `stage`; what `waited` grows by is no wall time of it.

    A fault of the iterator is raised at the reader. Leaving the `with` block ends the thread, and closes a generator;
    `leave` is called before, for one that may be waiting for something.
    """

    def __init__(
        self,
        items: Iterable[T],
        depth: int,
        stage: str,
        costs: CostBook,
        waited: Callable[[], float] = float,
        leave: Callable[[], None] = lambda: None,
    ) -> None:
        self._items = iter(items)
        self._depth = depth
        self._stage = stage
        self._costs = costs
        self._waited_for = waited
        self._leave = leave
        self._queue: queue.Queue[object] = queue.Queue(depth)
        self._stop = threading.Event()
        self._fault: BaseException | None = None
        self._waited_s = 0.0
        self._thread = threading.Thread(target=self._run, name=stage, daemon=True)

    def __enter__(self) -> "Belt[T]":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._leave()
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
        self._costs.saw_belt(self._stage, self._queue.qsize() / self._depth)
        began = time.perf_counter()
        item = self._queue.get()
        self._waited_s += time.perf_counter() - began
        return item

    def _run(self) -> None:
        try:
            while (item := self._costs.measured(self._stage, self._next, 0, self._waited_for)) is not _END:
                self._costs.add(self._stage, 0.0, 0.0, 1)
                if not self._put(item):
                    break
        except BaseException as fault:  # handed to the reader, who is waiting for it
            self._fault = fault
        finally:
            self._close()
            self._put(_END)

    def _next(self) -> object:
        return next(self._items, _END)

    def _close(self) -> None:
        close = getattr(self._items, "close", None)
        try:
            if close is not None:
                close()
        except BaseException as fault:
            self._fault = self._fault or fault

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
