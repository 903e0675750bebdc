"""What a crash left in the media store goes after a day, and nothing else does."""

import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from tests.viewer.world import OURS, THEIRS
from viewer.games.intake import queue_intake
from viewer.jobs.duties import Tools
from viewer.jobs.lease import State
from viewer.jobs.models import Job
from viewer.jobs.worker import Worker
from viewer.media.sweeping import GRACE, KEEP_INCOMING, KINDS, PERIODIC, orphans

ORPHAN = "1795341600-cccccccccc/0000000000000000"


@pytest.fixture
def swept(world):
    """The world, and `sweep(later)`: the duty and its job, done that much later than the files came."""

    def sweep(later: timedelta) -> set[str]:
        tools = Tools(world.database, world.portal.settings, lambda: datetime.now(UTC) + later, world.portal.seal)
        with world.database.writing() as session:
            PERIODIC[0].run(session, tools, tools.clock())
        Worker(tools, None, lambda: False, KINDS).drain()
        with world.database.reading() as session:
            assert session.scalars(select(Job).where(Job.kind == "sweep-media")).all()[-1].state == State.DONE
        return {"/".join(s.path.split("/")[:2]) for s in tools.media.listed()}

    return sweep


@pytest.fixture
def kept():
    return {f"{OURS}/0123456789abcdef", f"{THEIRS}/0123456789abcdef"}


def leave(world, prefix: str) -> None:
    folder = world.portal.settings.work / "left"
    (folder / "clips").mkdir(parents=True)
    (folder / "panorama.mp4").write_bytes(b"half a match")
    (folder / "clips" / "0.mp4").write_bytes(b"a clip")
    world.portal.media.put(folder, prefix)


def test_what_no_recording_speaks_of_goes_after_a_day(world, swept, kept):
    leave(world, ORPHAN)
    assert swept(GRACE - timedelta(hours=1)) == kept | {ORPHAN}
    assert swept(GRACE + timedelta(hours=1)) == kept


def test_an_older_package_of_a_known_session_goes_too(world, swept, kept):
    leave(world, f"{OURS}/ffffffffffffffff")
    assert swept(GRACE + timedelta(hours=1)) == kept


def test_what_a_package_under_way_put_there_stays(world, swept, kept):
    leave(world, ORPHAN)
    with world.database.writing() as session:
        queue_intake(session, "u", ORPHAN.partition("/")[0], world.ids["device"], world.clock() + timedelta(days=90))
    assert swept(GRACE + timedelta(hours=1)) == kept | {ORPHAN}


def test_a_package_that_nobody_took_in_goes_after_a_week(s3_world):
    import obstore

    media = s3_world.portal.media
    obstore.put(media.bucket, "incoming/p.tar", b"a package")
    found = datetime.now(UTC)
    with s3_world.database.reading() as session:
        assert orphans(session, media, found + KEEP_INCOMING - timedelta(hours=1)) == []
        assert orphans(session, media, found + KEEP_INCOMING + timedelta(hours=1)) == ["incoming/p.tar"]


def test_what_was_on_its_way_in_or_out_goes(world, swept, kept):
    aside = world.portal.settings.media / ".aside-0123"
    aside.mkdir()
    (aside / "panorama.mp4").write_bytes(b"half")
    os.utime(aside, (1, 1))
    assert swept(timedelta()) == kept
    assert not aside.exists()


def test_what_a_killed_process_left_in_the_portals_folder_goes_and_what_a_job_waits_for_stays(world, swept, kept):
    settings, later = world.portal.settings, KEEP_INCOMING + timedelta(hours=1)
    for name in ("local-dead.tar", "done.tar", "waiting.tar", "failed.tar"):
        (settings.incoming / name).write_bytes(b"a package")
    half = settings.work / "half"
    (half / "clips").mkdir(parents=True)
    (half / "clips" / "000.mp4").write_bytes(b"half a clip")
    with world.database.writing() as session:
        for upload, state in (("done", State.DONE), ("waiting", State.WAITING), ("failed", State.FAILED)):
            queue_intake(session, upload, OURS, world.ids["device"], world.clock() + timedelta(days=900))
            session.flush()
            session.scalars(select(Job).where(Job.key == f"intake:{upload}")).one().state = state
    assert swept(GRACE - timedelta(hours=1)) == kept
    assert half.exists()
    assert swept(GRACE + timedelta(hours=1)) == kept
    assert not half.exists()
    assert len(list(settings.incoming.iterdir())) == 4
    assert swept(later) == kept
    assert {path.name for path in settings.incoming.iterdir()} == {"waiting.tar", "failed.tar"}


def test_the_duty_queues_one_job_each_day(world):
    tools = Tools(world.database, world.portal.settings, world.clock, world.portal.seal)
    assert PERIODIC[0].every == timedelta(days=1)
    with world.database.writing() as session:
        for _ in range(2):
            PERIODIC[0].run(session, tools, world.clock())
    with world.database.reading() as session:
        assert len(session.scalars(select(Job)).all()) == 1


def test_a_bucket_is_swept_as_a_folder_is(s3_world, kept):
    folder = s3_world.portal.settings.work / "left"
    folder.mkdir()
    (folder / "panorama.mp4").write_bytes(b"half a match")
    media = s3_world.portal.media
    media.put(folder, ORPHAN)
    with s3_world.database.reading() as session:
        assert orphans(session, media, datetime.now(UTC) + GRACE + timedelta(hours=1)) == [ORPHAN]
        assert orphans(session, media, datetime.now(UTC)) == []


def test_settings_of_the_store_do_not_change_what_is_kept(world, kept):
    # A portal that was pointed at an empty bucket deletes nothing of its folder.
    elsewhere = replace(world.portal.settings, store=str(world.portal.settings.data / "elsewhere"))
    tools = Tools(world.database, elsewhere, world.clock, world.portal.seal)
    with world.database.reading() as session:
        assert orphans(session, tools.media, datetime.now(UTC) + timedelta(days=90)) == []
    assert {"/".join(s.path.split("/")[:2]) for s in world.portal.media.listed()} == kept
