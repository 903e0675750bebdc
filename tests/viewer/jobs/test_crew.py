"""Crews: who is called when, and what becomes of a thread that fails."""

import signal
import threading
from collections import deque

import pytest

from viewer.jobs import process
from viewer.jobs.crew import Crew
from viewer.settings import Settings

PATIENCE_S = 30


class FakeQueue:
    """A queue whose nudges a test leaves; it counts who listens."""

    def __init__(self) -> None:
        self.nudges: deque[int] = deque()
        self.listened = 0

    def heard(self, pause) -> bool:
        self.listened += 1
        pause(0.01)
        return bool(self.nudges) and self.nudges.popleft() == 1

    def close(self) -> None:
        pass


class Bench:
    """A crew and the end of each of its drains."""

    def __init__(self, drain, hands: int = 1) -> None:
        self.stop, self.queue, self.woken = threading.Event(), FakeQueue(), []
        self.crew = Crew("jobs", self.queue, lambda: self.woken.append(1), drain, hands, self.stop)
        self.crew.start()

    def __enter__(self) -> "Bench":
        return self

    def __exit__(self, *_: object) -> None:
        self.stop.set()
        for thread in self.crew.threads:
            thread.join(PATIENCE_S)
            assert not thread.is_alive(), thread.name


def test_what_is_there_at_the_start_and_at_each_nudge_is_worked_off():
    drained = threading.Semaphore(0)
    with Bench(lambda _call: drained.release()) as bench:
        assert drained.acquire(timeout=PATIENCE_S)
        bench.queue.nudges.append(1)
        assert drained.acquire(timeout=PATIENCE_S)
        assert not drained.acquire(timeout=0.2), "nothing else called"


def test_nobody_listens_while_every_hand_is_busy():
    busy, free = threading.Semaphore(0), threading.Semaphore(0)

    def drain(_call) -> None:
        busy.release()
        assert free.acquire(timeout=PATIENCE_S)

    with Bench(drain, hands=2) as bench:
        assert busy.acquire(timeout=PATIENCE_S)
        bench.queue.nudges.append(1)
        assert busy.acquire(timeout=PATIENCE_S)
        bench.queue.nudges.append(1)
        listened = bench.queue.listened
        assert not busy.acquire(timeout=0.2)
        assert bench.queue.listened == listened, "the nudge is left to another process"
        free.release()
        assert busy.acquire(timeout=PATIENCE_S)
        free.release(9)


def test_an_alarm_is_kept_without_any_nudge():
    drains = threading.Semaphore(0)

    def drain(_call) -> float:
        drains.release()
        return 0.0

    with Bench(drain):
        assert drains.acquire(timeout=PATIENCE_S)
        assert drains.acquire(timeout=PATIENCE_S)


def test_a_hand_that_finds_more_calls_the_others_here_and_elsewhere():
    first, second = threading.Lock(), threading.Event()

    def drain(call) -> None:
        if first.acquire(blocking=False):
            call()
            assert second.wait(PATIENCE_S)
        else:
            second.set()

    with Bench(drain, hands=2) as bench:
        assert second.wait(PATIENCE_S), "the queue has no nudge: the first hand called"
        assert bench.woken


def test_a_drain_that_fails_is_tried_again_and_said(caplog):
    tries = threading.Semaphore(0)

    def drain(_call) -> None:
        tries.release()
        raise OSError("the database is away")

    with Bench(drain):
        assert tries.acquire(timeout=PATIENCE_S)
        assert tries.acquire(timeout=PATIENCE_S)
    assert "work stalled" in caplog.text


@pytest.fixture
def handlers():
    kept = {signum: signal.getsignal(signum) for signum in (signal.SIGTERM, signal.SIGINT)}
    yield
    for signum, handler in kept.items():
        signal.signal(signum, handler)


@pytest.mark.usefixtures("handlers")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_thread_that_dies_ends_the_process_with_a_status(tmp_path, monkeypatch, caplog):
    def die(*_: object) -> None:
        raise SystemExit

    monkeypatch.setattr(process.Worker, "drain", die)
    assert process.run_worker(Settings(data=tmp_path)) == 1
    assert "a thread has died" in caplog.text


@pytest.mark.usefixtures("handlers")
def test_a_signal_ends_the_process_well(tmp_path, monkeypatch):
    started = threading.Event()
    monkeypatch.setattr(process.Worker, "drain", lambda *_: started.set())

    def end() -> None:
        assert started.wait(PATIENCE_S)
        signal.raise_signal(signal.SIGTERM)

    # Python runs the handler in the main thread.
    thread = threading.Thread(target=end)
    thread.start()
    assert process.run_worker(Settings(data=tmp_path)) == 0
    thread.join()
