"""The rows of many clubs, written by PostgreSQL itself: games, recordings, events, clips, numbers, people."""

from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
from sqlalchemy import Connection, text

from viewer.db import Database
from viewer.games.movement import packed

NOW = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Size:
    """How many of each; events and clips are of every game."""

    clubs: int = 40
    teams_a_club: int = 10
    games_a_team: int = 25
    players_a_team: int = 16
    clips_a_game: int = 20
    events_a_game: int = 500

    @property
    def teams(self) -> int:
        """Teams in all."""
        return self.clubs * self.teams_a_club

    @property
    def games(self) -> int:
        """Games in all, each with one recording."""
        return self.teams * self.games_a_team


_STATEMENTS = (
    """INSERT INTO organization (id, slug, name, time_zone, retention_days, demo, made_at)
       SELECT c, 'club-' || c, 'Club ' || c, 'Europe/Berlin', 365, false, :now FROM generate_series(1, :clubs) c""",
    """INSERT INTO season (id, organization_id, name, starts_on, ends_on)
       SELECT c, c, '2026/27', DATE '2026-08-01', DATE '2027-07-31' FROM generate_series(1, :clubs) c""",
    """INSERT INTO team (id, organization_id, season_id, name, first_birth_year, last_birth_year, code, made_at)
       SELECT t, (t - 1) / :teams_a_club + 1, (t - 1) / :teams_a_club + 1, 'Team ' || t, 2014, 2015,
              'CODE' || lpad(t::text, 6, '0'), :now FROM generate_series(1, :teams) t""",
    # The first of each team's people is its coach, the rest are one parent for each player.
    """INSERT INTO user_account (id, mail, name, role, notify, time_zone, made_at)
       SELECT u, 'user' || u || '@example.org', 'User ' || u,
              CASE WHEN u % (:players_a_team + 1) = 0 THEN 'coach' ELSE 'parent' END, 'at_once', 'Europe/Berlin', :now
       FROM generate_series(1, :teams * (:players_a_team + 1)) u""",
    """INSERT INTO organization_admin (organization_id, user_id, made_at)
       SELECT c, (c - 1) * :teams_a_club * (:players_a_team + 1) + 1, :now FROM generate_series(1, :clubs) c""",
    """INSERT INTO team_coach (team_id, user_id, duty, made_at)
       SELECT t, t * (:players_a_team + 1), 'coach', :now FROM generate_series(1, :teams) t""",
    """INSERT INTO player (id, organization_id, first_name, last_name, birth_year, default_position, made_at)
       SELECT p, ((p - 1) / :players_a_team) / :teams_a_club + 1, 'First' || p, 'Last' || p, 2014, '', :now
       FROM generate_series(1, :teams * :players_a_team) p""",
    """INSERT INTO team_player (team_id, player_id, jersey_number, joined_on)
       SELECT (p - 1) / :players_a_team + 1, p, (p % 30)::text, DATE '2026-08-01'
       FROM generate_series(1, :teams * :players_a_team) p""",
    """INSERT INTO parent_player (user_id, player_id, relationship, made_at)
       SELECT ((p - 1) / :players_a_team) * (:players_a_team + 1) + (p - 1) % :players_a_team + 1, p, 'parent', :now
       FROM generate_series(1, :teams * :players_a_team) p""",
    """INSERT INTO device (id, organization_id, team_id, name, version, wanted_version, made_at)
       SELECT c, c, (c - 1) * :teams_a_club + 1, 'hub', '0.1.0', '', :now FROM generate_series(1, :clubs) c""",
    """INSERT INTO game (id, organization_id, team_id, opponent, at_home, title, starts_at, time_zone, our_score,
                         their_score, score_source, processed_at, made_at)
       SELECT g, ((g - 1) / :games_a_team) / :teams_a_club + 1, (g - 1) / :games_a_team + 1, 'Opponent ' || g % 97,
              g % 2 = 0, 'League', :now - (g % :games_a_team) * interval '7 days' - g * interval '1 second',
              'Europe/Berlin', g % 5, g % 3, 'events', :now, :now
       FROM generate_series(1, :games) g""",
    "INSERT INTO game_team (game_id, team_id) SELECT id, team_id FROM game",
    """INSERT INTO recording (id, session, game_id, device_id, folder, home, away, our_side, home_colour, away_colour,
                              pitch_length_m, pitch_width_m, players_a_side, start_ns, duration_s, panorama,
                              panorama_width_px, panorama_height_px, poster, tracks, bytes, received_at)
       SELECT id, 1795000000 + id || '-' || lpad(to_hex(id), 10, '0'), id, organization_id, id || '/0123456789abcdef',
              'Home', opponent, 'home', '#c8452f', '#2f62c0', 105, 68, 11, 1795000000000000000 + id, 5400,
              'panorama.mp4', 4096, 1040, 'poster.jpg', 'match.tracks', 4000000000, :now FROM game""",
    """INSERT INTO recording_file (recording_id, path, bytes, sha256)
       SELECT r.id, path, 1000, repeat('ab', 32) FROM recording r,
              unnest(ARRAY['panorama.mp4', 'poster.jpg', 'match.tracks']) path""",
    """INSERT INTO recording_file (recording_id, path, bytes, sha256)
       SELECT r.id, 'clips/' || c || ending, 1000, repeat('ab', 32) FROM recording r,
              generate_series(1, :clips_a_game) c, unnest(ARRAY['.mp4', '.jpg']) ending""",
    """INSERT INTO game_event (recording_id, ordinal, time_s, type, side, x_m, y_m, confidence, track)
       SELECT r.id, e, e * 10.8,
              (ARRAY['pass', 'pass', 'pass', 'throw_in', 'shot', 'corner', 'goal_kick', 'save'])[1 + e % 8],
              CASE WHEN e % 2 = 0 THEN 'home' ELSE 'away' END, e % 50, e % 30, .8, e % 22 + 1
       FROM recording r, generate_series(0, :events_a_game - 1) e""",
    """INSERT INTO clip (id, recording_id, event_ordinal, path, thumbnail, start_s, end_s)
       SELECT (r.id - 1) * :clips_a_game + c, r.id, c * 8 + 4, 'clips/' || c || '.mp4', 'clips/' || c || '.jpg',
              c * 86.4, c * 86.4 + 10
       FROM recording r, generate_series(1, :clips_a_game) c""",
    """INSERT INTO player_game_stats (recording_id, track, side, distance_m, top_speed_mps, followed_s)
       SELECT r.id, t, CASE WHEN t <= 11 THEN 'home' ELSE 'away' END, 4000 + t, 6.5, 4000
       FROM recording r, generate_series(1, 22) t""",
    """INSERT INTO heat_map (recording_id, track, rows, columns, tenths)
       SELECT recording_id, track, 34, 52, :tenths FROM player_game_stats""",
)
_NUMBERED = ("organization", "season", "team", "user_account", "player", "device", "game", "recording", "clip")


def fill(database: Database, size: Size) -> None:
    """Write the crowd into an empty PostgreSQL with today's tables, and let it gather its statistics."""
    heat = packed(np.random.default_rng(1).gamma(0.3, 30, (34, 52)))
    with database.connecting() as connection:
        values = {name: getattr(size, name) for name in (*size.__dataclass_fields__, "teams", "games")}
        for statement in _STATEMENTS:
            connection.execute(text(statement), {**values, "now": NOW, "tenths": heat})
        for table in _NUMBERED:
            last = text(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), (SELECT max(id) FROM {table}))")  # noqa: S608
            connection.execute(last)
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))


def counted(connection: Connection) -> dict[str, int]:
    """Rows of the tables that grow."""
    tables = ("game", "clip", "game_event", "player_game_stats", "recording_file", "user_account", "player")
    return {t: int(connection.execute(text(f"SELECT count(*) FROM {t}")).scalar_one()) for t in tables}  # noqa: S608
