"""Backups hold one moment of the portal; a restore is checked first, and whole or not at all."""

import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
import threading
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import delete, func, select, text, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from tests.viewer.db.first_portal import fill, rows
from tests.viewer.world import FILES, NOW, OURS, make_world
from viewer import cli
from viewer.accounts.models import User
from viewer.audit.models import AuditEntry
from viewer.clock import now
from viewer.clubs.actor import COMMAND_LINE, Actor
from viewer.clubs.models import Player
from viewer.db import Database
from viewer.db.backup.archive import opened
from viewer.db.backup.making import make_backup, name_in_row, rotate
from viewer.db.backup.restoring import Target, restore
from viewer.db.migrate import current, newest, upgrade
from viewer.errors import BadBackup, NewerDatabase, NotEmpty, ToolMissing
from viewer.games.models import Recording, RecordingFile
from viewer.media.folder import FolderStore
from viewer.privacy.again import Erasures
from viewer.privacy.deleting import delete_recording
from viewer.privacy.erasure import erase_player, erase_user
from viewer.privacy.horizon import Horizon, entries_in, horizon_of
from viewer.sealing import Seal, open_seal, secret_of
from viewer.settings import Settings

SECRET = b"the portal's secret for tests...."
ROOT = Path(__file__).parents[3]


@dataclass
class FakeErasures:
    """Erases users by number."""

    entries: list[int] = field(default_factory=list)
    asked: list[object] = field(default_factory=list)

    def known(self, session, since):
        self.asked.append((session is not None, since))
        return self.entries

    def again(self, session: Session, entries, now):
        return session.execute(delete(User).where(User.id.in_(entries))).rowcount


@pytest.fixture
def filled(database: Database, settings: Settings) -> Database:
    """The small world, its media listed with their true sums."""
    make_world(database, settings)
    with database.writing() as session:
        for path, data in FILES.items():
            true = {"sha256": hashlib.sha256(data).hexdigest()}
            session.execute(update(RecordingFile).where(RecordingFile.path == path).values(true))
    return database


def back_up(database: Database, to: Path, **more):
    return make_backup(database, to, NOW, SECRET, **more)


def another(database: Database, tmp_path: Path, request) -> Database:
    """An empty database of the same kind."""
    if database.engine.dialect.name == "sqlite":
        return Database(f"sqlite:///{tmp_path / 'another.db'}")
    url = database.engine.url
    name = f"{url.database}_another"
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))

    def drop() -> None:
        with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))

    request.addfinalizer(drop)
    return Database(url.set(database=name).render_as_string(hide_password=False))


def target_of(database: Database, folder: Path, *, secret: bytes | None = SECRET) -> Target:
    data = folder / "restored"
    (data / "work").mkdir(parents=True, exist_ok=True)
    if secret is not None:
        (data / "secret.key").write_bytes(secret)
    return Target(data, database, FolderStore(data / "media"), data / "work")


def users(database: Database) -> int:
    with database.reading() as session:
        return session.scalar(select(func.count()).select_from(User))


def test_a_restored_portal_has_every_row_and_file(filled: Database, settings: Settings, tmp_path: Path, request):
    backup = tmp_path / "portal.tar"
    manifest, listing = back_up(filled, backup, media=FolderStore(settings.media))
    assert (manifest.revision, manifest.made_at) == (newest(), NOW)
    assert (len(listing.files), listing.left_out, listing.changed) == (2 * len(FILES), (), ())
    assert backup.stat().st_mode & 0o777 == 0o600
    assert sorted(p.name for p in tmp_path.iterdir() if "backup" in p.name or p.name.endswith(".new")) == []
    other = another(filled, tmp_path, request)
    target = target_of(other, tmp_path)
    done = restore(backup, target, FakeErasures(), NOW)
    assert (done.made_at, done.files, done.missing, done.erased) == (NOW, 2 * len(FILES), 0, 0)
    assert rows(other) == rows(filled)
    for file in listing.files:
        assert (target.data / "media" / file.name).read_bytes() == FILES[file.path]
    assert list(target.work.iterdir()) == []
    with other.writing() as session:
        # Numbers go on where they were.
        session.add(User(mail="new@example.org", name="New", made_at=NOW))
    other.close()


