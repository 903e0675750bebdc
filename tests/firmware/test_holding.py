import subprocess
import sys

import pytest

from firmware.holding import hold

HOLDING = """
import sys
from pathlib import Path
from firmware.holding import hold
lock = hold(Path(sys.argv[1]))
print("held", flush=True)
sys.stdin.read()
"""


def test_what_one_process_holds_no_other_gets_until_that_one_is_gone(tmp_path):
    file = tmp_path / "lock"
    file.write_text("kept")
    command = [sys.executable, "-c", HOLDING, str(file)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout.readline() == "held\n"
        with pytest.raises(BlockingIOError):
            hold(file)
        other.kill()
        other.wait()
    with hold(file):
        assert file.read_text() == "kept"


def test_a_lock_that_was_closed_can_be_had_again(tmp_path):
    hold(tmp_path / "lock").close()
    hold(tmp_path / "lock").close()


def test_a_lock_that_cannot_be_written_is_told(tmp_path):
    with pytest.raises(OSError, match="nowhere"):
        hold(tmp_path / "nowhere" / "lock")
