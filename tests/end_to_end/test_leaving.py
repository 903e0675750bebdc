"""Somebody changes their mind: everything that was started ends."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

TOUCHLINE = str(Path(sys.executable).with_name("touchline"))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_in_the_middle_of_the_match_ends_every_process(number, tmp_path, processes_of):
    out = tmp_path / "out"
    with subprocess.Popen(
        [TOUCHLINE, "demo", "--seconds", "60", "--no-serve", "--out", str(out)],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    ) as day:  # fmt: skip
        lines = []
        for line in day.stdout:
            lines.append(line)
            if "Kick-off" in line:
                break
        before = len(processes_of(out))
        assert before > 5, "".join(lines)
        os.kill(day.pid, number)
        began = time.monotonic()
        while len(processes_of(out)) == before:
            assert time.monotonic() - began < 10
        os.kill(day.pid, number)  # an impatient person, while the first are leaving
        rest = day.stdout.read()
        assert day.wait(20) == 130, rest
        assert time.monotonic() - began < 10
    assert "All ended." in rest
    assert "Traceback" not in rest
    assert processes_of(out) == []