def test_without_media_a_backup_lists_them_and_the_restore_counts_what_is_missing(filled, tmp_path, request):
    backup = tmp_path / "portal.tar"
    back_up(filled, backup)
    with opened(backup) as archive:
        assert archive.names == {"database", "media.json"}
    other = another(filled, tmp_path, request)
    assert restore(backup, target_of(other, tmp_path), FakeErasures(), NOW).missing == 2 * len(FILES)
    other.close()


def test_a_media_file_that_is_gone_or_changed_is_told_and_stops_no_backup(filled, settings, tmp_path):
    gone, changed = sorted(settings.media.rglob("panorama.mp4"))
    gone.unlink()
    changed.write_bytes(b"rotten")
    _, listing = back_up(filled, tmp_path / "portal.tar", media=FolderStore(settings.media))
    assert listing.left_out == (str(gone.relative_to(settings.media)),)
    assert listing.changed == (str(changed.relative_to(settings.media)),)


def test_a_backup_taken_while_somebody_writes_holds_one_moment(filled: Database, tmp_path: Path, request):
    stop, wrote = threading.Event(), threading.Event()

    def write() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            with filled.writing() as session:
                for which in "ab":
                    session.add(User(mail=f"{which}{number}@pair.example", name=which, made_at=NOW))
                    session.flush()
            wrote.set()

    writer = threading.Thread(target=write)
    before = users(filled)
    writer.start()
    wrote.wait(30)
    back_up(filled, tmp_path / "portal.tar")
    stop.set()
    writer.join()
    other = another(filled, tmp_path, request)
    restore(tmp_path / "portal.tar", target_of(other, tmp_path), FakeErasures(), NOW)
    pairs = users(other) - before
    assert pairs >= 2
    assert pairs % 2 == 0
    other.close()


def test_the_secret_is_in_a_backup_only_when_asked_for(filled, tmp_path, request):
    back_up(filled, tmp_path / "without.tar")
    back_up(filled, tmp_path / "with.tar", with_secret=True)
    assert SECRET not in (tmp_path / "without.tar").read_bytes()
    other = another(filled, tmp_path, request)
    fresh = target_of(other, tmp_path, secret=None)
    with pytest.raises(BadBackup, match=r"secret\.key"):
        restore(tmp_path / "without.tar", fresh, FakeErasures(), NOW)
    restore(tmp_path / "with.tar", fresh, FakeErasures(), NOW)
    assert secret_of(fresh.data) == SECRET
    assert (fresh.data / "secret.key").stat().st_mode & 0o777 == 0o600
    other.close()


def test_a_portal_with_another_secret_takes_a_backup_only_when_told_so(filled, tmp_path, request):
    back_up(filled, tmp_path / "portal.tar", with_secret=True)
    other = another(filled, tmp_path, request)
    target = target_of(other, tmp_path, secret=b"another secret of thirty-two byte")
    with pytest.raises(BadBackup, match="another secret"):
        restore(tmp_path / "portal.tar", target, FakeErasures(), NOW)
    restore(tmp_path / "portal.tar", target, FakeErasures(), NOW, other_secret=True)
    assert secret_of(target.data) != SECRET
    other.close()


def test_a_portal_that_holds_something_is_replaced_only_when_told_so(filled, settings, tmp_path):
    back_up(filled, tmp_path / "portal.tar")
    before = rows(filled)
    with filled.writing() as session:
        session.add(User(mail="later@example.org", name="Later", made_at=NOW))
    later = rows(filled)
    filled.close()
    target = target_of(filled, tmp_path)
    with pytest.raises(NotEmpty, match="--replace"):
        restore(tmp_path / "portal.tar", target, FakeErasures(), NOW)
    assert rows(filled) == later
    filled.close()
    restore(tmp_path / "portal.tar", target, FakeErasures(), NOW, replace=True)
    assert rows(filled) == before


def test_what_was_erased_since_is_erased_again(filled, tmp_path):
    back_up(filled, tmp_path / "portal.tar")
    with filled.reading() as session:
        erased = session.scalar(select(User.id).where(User.mail == "parent@example.org"))
    filled.close()
    erasures = FakeErasures([erased])
    done = restore(tmp_path / "portal.tar", target_of(filled, tmp_path), erasures, NOW, replace=True)
    assert (done.erased, erasures.asked) == (1, [(True, NOW)])
    with filled.reading() as session:
        assert session.get(User, erased) is None


