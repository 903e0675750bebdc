"""Clubs, teams, players and games by commands: the same rules as on the pages."""

import pytest
from sqlalchemy import select

from viewer.accounts.models import User
from viewer.audit.models import AuditEntry
from viewer.cli import main
from viewer.clock import now
from viewer.clubs.joining import ask
from viewer.clubs.models import Invitation, ParentPlayer, Team
from viewer.games.models import Game, ScoreSource
from viewer.mail.models import Mail


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


def test_who_belongs_to_a_club_is_listed_and_taken_out_by_commands(command, world, database):
    club = ("--club", "riverside-rovers")
    assert command("people", "list", *club) == "club_admin@example.org\tClub Admin\n"
    assert "coach@example.org\tCoach\tcoach of U12 (2026/27)\n" in command("people", "list", *club, "--circle", "staff")
    robin = world.ids["robin"]
    stands = f"parent@example.org\tParent\tplayer {robin}, Robin Example\n"
    assert stands in command("people", "list", *club, "--circle", "parents")
    command("people", "remove", *club, "--mail", "parent@example.org", "--player", str(robin))
    command("people", "remove", *club, "--mail", "coach@example.org", "--team", "U12")
    assert stands not in command("people", "list", *club, "--circle", "parents")
    assert "coach of U12" not in command("people", "list", *club, "--circle", "staff")
    last = command("people", "remove", *club, "--mail", "club_admin@example.org", status=1)
    assert "A club needs an admin." in last
    strange = command(
        "people", "remove", *club, "--mail", "parent@example.org", "--player", str(world.ids["sam"]), status=1
    )
    assert "There is no such player." in strange
    with database.reading() as session:
        acts = select(AuditEntry.act).where(AuditEntry.act.in_(("remove-staff", "unlink-parent")))
        assert sorted(session.scalars(acts)) == ["remove-staff", "unlink-parent"]


def test_an_invitation_is_listed_and_taken_back_by_commands(command, world):
    club = ("--club", "riverside-rovers")
    command("user", "invite", "new@example.org", "--role", "manager", *club, "--team", "U12")
    number, mail, words, _ = command("people", "invited", *club).split("\t")
    assert (mail, words) == ("new@example.org", "manager of U12")
    theirs = command("people", "withdraw", "--club", "hillside-united", "--invitation", number, status=1)
    assert "This invitation is not open any more." in theirs
    command("people", "withdraw", *club, "--invitation", number)
    assert command("people", "invited", *club) == ""


def test_whoever_asks_to_join_is_let_in_or_not_by_commands(command, world, database):
    team, mail = ("--club", "riverside-rovers", "--team", "U12"), ("--public-url", "https://portal.example.org")
    for who in ("nobody_in_particular", "u14_parent"):
        with database.reading() as session:
            user, code = session.get_one(User, world.users[who]), session.get_one(Team, world.ids["u12"]).code
        ask(database, user, code, "the aunt of Robin", "192.0.2.1", now())
    aunt, other = (line.split("\t") for line in command("join", "list", *team).splitlines())
    assert aunt[2:] == ["nobody_in_particular@example.org", "Nobody In Particular", "the aunt of Robin"]
    robin = str(world.ids["robin"])
    command("join", "admit", *team, "--request", aunt[0], "--player", robin, *mail)
    command("join", "decline", *team, "--request", other[0], *mail)
    assert command("join", "list", *team) == ""
    with database.reading() as session:
        parents = session.scalars(select(ParentPlayer.user_id).where(ParentPlayer.player_id == world.ids["robin"]))
        assert set(parents) == {world.users["parent"], world.users["nobody_in_particular"]}
        decided = select(AuditEntry.act, AuditEntry.subject_id).where(AuditEntry.act.in_(("admit", "decline")))
        expected = {("admit", world.users["nobody_in_particular"]), ("decline", world.users["u14_parent"])}
        assert {(act, user) for act, user in session.execute(decided)} == expected
        told = session.scalars(select(Mail.text).where(Mail.key.like("join-decision:%")).order_by(Mail.id)).all()
    assert "you now belong to U12: https://portal.example.org/" in told[0]
    assert "U12 has not let you in" in told[1]
    again = command("join", "admit", *team, "--request", aunt[0], "--player", robin, status=1)
    assert "Somebody else has answered this request already." in again


def test_nobody_is_let_in_for_a_child_of_another_team_or_by_another_teams_request(command, world, database):
    with database.reading() as session:
        user = session.get_one(User, world.users["nobody_in_particular"])
        code = session.get_one(Team, world.ids["u12"]).code
    ask(database, user, code, "", "192.0.2.1", now())
    ours = ("--club", "riverside-rovers", "--team")
    number = command("join", "list", *ours, "U12").split("\t")[0]
    alex, robin = str(world.ids["alex"]), str(world.ids["robin"])
    said = command("join", "admit", *ours, "U12", "--request", number, "--player", alex, status=1)
    assert f"No player numbered {alex} is on this roster." in said
    said = command("join", "admit", *ours, "U14", "--request", number, "--player", alex, status=1)
    assert f"Nobody asked to join U14 by a request {number}." in said
    theirs = ("--club", "hillside-united", "--team", "U12")
    assert "Nobody asked" in command("join", "decline", *theirs, "--request", number, status=1)
    assert command("join", "admit", *ours, "U12", "--request", number, "--player", robin) == ""


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
