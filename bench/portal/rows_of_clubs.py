"""Rows of clubs: seasons, teams, their people, and how those came in."""

CLUBS = (
    """INSERT INTO organization (id, slug, name, time_zone, retention_days, demo, made_at)
       SELECT c, 'club-' || c, 'Club ' || c, 'Europe/Berlin', 365, false, :now FROM generate_series(1, :clubs) c""",
    """INSERT INTO season (id, organization_id, name, starts_on, ends_on)
       SELECT y * :clubs + c, c, (2026 - y) || '/' || (27 - y), make_date(2026 - y, 8, 1), make_date(2027 - y, 7, 31)
       FROM generate_series(1, :clubs) c, generate_series(0, 2) y""",
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
    # A year ago everybody was in the team before theirs.
    """INSERT INTO team_player (team_id, player_id, jersey_number, joined_on, left_on)
       SELECT (t - 1) / :teams_a_club * :teams_a_club + t % :teams_a_club + 1, p, (p % 30)::text,
              DATE '2025-08-01', DATE '2026-07-31'
       FROM generate_series(1, :teams * :players_a_team) p, LATERAL (SELECT (p - 1) / :players_a_team + 1 AS t) its
       WHERE :years > 1""",
    """INSERT INTO parent_player (user_id, player_id, relationship, made_at)
       SELECT ((p - 1) / :players_a_team) * (:players_a_team + 1) + (p - 1) % :players_a_team + 1, p, 'parent', :now
       FROM generate_series(1, :teams * :players_a_team) p""",
    """INSERT INTO venue (id, organization_id, name, address, latitude, longitude)
       SELECT v, (v - 1) / :venues_a_club + 1, 'Ground ' || v, 'Street ' || v, 52 + v * .0001, 13
       FROM generate_series(1, :clubs * :venues_a_club) v""",
    """INSERT INTO device (id, organization_id, team_id, name, version, wanted_version, made_at)
       SELECT c, c, (c - 1) * :teams_a_club + 1, 'hub', '0.1.0', '', :now FROM generate_series(1, :clubs) c""",
    """INSERT INTO device_key (device_id, key_hash, made_at, revoked_at)
       SELECT d.id, md5('key' || n || ' ' || d.id) || md5('key' || n), :now, CASE WHEN n < 3 THEN :now END
       FROM device d, generate_series(1, 3) n""",
    """INSERT INTO pairing_code (code_hash, device_id, expires_at)
       SELECT md5('code' || id) || md5('code'), id, :now + interval '10 minutes' FROM device WHERE id % 4 = 0""",
    # Most invitations were accepted long ago; one in thirty is open.
    """INSERT INTO invitation (secret_hash, mail, role, organization_id, player_id, invited_by, made_at, expires_at,
                               accepted_at, withdrawn_at)
       SELECT md5('invited' || n || ' ' || p.id) || md5('invited' || n),
              'invited' || n || '-' || p.id || '@example.org', 'parent', p.organization_id, p.id, a.user_id,
              :now - n * interval '50 days', :now - n * interval '50 days' + interval '7 days',
              CASE WHEN n > 0 AND p.id % 8 > 0 THEN :now - n * interval '49 days' END,
              CASE WHEN n > 0 AND p.id % 8 = 0 THEN :now - n * interval '48 days' END
       FROM player p JOIN organization_admin a ON a.organization_id = p.organization_id, generate_series(0, 3) n
       WHERE n > 0 OR p.id % 10 = 2
       ORDER BY n DESC, p.id""",
    """INSERT INTO join_request (team_id, user_id, words, made_at, decided_at, decided_by, admitted)
       SELECT t.team_id, pp.user_id, 'Please', :now - n * interval '20 days',
              CASE WHEN n > 0 THEN :now - n * interval '19 days' END, CASE WHEN n > 0 THEN c.user_id END,
              CASE WHEN n > 0 THEN pp.player_id % 9 > 0 END
       FROM parent_player pp JOIN team_player t ON t.player_id = pp.player_id AND t.left_on IS NULL
       JOIN team_coach c ON c.team_id = t.team_id, generate_series(0, 1) n
       WHERE n > 0 OR pp.player_id % 8 = 2
       ORDER BY n DESC, pp.player_id""",
    """INSERT INTO oauth_connection (organization_id, provider, made_by, sealed_access_token, made_at, synced_at)
       SELECT organization_id, 'teamsnap', user_id, '-', :now, :now FROM organization_admin""",
    """INSERT INTO oauth_state (state_hash, sign_in_hash, organization_id, sealed_verifier, expires_at)
       SELECT md5('state' || id) || md5('state'), md5('-') || md5('-'), id, '-', :now + interval '9 minutes'
       FROM organization WHERE id % 8 = 0""",
    # One import a week, decided.
    """INSERT INTO import_run (organization_id, source, state, changes, made_at, decided_at, decided_by)
       SELECT a.organization_id, 'teamsnap', CASE WHEN w % 4 = 0 THEN 'dropped' ELSE 'applied' END,
              (SELECT json_agg(json_build_object('id', md5(w || ' ' || n), 'group', 'player', 'act', 'change',
                                                 'done', w % 4 > 0)) FROM generate_series(1, 20) n),
              :now - w * interval '7 days', :now - w * interval '6 days', a.user_id
       FROM organization_admin a, generate_series(1, 52) w ORDER BY w DESC""",
)
