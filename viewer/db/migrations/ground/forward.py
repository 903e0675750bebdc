"""The rows of revision 0001, set aside, into the tables of 0002."""

import re
import unicodedata
from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from viewer.db.migrations.ground.first import free, table

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NOBODYS_TEAM = "Unassigned"
# 0001 did not keep when a club or team was made: the earliest time that it knows of anything.
_EARLIEST = """
    SELECT COALESCE(MIN(t), CURRENT_TIMESTAMP) FROM (
        SELECT MIN(made_at) AS t FROM old_account
        UNION ALL SELECT MIN(received_at) FROM old_match
        UNION ALL SELECT MIN(made_at) FROM old_device_key) AS known
"""
_PEOPLE = (
    """
    INSERT INTO user_account (id, mail, name, role, password_hash, notify, time_zone, made_at, disabled_at)
    SELECT id, mail, name,
        CASE WHEN EXISTS (SELECT 1 FROM old_membership AS m WHERE m.account_id = a.id AND m.duty = 'coach')
            THEN 'coach' ELSE 'parent' END,
        NULLIF(password_hash, '!'), 'at_once', 'UTC', made_at, disabled_at
    FROM old_account AS a
    """,
    """
    INSERT INTO sign_in (key_hash, user_id, made_at, seen_at, proven_at, address, browser)
    SELECT key_hash, account_id, made_at, seen_at, made_at, '', '' FROM old_sign_in
    """,
    "INSERT INTO sign_in_try (id, subject, at) SELECT id, subject, at FROM old_sign_in_try",
    """
    INSERT INTO mail (id, user_id, recipient, subject, text, unsubscribe, message_id, sent_at,
        key, state, due_at, lease_until, lease_token, attempts, fault, made_at)
    SELECT id, account_id, recipient, subject, text, '', message_id, sent_at,
        key, state, due_at, lease_until, lease_token, attempts, fault, made_at FROM old_mail
    """,
    """
    INSERT INTO job (id, kind, subject, payload,
        key, state, due_at, lease_until, lease_token, attempts, fault, made_at)
    SELECT id, kind, subject, payload,
        key, state, due_at, lease_until, lease_token, attempts, fault, made_at FROM old_job
    """,
)
_TEAMS = "INSERT INTO team (id, organization_id, name, made_at) SELECT id, club_id, name, :earliest FROM old_team"
_COACHES = (
    """
    INSERT INTO team_coach (team_id, user_id, duty, made_at)
    SELECT m.team_id, m.account_id, 'coach', a.made_at
    FROM old_membership AS m JOIN old_account AS a ON a.id = m.account_id WHERE m.duty = 'coach'
    """,
)
_RECORDINGS = (
    "INSERT INTO game_team (game_id, team_id) SELECT match_id, team_id FROM old_match_team",
    """
    INSERT INTO recording (id, session, game_id, folder, home, away, our_side, home_colour, away_colour,
        pitch_length_m, pitch_width_m, players_a_side, start_ns, duration_s, panorama, panorama_width_px,
        panorama_height_px, view, poster, tracks, bytes, received_at)
    SELECT m.id, session, g.id, folder, home, away, CASE WHEN g.at_home THEN 'home' ELSE 'away' END, home_colour,
        away_colour, pitch_length_m, pitch_width_m, players_a_side, start_ns, duration_s, panorama, panorama_width_px,
        panorama_height_px, view, poster, tracks,
        COALESCE((SELECT SUM(f.bytes) FROM old_match_file AS f WHERE f.match_id = m.id), 0), received_at
    FROM old_match AS m JOIN game AS g ON g.id = m.id
    """,
    """
    INSERT INTO game_event (id, recording_id, ordinal, time_s, type, side, x_m, y_m, confidence, track)
    SELECT id, match_id, ordinal, time_s, type, side, x_m, y_m, confidence, track FROM old_match_event
    """,
    """
    INSERT INTO clip (id, recording_id, event_ordinal, path, thumbnail, start_s, end_s)
    SELECT id, match_id, event_ordinal, path, thumbnail, start_s, end_s FROM old_clip
    """,
    """
    INSERT INTO player_game_stats (recording_id, track, side, distance_m, top_speed_mps, followed_s)
    SELECT match_id, track, side, distance_m, top_speed_mps, followed_s FROM old_player_numbers
    """,
    """
    INSERT INTO recording_file (recording_id, path, bytes, sha256)
    SELECT match_id, path, bytes, sha256 FROM old_match_file
    """,
)


