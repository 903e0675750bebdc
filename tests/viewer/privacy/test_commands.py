"""Copies and erasure from the command line."""

import json
import zipfile

from sqlalchemy import select

from tests.viewer.world import World
from viewer.accounts.models import User
from viewer.audit.models import AuditEntry
from viewer.cli import main
from viewer.clubs.models import Player


def run(world: World, *words: str) -> int:
    settings = world.portal.settings
    return main([words[0], "--data", str(settings.data), "--database", settings.database, *words[1:]])


def test_a_copy_is_written_and_noted(world, tmp_path):
    target = tmp_path / "robin.zip"
    assert run(world, "export", "--player", str(world.ids["robin"]), "--to", str(target)) == 0
    with zipfile.ZipFile(target) as archive:
        assert json.loads(archive.read("data.json"))["player"]["first_name"] == "Robin"
    with world.database.reading() as session:
        assert session.scalars(select(AuditEntry.act)).all() == ["export"]


def test_nothing_is_erased_unless_it_is_meant(world, capsys):
    player, user = ("--player", str(world.ids["robin"])), ("--user", "Parent@example.org")
    for who in (player, user):
        assert run(world, "erase", *who) == 1
        assert "--yes" in capsys.readouterr().err
    with world.database.reading() as session:
        assert session.get_one(Player, world.ids["robin"]).first_name == "Robin"
    for who in (player, user):
        assert run(world, "erase", *who, "--yes") == 0
    with world.database.reading() as session:
        assert session.get_one(Player, world.ids["robin"]).first_name == "erased"
        assert session.get(User, world.users["parent"]) is None
    assert run(world, "erase", *user, "--yes") == 1
    assert "no account" in capsys.readouterr().err
