"""Rows of matches: games, recordings and what was found in them, who comes, and links to clips."""

MATCHES = (
    """INSERT INTO game (id, organization_id, team_id, venue_id, opponent, at_home, title, starts_at, time_zone,
                         our_score, their_score, score_source, processed_at, made_at)
       SELECT g, ((g - 1) / :games_a_team) / :teams_a_club + 1, (g - 1) / :games_a_team + 1,
              ((g - 1) / :games_a_team) / :teams_a_club * :venues_a_club + g % :venues_a_club + 1,
              'Opponent ' || g % 97, g % 2 = 0, 'League',
              :now - (g % :games_a_team) * interval '7 days' - g * interval '1 second',
              'Europe/Berlin', g % 5, g % 3, 'events', :now, :now
       FROM generate_series(1, :games) g""",
    "INSERT INTO game_team (game_id, team_id) SELECT id, team_id FROM game",
    """INSERT INTO recording (id, session, game_id, device_id, folder, home, away, our_side, home_colour, away_colour,
                              pitch_length_m, pitch_width_m, players_a_side, start_ns, duration_s, panorama,
                              panorama_width_px, panorama_height_px, poster, tracks, bytes, received_at, delete_at)
       SELECT id, 1795000000 + id || '-' || lpad(to_hex(id), 10, '0'), id, organization_id,
              1795000000 + id || '-' || lpad(to_hex(id), 10, '0') || '/0123456789abcdef',
              'Home', opponent, 'home', '#c8452f', '#2f62c0', 105, 68, 11, 1795000000000000000 + id, 5400,
              'panorama.mp4', 4096, 1040, 'poster.jpg', 'match.tracks', 4000000000, :now,
              starts_at + interval '365 days' FROM game""",
    """INSERT INTO recording_file (recording_id, path, bytes, sha256)
       SELECT r.id, path, 1000, repeat('ab', 32) FROM recording r,
              unnest(ARRAY['panorama.mp4', 'poster.jpg', 'match.tracks']) path""",
    """INSERT INTO recording_file (recording_id, path, bytes, sha256)
       SELECT r.id, 'clips/' || c || ending, 1000, repeat('ab', 32) FROM recording r,
              generate_series(1, :clips_a_game) c, unnest(ARRAY['.mp4', '.jpg']) ending""",
    # Tracks 4 to 11 are confirmed to be the first eight players of the team.
    """INSERT INTO game_event (recording_id, ordinal, time_s, type, side, x_m, y_m, confidence, track, player_id)
       SELECT r.id, e, e * 10.8,
              (ARRAY['pass', 'pass', 'pass', 'throw_in', 'shot', 'corner', 'goal_kick', 'save'])[1 + e % 8],
              CASE WHEN e % 2 = 0 THEN 'home' ELSE 'away' END, e % 50, e % 30, .8, e % 22 + 1,
              CASE WHEN e % 22 + 1 BETWEEN 4 AND 11
                   THEN (r.id - 1) / :games_a_team * :players_a_team + e % 22 - 2 END
       FROM recording r, generate_series(0, :events_a_game - 1) e""",
    """INSERT INTO clip (id, recording_id, event_ordinal, path, thumbnail, start_s, end_s)
       SELECT (r.id - 1) * :clips_a_game + c, r.id, c * 8 + 4, 'clips/' || c || '.mp4', 'clips/' || c || '.jpg',
              c * 86.4, c * 86.4 + 10
       FROM recording r, generate_series(1, :clips_a_game) c""",
    """INSERT INTO player_game_stats (recording_id, track, side, distance_m, top_speed_mps, followed_s, player_id,
                                      confirmed_at)
       SELECT r.id, t, CASE WHEN t <= 11 THEN 'home' ELSE 'away' END, 4000 + t, 6.5, 4000,
              CASE WHEN t BETWEEN 4 AND 11 THEN (r.id - 1) / :games_a_team * :players_a_team + t - 3 END,
              CASE WHEN t BETWEEN 4 AND 11 THEN :now END
       FROM recording r, generate_series(1, 22) t""",
    """INSERT INTO heat_map (recording_id, track, rows, columns, tenths)
       SELECT recording_id, track, 34, 52, :tenths FROM player_game_stats""",
    """INSERT INTO availability (game_id, player_id, answer)
       SELECT g.id, (g.team_id - 1) * :players_a_team + n, (ARRAY['yes', 'yes', 'maybe', 'no'])[1 + (g.id + n) % 4]
       FROM game g, generate_series(1, :players_a_team) n""",
    # A link to every tenth clip, by the first parent of the team; a quarter of them still opens.
    """INSERT INTO share (secret_hash, clip_id, made_by, made_at, expires_at, revoked_at, may_download, views)
       SELECT md5('share' || c.id) || md5('share'), c.id, (g.team_id - 1) * (:players_a_team + 1) + 1,
              :now - c.id % 40 * interval '1 day', :now - c.id % 40 * interval '1 day' + interval '10 days',
              CASE WHEN c.id % 70 = 0 THEN :now END, false, c.id % 30
       FROM clip c JOIN recording r ON r.id = c.recording_id JOIN game g ON g.id = r.game_id WHERE c.id % 10 = 0""",
    """INSERT INTO digest_item (user_id, recording_id, made_at, told_at)
       SELECT (g.team_id - 1) * (:players_a_team + 1) + n, r.id, :now - g.id % 25 * interval '1 day',
              CASE WHEN g.id % 25 > 0 THEN :now - g.id % 25 * interval '1 day' END
       FROM recording r JOIN game g ON g.id = r.game_id, generate_series(1, 4) n""",
    """INSERT INTO retention_warning (recording_id, delete_at, at)
       SELECT id, delete_at, :now FROM recording WHERE id % 4 = 0""",
    """INSERT INTO removal_request (recording_id, clip_id, contact, words, made_at, decided_at, outcome)
       SELECT r.id, CASE WHEN r.id % 4 = 0 THEN (r.id - 1) * :clips_a_game + 1 END, 'somebody@example.org', 'Please',
              r.received_at - r.id % 300 * interval '1 day',
              CASE WHEN r.id % 40 > 0 THEN r.received_at - r.id % 300 * interval '1 day' END,
              CASE WHEN r.id % 40 > 0 THEN 'refuse' ELSE '' END
       FROM recording r WHERE r.id % 2 = 0 ORDER BY r.id % 300 DESC""",
)
