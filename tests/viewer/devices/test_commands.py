"""Devices and media from the command line."""

import re
from typing import NamedTuple

import pytest
from sqlalchemy import select

from tests.viewer.world import World
from viewer.audit.models import AuditEntry
from viewer.cli import main
from viewer.clubs.models import Team
from viewer.devices.keys import device_named, device_of, revoke
from viewer.devices.models import Device, PairingCode


@pytest.fixture
def run(tmp_path, capsys, monkeypatch):
    """`run("device", "list")`: exit status, what was printed, and what was said beside it."""
    monkeypatch.setenv("TOUCHLINE_MEDIA", "")

    def command(*words: str) -> tuple[int, str, str]:
        status = main([words[0], "--data", str(tmp_path / "portal"), *words[1:]])
        return status, *capsys.readouterr()

    assert command("demo-accounts", "--home", "U12")[0] == 0
    return command


def test_a_device_is_paired_listed_and_revoked(run):
    status, code, said = run("device", "pair", "--name", "hub", "--team", "U12")
    assert status == 0
    assert len(code.strip()) == 9
    assert "within 15 minutes" in said
    assert run("device", "list")[1] == "touchline-fc\thub\tU12\t-\tseen never\n"
    assert run("device", "revoke", "--name", "hub")[0] == 0
    assert run("device", "list")[1].endswith("revoked\n")
    assert run("device", "revoke", "--name", "hub")[0] == 1


def test_a_device_is_renamed_moved_and_told_a_version(run):
    run("device", "pair", "--name", "hub", "--team", "U12")
    club = ("--club", "touchline-fc")
    run("venue", "add", *club, "--name", "Lake Park")
    change = ("device", "change", *club, "--name", "hub")
    assert run(*change, "--new-name", "mast", "--venue", "Lake Park", "--wanted-version", "0.2.0")[0] == 0
    assert run("device", "list")[1] == "touchline-fc\tmast\tU12\t- (to be 0.2.0)\tseen never\n"
    assert run(*change)[0] == 1, "it is called mast now"
    assert run("device", "change", *club, "--name", "mast", "--wanted-version", "", "--venue", "")[0] == 0
    assert run("device", "list")[1] == "touchline-fc\tmast\tU12\t-\tseen never\n"
    for words in (("--venue", "none"), ("--team", "none")):
        assert run("device", "change", *club, "--name", "mast", *words)[0] == 1


@pytest.fixture
def clubs(world, capsys):
    """`clubs("device", "list")` in a portal of two clubs that both have a device `hub` and a team `U12`."""
    settings = world.portal.settings

    def command(*words: str) -> tuple[int, str, str]:
        status = main([words[0], "--data", str(settings.data), "--database", settings.database, *words[1:]])
        return status, *capsys.readouterr()

    return command


def held(world: World, name: str) -> Device:
    with world.database.reading() as session:
        return session.get_one(Device, world.ids[name])


MB = 10**6


class DiskUsage(NamedTuple):
    """As `shutil` tells it."""

    total: int
    used: int
    free: int


OURS, THEIRS = ("--club", "riverside-rovers"), ("--club", "hillside-united")


@pytest.mark.parametrize(
    "words", [("device", "revoke"), ("device-key", "--revoke"), ("device", "pair"), ("device-key",)]
)
def test_with_several_clubs_a_device_command_names_its_club_and_touches_no_other(clubs, world, words):
    status, _, said = clubs(*words, "--name", "hub")
    assert (status, "--club" in said) == (1, True)
    assert clubs(*words, "--name", "hub", "--club", "none")[0] == 1
    with world.database.reading() as session:
        assert session.scalars(select(AuditEntry)).all() == []
        assert session.scalars(select(PairingCode)).all() == []
    assert clubs(*words, "--name", "hub", *THEIRS)[0] == 0
    assert held(world, "device").revoked_at is None
    assert (held(world, "their_device").revoked_at is not None) is ("revoke" in words[-1])
    with world.database.reading() as session:
        assert device_of(session, world.keys["hub"]) is not None
        [entry] = session.scalars(select(AuditEntry)).all()
    assert (entry.organization_id, entry.subject_id) == (world.ids["theirs"], world.ids["their_device"])


def test_a_new_device_is_for_the_named_clubs_newest_team_of_that_name_or_its_oldest_team(clubs, world):
    with world.database.writing() as session:
        session.add(Team(organization_id=world.ids["theirs"], name="U12", made_at=world.clock()))
    assert clubs("device", "pair", "--name", "new", *THEIRS, "--team", "U12")[0] == 0
    assert clubs("device-key", "--name", "old", *THEIRS)[0] == 0
    assert clubs("device", "pair", "--name", "none", *THEIRS, "--team", "U14")[0] == 1, "the U14 is the other club's"
    with world.database.reading() as session:
        made = {name: device_named(session, world.ids["theirs"], name) for name in ("new", "old", "none")}
    assert made["none"] is None
    assert made["new"].team_id > made["old"].team_id == world.ids["their_u12"]


