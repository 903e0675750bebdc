"""A package taken in by hand goes the same way as one that a hub sent, and so does one in a bucket."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from viewer.devices.keys import make_key, revoke
from viewer.devices.models import Device
from viewer.errors import BadPackage, UnknownDevice
from viewer.games.intake import package_path, queue_intake
from viewer.games.models import Recording
from viewer.jobs.duties import Tools
from viewer.jobs.lease import LEASE, State
from viewer.jobs.models import Job
from viewer.jobs.worker import Worker
from viewer.media.folder import FolderStore, read_file
from viewer.uploads.ingest import device_called, ingest

SESSION = "1795344000-0a1b2c3d4e"


def work(world) -> Tools:
    tools = Tools(world.database, world.portal.settings, world.clock, world.portal.seal)
    Worker(tools, None, lambda: False).drain()
    return tools


def newest_job(world) -> Job:
    with world.database.reading() as session:
        return session.scalars(select(Job).order_by(Job.id.desc()).limit(1)).one()


def take(world, pieces) -> str:
    return ingest(world.database, world.portal.settings, pieces, world.ids["device"], world.clock())


def test_a_package_from_a_file_becomes_a_match(world, made_package, tmp_path):
    package = made_package.tar(tmp_path / "p.tar")
    assert take(world, read_file(package)) == SESSION
    tools = work(world)
    assert newest_job(world).state == State.DONE
    assert package.exists()
    with world.database.reading() as session:
        recording = session.scalars(select(Recording).where(Recording.session == SESSION)).one()
    assert tools.media.whole(f"{recording.folder}/panorama.mp4") == made_package.files["panorama.mp4"]
    assert list(world.portal.settings.incoming.iterdir()) == []


def test_its_sums_are_checked_as_an_uploads_are(world, made_package, tmp_path):
    spoilt = replace(made_package)
    promised = spoilt.manifest()
    spoilt.files = {**spoilt.files, "poster.jpg": spoilt.files["poster.jpg"][:-1] + b"?"}
    take(world, read_file(spoilt.tar(tmp_path / "p.tar", promised)))
    work(world)
    assert newest_job(world).state == State.FAILED
    assert "damaged" in newest_job(world).fault


@pytest.mark.parametrize(("path", "data"), [("panorama.mp4", b"<html>" * 100), ("poster.jpg", b"MZ" * 100)])
def test_a_file_that_is_not_what_its_name_says_is_refused(world, made_package, tmp_path, path, data):
    other = replace(made_package)
    other.files = {**other.files, path: data}
    take(world, read_file(other.tar(tmp_path / "p.tar")))
    tools = work(world)
    assert newest_job(world).fault == f"{path} is not what its name says"
    assert tools.media.usage(SESSION).files == 0


def test_what_is_no_package_is_refused_at_once_and_leaves_nothing(world):
    with pytest.raises(BadPackage):
        take(world, iter([b"not a tar " * 100]))
    assert list(world.portal.settings.incoming.iterdir()) == []


def test_a_package_goes_into_a_bucket_and_its_tracks_come_from_there(s3_world, made_package, tmp_path):
    take(s3_world, read_file(made_package.tar(tmp_path / "p.tar")))
    tools = work(s3_world)
    assert newest_job(s3_world).state == State.DONE
    assert tools.media.usage(SESSION).files == len(made_package.files)
    assert not list(s3_world.portal.settings.media.glob(f"{SESSION}/*/*.mp4"))
    with s3_world.client("parent") as browser:
        tracks = browser.get(f"/matches/{SESSION}/tracks.json?to=2").json()
    assert len(tracks["tracks"]) > 10


def test_a_refined_package_takes_the_place_of_the_first_in_the_bucket(s3_world, made_package, tmp_path):
    for package in (made_package, replace(made_package, events=made_package.events[:4], clips_of=(3,))):
        take(s3_world, read_file(package.tar(tmp_path / "p.tar")))
        work(s3_world)
    assert len({s.path.split("/")[1] for s in s3_world.portal.media.listed(SESSION)}) == 1


def test_a_worker_that_dies_once_the_files_are_stored_leaves_nothing_twice(world, made_package, tmp_path, monkeypatch):
    class Killed(BaseException):
        """Stands for the process's end."""

    real = FolderStore.put

    def die(*args) -> None:
        real(*args)
        raise Killed

    take(world, read_file(made_package.tar(tmp_path / "p.tar")))
    with monkeypatch.context() as patched:
        patched.setattr(FolderStore, "put", die)
        with pytest.raises(Killed):
            work(world)
    with world.client("parent") as browser:
        assert browser.get(f"/matches/{SESSION}").status_code == 404
    world.clock.now += LEASE + timedelta(seconds=1)
    tools = work(world)
    assert (newest_job(world).state, newest_job(world).attempts) == (State.DONE, 2)
    assert tools.media.usage(SESSION).files == len(made_package.files)


