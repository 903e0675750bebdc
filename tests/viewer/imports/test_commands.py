"""`touchline-viewer import`, and the made-up TeamSnap's and the portal's settings."""

import pytest

from tests.viewer.world import make_world
from viewer.audit.models import AuditEntry
from viewer.cli import main
from viewer.clubs.models import Player
from viewer.db import Database
from viewer.errors import BadSettings
from viewer.settings import teamsnap_app

TABLE = b"team,first name,last name\nU12,Robin,Example\nU12,Mika,Novak\n"


@pytest.fixture
def run(database, settings, capsys):
    make_world(database, settings)

    def words(*more: str) -> tuple[int, str, str]:
        where = ["--data", str(settings.data), "--database", settings.database, "--club", "riverside-rovers"]
        status = main(["import", *more, *where])
        told = capsys.readouterr()
        return status, told.out, told.err

    return words


def test_a_table_is_compared_listed_and_applied_by_commands(run, tmp_path, database: Database):
    (tmp_path / "players.csv").write_bytes(TABLE)
    status, out, _ = run("csv", str(tmp_path / "players.csv"))
    assert status == 0
    assert "player add: Mika Novak" in out
    with database.reading() as session:
        assert session.query(Player).filter_by(last_name="Novak").count() == 0
    number = out.split("run ")[1].split(":")[0]
    assert "Mika Novak" in run("list")[1]
    status, out, _ = run("apply", number)
    assert (status, out) == (0, "3 changes were made\n")
    with database.reading() as session:
        assert session.query(Player).filter_by(last_name="Novak").count() == 1
        assert session.query(Player).filter_by(last_name="Example", first_name="Robin").count() == 1
    assert run("csv", str(tmp_path / "players.csv"))[1] == "everything in this table is here already\n"
    status, _, err = run("apply", number)
    assert status == 1
    assert "applied or dropped already" in err


def test_a_run_is_dropped_by_command_once_and_in_the_audit_log(run, tmp_path, database: Database):
    (tmp_path / "players.csv").write_bytes(TABLE)
    number = run("csv", str(tmp_path / "players.csv"))[1].split("run ")[1].split(":")[0]
    assert run("drop", "77")[0] == 1
    assert run("drop", number)[:2] == (0, f"run {number} is dropped\n")
    assert run("drop", number)[0] == run("apply", number)[0] == 1
    assert f"{number} csv dropped" in run("list")[1]
    with database.reading() as session:
        [entry] = session.query(AuditEntry).all()
    assert (entry.act, entry.subject_id, entry.actor_id) == ("drop-import", int(number), None)


def test_what_cannot_be_done_is_said_in_a_sentence(run, tmp_path):
    (tmp_path / "bad.csv").write_bytes(b"team,first name,last name\nU12,,Example\n")
    status, _, err = run("csv", str(tmp_path / "bad.csv"))
    assert status == 1
    assert "Line 2: the first name is missing." in err
    for words, said in (
        (("csv", str(tmp_path / "none.csv")), "cannot read"),
        (("teamsnap-sync",), "not connected"),
        (("apply", "77"), "no run"),
    ):
        status, _, err = run(*words)
        assert status == 1
        assert said in err
        assert "should not happen" not in err


def test_the_portals_registration_comes_whole_or_not_at_all_and_over_https():
    names = {"TOUCHLINE_TEAMSNAP_ID": "i", "TOUCHLINE_TEAMSNAP_SECRET": "hush"}
    assert teamsnap_app({}) is None
    app = teamsnap_app(names)
    assert app.api_url == "https://api.teamsnap.com/v3/"
    assert "hush" not in repr(app)
    with pytest.raises(BadSettings, match="go together"):
        teamsnap_app({"TOUCHLINE_TEAMSNAP_ID": "i"})
    with pytest.raises(BadSettings, match="https"):
        teamsnap_app({**names, "TOUCHLINE_TEAMSNAP_API_URL": "http://api.example.com/"})