@pytest.mark.parametrize("told_by", ["the table", "the file"])
def test_a_child_an_account_and_a_match_that_were_erased_since_do_not_come_back(filled, tmp_path, request, told_by):
    back_up(filled, tmp_path / "portal.tar")
    target = target_of(filled, tmp_path)
    horizon, seal = Horizon(target.data, timedelta(days=31)), Seal(SECRET)
    later, by = NOW + timedelta(days=2), Actor(mail="admin@example.org")
    with filled.writing() as session:
        robin = session.scalars(select(Player).where(Player.first_name == "Robin")).one()
        parent = session.scalars(select(User).where(User.mail == "parent@example.org")).one()
        ours = session.scalars(select(Recording).where(Recording.session == OURS)).one()
        gone = robin.id, parent.id
        erase_player(session, robin, by, later, horizon, seal)
        erase_user(session, parent, by, later, horizon, seal)
        delete_recording(session, ours, by, later, horizon, reason="asked for")
    if told_by == "the table":
        (target.data / "erasures.jsonl").unlink()
        restored = filled
    else:
        # The machine was lost, and the file of erasures is all that was kept of it.
        restored = another(filled, tmp_path, request)
        target = replace(target, database=restored)
    filled.close()
    done = restore(tmp_path / "portal.tar", target, Erasures(horizon, seal), later, replace=True)
    assert done.erased == 3
    with restored.reading() as session:
        assert session.scalars(select(Player).where(Player.first_name == "Robin")).all() == []
        assert session.get_one(Player, gone[0]).first_name == "erased"
        assert session.get(User, gone[1]) is None
        assert session.scalar(select(Recording).where(Recording.session == OURS)) is None
        assert session.scalars(select(Player.first_name).where(Player.first_name == "Kim")).all() == ["Kim"]
    assert {(e.kind, e.name) for e in entries_in(target.data)} == {("player", ""), ("user", ""), ("recording", OURS)}
    restored.close()


def test_a_backup_of_the_first_portal_is_brought_up_to_date(empty_database, tmp_path, request):
    upgrade(empty_database, "0001")
    fill(empty_database)
    manifest, listing = back_up(empty_database, tmp_path / "portal.tar")
    assert (manifest.revision, len(listing.files)) == ("0001", 3)
    other = another(empty_database, tmp_path, request)
    restore(tmp_path / "portal.tar", target_of(other, tmp_path), FakeErasures(), NOW)
    assert current(other) == newest()
    assert users(other) == 5
    # Nor does an old portal stand in the way of a new one.
    empty_database.close()
    restore(tmp_path / "portal.tar", target_of(empty_database, tmp_path), FakeErasures(), NOW, replace=True)
    assert rows(empty_database) == rows(other)
    other.close()


def changed(backup: Path, to: Path, change) -> Path:
    """The backup with its members passed through `change(name, data) -> data | None`."""
    with tarfile.open(backup) as old, tarfile.open(to, "w") as new:
        for member in old:
            data = change(member.name, old.extractfile(member).read())
            if data is not None:
                fresh = tarfile.TarInfo(member.name)
                fresh.size = len(data)
                new.addfile(fresh, io.BytesIO(data))
    return to


def told(**more):
    return lambda name, data: json.dumps({**json.loads(data), **more}).encode() if name == "manifest.json" else data


DAMAGE = {
    "a changed byte": (lambda n, d: d[:-1] + b"!" if n == "database" else d, BadBackup, "damaged: database"),
    "a missing part": (lambda n, d: None if n == "media.json" else d, BadBackup, "damaged: media.json"),
    "no manifest": (lambda n, d: None if n == "manifest.json" else d, BadBackup, "cut short"),
    "a broken manifest": (lambda n, d: b"{" if n == "manifest.json" else d, BadBackup, "manifest cannot be read"),
    "another format": (told(format=2), BadBackup, "newer Touchline"),
    "a newer revision": (told(revision="9999"), NewerDatabase, "newer Touchline"),
}