def test_a_revoked_devices_package_fails_in_words_and_stores_nothing(world, made_package, tmp_path):
    take(world, read_file(made_package.tar(tmp_path / "p.tar")))
    with world.database.writing() as session:
        revoke(session, session.get_one(Device, world.ids["device"]), world.clock())
    tools = work(world)
    assert newest_job(world).state == State.FAILED
    assert "may no longer bring any" in newest_job(world).fault
    assert tools.media.usage(SESSION).files == 0
    assert list(world.portal.settings.incoming.iterdir()) == []


def test_a_revoked_devices_upload_is_refused_at_its_next_piece(world):
    with world.database.writing() as session:
        key = make_key(session, session.get_one(Device, world.ids["device"]), world.clock())
    told = {"Authorization": f"Bearer {key}", "Tus-Resumable": "1.0.0"}
    metadata = "session MTc5NTM0NDAwMC0wYTFiMmMzZDRl,kind bWF0Y2gtcGFja2FnZQ=="
    with world.client(html=False) as hub:
        made = hub.post("/api/v1/uploads", headers={**told, "Upload-Length": "10", "Upload-Metadata": metadata})
        assert made.status_code == 201
        piece = {**told, "Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"}
        place = made.headers["location"]
        assert hub.patch(place, headers=piece, content=b"12345").status_code == 204
        with world.database.writing() as session:
            revoke(session, session.get_one(Device, world.ids["device"]), world.clock())
        assert hub.patch(place, headers={**piece, "Upload-Offset": "5"}, content=b"67890").status_code == 401
        assert hub.head(place, headers=told).status_code == 401
        theirs = {**told, "Authorization": f"Bearer {world.keys['their_hub']}"}
        assert hub.delete(place, headers=theirs).status_code in (403, 404)
    assert list(world.portal.settings.incoming.iterdir()) == []


@pytest.mark.parametrize(
    "metadata",
    [
        "",
        "kind bWF0Y2gtcGFja2FnZQ==",
        "session MTc5NTM0NDAwMC0wYTFiMmMzZDRl,kind c2hlbGw=",
        "session Li4vLi4vZXRj,kind bWF0Y2gtcGFja2FnZQ==",
        "session !!!,kind bWF0Y2gtcGFja2FnZQ==",
    ],
)
def test_an_upload_that_does_not_say_what_it_is_is_refused(world, metadata):
    told = {"Authorization": f"Bearer {world.keys['hub']}", "Tus-Resumable": "1.0.0", "Upload-Length": "10"}
    with world.client(html=False) as hub:
        answer = hub.post("/api/v1/uploads", headers={**told, "Upload-Metadata": metadata})
    assert answer.status_code == 400
    assert not [p for p in world.portal.settings.uploads.iterdir() if p.suffix == ".data"]


def test_an_upload_of_more_than_a_match_can_have_is_refused(world):
    told = {"Authorization": f"Bearer {world.keys['hub']}", "Tus-Resumable": "1.0.0", "Upload-Length": str(1 << 40)}
    metadata = "session MTc5NTM0NDAwMC0wYTFiMmMzZDRl,kind bWF0Y2gtcGFja2FnZQ=="
    with world.client(html=False) as hub:
        assert hub.post("/api/v1/uploads", headers={**told, "Upload-Metadata": metadata}).status_code == 413


def test_a_device_is_named_with_its_club_where_several_clubs_have_one(world):
    with world.database.reading() as session:
        with pytest.raises(UnknownDevice, match="--club"):
            device_called(session, "hub")
        with pytest.raises(UnknownDevice, match="no device"):
            device_called(session, "box")
        assert device_called(session, "hub", "riverside-rovers").id == world.ids["device"]


def test_a_device_cannot_ask_after_another_devices_package(world):
    with world.database.writing() as session:
        queue_intake(session, "u", SESSION, world.ids["device"], world.clock())
    with world.client(html=False) as hub:
        for name, status in (("hub", 200), ("their_hub", 404)):
            told = {"Authorization": f"Bearer {world.keys[name]}"}
            assert hub.get(f"/api/v1/packages/{SESSION}", headers=told).status_code == status
    assert not package_path(world.portal.settings, "u").exists()
