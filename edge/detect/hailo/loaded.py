"""One network on the chip: pictures go in, several under way at once, and each answer has a deadline."""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from edge.detect.hailo.words import in_words
from edge.detect.picture import Picture
from edge.errors import ChipFault

Item = TypeVar("Item")
Taken = TypeVar("Taken")

IN_FLIGHT = 4
"""Pictures under way at once, at most: the chip works on one while the next is on its way in and the last on its way
out; the fourth is being painted."""


@dataclass(frozen=True)
class _Seat:
    """The buffers of one picture under way; HailoRT writes into `outputs`, whose views every flight uses again."""

    picture: Picture
    bindings: Any


@dataclass
class _Flight:
    seat: _Seat
    job: Any = None
    exception: Any = None

    def land(self, completion_info: Any) -> None:
        """HailoRT calls this, in a thread of its own, when the chip is through: `wait` alone does not tell failures."""
        self.exception = completion_info.exception


class LoadedNetwork:
    """A configured HEF; `broken` once anything went wrong: buffers may still be in use then, and the chip has to be
    opened anew."""

    def __init__(self, name: str, model: Any, configured: Any, deadline_s: float) -> None:
        self.name = name
        self.broken = False
        self._names = list(model.output_names)
        self._configured = configured
        self._deadline_ms = round(deadline_s * 1000)
        self._lock = threading.Lock()
        count = min(IN_FLIGHT, int(configured.get_async_queue_size()))
        self._seats = [self._seat(model) for _ in range(count)]

    def run(
        self,
        items: Sequence[Item],
        paint: Callable[[Item, Picture], None],
        take: Callable[[Item, list[Any]], Taken],
    ) -> list[Taken]:
        """What `take` makes of each item's outputs, in their order.

        `paint` writes the item's picture (h, w, 3) RGB; `take` gets the outputs in the model's order and must copy what
        it keeps of them. Raises `ChipStalled` when the chip exceeds its deadline and `ChipFault` when it breaks off.
        """
        with self._lock:
            if self.broken:
                raise ChipFault(f"{self.name} was given up: the Hailo chip has to be opened anew")
            try:
                return self._run(items, paint, take)
            except BaseException:
                self.broken = True
                raise

    def shut_down(self) -> None:
        """End a network that works, and let it go."""
        try:
            with in_words(self.name):
                self._configured.shutdown()
        finally:
            self.let_go()

    def let_go(self) -> None:
        """Drop what keeps the network on the chip, whoever still holds this object. One that hangs is not shut down:
        that would hold the interpreter's lock for up to ten seconds, while the destructor waits without it."""
        self.broken = True
        self._configured = None
        self._seats = []

    def _run(
        self,
        items: Sequence[Item],
        paint: Callable[[Item, Picture], None],
        take: Callable[[Item, list[Any]], Taken],
    ) -> list[Taken]:
        taken: list[Taken] = []
        under_way: deque[_Flight] = deque()
        for number, item in enumerate(items):
            if len(under_way) == len(self._seats):
                taken.append(take(items[len(taken)], self._landed(under_way.popleft())))
            seat = self._seats[number % len(self._seats)]
            paint(item, seat.picture)
            under_way.append(self._start(seat))
        while under_way:
            taken.append(take(items[len(taken)], self._landed(under_way.popleft())))
        return taken

    def _start(self, seat: _Seat) -> _Flight:
        flight = _Flight(seat)
        with in_words(self.name):
            self._configured.wait_for_async_ready(timeout_ms=self._deadline_ms, frames_count=1)
            flight.job = self._configured.run_async([seat.bindings], flight.land)
        return flight

    def _landed(self, flight: _Flight) -> list[Any]:
        with in_words(self.name):
            flight.job.wait(self._deadline_ms)
            if flight.exception is not None:
                raise flight.exception
            return [flight.seat.bindings.output(name).get_buffer() for name in self._names]

    def _seat(self, model: Any) -> _Seat:
        picture = np.zeros(model.input().shape, np.uint8)
        outputs = {name: np.zeros(model.output(name).shape, np.float32) for name in self._names}
        bindings = self._configured.create_bindings(output_buffers=outputs)
        bindings.input().set_buffer(picture)
        return _Seat(picture, bindings)
