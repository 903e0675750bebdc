"""Rows of what people did: sign-ins, consent, the audit log, mails, jobs, and what came from elsewhere."""

ACTS = (
    # Thirty browsers each, of which most were let lie.
    """INSERT INTO sign_in (key_hash, user_id, made_at, seen_at, proven_at, address, browser)
       SELECT md5('browser' || n || ' ' || u) || md5('browser' || n), u, :now - n * interval '46 hours',
              greatest(:now - n * interval '46 hours', :now - (u + n) % 13 * interval '1 day'),
              :now - n * interval '46 hours', '192.0.2.' || u % 250, 'Firefox on Android'
       FROM generate_series(1, 30) n, generate_series(1, :teams * (:players_a_team + 1)) u""",
    """INSERT INTO sign_in_try (subject, at)
       SELECT 'user' || n || '@example.org', :now - n * interval '1 second' FROM generate_series(1, :teams * 12) n""",
    """INSERT INTO ticket (secret_hash, purpose, user_id, detail, expires_at)
       SELECT md5('ticket' || u) || md5('ticket'), 'reset', u, '', :now + interval '20 minutes'
       FROM generate_series(1, :teams * 6) u""",
    # Coaches have an app, and every fifth person a passkey.
    """INSERT INTO totp (user_id, sealed_secret, last_step, confirmed_at)
       SELECT id, '-', 0, :now FROM user_account WHERE role = 'coach'""",
    """INSERT INTO recovery_code (user_id, code_hash)
       SELECT user_id, md5('code' || n) || md5('code' || user_id) FROM totp, generate_series(1, 10) n""",
    """INSERT INTO passkey (user_id, credential_id, public_key, sign_count, name, made_at)
       SELECT id, decode(md5('passkey' || id), 'hex'), decode('00', 'hex'), 0, 'Phone', :now
       FROM user_account WHERE id % 5 = 0""",
    """INSERT INTO consent_text (version, text, made_at) VALUES (1, :consent_text, :now)""",
    # Each family has answered eight times; of fifty players one is refused to the team, five to highlights, fifteen
    # to the public.
    """INSERT INTO consent_record (player_id, scope, given, given_by, given_by_mail, text_version, source, at)
       SELECT pp.player_id, scope,
              CASE scope WHEN 'team' THEN pp.player_id % 50 <> 20
                         WHEN 'highlights' THEN pp.player_id % 50 NOT BETWEEN 20 AND 24
                         WHEN 'public' THEN pp.player_id % 50 NOT BETWEEN 20 AND 34 ELSE true END,
              pp.user_id, u.mail, 1, 'page', :now - (9 - n) * interval '30 days'
       FROM generate_series(1, 8) n,
            parent_player pp JOIN user_account u ON u.id = pp.user_id,
            unnest(ARRAY['team', 'highlights', 'public', 'statistics']) scope
       ORDER BY n, pp.player_id""",
    # Of those whom their families show to nobody, half of the recordings have been looked through.
    """INSERT INTO not_shown (recording_id, player_id, at)
       SELECT r.id, t.player_id, :now
       FROM team_player t JOIN game g ON g.team_id = t.team_id JOIN recording r ON r.game_id = g.id
       WHERE t.player_id % 50 = 20 AND r.id % 2 = 0""",
    # Views of a year. The first club, whose people ask, has been quiet: what it did last is far back.
    """INSERT INTO audit_entry (at, actor_id, actor_mail, organization_id, act, kind, subject_id, address, detail)
       SELECT at, u.id, u.mail, club, act, kind, subject, '192.0.2.' || u.id % 250, '{}'
       FROM (SELECT :now - interval '1 hour' * CASE g.organization_id WHEN 1 THEN 3000 + n % 5000 ELSE
                    (g.id * 7 + n * 271) % 8000 END AS at,
                    (g.team_id - 1) * (:players_a_team + 1) + 1 + n % :players_a_team AS number,
                    g.organization_id AS club, CASE WHEN n % 10 = 0 THEN 'download' ELSE 'view' END AS act,
                    'recording' AS kind, g.id AS subject
             FROM game g, generate_series(1, 30) n
             UNION ALL
             SELECT :now - (u * 13 + n * 97) % 8000 * interval '1 hour', u, NULL, 'sign-in', 'account', u
             FROM generate_series(1, :teams * (:players_a_team + 1)) u, generate_series(1, 15) n
             UNION ALL
             SELECT :now - interval '1 hour' * CASE a.organization_id WHEN 1 THEN 3000 + n ELSE n * 8 END, a.user_id,
                    a.organization_id, (ARRAY['add', 'change', 'invite', 'import'])[1 + n % 4], 'player',
                    (a.organization_id - 1) * :teams_a_club * :players_a_team + 1 + n % 160
             FROM organization_admin a, generate_series(1, 1000) n) acts
       JOIN user_account u ON u.id = acts.number ORDER BY at""",
    # A month of mails, those that wait or failed among them.
    """INSERT INTO mail (key, state, due_at, attempts, fault, made_at, user_id, recipient, subject, text, unsubscribe,
                         message_id, sent_at)
       SELECT 'news ' || n || ' ' || u.id, state, at, CASE state WHEN 'failed' THEN 30 ELSE 1 END,
              CASE state WHEN 'failed' THEN 'nobody answers' END, at, u.id, u.mail, 'A new match',
              repeat('Hello. ', 20), '', '<' || n || '.' || u.id || '@example.org>', CASE state WHEN 'done' THEN at END
       FROM generate_series(1, 40) n, user_account u,
            LATERAL (SELECT :now - (41 - n) * interval '17 hours' + u.id * interval '1 second' AS at,
                     CASE WHEN (u.id + n * 100) % 3000 = 0 THEN 'failed'
                          WHEN n = 40 AND u.id % 40 = 0 THEN 'waiting' ELSE 'done' END AS state) its
       ORDER BY n, u.id""",
    """INSERT INTO job (key, state, due_at, attempts, fault, made_at, kind, subject, payload)
       SELECT 'intake ' || n || ' ' || id, CASE WHEN n = 2 AND id % 200 = 0 THEN 'failed' ELSE 'done' END,
              :now - id % 29 * interval '1 day', 1, CASE WHEN n = 2 AND id % 200 = 0 THEN 'damaged' END,
              :now - id % 29 * interval '1 day', 'intake', session, json_build_object('device', device_id)
       FROM recording, generate_series(1, 2) n""",
    """INSERT INTO job (key, state, due_at, attempts, made_at, kind, subject, payload)
       SELECT 'export ' || id, CASE WHEN id % 200 = 0 THEN 'waiting' ELSE 'done' END, :now - id % 7 * interval '1 day',
              1, :now - id % 7 * interval '1 day', 'export', 'user' || chr(58) || id,
              json_build_object('kind', 'user', 'subject', id, 'user', id)
       FROM user_account WHERE id % 10 = 0""",
    """INSERT INTO periodic_run (name, slot)
       SELECT name, :now FROM unnest(ARRAY['sweep-expired', 'forget-done', 'digests', 'imports', 'sweep-media',
                                           'retention', 'erasures']) name""",
    """INSERT INTO erasure (kind, subject_id, name, at, horizon_at, counts)
       SELECT 'recording', 1000000 + n, 1700000000 + n || '-0123456789', :now, :now + interval '90 days', '{}'
       FROM generate_series(1, :teams * 8) n""",
    """INSERT INTO origin (organization_id, source, kind, external_id, local_id, seen_at)
       SELECT organization_id, 'teamsnap', 'player', id, id, :now FROM player
       UNION ALL SELECT organization_id, 'teamsnap', 'team', id, id, :now FROM team
       UNION ALL SELECT organization_id, 'teamsnap', 'game', id, id, :now FROM game
       UNION ALL SELECT organization_id, 'teamsnap', 'venue', id, id, :now FROM venue""",
)
