import platform
import subprocess
import sys

import pytest

RSS = """
def rss():
    return next(int(l.split()[1]) for l in open("/proc/self/status") if l.startswith("VmRSS")) // 1024
"""
# A picture freed by another thread than the one that made it, again and again, as between capture and encoder.
PLAY = f"""
import threading
import numpy as np
from edge.memory import keep_flat
{RSS}
assert keep_flat()
before = rss()
pictures = [np.ones(3_110_400, np.uint8) for _ in range(40)]
full = rss()
thread = threading.Thread(target=pictures.clear)
thread.start(); thread.join()
print(full - before, rss() - before)
"""
# A coder that is closed but still known, as while the last segment of a session is closed.
CODE = f"""
import numpy as np
from edge.encode.libav import LibavCoder
from edge.frame import Frame
from edge.memory import keep_flat
{RSS}
assert keep_flat()
frames = [Frame(np.full((1620, 1920), 40 * n, np.uint8), 40_000_000 * n, n) for n in range(6)]
def code():
    coder = LibavCoder("h264", 1920, 1080, 25.0)
    coded = [packet for frame in frames for packet in coder.encode(frame, key=False)]
    assert len(coded) == 6
    return coder
code().close()
before = rss()
coder = code()
full = rss()
coder.close()
print(full - before, rss() - before)
"""

glibc = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the allocator of another C library")


def grown_and_left(script: str, *arguments: object) -> tuple[int, int]:
    """MB by which the script's process grew, and those that were left of them at its end."""
    command = [sys.executable, "-c", script, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    grown, left = map(int, done.stdout.split())
    return grown, left


@glibc
def test_pictures_freed_in_another_thread_go_back_to_the_system():
    grown, left = grown_and_left(PLAY)
    assert grown > 110
    assert left < 10


@glibc
def test_a_closed_coder_keeps_nothing_even_while_it_is_known():
    grown, left = grown_and_left(CODE)
    assert grown > 30
    assert left < 10


def test_a_node_loads_no_scipy():
    script = "import sys, edge.serve, edge.track.eyes; print('scipy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
