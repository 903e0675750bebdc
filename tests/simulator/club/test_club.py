"""A demo club is made whole, the same each time, and goes without a trace."""

import io
from collections import Counter
from datetime import UTC, date, datetime
from pathlib import Path

import av
import pytest
from litestar.testing import TestClient
from sqlalchemy import func, select

from simulator.cli import main
from simulator.club.making import make_club, sign_ins
from simulator.club.plan import GROUPS, Consent, plan_club
from simulator.club.removing import demo_clubs, remove_clubs
from simulator.console import Console
from tests.viewer.world import make_world
from viewer.accounts.models import User
from viewer.accounts.people import make_user
from viewer.accounts.service import sign_in
from viewer.clubs.actor import Actor
from viewer.clubs.models import Invitation, JoinRequest, Organization, ParentPlayer, Player, Team, TeamPlayer
from viewer.clubs.rosters import make_parent
from viewer.db.base import Base
from viewer.errors import WrongSignIn
from viewer.games.models import Availability, Clip, Game, HeatMap, PlayerGameStats, Recording
from viewer.imports.models import ImportRun
from viewer.imports.runs import RunState
from viewer.jobs.duties import Tools
from viewer.jobs.lease import State
from viewer.jobs.models import Job
from viewer.mail.models import Mail
from viewer.privacy.blur import withheld
from viewer.privacy.deleting import delete_recording
from viewer.privacy.export import ask_export
from viewer.privacy.horizon import entries_in, horizon_of
from viewer.privacy.models import RemovalRequest
from viewer.sealing import open_seal
from viewer.shares.models import Share

NOW = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)


@pytest.fixture
def tools(database, settings) -> Tools:
    return Tools(database, settings, lambda: NOW, open_seal(settings.data))


@pytest.fixture
def console() -> Console:
    return Console(io.StringIO())


def rows(database) -> dict[str, int]:
    with database.reading() as session:
        return {
            name: session.scalar(select(func.count()).select_from(table)) or 0
            for name, table in Base.metadata.tables.items()
        }


def files(tools: Tools) -> set[str]:
    """Everything in the portal's folder but the database itself."""
    root = tools.settings.data
    return {str(p.relative_to(root)) for p in root.rglob("*") if not p.name.startswith("portal.db")}


def count(session, table, *where) -> int:
    return session.scalar(select(func.count()).select_from(table).where(*where)) or 0


def test_the_club_has_everything_that_a_page_of_the_portal_shows(tools, footage, console):
    assert make_club(tools, 1, footage, console)
    with tools.database.reading() as session:
        (club,) = demo_clubs(session)
        assert club.slug == "kestrel-vale-fc"
        teams = session.scalars(select(Team).where(Team.organization_id == club.id)).all()
        assert len(teams) == 2 * len(GROUPS)
        assert len({team.season_id for team in teams}) == 2
        now_in = Counter(session.scalars(select(TeamPlayer.team_id).where(TeamPlayer.left_on.is_(None))))
        assert len(now_in) == len(GROUPS)
        assert all(12 <= players <= 18 for players in now_in.values())
        children = Counter(session.scalars(select(ParentPlayer.user_id)))
        assert max(children.values()) >= 2
        parents = set(session.scalars(select(ParentPlayer.player_id)))
        assert count(session, Player, Player.id.not_in(parents)) > 0
        assert count(session, Player, Player.user_id.is_not(None)) == 2
        assert count(session, Game, Game.cancelled_at.is_not(None)) >= len(GROUPS)
        assert count(session, Game, Game.starts_at > NOW) == 3 * len(GROUPS)
        assert count(session, Game, Game.our_score.is_not(None)) > 80
        recordings = session.scalars(select(Recording)).all()
        assert len(recordings) == 8
        assert all(r.game.opponent in (r.home, r.away) for r in recordings)
        assert all((r.game.our_score if r.our_side == "home" else r.game.their_score) for r in recordings), (
            "home scores"
        )
        assert count(session, Game) == 174, "no recording has made a game of its own"
        assert len(withheld(session, [r.id for r in recordings])) == 1, "one shows a child who opted out"
        for table in (Clip, HeatMap, Availability, Share, RemovalRequest, JoinRequest, Invitation):
            assert count(session, table) > 0, table
        assert count(session, PlayerGameStats, PlayerGameStats.player_id.is_not(None)) >= 20
        assert session.scalars(select(ImportRun.state)).all() == [RunState.OPEN]
        assert Counter(session.scalars(select(Job.state))) == {State.DONE: 9, State.FAILED: 1}
        assert set(session.scalars(select(Mail.state))) == {State.DONE}, "no mail waits to leave the machine"


