"""The camera's requests while they are out of its hands: each is given back once, and never so many are out that the
camera starves."""

import threading
from collections import deque
from typing import Any


class Loan:
    """One request of picamera2 (`CompletedRequest`), held until it is given back."""

    def __init__(self, request: Any, loans: "Loans") -> None:
        self.request = request
        self._loans = loans

    def give_back(self) -> None:
        """Return the request to the camera; only the first call does."""
        if self._loans.settle(self):
            self.request.release()


class Loans:
    """At most `most` requests at a time, handed from picamera2's event thread to whoever reads the camera.

    The last `kept` of those that were read stay here under their frame's number, until their frame is coded.
    """

    def __init__(self, most: int, kept: int) -> None:
        self.refused = 0
        """Requests that stayed with the camera because too many were out: frames this node was too slow for."""
        self._most = most
        self._most_kept = kept
        self._out: set[Loan] = set()
        self._waiting: deque[Loan] = deque()
        self._kept: dict[int, Loan] = {}
        self._closed = False
        self._changed = threading.Condition()

    def lend(self, request: Any) -> None:
        """picamera2's callback; never waits, and never raises: its event thread would die of it and `stop` hang."""
        with self._changed:
            if self._closed:
                return
            if len(self._out) == self._most:
                self.refused += 1
                return
            request.acquire()
            loan = Loan(request, self)
            self._out.add(loan)
            self._waiting.append(loan)
            self._changed.notify_all()

    def take(self, timeout_s: float) -> Loan | None:
        """The next request; None when none came in time, or nothing is lent any more."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closed, timeout_s)
            return self._waiting.popleft() if self._waiting and not self._closed else None

    def keep(self, number: int, loan: Loan) -> None:
        """Keep a request that was read under its frame's number; the eldest makes room."""
        eldest = None
        with self._changed:
            self._kept[number] = loan
            if len(self._kept) > self._most_kept:
                eldest = self._kept.pop(next(iter(self._kept)))
        if eldest:
            eldest.give_back()

    def kept(self, number: int) -> Loan | None:
        """The request of that frame, if it is still here."""
        with self._changed:
            return self._kept.get(number)

    def done(self, number: int) -> None:
        """Give back that frame's request: nobody needs it any more."""
        with self._changed:
            loan = self._kept.pop(number, None)
        if loan:
            loan.give_back()

    def settle(self, loan: Loan) -> bool:
        """Strike a loan off; False when it was already."""
        with self._changed:
            if loan not in self._out:
                return False
            self._out.remove(loan)
            return True

    def close(self) -> None:
        """Lend nothing more."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def begin_anew(self) -> None:
        """Return whatever is still here, and count from now on."""
        self.give_back_all()
        with self._changed:
            self.refused = 0

    def give_back_all(self) -> None:
        """Return whatever is still here."""
        with self._changed:
            here = [*self._waiting, *self._kept.values()]
            self._waiting.clear()
            self._kept.clear()
        for loan in here:
            loan.give_back()
