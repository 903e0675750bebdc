"""The hub as a process: how it begins, refuses and ends."""

import asyncio
import contextlib
import io
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from firmware.clock import SystemClock
from firmware.log import Log
from hub.nodes import Node
from hub.serve import Settings, serve
from wire.ids import node_id

HUB = str(Path(sys.executable).with_name("touchline-hub"))


def wishes(data: Path, port: int) -> list[str]:
    return [
        HUB, "serve", "--data", str(data), "--port", str(port), "--node", "left=http://127.0.0.1:9", "--token", "t",
    ]  # fmt: skip


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_hub_answers_and_ends_within_five_seconds_of_a_signal(tmp_path, number):
    port = free_port()
    with subprocess.Popen(wishes(tmp_path, port), stderr=subprocess.PIPE, text=True) as hub:
        said = [hub.stderr.readline()]
        assert "event=listening" in said[0]
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/sessions", timeout=10)
        assert refused.value.code == 401
        began = time.monotonic()
        hub.send_signal(number)
        assert hub.wait(10) == 0
        assert time.monotonic() - began < 5
        assert "Traceback" not in hub.stderr.read()


@pytest.mark.slow
def test_a_taken_port_is_named(tmp_path):
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        run = subprocess.run(wishes(tmp_path, port), capture_output=True, text=True, timeout=60, check=False)
    assert run.returncode == 2
    assert run.stderr.strip().splitlines()[-1].startswith(f"touchline-hub: port {port} of 127.0.0.1 is taken")
    assert "Traceback" not in run.stderr


@pytest.mark.slow
def test_a_data_folder_belongs_to_one_hub(tmp_path):
    with subprocess.Popen(wishes(tmp_path, free_port()), stderr=subprocess.PIPE, text=True) as hub:
        assert "event=listening" in hub.stderr.readline()
        run = subprocess.run(wishes(tmp_path, free_port()), capture_output=True, text=True, timeout=60, check=False)
        hub.terminate()
        assert hub.wait(10) == 0
    assert run.returncode == 2
    assert run.stderr == f"touchline-hub: another hub already keeps its data in {tmp_path}\n"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("wrong", "says"),
    [(["--node", "Left=http://x"], "not a node id"), (["--node", "left"], "ID=URL"),
     (["--node", "a=http://x", "--node", "a=http://y"], "id of its own"),
     (["--node", "a=http://x", "--viewer", "portal", "--device-key", "k"], "web address"),
     (["--node", "a=http://x", "--viewer", "http://x"], "only with a key"),
     (["--node", "a=http://x", "--panorama-width", "0"], "640 to 16384")],
)  # fmt: skip
def test_a_wrong_wish_is_refused_in_a_sentence(tmp_path, wrong, says):
    run = subprocess.run(
        [HUB, "serve", "--data", str(tmp_path), "--token", "t", *wrong],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert run.returncode == 2
    assert says in run.stderr
    assert len(run.stderr.strip().splitlines()) == 1


async def test_a_hub_that_cannot_announce_itself_says_so_and_serves_on(tmp_path, monkeypatch, eventually):
    def broken(*_told):
        raise RuntimeError("nobody foresaw this")

    monkeypatch.setattr("hub.serve.Announcement", broken)
    settings = Settings(
        data=tmp_path,
        host="127.0.0.1",
        port=free_port(),
        nodes=(Node(node_id("left"), "http://127.0.0.1:9"),),
        token="t",
        viewer=None,
        device_key="",
        panorama_width=1920,
    )
    said = io.StringIO()
    serving = asyncio.create_task(serve(settings, SystemClock(), Log(said, SystemClock())))
    await eventually(lambda: "event=announcement-fault" in said.getvalue())
    assert not serving.done()
    serving.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await serving
