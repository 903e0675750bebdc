"""Copies of what is kept: whole, for whoever asked alone, and not for long."""

import io
import json
import os
import zipfile
from datetime import timedelta

import pytest
from sqlalchemy import select

from tests.viewer.privacy.test_blur import confirm
from tests.viewer.privacy.test_retention import drain, look
from tests.viewer.world import FILES, NOW
from viewer.audit.models import AuditEntry
from viewer.errors import LeaseLost
from viewer.games.models import GameEvent
from viewer.jobs.duties import Tools
from viewer.jobs.models import Job
from viewer.mail.models import Mail
from viewer.privacy.export import sweep_exports, write_export


def copy_of(world, who: str, page: str) -> tuple[int, bytes]:
    """Ask on a page and fetch the copy."""
    with world.client(who) as browser:
        assert browser.post(page).status_code == 303
        drain(world)
        with world.database.reading() as session:
            job = session.scalars(select(Job.id).where(Job.kind == "export").order_by(Job.id.desc())).first()
        answered = browser.get(f"/exports/{job}")
        assert answered.status_code == 200
        assert answered.headers["content-disposition"].startswith("attachment")
        assert f"/exports/{job}" in browser.get("/account/data").text
    return job, answered.content


def test_a_copy_of_a_player_holds_what_is_kept_and_their_clips(world):
    confirm(world, "robin", 3)
    with world.database.writing() as session:
        session.scalars(select(GameEvent).order_by(GameEvent.id)).first().player_id = world.ids["robin"]
    with world.client("parent") as browser:
        browser.post(f"/players/{world.ids['robin']}/consent", data={"public": "no"})
    _, raw = copy_of(world, "parent", f"/players/{world.ids['robin']}/export")
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        told = json.loads(archive.read("data.json"))
        [clip] = [name for name in archive.namelist() if name.startswith("clips/")]
        assert archive.read(clip) == FILES["clips/000.mp4"]
    assert told["player"]["first_name"] == "Robin"
    assert told["teams"][0]["team"] == "U12"
    assert (told["consents"][0]["scope"], told["consents"][0]["given"]) == ("public", False)
    assert told["statistics"][0]["distance_m"] == 812
    assert len(told["heat_maps"][0]["seconds"]) == 34
    assert len(told["events"]) == 1


def test_a_copy_of_an_account_holds_no_secret(world):
    _, raw = copy_of(world, "parent", "/account/export")
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        text = archive.read("data.json").decode()
    assert json.loads(text)["account"]["mail"] == "parent@example.org"
    assert "hash" not in text


def test_a_copy_is_for_whoever_asked_after_proving_again_for_seven_days_and_audited(world):
    job, _ = copy_of(world, "parent", f"/players/{world.ids['robin']}/export")
    for who in ("player", "coach", "club_admin", "their_parent"):
        with world.client(who) as browser:
            assert browser.get(f"/exports/{job}").status_code == 404, who
    with world.client() as browser:
        assert browser.get(f"/exports/{job}").headers["location"].startswith("/sign-in")
    with world.client("parent") as browser:
        world.clock.now = NOW + timedelta(minutes=16)
        assert browser.get(f"/exports/{job}").status_code != 200
    with world.database.reading() as session:
        acts = session.scalars(select(AuditEntry.act).where(AuditEntry.act.startswith("export"))).all()
        mail = session.scalars(select(Mail).where(Mail.key.startswith("export-ready"))).one()
    assert acts == ["export", "export-download"]
    assert mail.recipient == "parent@example.org"
    assert "Robin" not in mail.text
    world.clock.now = NOW + timedelta(days=7, minutes=1)
    with world.client("parent") as browser:
        assert browser.get(f"/exports/{job}").status_code == 404
    look(world, world.clock.now)
    assert list((world.portal.settings.data / "exports").iterdir()) == []


def test_a_worker_that_lost_its_job_puts_no_copy_in_place_and_leaves_no_part(world, tmp_path):
    tools = Tools(world.database, world.portal.settings, world.clock, world.portal.seal)
    folder = tmp_path / "exports"
    folder.mkdir()
    target = folder / "copy.zip"
    write_export(tools, "user", world.users["parent"], target)
    whole = target.read_bytes()

    def lost() -> None:
        # The one that took over has its own part beside.
        assert len(list(folder.glob(".*.part"))) == 1
        raise LeaseLost("another worker has taken this job over")

    with pytest.raises(LeaseLost):
        write_export(tools, "user", world.users["parent"], target, lost)
    assert [path.name for path in folder.iterdir()] == ["copy.zip"]
    assert target.read_bytes() == whole


def test_parts_that_a_killed_worker_left_go_after_a_day(world):
    folder = world.portal.settings.data / "exports"
    folder.mkdir()
    old, fresh = folder / ".abc.part", folder / ".def.part"
    for part in (old, fresh):
        part.write_bytes(b"half a copy")
    for part, age in ((old, timedelta(days=2)), (fresh, timedelta(hours=1))):
        os.utime(part, times=((NOW - age).timestamp(),) * 2)
    with world.database.writing() as session:
        assert sweep_exports(session, world.portal.settings, NOW) == 1
    assert list(folder.iterdir()) == [fresh]