def test_the_recordings_video_can_be_watched(tools, footage, console):
    make_club(tools, 1, footage, console)
    with tools.database.reading() as session:
        recordings = session.scalars(select(Recording)).all()
        paths = [tools.settings.media / r.folder / r.panorama for r in recordings]
        paths += [tools.settings.media / r.folder / clip.path for r in recordings for clip in r.clips]
    for path in paths:
        with av.open(str(path)) as container:
            frames = [frame.to_ndarray(format="gray") for frame in container.decode(video=0)]
        assert len(frames) >= 20
        assert abs(frames[0].astype(int) - frames[-1]).max() > 60, "something moves"


def test_removing_it_leaves_exactly_what_was_there(tools, footage, console):
    world = make_world(tools.database, tools.settings)
    before = rows(tools.database), files(tools)
    make_club(tools, 1, footage, console)
    sign_ins(tools, operator=True)
    assert rows(tools.database) != before[0]
    assert remove_clubs(tools.database, tools.settings, tools.media) == 1
    assert (rows(tools.database), files(tools)) == before
    with TestClient(world.app) as client:
        assert client.get("/healthz").status_code == 200


def test_what_people_did_in_it_goes_too(tools, footage, console):
    before = rows(tools.database), files(tools)
    make_club(tools, 1, footage, console)
    with tools.database.writing() as session:
        admin = session.scalars(select(User).where(User.mail.startswith("admin@"))).one()
        by = Actor(admin.id, admin.mail)
        ask_export(session, "player", session.scalars(select(Player.id).limit(1)).one(), by, NOW)
        recording = session.scalars(select(Recording).limit(1)).one()
        delete_recording(session, recording, by, NOW, horizon_of(tools.settings), reason="a test")
    with pytest.raises(WrongSignIn):
        sign_in(tools.database, "admin@kestrel-vale.example", "not this one", "198.51.100.7", NOW)
    assert entries_in(tools.settings.data)
    remove_clubs(tools.database, tools.settings, tools.media)
    assert rows(tools.database) == before[0]
    assert entries_in(tools.settings.data) == []
    assert files(tools) - before[1] <= {"erasures.jsonl", "erasures.lock"}


def test_somebody_of_another_club_stays_even_with_an_address_of_the_demo(tools, console):
    world = make_world(tools.database, tools.settings)
    make_club(tools, 1, [], console)
    with tools.database.writing() as session:
        parent = session.scalars(select(User).where(User.mail.startswith("parent@kestrel"))).one()
        make_parent(session, parent, session.get_one(Player, world.ids["robin"]), "aunt", NOW)
        stranger = make_user(session, "visitor@example.org", "Visitor", None, NOW)
        child = session.scalars(select(Player).where(Player.organization_id != world.ids["ours"])).all()[-1]
        make_parent(session, stranger, child, "uncle", NOW)
    remove_clubs(tools.database, tools.settings, tools.media)
    with tools.database.reading() as session:
        assert session.get(User, parent.id) is not None
        assert session.get(User, stranger.id) is not None
        assert count(session, Organization) == 2


def test_mails_and_jobs_of_others_are_left_to_their_worker(tools, console):
    world = make_world(tools.database, tools.settings)
    with tools.database.writing() as session:
        by = Actor(world.users["coach"], "coach@example.org")
        key = ask_export(session, "player", world.ids["robin"], by, NOW)
    make_club(tools, 1, [], console)
    remove_clubs(tools.database, tools.settings, tools.media)
    with tools.database.reading() as session:
        assert session.scalars(select(Job.state).where(Job.key == key)).one() == State.WAITING


