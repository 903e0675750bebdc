"""One contract for every queue of nudges, over a file, a real PostgreSQL and a real Redis."""

import threading

import pytest

from viewer.errors import BadSettings
from viewer.jobs import wake
from viewer.jobs.wake import Queue, Wake
from viewer.settings import Settings


def no_pause(_seconds: float) -> None:
    """Tests wait for nothing."""


@pytest.fixture
def queues(queue_settings, monkeypatch):
    """Two processes' ends of one queue."""
    monkeypatch.setattr(wake, "_LISTEN_S", 0.05)
    ends = [Queue(queue_settings, "jobs") for _ in range(2)]
    yield ends
    for end in ends:
        end.close()


def hears(queue: Queue, looks: int = 100) -> bool:
    return any(queue.heard(no_pause) for _ in range(looks))


def test_a_nudge_is_heard_once(queues):
    writer, listener = queues
    assert not listener.heard(no_pause)
    writer.nudge()
    assert hears(listener)
    assert not listener.heard(no_pause)


def test_nudges_that_nobody_has_taken_are_one(queues):
    writer, listener = queues
    for _ in range(5):
        writer.nudge()
    assert hears(listener)
    assert not listener.heard(no_pause)
    writer.nudge()
    assert hears(listener)


def test_one_nudge_wakes_one_process(queues):
    queues[0].nudge()
    assert [queue.heard(no_pause) for queue in queues].count(True) == 1


def test_queues_of_other_names_are_not_woken(queues, queue_settings):
    mail = Queue(queue_settings, "mail")
    queues[0].nudge()
    assert not mail.heard(no_pause)
    mail.close()


def test_a_listener_that_waits_is_woken_by_another_thread(queues):
    writer, listener = queues
    heard = threading.Event()

    def listen() -> None:
        if hears(listener, 10_000):
            heard.set()
        listener.close()

    thread = threading.Thread(target=listen)
    thread.start()
    writer.nudge()
    assert heard.wait(30)
    thread.join()


def test_what_lies_in_the_queue_runs_no_code(queues):
    queues[0].nudge()
    assert [bytes(item) for item in queues[0]._open().enqueued_items()] == [b"work"]


@pytest.mark.parametrize("url", ["postgresql+psycopg://nobody@/none?host=/nowhere", "redis://127.0.0.1:1/0"])
def test_a_queue_that_is_down_fails_nobody(tmp_path, url, caplog):
    queue, pauses = Queue(Settings(data=tmp_path, queue=url), "jobs"), []
    queue.nudge()
    queue.nudge()
    assert queue.heard(pauses.append) is False
    assert pauses, "a listener does not spin"
    assert len([r for r in caplog.records if "out of order" in r.message]) == 1


def test_a_queue_is_used_again_when_it_is_back(redis_server, tmp_path, caplog):
    caplog.set_level("INFO")
    queue = Queue(Settings(data=tmp_path, queue=redis_server.url), "jobs")
    queue.nudge()
    redis_server.stop()
    queue.nudge()
    assert queue.heard(no_pause) is False
    redis_server.start()
    queue.nudge()
    assert hears(queue)
    assert ["queue out of order" in r.message for r in caplog.records] == [True, False]


def test_whoever_nudges_does_not_wait_for_the_queue(tmp_path, monkeypatch):
    slow, reached = threading.Event(), threading.Event()

    def stuck(_queue: Queue) -> None:
        reached.set()
        assert slow.wait(30)

    monkeypatch.setattr(Queue, "nudge", stuck)
    nudge = Wake(Settings(data=tmp_path))
    nudge()
    nudge()
    assert reached.wait(30)
    assert not nudge._idle.is_set()
    slow.set()
    assert nudge._idle.wait(30)


def test_a_process_that_ends_lets_its_last_nudge_out(tmp_path):
    settings = Settings(data=tmp_path)
    nudge = Wake(settings)
    nudge()
    nudge.finish()
    for name in ("jobs", "mail"):
        queue = Queue(settings, name)
        assert queue.heard(no_pause)
        queue.close()


def test_an_address_of_no_queue_is_refused_in_words(tmp_path):
    with pytest.raises(BadSettings, match="--queue is written"):
        Settings(data=tmp_path, queue="amqp://rabbit")