@pytest.mark.parametrize("what", DAMAGE)
def test_a_damaged_backup_is_refused_before_anything_is_touched(filled, tmp_path, what):
    change, fault, words = DAMAGE[what]
    back_up(filled, tmp_path / "good.tar")
    bad = changed(tmp_path / "good.tar", tmp_path / "bad.tar", change)
    before = rows(filled)
    filled.close()
    with pytest.raises(fault, match=words):
        restore(bad, target_of(filled, tmp_path), FakeErasures(), NOW, replace=True)
    assert rows(filled) == before


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9])
def test_a_backup_that_was_cut_short_is_refused(filled, tmp_path, share):
    back_up(filled, tmp_path / "good.tar")
    data = (tmp_path / "good.tar").read_bytes()
    (tmp_path / "bad.tar").write_bytes(data[: int(len(data) * share)])
    filled.close()
    with pytest.raises(BadBackup, match=r"no backup|cut short|damaged"):
        restore(tmp_path / "bad.tar", target_of(filled, tmp_path), FakeErasures(), NOW, replace=True)


@pytest.mark.parametrize("name", ["../outside", "/etc/passwd", "media/a/../../b"])
def test_a_backup_that_reaches_outside_is_refused(tmp_path, name):
    with tarfile.open(tmp_path / "bad.tar", "w") as tar:
        tar.addfile(tarfile.TarInfo(name), io.BytesIO())
    with pytest.raises(BadBackup, match="this is no backup"), opened(tmp_path / "bad.tar"):
        pass


def test_a_backup_of_the_other_kind_is_refused_in_words(filled, tmp_path):
    kind = {"sqlite": "postgresql", "postgresql": "sqlite"}[filled.engine.dialect.name]
    back_up(filled, tmp_path / "good.tar")
    other = changed(tmp_path / "good.tar", tmp_path / "other.tar", told(kind=kind))
    filled.close()
    with pytest.raises(BadBackup, match="database of its own kind"):
        restore(other, target_of(filled, tmp_path), FakeErasures(), NOW, replace=True)


KILLED = """
import os, signal, sys
from datetime import datetime, UTC
from pathlib import Path
import viewer.db.backup.restoring as restoring
from viewer.db import Database
from viewer.media.folder import FolderStore

url, data, backup, where = sys.argv[1:]
die = lambda *_: os.kill(os.getpid(), signal.SIGKILL)

class Erasures:
    def known(self, session, since):
        return []
    def again(self, session, entries, now):
        return die() if where == "erasing" else 0

def dying(real, when):
    def call(*args):
        if when == "before":
            die()
        real(*args)
        die()
    return call

if where == "filling":
    restoring.upgrade = restoring.upgrade_on = die
if where == "renaming":
    os.replace = dying(os.replace, "before")
if where == "renamed":
    os.replace = dying(os.replace, "after")
data = Path(data)
target = restoring.Target(data, Database(url), FolderStore(data / "media"), data / "work")
restoring.restore(Path(backup), target, Erasures(), datetime(2026, 11, 28, tzinfo=UTC), replace=True)
die()
"""


@pytest.mark.parametrize("where", ["filling", "erasing", "renaming", "renamed", "done"])
def test_killed_in_the_middle_the_portal_is_the_old_or_the_new_one(filled, tmp_path, where):
    if "renam" in where and filled.engine.dialect.name != "sqlite":
        pytest.skip("PostgreSQL's restore renames nothing")
    back_up(filled, tmp_path / "portal.tar")
    new = rows(filled)
    with filled.writing() as session:
        session.add(User(mail="later@example.org", name="Later", made_at=NOW))
    old = rows(filled)
    filled.close()
    target = target_of(filled, tmp_path)
    url = filled.engine.url.render_as_string(hide_password=False)
    words = [sys.executable, "-c", KILLED, url, str(target.data), str(tmp_path / "portal.tar"), where]
    killed = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    assert killed.returncode == -9, killed.stderr
    assert rows(filled) == (new if where in ("renamed", "done") else old)
    filled.close()
    # Whatever it left behind is in nobody's way.
    restore(tmp_path / "portal.tar", target, FakeErasures(), NOW, replace=True)
    assert rows(filled) == new
    assert not list(tmp_path.glob("*.restoring*"))