def test_the_same_seed_is_the_same_club_again(tools, footage, console):
    def told():
        with tools.database.reading() as session:
            names = session.scalars(select(Player.first_name + " " + Player.last_name).order_by(Player.id)).all()
            sessions = session.scalars(select(Recording.session).order_by(Recording.id)).all()
        return names, sessions, rows(tools.database)

    make_club(tools, 5, footage, console)
    first = told()
    assert not make_club(tools, 5, footage, console), "it is there already"
    assert told() == first
    remove_clubs(tools.database, tools.settings, tools.media)
    make_club(tools, 5, footage, console)
    assert told() == first


def test_a_club_that_cannot_be_made_leaves_nothing(tools, footage, console, monkeypatch):
    before = rows(tools.database), files(tools)

    def fail(*_):
        raise OSError("the disk is full")

    monkeypatch.setattr("simulator.club.matches.people_look", fail)
    with pytest.raises(OSError, match="full"):
        make_club(tools, 1, footage, console)
    assert (rows(tools.database), files(tools)) == before


@pytest.mark.parametrize("day", [date(2026, 8, 1), date(2026, 9, 5), date(2027, 1, 2), date(2027, 7, 31)])
@pytest.mark.parametrize("seed", range(12))
def test_any_day_and_seed_make_a_plan_that_holds(day, seed):
    plan = plan_club(seed, datetime(day.year, day.month, day.day, 8, tzinfo=UTC))
    children = plan.children()
    names = [(child.first, child.last) for child in children]
    assert len(set(names)) == len(names)
    assert sum(child.consent is Consent.OPTED_OUT for child in children) == 1
    assert len({child.stays[-1].team for child in plan.families[0].children}) >= 2
    for team in range(len(GROUPS)):
        worn = [s.number for c in children for s in c.stays if s.team == team and s.current and s.left_on is None]
        assert 12 <= len(worn) <= 18
        assert len(set(filter(None, worn))) == len(list(filter(None, worn)))
        assert any(game.score for game in plan.games if game.team == team)


@pytest.mark.parametrize("day", [datetime(2026, 8, 1, 9, tzinfo=UTC), datetime(2027, 7, 31, 23, 30, tzinfo=UTC)])
def test_it_can_be_made_on_the_first_and_the_last_day_of_a_season(tools, footage, console, day):
    made = Tools(tools.database, tools.settings, lambda: day, tools.seal)
    assert make_club(made, 3, footage, console)
    with tools.database.reading() as session:
        assert count(session, Recording) == 8


def test_the_command_makes_signs_in_and_removes(tmp_path: Path, capsys):
    data = ["--data", str(tmp_path / "portal")]
    assert main(["club", *data, "--without-video"]) == 0
    said = capsys.readouterr().out
    mail, password = next(line.split()[3:6:2] for line in said.splitlines() if "(coach)" in line)
    assert mail == "coach@kestrel-vale.example"
    assert len(password) > 15
    assert main(["club", *data]) == 0
    assert "already" in capsys.readouterr().out
    assert main(["club", *data, "--remove"]) == 0
    assert "is gone" in capsys.readouterr().out
    assert main(["club", *data, "--remove"]) == 0
    assert "no demo club" in capsys.readouterr().out
    assert main(["club", *data, "--remove", "--serve"]) == 2


def test_a_real_club_of_that_name_is_not_taken_for_the_demo(tools, console):
    from simulator.errors import BadOptions
    from viewer.clubs.rosters import make_organization

    with tools.database.writing() as session:
        make_organization(session, "Kestrel Vale FC", NOW)
    with pytest.raises(BadOptions, match="no demo made"):
        make_club(tools, 1, [], console)
    assert remove_clubs(tools.database, tools.settings, tools.media) == 0
