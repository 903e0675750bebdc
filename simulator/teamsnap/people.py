"""The made-up clubs' records, as TeamSnap keeps them: one flat table for each type, tied together by numbers."""

import random
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

Record = dict[str, Any]
Records = dict[str, dict[int, Record]]
TYPES = (
    "team",
    "member",
    "contact",
    "member_email_address",
    "contact_email_address",
    "event",
    "location",
    "opponent",
    "availability",
)
OWNER = 9001
"""The account that signs in: it owns the club's teams."""
_ZONE = "America/New_York"
# fmt: off
_FIRST = [
    "Ava", "Noah", "Mia", "Liam", "Zoe", "Ethan", "Lena", "Omar", "Ruby", "Jonas", "Nora", "Felix", "Isla", "Marek",
    "Elif", "Hugo", "Tara", "Anton", "Yuki", "Samir", "Clara", "Pavel", "Amina", "Oscar", "Freya", "Diego", "Maja",
    "Idris",
]
_LAST = [
    "Abbott", "Berger", "Costa", "Dupont", "Eriksen", "Fofana", "Garcia", "Haddad", "Ivanova", "Jensen", "Kowalski",
    "Larsen", "Moreau", "Novak", "Okafor", "Petrov", "Quinn", "Rossi", "Schmidt", "Tanaka",
]
# fmt: on
_OPPONENTS = ("Hillside United", "Lakeside FC", "Northgate Athletic", "Old Mill Rangers", "Harbour Town")


def made_up(first_day: date, seed: int = 1) -> Records:
    """Two soccer teams with parents and a season from `first_day` on, a team of another sport, and a retired one."""
    dice = random.Random(seed)
    records: Records = {kind: {} for kind in TYPES}
    teams = (
        (101, "Riverside U12", 2, False),
        (102, "Riverside U14", 2, False),
        (103, "Riverside Wolves (hockey)", 16, False),
        (104, "Riverside U11", 2, True),
    )
    for number, name, sport, retired in teams:
        records["team"][number] = {
            "name": name,
            "season_name": "2026/27",
            "division_name": None,
            "sport_id": sport,
            "is_retired": retired,
            "time_zone_iana_name": _ZONE,
        }
    for number, born in ((101, 2014), (102, 2012)):
        _roster(records, number, born, dice)
        _staff(records, number)
        _calendar(records, number, first_day, dice)
    _siblings(records)
    return records


def _roster(records: Records, team: int, born: int, dice: random.Random) -> None:
    first, last = dice.sample(_FIRST, 14), dice.sample(_LAST, 14)
    for at in range(14):
        member = team * 1000 + at
        records["member"][member] = {
            "team_id": team,
            "first_name": first[at],
            "last_name": last[at],
            "jersey_number": ("00", None)[at] if at < 2 else str(at),
            "position": None if at % 3 else "Midfielder",
            "birthday": None if at % 5 == 4 else f"{born + at % 2}-0{1 + at % 9}-11",
            "is_non_player": False,
            "is_coach": False,
            # A child whose parent manages the team is a manager, too, as far as TeamSnap can tell.
            "is_manager": at == 3,
            "is_owner": False,
            "user_id": None,
        }
        for parent, label in enumerate(("Mother", "Father")[: 1 + at % 2]):
            contact = member * 10 + parent
            records["contact"][contact] = {
                "team_id": team,
                "member_id": member,
                "first_name": dice.choice(_FIRST),
                "last_name": last[at],
                "label": label if at % 4 else None,
                "user_id": None,
            }
            mail = f"{label}.{last[at]}.{team}@example.org".lower()
            records["contact_email_address"][contact] = {
                "team_id": team,
                "contact_id": contact,
                "member_id": member,
                "email": mail.upper() if at == 2 else mail,
                "receives_team_emails": True,
            }
    # With one child stands an address, which is the mother's.
    records["member_email_address"][team * 1000 + 5] = {
        "team_id": team,
        "member_id": team * 1000 + 5,
        "email": f"family.{team}@example.org",
    }


def _staff(records: Records, team: int) -> None:
    roles = (("Dana", "Doyle", "is_coach"), ("Ines", "Weber", "is_manager"), ("Team", "Photographer", ""))
    for at, (first, last, flag) in enumerate(roles):
        member = team * 1000 + 500 + at
        flags = {name: name == flag for name in ("is_coach", "is_manager", "is_owner")}
        person = {"team_id": team, "first_name": first, "last_name": last, "is_non_player": True, "user_id": OWNER}
        records["member"][member] = {**person, **flags, "jersey_number": None, "position": None, "birthday": None}
        mail = f"{first}.{last}@example.org".lower()
        records["member_email_address"][member] = {"team_id": team, "member_id": member, "email": mail}


def _calendar(records: Records, team: int, first_day: date, dice: random.Random) -> None:
    # Every team has a list of places of its own, so the same ground is there twice under two numbers.
    places = (("Riverside Park", 42.3601, -71.0589), ("Lake Field", 42.4001, -71.1589))
    for at, (name, latitude, longitude) in enumerate(places):
        records["location"][team * 10 + at] = {
            "team_id": team,
            "name": name,
            "address": f"{at + 1} {name} Road" if at == 0 else None,
            "latitude": latitude,
            "longitude": longitude,
        }
    for at, name in enumerate(_OPPONENTS):
        records["opponent"][team * 10 + at] = {"team_id": team, "name": name}
    for week in range(6):
        day = first_day + timedelta(days=7 * week)
        starts = datetime.combine(day, time(10 if team == 101 else 14), ZoneInfo(_ZONE)).astimezone(UTC)
        event = team * 100 + week
        home = week % 2 == 0
        records["event"][event] = {
            "team_id": team,
            "is_game": True,
            "name": None,
            "start_date": starts.isoformat().replace("+00:00", "Z"),
            "time_zone_iana_name": _ZONE,
            "is_tbd": week == 5,
            "is_canceled": week == 4,
            "opponent_id": team * 10 + week % len(_OPPONENTS),
            "opponent_name": _OPPONENTS[week % len(_OPPONENTS)],
            "game_type": "Home" if home else "Away",
            "game_type_code": 1 if home else 2,
            "location_id": team * 10 + (0 if home else 1),
            "location_name": places[0 if home else 1][0],
            "points_for_team": None,
            "points_for_opponent": None,
        }
        training = {"is_game": False, "name": "Training", "opponent_id": None, "opponent_name": None}
        when = (starts - timedelta(days=3)).isoformat().replace("+00:00", "Z")
        records["event"][event + 50] = {**records["event"][event], **training, "start_date": when, "is_tbd": False}
        for member in [m for m, r in records["member"].items() if r["team_id"] == team]:
            answer = dice.choice((None, 0, 1, 1, 1, 2))
            records["availability"][event * 1_000_000 + member] = {
                "team_id": team,
                "event_id": event,
                "member_id": member,
                "status_code": answer,
            }


def _siblings(records: Records) -> None:
    # One mother, two children on two teams: an entry and an address in each.
    for member in (101_006, 102_006):
        records["member"][member]["last_name"] = "Whitfield"
        records["contact"][member * 10] |= {"first_name": "Grace", "last_name": "Whitfield", "label": "Mother"}
        records["contact_email_address"][member * 10]["email"] = "grace.whitfield@example.org"
