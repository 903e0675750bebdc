"""The rows of many clubs, written by PostgreSQL itself into every table that there is."""

from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
from sqlalchemy import Connection, text

from bench.portal.rows_of_acts import ACTS
from bench.portal.rows_of_clubs import CLUBS
from bench.portal.rows_of_matches import MATCHES
from viewer.db import Database
from viewer.db.models import metadata
from viewer.games.movement import packed
from viewer.privacy.texts import words_of

NOW = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Size:
    """How many of each; events and clips are of every game. `years` is for how long people have been in their club."""

    clubs: int = 40
    teams_a_club: int = 10
    games_a_team: int = 25
    players_a_team: int = 16
    venues_a_club: int = 60
    clips_a_game: int = 20
    events_a_game: int = 500
    years: int = 2

    @property
    def teams(self) -> int:
        """Teams in all."""
        return self.clubs * self.teams_a_club

    @property
    def games(self) -> int:
        """Games in all, each with one recording."""
        return self.teams * self.games_a_team


_NUMBERED = ("organization", "season", "team", "user_account", "player", "venue", "device", "game", "recording", "clip")


def fill(database: Database, size: Size) -> None:
    """Write the crowd into an empty PostgreSQL with today's tables, and let it gather its statistics."""
    heat = packed(np.random.default_rng(1).gamma(0.3, 30, (34, 52)))
    with database.connecting() as connection:
        values = {name: getattr(size, name) for name in (*size.__dataclass_fields__, "teams", "games")}
        values |= {"now": NOW, "tenths": heat, "consent_text": words_of(1)}
        for statement in (*CLUBS, *MATCHES, *ACTS):
            connection.execute(text(statement), values)
        for table in _NUMBERED:
            last = text(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), (SELECT max(id) FROM {table}))")  # noqa: S608
            connection.execute(last)
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))


def counted(connection: Connection) -> dict[str, int]:
    """Rows of every table, the largest first."""
    rows = {
        table: int(connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one())  # noqa: S608
        for table in metadata.tables
    }
    return dict(sorted(rows.items(), key=lambda pair: -pair[1]))
