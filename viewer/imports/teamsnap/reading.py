"""From TeamSnap's collections to a snapshot.

Children there have no account and mostly no address: their parents are contacts, whose addresses are a third list,
joined by the contact's and the member's number. Coaches are members as well. We ask list by list and not for all at
once (`bulk_load`), so that every page is seen, and a list that is kept from us costs that list alone.
"""

from collections import defaultdict
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from viewer.clubs.models import Duty
from viewer.errors import NotShown
from viewer.games.models import Answer
from viewer.imports.snapshot import (
    AnswerSeen,
    CoachSeen,
    GameSeen,
    ParentSeen,
    PlayerSeen,
    Snapshot,
    TeamSeen,
    VenueSeen,
    clean,
    mail_of,
)
from viewer.imports.teamsnap.collection import Item, Reader

SOURCE = "teamsnap"
_SOCCER = 2
_ANSWERS = {0: Answer.NO, 1: Answer.YES, 2: Answer.MAYBE}


def read_teamsnap(reader: Reader) -> Snapshot:
    """All soccer teams that the account sees, with their people and games."""
    parts: list[Snapshot] = []
    for me in reader.from_root("me"):
        for team in reader.follow(me.links, "teams"):
            sport = team.number("sport_id")
            if not team.flag("is_retired") and sport in (None, _SOCCER):
                parts.append(_Team(reader, team).read())
    return Snapshot(
        SOURCE,
        teams=tuple(t for part in parts for t in part.teams),
        players=tuple(p for part in parts for p in part.players),
        coaches=tuple(c for part in parts for c in part.coaches),
        parents=tuple(p for part in parts for p in part.parents),
        venues=tuple(v for part in parts for v in part.venues),
        games=tuple(g for part in parts for g in part.games),
        answers=tuple(a for part in parts for a in part.answers),
        notes=tuple(note for part in parts for note in part.notes),
        whole=True,
    )


class _Team:
    def __init__(self, reader: Reader, team: Item) -> None:
        self._reader = reader
        self._team = team
        self._id = team.text("id")
        self._name = team.text("name") or f"Team {self._id}"
        self._notes: list[str] = []

    def read(self) -> Snapshot:
        members, people = self._list("members", "the members")
        events, games = self._list("events", "the schedule")
        players, coaches, parents = self._people(members)
        team = TeamSeen(self._id, self._name, self._team.text("season_name", 60), people=people, games=games)
        return Snapshot(
            SOURCE,
            teams=(team,),
            players=players,
            coaches=coaches,
            parents=parents,
            venues=self._venues() if events else (),
            games=tuple(game for event in events if (game := self._game(event)) is not None),
            answers=self._answers() if events else (),
            notes=tuple(self._notes),
        )

    def _list(self, rel: str, words: str) -> tuple[list[Item], bool]:
        try:
            return self._reader.follow(self._team.links, rel), True
        except NotShown:
            self._notes.append(
                f"TeamSnap does not show {words} of {self._name} to the account that connected the club."
            )
            return [], False

    def _people(
        self, members: list[Item]
    ) -> tuple[tuple[PlayerSeen, ...], tuple[CoachSeen, ...], tuple[ParentSeen, ...]]:
        own, of_contact = self._addresses()
        players = [m for m in members if not m.flag("is_non_player")]
        coaches = [c for m in members if m.flag("is_non_player") and (c := self._coach(m, own)) is not None]
        children = {m.text("id") for m in players}
        contacts, _ = self._list("contacts", "the parents") if players else ([], True)
        parents = [
            ParentSeen(
                contact.text("id"),
                contact.text("member_id"),
                _name(contact),
                contact.text("label", 40).lower() or "parent",
                of_contact[contact.text("id")],
            )
            for contact in contacts
            if contact.text("member_id") in children
        ]
        return tuple(self._player(m, own) for m in players), tuple(coaches), tuple(parents)

    def _addresses(self) -> tuple[dict[str, tuple[str, ...]], dict[str, tuple[str, ...]]]:
        found: list[dict[str, tuple[str, ...]]] = []
        lists = (("member_email_addresses", "member_id"), ("contact_email_addresses", "contact_id"))
        for rel, owner in lists:
            mails: dict[str, list[str]] = defaultdict(list)
            for item in self._list(rel, "e-mail addresses")[0]:
                mail = mail_of(item.value("email"))
                if mail and mail not in mails[item.text(owner)]:
                    mails[item.text(owner)].append(mail)
            found.append(defaultdict(tuple, {key: tuple(values) for key, values in mails.items()}))
        return found[0], found[1]

    def _player(self, member: Item, mails: dict[str, tuple[str, ...]]) -> PlayerSeen:
        # A child whose parent manages the team is a manager at TeamSnap: only grown-ups become coaches here.
        born = member.text("birthday", 10)[:4]
        return PlayerSeen(
            member.text("id"),
            self._id,
            member.text("first_name", 100),
            member.text("last_name", 100),
            int(born) if born.isascii() and born.isdigit() and 1900 <= int(born) <= 2100 else None,
            member.text("position", 30),
            member.text("jersey_number", 10),
            mails[member.text("id")],
        )

    def _coach(self, member: Item, mails: dict[str, tuple[str, ...]]) -> CoachSeen | None:
        if member.flag("is_coach"):
            duty = Duty.COACH
        elif member.flag("is_manager") or member.flag("is_owner"):
            duty = Duty.MANAGER
        else:
            return None
        return CoachSeen(member.text("id"), self._id, _name(member), duty, mails[member.text("id")])

    def _venues(self) -> tuple[VenueSeen, ...]:
        return tuple(
            VenueSeen(
                item.text("id"),
                item.text("name"),
                clean(item.value("address"), 400),
                _degrees(item.number("latitude"), 90),
                _degrees(item.number("longitude"), 180),
            )
            for item in self._list("locations", "the places")[0]
        )

    def _game(self, event: Item) -> GameSeen | None:
        starts_at = _time(event.value("start_date"))
        # A game whose time is still open would be matched with whatever is recorded that day.
        if not event.flag("is_game") or event.flag("is_tbd") or starts_at is None:
            return None
        ours, theirs = event.number("points_for_team"), event.number("points_for_opponent")
        kind = event.text("game_type").lower() or {1.0: "home", 2.0: "away"}.get(
            event.number("game_type_code") or 0, ""
        )
        return GameSeen(
            event.text("id"),
            self._id,
            event.text("opponent_name") or event.text("name") or "Unknown opponent",
            starts_at,
            _zone(event.text("time_zone_iana_name", 60)),
            kind != "away",
            event.text("location_id"),
            event.flag("is_canceled"),
            _score(ours),
            _score(theirs),
        )

    def _answers(self) -> tuple[AnswerSeen, ...]:
        found = []
        for item in self._list("availabilities", "the answers")[0]:
            status = item.number("status_code")
            if status in _ANSWERS:
                found.append(AnswerSeen(item.text("event_id"), item.text("member_id"), _ANSWERS[int(status)]))
        return tuple(found)


def _name(item: Item) -> str:
    return clean(f"{item.text('first_name', 100)} {item.text('last_name', 100)}", 200)


def _time(value: object) -> datetime | None:
    try:
        at = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)


def _zone(name: str) -> str:
    try:
        return ZoneInfo(name).key if name else ""
    except (ValueError, OSError, KeyError):
        return ""


def _degrees(value: float | None, most: int) -> float | None:
    return value if value is not None and -most <= value <= most else None


def _score(value: float | None) -> int | None:
    return int(value) if value is not None and 0 <= value < 100 else None