def test_a_running_portal_is_not_replaced(filled, tmp_path):
    back_up(filled, tmp_path / "portal.tar")
    before = rows(filled)
    running = Database(filled.engine.url.render_as_string(hide_password=False))
    filled.close()
    with running.reading() as session:
        session.scalar(select(func.count()).select_from(User))
        with pytest.raises(NotEmpty, match="stop its serve and worker"):
            restore(tmp_path / "portal.tar", target_of(filled, tmp_path), FakeErasures(), NOW, replace=True)
    assert rows(running) == before
    running.close()


def test_on_sqlite_a_damaged_database_can_be_replaced(tmp_path):
    path = tmp_path / "portal.db"
    database = Database(f"sqlite:///{path}")
    upgrade(database)
    back_up(database, tmp_path / "portal.tar")
    before = rows(database)
    database.close()
    path.write_bytes(b"a disk wrote this" * 1000)
    erasures = FakeErasures()
    with pytest.raises(NotEmpty):
        restore(tmp_path / "portal.tar", target_of(database, tmp_path), erasures, NOW)
    database.close()
    restore(tmp_path / "portal.tar", target_of(database, tmp_path), erasures, NOW, replace=True)
    assert rows(database) == before
    assert erasures.asked == [(False, NOW), (False, NOW)]
    database.close()


def test_on_sqlite_a_backup_holds_no_page_of_deleted_rows(tmp_path):
    database = Database(f"sqlite:///{tmp_path / 'portal.db'}")
    upgrade(database)
    with database.writing() as session:
        session.add(User(mail="gone@example.org", name="Somebody Erased", made_at=NOW))
    with database.writing() as session:
        session.execute(delete(User))
    back_up(database, tmp_path / "portal.tar")
    database.close()
    assert b"Somebody Erased" not in (tmp_path / "portal.tar").read_bytes()


def test_without_postgresqls_programs_the_backup_says_what_to_install(new_postgres_url, tmp_path, monkeypatch):
    database = Database(new_postgres_url)
    upgrade(database)
    monkeypatch.setattr("viewer.db.backup.copies._DEBIAN", tmp_path)
    monkeypatch.setattr(shutil, "which", lambda _name: None)
    with pytest.raises(ToolMissing, match="postgresql-client"):
        back_up(database, tmp_path / "portal.tar")
    assert not (tmp_path / "portal.tar").exists()
    database.close()


def test_a_failed_backup_leaves_the_last_one_as_it_was(filled, settings, tmp_path):
    (tmp_path / "portal.tar").write_bytes(b"the last one")

    class Shrinking(FolderStore):
        def read(self, path):
            yield b"x"

    with pytest.raises(BadBackup, match="became shorter"):
        back_up(filled, tmp_path / "portal.tar", media=Shrinking(settings.media))
    assert (tmp_path / "portal.tar").read_bytes() == b"the last one"
    assert not list(tmp_path.glob("portal.tar.new"))


def test_a_row_of_backups_loses_the_old_ones_and_nothing_else(tmp_path):
    days = [name_in_row(NOW - timedelta(days=n)) for n in (0, 6, 7, 8, 40)]
    others = ["touchline.tar", "holiday.jpg", f"{days[0]}.new"]
    for name in (*days, *others, f"{days[4]}.new"):
        (tmp_path / name).touch()
    gone = {path.name for path in rotate(tmp_path, timedelta(days=7), NOW)}
    assert gone == {days[3], days[4], f"{days[4]}.new"}
    assert {path.name for path in tmp_path.iterdir()} == {*days[:3], *others}


