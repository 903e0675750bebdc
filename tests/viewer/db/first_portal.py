"""A database as revision 0001 left it, full of rows that the next revisions have to carry."""

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import MetaData, Table, insert, select

from viewer.db import Database

MADE = datetime(2026, 9, 1, 18, 30, 5, 250_000, tzinfo=UTC)
PLAYED_NS = 1_795_344_000_000_000_000
VIEW = {"width_px": 320, "height_px": 120, "note": "é"}


def tables(database: Database) -> dict[str, Table]:
    """The tables that are there, without alembic's own."""
    found = MetaData()
    found.reflect(database.engine)
    return {name: table for name, table in found.tables.items() if name != "alembic_version"}


def rows(database: Database) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table."""
    with database.reading() as session:
        return {
            name: sorted((tuple(row) for row in session.execute(select(table))), key=repr)
            for name, table in tables(database).items()
        }


def fill(database: Database) -> None:
    """Two clubs with everything that 0001 knew, matches of both, work that waits, and a key that was renewed."""
    there = tables(database)
    with database.writing() as session:
        for name, values in _DATA.items():
            session.execute(insert(there[name]), values)


def _work(key: str, **more: Any) -> dict[str, Any]:
    plain = {"state": "waiting", "due_at": MADE, "lease_until": None, "lease_token": None}
    return {"key": key, **plain, "attempts": 0, "fault": None, "made_at": MADE, **more}


def _account(number: int, name: str, **more: Any) -> dict[str, Any]:
    mail = f"{name.lower().replace(' ', '.')}@example.org"
    made = {"made_at": MADE + timedelta(days=number), "disabled_at": None}
    return {"id": number, "mail": mail, "name": name, "password_hash": f"$argon2id${number}", **made, **more}


def _match(number: int, home: str, away: str, **more: Any) -> dict[str, Any]:
    files = {"panorama": "panorama.mp4", "poster": "poster.jpg", "tracks": "match.tracks"}
    sizes = {"panorama_width_px": 320, "panorama_height_px": 120, "pitch_length_m": 105.0, "pitch_width_m": 68.0}
    return {
        **{"id": number, "session": f"1795344000-{number:010x}", "club_id": 1, "folder": f"folder/{number:016x}"},
        **{"title": f"Match {number}", "home": home, "away": away, "home_colour": "#c8452f", "away_colour": "#2f62c0"},
        **{"players_a_side": 11, "start_ns": PLAYED_NS + number, "duration_s": 20.5, "view": VIEW},
        **{"received_at": MADE + timedelta(days=90)},
        **files,
        **sizes,
        **more,
    }


def _event(number: int, match: int, ordinal: int, kind: str, side: str, **more: Any) -> dict[str, Any]:
    seen = {"x_m": 1.5, "y_m": -2.5, "confidence": 0.75, "track": None}
    what = {"time_s": 1.25 * ordinal, "type": kind, "side": side}
    return {"id": number, "match_id": match, "ordinal": ordinal, **what, **seen, **more}


_DATA: dict[str, list[dict[str, Any]]] = {
    "account": [
        _account(1, "Casey Coach"),
        _account(2, "Pat Parent"),
        _account(5, "Both Ways"),
        _account(7, "Gone Away", disabled_at=MADE + timedelta(days=30)),
        _account(9, "No Links"),
    ],
    "club": [{"id": 1, "name": "FC Köln"}, {"id": 4, "name": "FC Koln"}, {"id": 6, "name": "浦和"}],
    "team": [
        {"id": 1, "club_id": 1, "name": "Riverside Rovers"},
        {"id": 2, "club_id": 1, "name": "Hillside United"},
        {"id": 8, "club_id": 4, "name": "Riverside Rovers"},
    ],
    "membership": [
        {"account_id": 1, "team_id": 1, "duty": "coach"},
        {"account_id": 1, "team_id": 2, "duty": "coach"},
        {"account_id": 2, "team_id": 1, "duty": "parent"},
        {"account_id": 2, "team_id": 8, "duty": "parent"},
        {"account_id": 5, "team_id": 2, "duty": "parent"},
        {"account_id": 5, "team_id": 8, "duty": "coach"},
        {"account_id": 7, "team_id": 1, "duty": "parent"},
    ],
    "sign_in": [
        {"key_hash": "aa" * 32, "account_id": 2, "made_at": MADE, "seen_at": MADE + timedelta(hours=2)},
        {"key_hash": "bb" * 32, "account_id": 1, "made_at": MADE, "seen_at": MADE},
    ],
    "sign_in_try": [{"id": 3, "subject": "account:pat@example.org", "at": MADE}],
    "device_key": [
        {"id": 2, "name": "hub", "key_hash": "01" * 32, "team_id": 1, "made_at": MADE, "revoked_at": MADE},
        {"id": 3, "name": "hub", "key_hash": "02" * 32, "team_id": 1, "made_at": MADE, "revoked_at": None},
        {"id": 4, "name": "old rig", "key_hash": "03" * 32, "team_id": 8, "made_at": MADE, "revoked_at": MADE},
    ],
    "job": [
        _work("intake:1", id=1, kind="intake", subject="s1", payload={"upload": "1", "device": 3}, state="done"),
        _work(
            "intake:2",
            **{"id": 6, "kind": "intake", "subject": "s2", "payload": {"upload": "2", "device": 4}, "attempts": 2},
            **{"state": "leased", "lease_until": MADE, "lease_token": "t", "fault": "the disk was full"},
        ),
    ],
    "mail": [
        _work(
            "match-ready:s1:2",
            **{"id": 11, "account_id": 2, "recipient": "pat.parent@example.org", "subject": "A – B", "text": "Hello\n"},
            **{"message_id": "<1@example.org>", "sent_at": None},
        ),
        _work(
            "match-ready:s1:1",
            **{"id": 12, "account_id": 1, "recipient": "casey.coach@example.org", "subject": "A – B", "text": "Hello"},
            **{"message_id": "<2@example.org>", "sent_at": MADE, "state": "done"},
        ),
    ],
    "match": [
        _match(3, "Riverside Rovers", "Strangers"),
        _match(5, "Strangers", " riverside ROVERS ", view=None),
        _match(9, "Riverside Rovers", "Hillside United"),
        _match(12, "Guests", "Others", club_id=4),
    ],
    "match_team": [
        {"match_id": 3, "team_id": 1},
        {"match_id": 5, "team_id": 1},
        {"match_id": 9, "team_id": 2},
        {"match_id": 9, "team_id": 1},
        {"match_id": 12, "team_id": 8},
    ],
    "match_event": [
        _event(1, 3, 0, "goal", "home"),
        _event(2, 3, 1, "goal", "home", track=4),
        _event(3, 3, 2, "goal", "away", x_m=None, y_m=None),
        _event(4, 3, 3, "shot", "away"),
        _event(5, 5, 0, "goal", "home"),
        _event(9, 5, 1, "goal", "", confidence=0.125),
    ],
    "clip": [
        {"id": 4, "match_id": 3, "event_ordinal": 0, "path": "clips/0.mp4", "thumbnail": "clips/0.jpg"}
        | {"start_s": 0.0, "end_s": 6.5}
    ],
    "player_numbers": [
        {"match_id": 3, "track": track, "side": side, "distance_m": 812.5, "top_speed_mps": 6.25, "followed_s": 19.0}
        for track, side in ((4, "home"), (17, "away"))
    ],
    "match_file": [
        {"match_id": 3, "path": "panorama.mp4", "bytes": 5_000_000_000, "sha256": "ab" * 32},
        {"match_id": 3, "path": "match.tracks", "bytes": 11, "sha256": "cd" * 32},
        {"match_id": 5, "path": "panorama.mp4", "bytes": 7, "sha256": "ef" * 32},
    ],
}