def carry(connection: sa.Connection) -> None:
    """Everything; a number stays the same, a match's becomes its game's and its recording's."""
    earliest = connection.scalar(sa.text(_EARLIEST))
    _run(connection, _PEOPLE)
    _clubs(connection, earliest)
    connection.execute(sa.text(_TEAMS), {"earliest": earliest})
    _run(connection, _COACHES)
    _children(connection)
    _devices(connection)
    _games(connection, earliest)
    _run(connection, _RECORDINGS)


def _run(connection: sa.Connection, statements: tuple[str, ...]) -> None:
    for statement in statements:
        connection.execute(sa.text(statement))


def _clubs(connection: sa.Connection, earliest: Any) -> None:
    taken: set[str] = set()
    made = sa.text(
        "INSERT INTO organization (id, slug, name, time_zone, retention_days, demo, made_at) "
        "VALUES (:id, :slug, :name, 'UTC', 365, false, :earliest)"
    )
    for club, name in connection.execute(sa.text("SELECT id, name FROM old_club ORDER BY id")).all():
        connection.execute(made, {"id": club, "slug": _free_slug(name, taken), "name": name, "earliest": earliest})


def _free_slug(name: str, taken: set[str]) -> str:
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    wanted = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:50].rstrip("-") or "club"
    ends = ("", *(f"-{number}" for number in range(2, len(taken) + 3)))
    slug = next(wanted + end for end in ends if wanted + end not in taken)
    taken.add(slug)
    return slug


def _children(connection: sa.Connection) -> None:
    # What opens a match to a parent is a child on the roster; 0001 knew of the child only that there is one.
    player = table("player", whole="id organization_id", words="first_name last_name default_position", when="made_at")
    roster = table("team_player", whole="team_id player_id", joined_on=sa.Date())
    parent = table("parent_player", whole="user_id player_id", words="relationship", when="made_at")
    account = table("old_account", whole="id", words="name", when="made_at")
    team = table("old_team", whole="id club_id")
    member = table("old_membership", whole="account_id team_id", words="duty")
    members = (
        sa.select(account.c.id, account.c.name, account.c.made_at, team.c.id, team.c.club_id)
        .select_from(
            member.join(account, account.c.id == member.c.account_id).join(team, team.c.id == member.c.team_id)
        )
        .where(member.c.duty != "coach")
        .order_by(account.c.id, team.c.id)
    )
    for number, (user_id, name, made_at, team_id, club_id) in enumerate(connection.execute(members).all(), 1):
        connection.execute(
            sa.insert(player).values(
                id=number,
                organization_id=club_id,
                first_name=f"{name[:98]}'s",
                last_name="child",
                default_position="",
                made_at=made_at,
            )
        )
        connection.execute(sa.insert(roster).values(team_id=team_id, player_id=number, joined_on=_day(made_at)))
        connection.execute(
            sa.insert(parent).values(user_id=user_id, player_id=number, relationship="parent", made_at=made_at)
        )


def _devices(connection: sa.Connection) -> None:
    # A device takes the number of the key it holds now: unfinished uploads on disk name their device by it.
    key = table("old_device_key", whole="id team_id", words="name key_hash", when="made_at revoked_at")
    team = table("old_team", whole="id club_id")
    held = sa.select(*key.c, team.c.club_id).select_from(key.join(team, team.c.id == key.c.team_id)).order_by(key.c.id)
    by_device: dict[tuple[int, str], list[sa.RowMapping]] = defaultdict(list)
    for row in connection.execute(held).mappings():
        by_device[row["club_id"], row["name"]].append(row)
    device = table(
        "device", whole="id organization_id team_id", words="name version wanted_version", when="made_at revoked_at"
    )
    device_key = table("device_key", whole="id device_id", words="key_hash", when="made_at revoked_at")
    device_of: dict[int, int] = {}
    for (club_id, name), keys in by_device.items():
        now = ([row for row in keys if row["revoked_at"] is None] or keys)[-1]
        connection.execute(
            sa.insert(device).values(
                id=now["id"],
                organization_id=club_id,
                team_id=now["team_id"],
                name=name,
                version="",
                wanted_version="",
                made_at=min(row["made_at"] for row in keys),
                revoked_at=now["revoked_at"],
            )
        )
        device_of |= {row["id"]: now["id"] for row in keys}
        for row in keys:
            values = {name: row[name] for name in ("id", "key_hash", "made_at", "revoked_at")}
            connection.execute(sa.insert(device_key).values(device_id=now["id"], **values))
    _repoint(connection, device_of)


