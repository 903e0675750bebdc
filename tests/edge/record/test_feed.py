import threading

from edge.record.feed import Feed


def test_items_come_out_in_order_and_end_with_the_feed():
    feed = Feed(3)
    assert all(feed.put(n) for n in range(1, 4))
    feed.close()
    assert list(feed) == [1, 2, 3]
    assert feed.drained


def test_a_closed_feed_takes_nothing_more():
    feed = Feed(1)
    feed.close()
    assert not feed.put(1)
    assert feed.take() is None


def test_a_full_feed_makes_its_filler_wait():
    feed = Feed(1)
    feed.put(1)
    through = threading.Event()
    filler = threading.Thread(target=lambda: (feed.put(2), through.set()))
    filler.start()
    assert not through.wait(0.05)
    assert feed.take() == 1
    assert through.wait(5)
    assert feed.take() == 2
    filler.join()


def test_closing_frees_a_filler_that_waits():
    feed = Feed(1)
    feed.put(1)
    answers = []
    filler = threading.Thread(target=lambda: answers.append(feed.put(2)))
    filler.start()
    feed.close()
    filler.join(5)
    assert answers == [False]
    assert list(feed) == [1]


def test_taking_gives_up_after_its_time():
    assert Feed(1).take(0.01) is None


def test_how_full_a_feed_is_counts_what_its_items_weigh():
    feed = Feed(10, len)
    assert feed.fullness == 0
    feed.put("four")
    assert feed.fullness == 0.4
    feed.take()
    feed.put("more than its limit")
    assert feed.fullness > 1
