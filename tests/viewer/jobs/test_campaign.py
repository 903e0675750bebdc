"""Workers are killed again and again while they drain: nothing is lost, and nothing in the database is done twice."""

import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from sqlalchemy import func, select

from tests.viewer.mail.server import MailServer
from tests.viewer.portals import ROOT
from viewer.audit.models import AuditEntry
from viewer.clock import now
from viewer.jobs.duties import queue_job
from viewer.jobs.lease import State
from viewer.jobs.models import Job
from viewer.mail.models import Mail
from viewer.mail.outbox import queue_mail

JOBS, MAILS, KILLS, WORKERS = 300, 300, 12, 3
PATIENCE_S = 400


class Herd:
    """Worker processes of one portal."""

    def __init__(self, settings, queue: str, smtp: str, folder: Path) -> None:
        script = Path(__file__).with_name("campaign_worker.py")
        self._words = [sys.executable, str(script), str(settings.data), settings.database, queue, smtp]
        self._folder, self._started = folder, 0
        self._workers: list[tuple[subprocess.Popen[bytes], Path]] = []
        for _ in range(WORKERS):
            self._start()

    def _start(self) -> None:
        self._started += 1
        log = self._folder / f"worker-{self._started}.log"
        with log.open("wb") as file:
            process = subprocess.Popen(self._words, cwd=ROOT, env={"PYTHONPATH": str(ROOT)}, stderr=file)
        self._workers.append((process, log))

    def kill_one(self, chance: random.Random) -> bool:
        """Kill one that is at work, as the kernel does, and start another; False when all are still starting."""
        working = [worker for worker in self._workers if b"worker started" in worker[1].read_bytes()]
        if not working:
            return False
        victim = chance.choice(working)
        victim[0].kill()
        victim[0].wait()
        self._workers.remove(victim)
        self._start()
        return True

    def end(self) -> None:
        for process, _ in self._workers:
            process.terminate()
        for process, log in self._workers:
            # One that was told to stop while it started ends by the signal itself.
            assert process.wait(30) in (0, -signal.SIGTERM), log.read_text()[-2000:]


def done(database) -> int:
    with database.reading() as session:
        tables = (Job, Mail)
        return sum(
            session.scalar(select(func.count()).select_from(t).where(t.state == State.DONE, t.key.not_like("tick:%")))
            for t in tables
        )


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_workers_that_are_killed_again_and_again_lose_nothing_and_double_only_mails(database, settings, tmp_path):
    chance = random.Random(5)
    postgres = settings.database.startswith("postgresql")
    with database.writing() as session:
        for n in range(JOBS):
            queue_job(session, "counted", f"job:{n}", "s", {}, now())
        for n in range(MAILS):
            queue_mail(session, f"mail:{n}", f"r{n}@example.org", f"{n}", "Hello", now(), url="http://portal.example")
    with MailServer() as server:
        smtp = f"smtp://127.0.0.1:{server.port}"
        herd = Herd(settings, settings.database if postgres else "", smtp, tmp_path)
        end, kills = time.monotonic() + PATIENCE_S, 0
        # Kills are spread over the work, each at a place of its own.
        places = sorted(chance.sample(range(1, JOBS + MAILS - 60), KILLS))
        try:
            while (progress := done(database)) < JOBS + MAILS:
                assert time.monotonic() < end, f"{progress} of {JOBS + MAILS} done"
                if kills < KILLS and progress >= places[kills]:
                    kills += herd.kill_one(chance)
                time.sleep(chance.uniform(0, 0.03))
        finally:
            herd.end()
    assert kills == KILLS
    with database.reading() as session:
        for table in (Job, Mail):
            states = set(session.scalars(select(table.state).where(table.key.not_like("tick:%"))))
            assert states == {State.DONE}
        effects = Counter(session.scalars(select(AuditEntry.subject_id).where(AuditEntry.act == "counted")))
        done_jobs = session.scalars(select(Job.id).where(Job.state == State.DONE)).all()
        ticks = Counter(session.scalars(select(AuditEntry.subject_id).where(AuditEntry.act == "ticked")))
        ids = dict(session.execute(select(Mail.recipient, Mail.message_id)).all())
    assert effects == dict.fromkeys(done_jobs, 1)
    assert ticks
    assert set(ticks.values()) == {1}
    sent = Counter((message["To"], message["Message-ID"]) for message in server.messages)
    assert set(sent) == set(ids.items()), "every mail came, and each time with its own Message-ID"
    doubles = sum(times - 1 for times in sent.values())
    print(f"{'PostgreSQL' if postgres else 'SQLite'}: {KILLS} kills, {doubles} mails twice")
    assert doubles <= KILLS
