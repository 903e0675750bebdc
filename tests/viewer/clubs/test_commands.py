"""Clubs, teams, players and games by commands: the same rules as on the pages."""

import pytest
from sqlalchemy import select

from viewer.audit.models import AuditEntry
from viewer.cli import main
from viewer.clubs.models import Invitation
from viewer.games.models import Game, ScoreSource


@pytest.fixture
def command(database, tmp_path, capsys):
    """`command("club", "add", …)` runs one that goes well, and returns what it printed."""
    where = ("--data", str(tmp_path / "data"), "--database", database.engine.url.render_as_string(hide_password=False))

    def run(*words: str, status: int = 0) -> str:
        assert main([words[0], *where, *words[1:]]) == status
        said = capsys.readouterr()
        return said.err if status else said.out

    return run


def test_a_club_is_built_by_commands_from_nothing(command, database):
    assert command("club", "add", "--name", "Lakeside Lions", "--admin", "first@example.org") == "lakeside-lions\n"
    club = ("--club", "lakeside-lions")
    command("club", "change", *club, "--time-zone", "Europe/Berlin", "--retention-days", "200")
    assert command("club", "list") == "lakeside-lions\tLakeside Lions\tEurope/Berlin\t200 days\t0 teams\n"
    command("season", "add", *club, "--name", "2026/27", "--starts", "2026-08-01", "--ends", "2027-07-31")
    command("season", "change", *club, "--season", "2026/27", "--ends", "2027-06-30")
    assert command("season", "list", *club) == "2026/27\t2026-08-01\t2027-06-30\n"
    command("venue", "add", *club, "--name", "Lake Park", "--latitude", "47.5", "--longitude", "8.25")
    command("venue", "change", *club, "--venue", "Lake Park", "--address", "Lake Road 1")
    assert command("venue", "list", *club) == "Lake Park\tLake Road 1\t47.50000,8.25000\n"
    code = command(
        "team", "add", *club, "--name", "U10", "--season", "2026/27", "--born-from", "2016", "--born-to", "2017"
    )
    assert command("team", "list", *club) == f"U10\t2026/27\t0 players\t{code}"
    assert command("team", "new-code", *club, "--team", "U10") != code
    command("team", "end-code", *club, "--team", "U10")
    command("team", "change", *club, "--team", "U10", "--name", "U11", "--season", "")
    assert command("team", "list", *club) == "U11\t-\t0 players\t-\n"
    command("season", "remove", *club, "--season", "2026/27")
    command("venue", "remove", *club, "--venue", "Lake Park")
    assert command("season", "list", *club) == command("venue", "list", *club) == ""
    with database.reading() as session:
        assert session.scalars(select(Invitation.mail)).all() == ["first@example.org"]
        acts = session.scalars(select(AuditEntry.act)).all()
    assert {"add", "change", "remove", "renew-code", "end-code", "invite"} <= set(acts)


def test_a_roster_is_run_by_commands(command, world):
    team = ("--club", "riverside-rovers", "--team", "U12")
    player = command("player", "add", *team, "--first-name", "Noa", "--last-name", "New", "--number", "9").strip()
    command("player", "change", *team, "--player", player, "--position", "Defender", "--birth-year", "2014")
    assert f"{player}\t9\tNoa New\tDefender\tsince" in command("player", "list", *team)
    robin = str(world.ids["robin"])
    taken = command("player", "change", *team, "--player", robin, "--number", "9", status=1)
    assert "Noa New wears number 9." in taken
    command("player", "leave", *team, "--player", player)
    assert "Noa" not in command("player", "list", *team)
    assert "Noa New" in command("player", "list", *team, "--former")
    command("player", "join", *team, "--player", player, "--number", "10")
    assert f"{player}\t10\tNoa New" in command("player", "list", *team)


def test_games_are_run_by_commands(command, world, database):
    command("club", "change", "--club", "riverside-rovers", "--time-zone", "Europe/Berlin")
    team = ("--club", "riverside-rovers", "--team", "U12")
    number = command("game", "add", *team, "--opponent", "Lakeside", "--starts", "2026-12-05T10:30").strip()
    assert f"{number}\tSat 5 Dec 2026, 10:30\tLakeside\t-\tplanned" in command("game", "list", *team)
    command("game", "change", *team, "--game", number, "--place", "away", "--starts", "2026-12-05T11:00")
    command("game", "score", *team, "--game", number, "--score", "3:2")
    with database.reading() as session:
        game = session.get_one(Game, int(number))
        assert (game.our_score, game.their_score, game.score_source) == (3, 2, ScoreSource.HAND)
        assert (game.starts_at.hour, game.at_home) == (10, False)
    command("game", "score", *team, "--game", number, "--score", "")
    command("game", "cancel", *team, "--game", number)
    assert "cancelled" in command("game", "list", *team)
    command("game", "revive", *team, "--game", number)
    assert "cancelled" not in command("game", "list", *team)
    recorded = str(world.ids["game"])
    assert "recorded" in command("game", "cancel", *team, "--game", recorded, status=1)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("club", "change"), "change needs --club"),
        (("club", "change", "--club", "nowhere"), "There is no club called 'nowhere'."),
        (("club", "change", "--club", "riverside-rovers", "--slug", "hillside-united"), "Another club has the address"),
        (("club", "change", "--club", "riverside-rovers", "--retention-days", "9999"), "Matches are kept for"),
        (("team", "add", "--club", "riverside-rovers", "--name", "U9", "--born-from", "2016"), "Give both birth years"),
        (("season", "remove", "--club", "riverside-rovers", "--season", "2026/27"), "Teams play in this season."),
        (
            ("game", "cancel", "--club", "riverside-rovers", "--team", "U12", "--game", "99999"),
            "There is no such game of this team.",
        ),
        (
            ("player", "join", "--club", "riverside-rovers", "--team", "U12", "--player", "99999"),
            "There is no such player.",
        ),
    ],
)
def test_what_cannot_be_done_is_told_in_a_sentence(command, world, words, said):
    assert said in command(*words, status=1)


def test_a_player_of_another_club_never_joins(command, world):
    team = ("--club", "riverside-rovers", "--team", "U12")
    assert "no such player in this club" in command(
        "player", "join", *team, "--player", str(world.ids["sam"]), status=1
    )
