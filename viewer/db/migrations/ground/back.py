"""The rows of revision 0002, set aside, back into the tables of 0001, as far as those can hold them.

Lost are games that nobody recorded, players, seasons, admins, consent, second factors, jobs and invitations of kinds
that 0001 does not know. Whoever saw a match as a player or club admin alone sees none in 0001.
"""

import sqlalchemy as sa

from viewer.db.migrations.ground.first import free, table

_ROWS = (
    # No password has the hash "!"; 0001 knows no account without one.
    """
    INSERT INTO account (id, mail, name, password_hash, made_at, disabled_at)
    SELECT id, mail, name, COALESCE(password_hash, '!'), made_at, disabled_at FROM old_user_account
    """,
    """
    INSERT INTO sign_in (key_hash, account_id, made_at, seen_at)
    SELECT key_hash, user_id, made_at, seen_at FROM old_sign_in
    """,
    "INSERT INTO sign_in_try (id, subject, at) SELECT id, subject, at FROM old_sign_in_try",
    """
    INSERT INTO mail (id, account_id, recipient, subject, text, message_id, sent_at,
        key, state, due_at, lease_until, lease_token, attempts, fault, made_at)
    SELECT id, user_id, recipient, subject, text, message_id, sent_at,
        key, state, due_at, lease_until, lease_token, attempts, fault, made_at
    FROM old_mail WHERE user_id IS NOT NULL
    """,
    """
    INSERT INTO job (id, kind, subject, payload,
        key, state, due_at, lease_until, lease_token, attempts, fault, made_at)
    SELECT id, kind, subject, payload,
        key, state, due_at, lease_until, lease_token, attempts, fault, made_at FROM old_job WHERE kind = 'intake'
    """,
)
_LINKS = (
    "INSERT INTO membership (account_id, team_id, duty) SELECT user_id, team_id, 'coach' FROM old_team_coach",
    """
    INSERT INTO membership (account_id, team_id, duty)
    SELECT DISTINCT p.user_id, r.team_id, 'parent'
    FROM old_parent_player AS p JOIN old_team_player AS r ON r.player_id = p.player_id
    WHERE r.left_on IS NULL AND NOT EXISTS (
        SELECT 1 FROM old_team_coach AS c WHERE c.team_id = r.team_id AND c.user_id = p.user_id)
    """,
    """
    INSERT INTO device_key (id, name, key_hash, team_id, made_at, revoked_at)
    SELECT k.id, d.name, k.key_hash, d.team_id, k.made_at, COALESCE(k.revoked_at, d.revoked_at)
    FROM old_device_key AS k JOIN old_device AS d ON d.id = k.device_id
    """,
    """
    INSERT INTO match (id, session, club_id, folder, title, home, away, home_colour, away_colour,
        pitch_length_m, pitch_width_m, players_a_side, start_ns, duration_s, panorama, panorama_width_px,
        panorama_height_px, view, poster, tracks, received_at)
    SELECT r.id, session, g.organization_id, folder, g.title, home, away, home_colour, away_colour,
        pitch_length_m, pitch_width_m, players_a_side, start_ns, duration_s, panorama, panorama_width_px,
        panorama_height_px, view, poster, tracks, received_at
    FROM old_recording AS r JOIN old_game AS g ON g.id = r.game_id
    """,
    """
    INSERT INTO match_team (match_id, team_id)
    SELECT r.id, t.team_id FROM old_recording AS r JOIN old_game_team AS t ON t.game_id = r.game_id
    """,
    """
    INSERT INTO match_event (id, match_id, ordinal, time_s, type, side, x_m, y_m, confidence, track)
    SELECT id, recording_id, ordinal, time_s, type, side, x_m, y_m, confidence, track FROM old_game_event
    """,
    """
    INSERT INTO clip (id, match_id, event_ordinal, path, thumbnail, start_s, end_s)
    SELECT id, recording_id, event_ordinal, path, thumbnail, start_s, end_s FROM old_clip
    """,
    """
    INSERT INTO player_numbers (match_id, track, side, distance_m, top_speed_mps, followed_s)
    SELECT recording_id, track, side, distance_m, top_speed_mps, followed_s FROM old_player_game_stats
    """,
    """
    INSERT INTO match_file (match_id, path, bytes, sha256)
    SELECT recording_id, path, bytes, sha256 FROM old_recording_file
    """,
)


def carry(connection: sa.Connection) -> None:
    """Everything that 0001 can hold; a match has its recording's number."""
    for statement in _ROWS:
        connection.execute(sa.text(statement))
    _named(connection)
    for statement in _LINKS:
        connection.execute(sa.text(statement))
    _repoint(connection)


def _named(connection: sa.Connection) -> None:
    # 0001 wants clubs, and teams of a club, to have names of their own; the newest team keeps the one it is known by.
    club, team = table("club", whole="id", words="name"), table("team", whole="id club_id", words="name")
    clubs: set[str] = set()
    taken: dict[int, set[str]] = {}
    for number, name in connection.execute(sa.text("SELECT id, name FROM old_organization ORDER BY id")).all():
        connection.execute(sa.insert(club).values(id=number, name=free(name, clubs, 200)))
    teams = sa.text("SELECT id, organization_id, name FROM old_team ORDER BY id DESC")
    for number, of, name in connection.execute(teams).all():
        known = free(name, taken.setdefault(of, set()), 200)
        connection.execute(sa.insert(team).values(id=number, club_id=of, name=known))


def _repoint(connection: sa.Connection) -> None:
    # A job of 0001 names the key that brought its package.
    newest = sa.text("SELECT device_id, id FROM old_device_key ORDER BY (revoked_at IS NULL), id")
    key_of: dict[int, int] = {device: key for device, key in connection.execute(newest)}
    job = table("job", whole="id", payload=sa.JSON())
    for number, payload in connection.execute(sa.select(job)).all():
        changed = {**payload, "device": key_of.get(payload.get("device"), 0)}
        if changed != payload:
            connection.execute(sa.update(job).where(job.c.id == number).values(payload=changed))