def test_a_code_for_a_hub_that_is_there_moves_it_to_no_other_team(clubs, world):
    for words in (("device", "pair"), ("device-key",)):
        status, _, said = clubs(*words, "--name", "hub", *OURS, "--team", "U14")
        assert (status, "device change" in said) == (1, True)
        assert clubs(*words, "--name", "hub", *OURS)[0] == 0
        assert clubs(*words, "--name", "hub", *OURS, "--team", "U12")[0] == 0
        assert held(world, "device").team_id == world.ids["u12"]


def test_a_revoked_hub_comes_back_when_its_code_is_used_and_not_before(clubs, world):
    with world.database.writing() as session:
        revoke(session, session.get_one(Device, world.ids["device"]), world.clock())
    code = clubs("device", "pair", "--name", "hub", *OURS)[1].strip()
    assert held(world, "device").revoked_at is not None
    with world.client(html=False) as hub:
        # The command's code is of today, and the world's clock stands.
        assert hub.post("/api/v1/pairing", json={"code": code}).status_code == 201
    assert held(world, "device").revoked_at is None


def test_a_new_key_takes_a_revoked_hub_back_at_once(clubs, world):
    clubs("device", "revoke", "--name", "hub", *OURS)
    key = clubs("device-key", "--name", "hub", *OURS)[1].strip()
    with world.database.reading() as session:
        assert device_of(session, key).id == world.ids["device"]


def test_a_list_shows_all_devices_or_one_clubs(clubs):
    assert clubs("device", "list")[1].count("\n") == 2
    assert clubs("device", "list", *THEIRS)[1] == "hillside-united\thub\tU12\t-\tseen never\n"


def test_what_a_command_lacks_is_said(run, tmp_path):
    for words, said in (
        (("device", "pair"), "--name"),
        (("device", "change", "--name", "hub"), "--club"),
        (("device", "pair", "--name", "hub", "--team", "none"), "no team"),
        (("ingest", str(tmp_path / "none.tar"), "--device", "hub"), "no device"),
        (("media", "upload-link"), "--name"),
        (("media", "upload-link", "--name", "p.tar"), "bucket"),
        (("media", "usage", "--media", "gs://bucket"), "--media"),
    ):
        status, _, told = run(*words)
        assert status == 1, words
        assert said in told, words


def test_a_package_that_cannot_be_read_is_said(run, tmp_path):
    run("device", "pair", "--name", "hub")
    (tmp_path / "p.tar").write_bytes(b"no tar")
    assert "tar" in run("ingest", str(tmp_path / "p.tar"), "--device", "hub")[2]
    assert "No such file" in run("ingest", str(tmp_path / "none.tar"), "--device", "hub")[2]
    lines = run("media", "usage")[1].splitlines()
    assert lines[:-1] == ["0 files, 0.000 GB", "touchline-fc\t0 recordings\t0.000 GB"]
    assert re.fullmatch(r"disk: [0-9.]+ GB of [0-9.]+ GB free", lines[-1])


def test_what_recordings_take_is_told_by_club_or_by_team_beside_the_free_disk(clubs, monkeypatch):
    monkeypatch.setattr("viewer.admin.condition.shutil.disk_usage", lambda _path: DiskUsage(2000 * MB, 0, 500 * MB))
    with monkeypatch.context() as small:
        small.setattr("viewer.admin.condition.PAGE", 1)
        by_club, by_team = clubs("media", "usage")[1], clubs("media", "usage", *OURS)[1]
    head, *lines = by_club.splitlines()
    assert head.startswith("8 files")
    assert lines == [
        "riverside-rovers\t1 recordings\t0.000 GB",
        "hillside-united\t1 recordings\t0.000 GB",
        "disk: 0.500 GB of 2.000 GB free",
    ]
    assert by_team.splitlines()[1:-1] == ["U12\t1 recordings\t0.000 GB", "U14\t0 recordings\t0.000 GB"]
    assert clubs("media", "usage", "--club", "none")[0] == 1


def test_a_package_is_sent_into_the_bucket_and_taken_in_from_there(run, tmp_path, bucket, made_package):
    import httpx

    run("device", "pair", "--name", "hub")
    package = made_package.tar(tmp_path / "p.tar")
    link = run("media", "upload-link", "--name", "p.tar", "--media", bucket)[1].strip()
    assert httpx.put(link, content=package.read_bytes(), timeout=60).status_code == 200
    status, told, _ = run("ingest", "bucket:p.tar", "--device", "hub", "--media", bucket)
    assert (status, made_package.session in told) == (0, True)
    assert run("media", "usage", "--media", bucket)[1].startswith("0 files"), "the package stays in the bucket"
    assert "no such package" in run("ingest", "bucket:p.tar", "--device", "hub", "--media", bucket)[2]
