import asyncio

from firmware.beside import keep_at


async def test_work_that_fails_is_logged_and_begun_anew_until_it_is_done(log, log_text):
    faults = iter([ValueError("a bad name"), KeyError("eth0")])
    done = []

    async def work():
        for fault in faults:
            raise fault
        done.append(True)

    await keep_at("announcement", work, log, again_s=0)
    assert done == [True]
    told = [line.split(" ", 1)[1] for line in log_text.getvalue().splitlines()]
    assert told == [
        'event=announcement-fault fault="ValueError: a bad name"',
        "event=announcement-fault fault=\"KeyError: 'eth0'\"",
    ]


async def test_work_that_is_cancelled_ends_even_if_it_fails_at_that(log, log_text):
    begun = []
    under_way = asyncio.Event()

    async def work():
        begun.append(True)
        if len(begun) > 1:
            return
        under_way.set()
        try:
            await asyncio.Event().wait()
        finally:
            raise OSError("no such network")

    working = asyncio.create_task(keep_at("announcement", work, log, again_s=0))
    await under_way.wait()
    working.cancel()
    await asyncio.wait([working])
    assert begun == [True]
    assert "no such network" in log_text.getvalue()
