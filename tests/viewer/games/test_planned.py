"""Which planned game a package joins: its rig's team's, and another team's only by both names."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from sqlalchemy import select

from viewer.clubs.models import Team
from viewer.games.models import Game, Recording
from viewer.jobs.duties import Tools
from viewer.jobs.worker import Worker
from viewer.media.folder import read_file
from viewer.uploads.ingest import ingest

PLANNED, LATER = timedelta(minutes=-25), timedelta(days=1)


@pytest.mark.parametrize(
    ("team", "home", "away", "distance", "joins"),
    [
        ("u12", "Riverside Rovers", "Lakers", PLANNED, True),
        ("u12", "U12", "Somebody else", PLANNED, True),
        ("u12", "Riverside Rovers", "Lakers", LATER, False),
        ("u14", "Riverside Rovers", "Lakers", PLANNED, False),
        ("u14", "U12", "Lakers", PLANNED, False),
        ("u14", "U14", "Somebody else", PLANNED, False),
        ("u14", "U14", "Lakers", PLANNED, True),
        ("u14", "Lakers", "u14 ", PLANNED, True),
    ],
)
def test_a_package_joins_a_game_of_its_rigs_team_and_another_teams_only_by_name(
    world, made_package, tmp_path, team, home, away, distance, joins
):
    begins = datetime.fromtimestamp(made_package.start_ns / 1e9, UTC)
    with world.database.writing() as session:
        planned = Game(
            organization_id=world.ids["ours"],
            team_id=world.ids[team],
            opponent="Lakers",
            starts_at=begins + distance,
            teams=[session.get_one(Team, world.ids[team])],
            made_at=world.clock(),
        )
        session.add(planned)
        session.flush()
        number = planned.id
    sheet = made_package.manifest().sheet
    named = msgspec.structs.replace(
        sheet,
        home=msgspec.structs.replace(sheet.home, name=home),
        away=msgspec.structs.replace(sheet.away, name=away),
    )
    package = made_package.tar(tmp_path / "p.tar", sheet=named)
    settings = world.portal.settings
    name = ingest(world.database, settings, read_file(package), world.ids["device"], world.clock())
    Worker(Tools(world.database, settings, world.clock, world.portal.seal), None, lambda: False).drain()
    with world.database.reading() as session:
        game = session.scalars(select(Recording).where(Recording.session == name)).one().game
        assert (game.id == number) is joins
        expected = {world.ids[team]} if joins else {world.ids["u12"]}
        # The sheet may name a sister team that saw the game as well.
        assert expected <= {team.id for team in game.teams}
    seen_by = {"kims_parent": 200 if team == "u12" or not joins else 404, "their_parent": 404}
    for who, status in seen_by.items():
        with world.client(who) as browser:
            assert browser.get(f"/matches/{name}").status_code == status, who
