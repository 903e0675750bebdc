"""A short queue between two threads of a recording."""

import threading
from collections import deque
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

T = TypeVar("T")


class Feed(Generic[T]):
    """Hands items over in order, at most `limit` at a time: whoever is too fast waits. Iterate it to take them.

    With `weigh` the limit holds for the items' weights together; one item alone is taken whatever it weighs.
    """

    def __init__(self, limit: int, weigh: Callable[[T], int] = lambda _item: 1) -> None:
        self._limit = limit
        self._weigh = weigh
        self._weight = 0
        self._items: deque[T] = deque()
        self._changed = threading.Condition(threading.RLock())
        self._closed = False

    def put(self, item: T) -> bool:
        """Append when there is room; False, and nothing appended, once the feed is closed."""
        weight = self._weigh(item)
        with self._changed:
            self._changed.wait_for(lambda: self._closed or not self._items or self._weight + weight <= self._limit)
            if self._closed:
                return False
            self._items.append(item)
            self._weight += weight
            self._changed.notify_all()
            return True

    def offer(self, item: T) -> bool:
        """Append if there is room now; False, and nothing appended, otherwise."""
        with self._changed:
            if self._closed or (self._items and self._weight + self._weigh(item) > self._limit):
                return False
            return self.put(item)

    def close(self) -> None:
        """Accept nothing more; what is already in the feed is still handed over."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    @property
    def fullness(self) -> float:
        """What waits, as a share of the limit."""
        with self._changed:
            return self._weight / self._limit

    @property
    def drained(self) -> bool:
        """Whether nothing is left and nothing will come."""
        with self._changed:
            return self._closed and not self._items

    def take(self, timeout_s: float | None = None) -> T | None:
        """The next item; None when the feed is closed and empty, or when `timeout_s` has passed."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._items, timeout_s)
            if not self._items:
                return None
            item = self._items.popleft()
            self._weight -= self._weigh(item)
            self._changed.notify_all()
            return item

    def __iter__(self) -> Iterator[T]:
        while (item := self.take()) is not None:
            yield item
