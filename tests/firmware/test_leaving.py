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


@pytest.mark.parametrize("hangs", [True, False])
@pytest.mark.parametrize("_", range(3))
def test_a_process_ends_with_its_status_whatever_its_threads_do_and_loses_no_word(hangs, _):
    run = subprocess.run(
        [sys.executable, "-c", HANGING.format(hangs=hangs)],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, timeout=30, check=False,
    )  # fmt: skip
    assert (run.returncode, run.stdout) == (3, "said\n")
