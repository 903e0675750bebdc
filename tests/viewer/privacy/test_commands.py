"""Copies and erasure from the command line."""

import csv
import io
import json
import zipfile
from datetime import timedelta

import pytest
from sqlalchemy import select

from tests.viewer.world import NOW, OURS, World
from viewer.accounts.models import User
from viewer.audit.log import note
from viewer.audit.models import AuditEntry
from viewer.cli import main
from viewer.clubs.models import Player
from viewer.games.models import Clip
from viewer.mail.models import Mail
from viewer.privacy.models import ConsentRecord


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


OURS_IS = ("--club", "riverside-rovers")


def test_a_papers_answers_are_entered_and_listed(world, capsys):
    robin = str(world.ids["robin"])
    paper = ("--player", robin, "--given", "team", "--given", "public", "--refused", "statistics")
    for _ in range(2):
        assert run(world, "consent", "enter", *OURS_IS, *paper, "--signed-by", "Ms Example") == 0
    assert run(world, "consent", "list", *OURS_IS, "--team", "U12") == 0
    head, *lines = capsys.readouterr().out.splitlines()
    assert head == "player\tname\tteam\thighlights\tpublic\tstatistics"
    assert f"{robin}\tRobin Example\tyes\t-\tyes\tno" in lines
    assert len(lines) == 2, "Jo has left the team, and Alex plays in another"
    with world.database.reading() as session:
        records = session.scalars(select(ConsentRecord)).all()
        entries = session.scalars(select(AuditEntry.id).where(AuditEntry.act == "consent")).all()
    assert {(r.source, r.given_by, r.given_by_mail) for r in records} == {("paper", None, "Ms Example")}
    assert (len(records), len(entries)) == (3, 1), "the second time it said nothing new"


@pytest.mark.parametrize(
    "words",
    [
        ("--player", "{robin}", "--signed-by", "x"),
        ("--player", "{robin}", "--signed-by", "x", "--given", "team", "--refused", "team"),
        ("--player", "{robin}", "--given", "team"),
        ("--player", "{sam}", "--signed-by", "x", "--given", "team"),
        ("--player", "123456", "--signed-by", "x", "--given", "team"),
    ],
)
def test_a_paper_that_says_nothing_clear_or_is_another_clubs_is_refused(world, words):
    assert run(world, "consent", "enter", *OURS_IS, *(word.format_map(world.ids) for word in words)) == 1
    with world.database.reading() as session:
        assert session.scalars(select(ConsentRecord)).all() == []


@pytest.mark.parametrize(
    "words",
    [
        ("consent", "enter", "--signed-by", "x" * 301),
        ("removal", "decide", "--words", "x" * 401),
        ("removal", "decide", "--words", "un\0seen"),
        ("device", "change", "--wanted-version", "x" * 41),
    ],
)
def test_words_that_are_too_long_or_cannot_be_seen_are_refused_before_anything_is_done(world, words, capsys):
    with pytest.raises(SystemExit) as end:
        run(world, *words, *OURS_IS)
    assert end.value.code == 2
    assert "each of which can be seen" in capsys.readouterr().err


def test_a_request_is_listed_decided_and_answered_by_commands(world, capsys):
    asked = {"words": "Not\nthis one.", "clip": str(world.ids["clip"])}
    with world.client("parent") as browser:
        browser.post(f"/matches/{OURS}/removal", data=asked)
    assert run(world, "removal", "list", *OURS_IS) == 0
    [line] = capsys.readouterr().out.splitlines()
    number, _, match, what, who, words = line.split("\t")
    assert (match, what.split()[0], who, words) == (OURS, "clip", "parent@example.org", "Not this one.")
    decide = ("--request", number, "--outcome", "hide_clip", "--words", "Sorry.")
    assert run(world, "removal", "decide", "--club", "hillside-united", *decide) == 1
    assert run(world, "removal", "decide", *OURS_IS, *decide) == 0
    assert run(world, "removal", "decide", *OURS_IS, *decide) == 1, "it is decided already"
    capsys.readouterr()
    assert run(world, "removal", "list", *OURS_IS) == 0
    assert capsys.readouterr().out == ""
    assert run(world, "removal", "list", *OURS_IS, "--decided") == 0
    assert capsys.readouterr().out.endswith("\thide_clip: Sorry.\n")
    with world.database.reading() as session:
        assert session.get_one(Clip, world.ids["clip"]).hidden_at is not None
        mail = session.scalars(select(Mail).where(Mail.key == f"removal-decided:{number}")).one()
    assert "Sorry." in mail.text


def test_the_audit_log_is_printed_of_one_club_filtered_and_that_is_noted(world, capsys):
    with world.database.writing() as session:
        old = NOW - timedelta(days=1)
        note(session, "view", "recording", 2, old, organization_id=world.ids["ours"], actor_mail="x@example.org")
        for at, act, club in ((NOW, "view", "ours"), (NOW, "download", "ours"), (NOW, "view", "theirs")):
            note(session, act, "recording", 1, at, organization_id=world.ids[club], actor_mail="parent@example.org")
    today = ("--since", f"{NOW:%Y-%m-%d}", "--until", f"{NOW:%Y-%m-%d}")

    def printed(*words: str) -> list[dict[str, str]]:
        assert run(world, "audit", *OURS_IS, *words) == 0
        return list(csv.DictReader(io.StringIO(capsys.readouterr().out)))

    assert [row["act"] for row in printed(*today)] == ["download", "view"]
    assert [row["subject"] for row in printed("--act", "view")] == ["1", "2"]
    assert [row["actor"] for row in printed("--by", "X@example.org")] == ["x@example.org"]
    assert [row["act"] for row in printed("--act", "audit-export")] == ["audit-export"] * 4
