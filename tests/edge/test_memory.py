import platform
import subprocess
import sys

import pytest

# A picture freed by another thread than the one that made it, again and again, as between capture and encoder.
PLAY = """
import threading, queue, sys
import numpy as np
from edge.memory import keep_flat
assert keep_flat()
def rss():
    return next(int(l.split()[1]) for l in open("/proc/self/status") if l.startswith("VmRSS")) // 1024
before = rss()
pictures = [np.ones(3_110_400, np.uint8) for _ in range(40)]
full = rss()
thread = threading.Thread(target=pictures.clear)
thread.start(); thread.join()
print(full - before, rss() - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the allocator of another C library")
def test_pictures_freed_in_another_thread_go_back_to_the_system():
    done = subprocess.run([sys.executable, "-c", PLAY], capture_output=True, text=True, check=True)
    grown, left = map(int, done.stdout.split())
    assert grown > 110
    assert left < 10
