import subprocess
import sys

import pytest

HANGING = """
import sys, threading
from firmware.leaving import leave
if {hangs}:
    started = threading.Event()
    def write():
        started.set()
        while True:
            sys.stderr.write("x" * 100)
    threading.Thread(target=write, daemon=True).start()
    started.wait()
print("said", flush=False)
sys.exit(leave(3))
"""


STUCK = """
import asyncio, sys, threading
from firmware.leaving import leave, leave_within
async def work():
    asyncio.get_running_loop().run_in_executor(None, threading.Event().wait)
    leave_within(0.2, 4)
    return 0
sys.exit(leave(asyncio.run(work())))
"""


def test_a_process_whose_loop_waits_for_a_thread_that_hangs_ends_in_time_all_the_same():
    run = subprocess.run([sys.executable, "-c", STUCK], timeout=30, check=False)
    assert run.returncode == 4


@pytest.mark.parametrize("hangs", [True, False])
@pytest.mark.parametrize("_", range(3))
def test_a_process_ends_with_its_status_whatever_its_threads_do_and_loses_no_word(hangs, _):
    run = subprocess.run(
        [sys.executable, "-c", HANGING.format(hangs=hangs)],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, timeout=30, check=False,
    )  # fmt: skip
    assert (run.returncode, run.stdout) == (3, "said\n")
