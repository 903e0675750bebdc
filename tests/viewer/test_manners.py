"""How the processes behave: stopping, a killed worker, a taken port, words instead of tracebacks."""

import logging
import re
import signal
import socket
import subprocess
import sys
import time

import httpx
import pytest
from sqlalchemy import select

from viewer import cli
from viewer.db import Database
from viewer.jobs.lease import State
from viewer.jobs.models import Job
from viewer.logs import OneLine

SESSION = "1795344000-0a1b2c3d4e"


@pytest.mark.slow
def test_a_killed_worker_loses_nothing_and_everything_stops_within_5_s(portal, made_package, send_package, tmp_path):
    send_package(portal, made_package.tar(tmp_path / "p.tar"))
    worker = portal.start("worker")
    database = Database(portal.database or f"sqlite:///{portal.data / 'portal.db'}")
    # Looks and locks in one step: a job seen at work here cannot be finished before the lock is let go.
    look = select(Job.state).where(Job.kind == "intake").with_for_update()
    end, state = time.monotonic() + 60, State.WAITING
    try:
        while state != State.LEASED:
            assert time.monotonic() < end, "the worker did not start"
            time.sleep(0.002)
            with database.connecting() as held:
                state = held.execute(look).scalar_one()
                assert state in (State.WAITING, State.LEASED), "the job was over before the worker could be killed"
                if state == State.LEASED:
                    worker.send_signal(signal.SIGKILL)
                    worker.wait()
    finally:
        worker.kill()
        worker.wait()
        database.close()
    assert portal.package_state()["state"] == "leased"
    again = portal.start("worker")
    portal.wait_for(lambda: portal.package_state()["state"] == "done", "the second worker's intake")
    with portal.signed_in(portal.parent) as browser:
        assert browser.get("/").text.count('class="card"') == 1
    portal.wait_for(lambda: httpx.get(f"{portal.url}/mailbox").text.count("<article") == 2, "the mails")
    begun = time.monotonic()
    again.send_signal(signal.SIGTERM)
    assert again.wait(10) == 0
    assert time.monotonic() - begun < 5
    log = (tmp_path / "worker.log").read_text() + (tmp_path / "serve.log").read_text()
    assert "Traceback" not in log


@pytest.mark.slow
def test_the_server_stops_within_5_s_even_while_somebody_is_watching(tmp_path, portal_with_match):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = portal_with_match.command("serve", "--port", str(port))
    process = subprocess.Popen(server, stderr=subprocess.PIPE, text=True)
    url = f"http://127.0.0.1:{port}"
    try:

        def up() -> bool:
            try:
                return httpx.get(f"{url}/healthz").status_code == 200
            except httpx.TransportError:
                return False

        portal_with_match.wait_for(up, "the second server's start")
        with portal_with_match.signed_in(portal_with_match.parent) as browser:
            video = f"{url}/matches/{SESSION}/media/panorama.mp4"
            with httpx.stream("GET", video, cookies=dict(browser.cookies)) as watching:
                next(watching.iter_raw(1000))
                begun = time.monotonic()
                process.send_signal(signal.SIGTERM)
                assert process.wait(10) == 0
        assert time.monotonic() - begun < 5
    finally:
        process.kill()
        said = process.communicate()[1]
    assert "Traceback" not in said


def said_by(*words: str) -> tuple[int, str]:
    done = subprocess.run([sys.executable, "-m", "viewer.cli", *words], capture_output=True, text=True, check=False)
    return done.returncode, done.stderr.strip()


@pytest.mark.slow
def test_a_taken_port_is_named(tmp_path):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        code, said = said_by("serve", "--data", str(tmp_path), "--port", str(port))
    assert code == 2
    assert f"port {port} on 127.0.0.1 is taken" in said
    assert len(said.splitlines()) == 1


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "part"),
    [
        (("device-key", "--name", "hub", "--data", "{data}"), "there is no team yet"),
        (("serve", "--demo-mailbox", "--host", "0.0.0.0", "--data", "{data}"), "only with --host 127.0.0.1"),
        (("migrate", "--data", "{data}", "--database", "nonsense"), "--database is written"),
        (("migrate", "--data", "{data}", "--database", "postgresql+psycopg://u@/x?host=/nowhere"), "cannot be used"),
        (("serve", "--port", "65536", "--data", "{data}"), "65536 is not a port"),
        (("serve", "--host", "192.0.2.1", "--data", "{data}"), "cannot listen on 192.0.2.1:8080"),
    ],
)
def test_faults_come_as_one_sentence(tmp_path, words, part):
    code, said = said_by(*(word.format(data=tmp_path / "data") for word in words))
    assert code == 1
    assert part in said
    assert len(said.splitlines()) == 1


@pytest.mark.slow
def test_a_database_that_is_none_is_told_in_one_sentence(tmp_path):
    (tmp_path / "portal.db").write_bytes(b"no database at all " * 100)
    code, said = said_by("migrate", "--data", str(tmp_path))
    assert code == 1
    assert said == "touchline-viewer: the database cannot be used: file is not a database"


def test_what_nobody_foresaw_is_one_sentence_too(tmp_path, monkeypatch, capsys):
    def broken(options: object) -> None:
        raise KeyError("colour")

    monkeypatch.setattr("viewer.commands.running.database_of", broken)
    assert cli.main(["migrate", "--data", str(tmp_path)]) == 1
    assert capsys.readouterr().err == "touchline-viewer: this should not happen: KeyError: 'colour'\n"


def test_a_fault_takes_one_line_of_the_log_and_says_where_it_arose():
    try:
        raise ValueError("two\nlines")
    except ValueError as fault:
        about = {"msg": "work failed kind=%s", "args": ("job",), "exc_info": (type(fault), fault, fault.__traceback__)}
        line = OneLine().format(logging.makeLogRecord({**about, "levelname": "ERROR", "name": "viewer.worker"}))
    told = r"ERROR viewer.worker work failed kind=job fault=ValueError('two\nlines') at=test_manners.py:"
    assert re.fullmatch(f".* {re.escape(told)}[0-9]+", line)