def _repoint(connection: sa.Connection, device_of: dict[int, int]) -> None:
    job = table("job", whole="id", words="kind", payload=sa.JSON())
    for number, payload in connection.execute(sa.select(job.c.id, job.c.payload).where(job.c.kind == "intake")).all():
        # No device has number 0: such a job fails as it would have.
        changed = {**payload, "device": device_of.get(payload.get("device"), 0)}
        if changed != payload:
            connection.execute(sa.update(job).where(job.c.id == number).values(payload=changed))


def _games(connection: sa.Connection, earliest: Any) -> None:
    match = table(
        "old_match", whole="id club_id", words="title home away", when="received_at", start_ns=sa.BigInteger()
    )
    game = table(
        "game",
        whole="id organization_id team_id our_score their_score",
        words="opponent title time_zone score_source",
        when="starts_at processed_at made_at",
        at_home=sa.Boolean(),
    )
    goals = _goals(connection)
    lowest = sa.text("SELECT match_id, MIN(team_id) FROM old_match_team GROUP BY match_id")
    team_of: dict[int, int] = {number: team for number, team in connection.execute(lowest)}
    names = {number: name for number, name in connection.execute(sa.text("SELECT id, name FROM team"))}
    spare: dict[int, int] = {}
    for row in connection.execute(sa.select(match).order_by(match.c.id)).mappings().all():
        team = team_of.get(row["id"])
        if team is None:
            club = row["club_id"]
            team = spare.get(club) or _nobodys_team(connection, club, earliest)
            spare[club] = team
        at_home = names.get(team, "").strip().casefold() != row["away"].strip().casefold()
        ours, theirs = ("home", "away") if at_home else ("away", "home")
        connection.execute(
            sa.insert(game).values(
                id=row["id"],
                organization_id=row["club_id"],
                team_id=team,
                opponent=row[theirs],
                at_home=at_home,
                title=row["title"],
                starts_at=_EPOCH + timedelta(microseconds=row["start_ns"] // 1000),
                time_zone="UTC",
                our_score=goals.get((row["id"], ours), 0),
                their_score=goals.get((row["id"], theirs), 0),
                score_source="events",
                processed_at=row["received_at"],
                made_at=row["received_at"],
            )
        )


def _goals(connection: sa.Connection) -> dict[tuple[int, str], int]:
    counted = "SELECT match_id, side, COUNT(*) FROM old_match_event WHERE type = 'goal' GROUP BY match_id, side"
    return {(match, side): count for match, side, count in connection.execute(sa.text(counted))}


def _nobodys_team(connection: sa.Connection, club: int, earliest: Any) -> int:
    # A game has a team; one whose teams are gone gets a team that nobody is in.
    taken = set(connection.scalars(sa.text("SELECT name FROM team WHERE organization_id = :club"), {"club": club}))
    number: int = connection.scalar(sa.text("SELECT COALESCE(MAX(id), 0) + 1 FROM team")) or 1
    made = sa.text("INSERT INTO team (id, organization_id, name, made_at) VALUES (:id, :club, :name, :earliest)")
    values = {"id": number, "club": club, "name": free(_NOBODYS_TEAM, taken, 200), "earliest": earliest}
    connection.execute(made, values)
    return number


def _day(made_at: datetime) -> date:
    return (made_at if made_at.tzinfo is None else made_at.astimezone(UTC)).date()