def test_the_commands_back_up_and_restore(tmp_path, capsys, monkeypatch):
    monkeypatch.delenv("TOUCHLINE_DATABASE", raising=False)
    data, folder = tmp_path / "portal", tmp_path / "backups"
    folder.mkdir()
    assert cli.main(["backup", "--data", str(data), "--to", str(folder / "a.tar")]) == 1
    assert "there is no portal" in capsys.readouterr().err
    data.mkdir()
    portal = Database(f"sqlite:///{data / 'portal.db'}")
    upgrade(portal)
    with portal.writing() as session:
        session.add(User(mail="somebody@example.org", name="Somebody", made_at=NOW))
    portal.close()
    open_seal(data)
    (folder / "touchline-20200101T000000Z.tar").touch()
    assert cli.main(["backup", "--data", str(data), "--to", str(folder), "--keep", "7"]) == 0
    said = capsys.readouterr()
    assert "touchline-20200101T000000Z.tar deleted" in said.out
    assert "the secret is not in it" in said.err
    [made] = folder.iterdir()
    assert cli.main(["restore", "--data", str(data), "--from", str(made)]) == 1
    assert "--replace" in capsys.readouterr().err
    assert cli.main(["restore", "--data", str(data), "--from", str(made), "--replace"]) == 0
    assert "restored as of" in capsys.readouterr().out
    assert cli.main(["backup", "--data", str(data), "--to", str(folder), "--keep", "31"]) == 1
    assert "TOUCHLINE_BACKUP_DAYS" in capsys.readouterr().err
    (tmp_path / "in-the-way.tar.new").mkdir()
    assert cli.main(["backup", "--data", str(data), "--to", str(tmp_path / "in-the-way.tar")]) == 1
    assert "the disk says" in capsys.readouterr().err
    monkeypatch.setenv("TOUCHLINE_BACKUP_DAYS", "60")
    assert cli.main(["backup", "--data", str(data), "--to", str(folder), "--keep", "31"]) == 0
    monkeypatch.setenv("TOUCHLINE_BACKUP_DAYS", "many")
    assert cli.main(["backup", "--data", str(data), "--to", str(folder), "--keep", "31"]) == 1
    assert os.listdir(data / "work") == []


def command(settings: Settings, *words: str) -> int:
    return cli.main([words[0], "--data", str(settings.data), "--database", settings.database, *words[1:]])


def test_a_backup_by_command_is_in_the_audit_log_with_its_files_name(filled, settings, tmp_path, capsys):
    backup = tmp_path / "portal.tar"
    assert command(settings, "backup", "--to", str(tmp_path / "none" / "portal.tar")) == 1
    assert command(settings, "backup", "--to", str(backup), "--with-secret") == 0
    assert "audit log" not in capsys.readouterr().err
    with filled.reading() as session:
        [entry] = session.scalars(select(AuditEntry)).all()
    assert (entry.act, entry.kind, entry.actor_id, entry.organization_id) == ("backup", "portal", None, None)
    assert entry.detail == {"file": "portal.tar", "with_media": False, "with_secret": True}
    # What was erased after the backup stays erased, also now that the log is longer than the backup's.
    with filled.writing() as session:
        parent = session.scalars(select(User).where(User.mail == "parent@example.org")).one()
        erase_user(session, parent, COMMAND_LINE, now(), horizon_of(settings), open_seal(settings.data))
    filled.close()
    assert command(settings, "restore", "--from", str(backup), "--replace", "--other-secret") == 0
    assert "erased again" in capsys.readouterr().out
    with filled.reading() as session:
        assert session.scalar(select(User.id).where(User.mail == "parent@example.org")) is None


def test_a_backup_of_an_older_portal_is_made_without_a_note_and_says_so(empty_database, tmp_path, capsys):
    upgrade(empty_database, "0001")
    fill(empty_database)
    settings = Settings(tmp_path / "portal", empty_database.engine.url.render_as_string(hide_password=False))
    settings.make_folders()
    assert command(settings, "backup", "--to", str(tmp_path / "portal.tar")) == 0
    assert "not in the audit log" in capsys.readouterr().err
    assert current(empty_database) == "0001"


def test_a_backup_whose_note_cannot_be_written_is_good_all_the_same(filled, settings, tmp_path, capsys, monkeypatch):
    def full(*_words: object, **_more: object) -> None:
        raise OperationalError("INSERT", {}, Exception("the disk is full"))

    monkeypatch.setattr(Actor, "did", full)
    assert command(settings, "backup", "--to", str(tmp_path / "portal.tar")) == 0
    assert "not in the audit log: the disk is full" in capsys.readouterr().err
    with opened(tmp_path / "portal.tar") as archive:
        assert archive.manifest.revision == newest()
