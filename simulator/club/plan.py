"""The club before it is made: who plays where, whose child is whose, and every game, drawn from a seed."""

import random
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from simulator.club.names import BOYS, GIRLS, GROWN_UPS, LAST, OPPONENTS

NAME = "Kestrel Vale FC"
DOMAIN = "kestrel-vale.example"
"""Everybody of the club has an address here: no mail reaches such a place (RFC 2606), and nobody else has one."""
ZONE = "Europe/London"
GROUPS = (("U9", True), ("U11", False), ("U13", True), ("U13", False), ("U15", False), ("U17", True))
"""Age and whether girls play; their order is the teams' number."""
KEPT_OPEN, OPTED_OUT = 5, 3
"""The team in which nobody refuses to be shown, and the team with a child who has opted out."""
COMING = 3
_LAST_GAMES, _MOST_GAMES = 14, 12


class Consent(StrEnum):
    """What was answered for a child."""

    ALL = "all"
    NOT_PUBLIC = "not_public"
    TEAM_ALONE = "team_alone"
    UNKNOWN = "unknown"
    WITHDRAWN = "withdrawn"
    ON_PAPER = "on_paper"
    OPTED_OUT = "opted_out"


@dataclass(frozen=True)
class Stay:
    """A child's time in a team: of the last season or this one, from a day to another, or until now."""

    team: int
    current: bool
    number: str
    joined_on: date
    left_on: date | None = None


@dataclass
class Child:
    """A player, and in which teams they play and played."""

    first: str
    last: str
    born: int
    position: str
    consent: Consent
    stays: list[Stay] = field(default_factory=list)


@dataclass
class Family:
    """Children of one home with whoever stands for them: first and last name, and what they are to the children."""

    children: list[Child]
    parents: list[tuple[str, str, str]] = field(default_factory=list)


@dataclass(frozen=True)
class PlannedGame:
    """A game of a team; without a score it is cancelled or yet to come."""

    team: int
    current: bool
    opponent: str
    at_home: bool
    starts_at: datetime
    venue: int | None
    score: tuple[int, int] | None
    cancelled: bool = False


@dataclass(frozen=True)
class Years:
    """A season: the year it begins in; first and last day."""

    begins: int

    @property
    def name(self) -> str:
        """As 2026/27."""
        return f"{self.begins}/{(self.begins + 1) % 100:02d}"

    @property
    def first(self) -> date:
        """It begins in August."""
        return date(self.begins, 8, 1)

    @property
    def last(self) -> date:
        """It ends in July."""
        return date(self.begins + 1, 7, 31)


@dataclass(frozen=True)
class ClubPlan:
    """All of it."""

    today: date
    season: Years
    families: tuple[Family, ...]
    games: tuple[PlannedGame, ...]

    @property
    def before(self) -> Years:
        """The season before this one."""
        return Years(self.season.begins - 1)

    def children(self) -> list[Child]:
        """Every child."""
        return [child for family in self.families for child in family.children]


def team_name(team: int) -> str:
    """A team's name."""
    age, girls = GROUPS[team]
    return f"{age} {'Girls' if girls else 'Boys'}"


def birth_years(team: int, season: Years) -> tuple[int, int]:
    """The two years that a team is made of."""
    eldest = season.begins + 1 - int(GROUPS[team][0][1:])
    return eldest, eldest + 1


def plan_club(seed: int, now: datetime) -> ClubPlan:
    """The club of `seed` as it is at `now`."""
    dice = random.Random(seed)
    today = now.astimezone(ZoneInfo(ZONE)).date()
    season = Years(today.year if today.month >= 8 else today.year - 1)
    rosters = [_roster(dice, team, season, today) for team in range(len(GROUPS))]
    _changes(dice, rosters, season, today)
    families = _families(dice, rosters)
    families += [Family([child]) for child in _gone(dice, rosters, season)]
    _tell_apart(dice, families)
    for family in families:
        _parents(dice, family)
    # Whom the printed sign-in stands for: one child whose matches anybody may see, one of another team.
    families[0].parents = families[0].parents or [("Marta", families[0].children[0].last, "mother")]
    games = [game for team in range(len(GROUPS)) for game in _games(dice, team, season, now)]
    return ClubPlan(today, season, tuple(families), tuple(games))


def _roster(dice: random.Random, team: int, season: Years, today: date) -> list[Child]:
    size = dice.randint(13, 17)
    girls = GROUPS[team][1]
    firsts = dice.sample(GIRLS if girls else BOYS, size)
    numbers = ["1", *map(str, dice.sample(range(2, 24), size - 1))]
    children = []
    for at in range(size):
        born = dice.choice(birth_years(team, season))
        child = Child(firsts[at], "", born, _position(at), _consent(dice, team, at))
        earlier = _team_of(girls, born, Years(season.begins - 1))
        if earlier is not None and dice.random() < 0.8:
            left = date(season.begins, 6, 30)
            child.stays.append(Stay(earlier, False, "", date(season.begins - 1, 8, 20), left))
        number = "" if at == size - 1 and team % 2 else numbers[at]
        joined = min(date(season.begins, 8, 15) + timedelta(days=dice.choice((0, 0, 0, 4, 11))), today)
        child.stays.append(Stay(team, True, number, joined))
        children.append(child)
    return children


def _position(at: int) -> str:
    order = ("Goalkeeper", *["Defender"] * 4, *["Midfielder"] * 4, *["Forward"] * 3)
    return order[at] if at < len(order) else ("Goalkeeper", "", "Defender", "Midfielder")[at % 4]


def _consent(dice: random.Random, team: int, at: int) -> Consent:
    drawn = dice.random()
    if team == OPTED_OUT and at == 6:
        return Consent.OPTED_OUT
    if team == KEPT_OPEN:
        return Consent.UNKNOWN if at > 10 else Consent.ON_PAPER if at == 2 else Consent.ALL
    shares = (
        (0.40, Consent.ALL), (0.62, Consent.NOT_PUBLIC), (0.72, Consent.TEAM_ALONE), (0.80, Consent.WITHDRAWN),
        (0.87, Consent.ON_PAPER),
    )  # fmt: skip
    return next((state for most, state in shares if drawn < most), Consent.UNKNOWN)


def _team_of(girls: bool, born: int, season: Years) -> int | None:
    teams = (n for n, (_, hers) in enumerate(GROUPS) if hers == girls and born in birth_years(n, season))
    return next(teams, None)


def _changes(dice: random.Random, rosters: list[list[Child]], season: Years, today: date) -> None:
    """One boy has moved up during the season, and in two teams one has left."""
    day = date(season.begins, 10, 4)
    if day >= today:
        return
    mover = rosters[1][-2]
    held = mover.stays.pop()
    used = {child.stays[-1].number for child in rosters[3]}
    mover.stays.append(Stay(1, True, held.number, held.joined_on, day))
    mover.stays.append(Stay(3, True, next(str(n) for n in range(24, 99) if str(n) not in used), day))
    for team in (0, 4):
        leaver = dice.choice(rosters[team][5:])
        held = leaver.stays.pop()
        leaver.stays.append(Stay(team, True, held.number, held.joined_on, day))


def _gone(dice: random.Random, rosters: list[list[Child]], season: Years) -> list[Child]:
    """Who played last season and has not come back."""
    before, children = Years(season.begins - 1), []
    for team, (_, girls) in enumerate(GROUPS):
        taken = {child.first for child in rosters[team]}
        firsts = [name for name in (GIRLS if girls else BOYS) if name not in taken]
        for first in dice.sample(firsts, dice.randint(4, 6)):
            born = dice.choice(birth_years(team, before))
            child = Child(first, dice.choice(LAST), born, dice.choice(("Defender", "Midfielder", "")), Consent.UNKNOWN)
            child.stays.append(Stay(team, False, "", date(before.begins, 8, 20), date(season.begins, 6, 30)))
            children.append(child)
    return children


def _families(dice: random.Random, rosters: list[list[Child]]) -> list[Family]:
    """Every child in a home; about one home in seven has children in two or three teams."""
    free = [list(roster) for roster in rosters]
    families = [Family([free[KEPT_OPEN].pop(4), free[1].pop(3)])]
    for at, roster in enumerate(free):
        for child in roster:
            elders = [f for f in families if len(f.children) < 3 and _fits(child, f, roster=rosters[at])]
            if elders and at and dice.random() < 0.17:
                dice.choice(elders).children.append(child)
            else:
                families.append(Family([child]))
    names = dice.sample(LAST, len(LAST))
    for at, family in enumerate(families):
        for child in family.children:
            child.last = names[at % len(names)]
    return families


def _fits(child: Child, family: Family, roster: list[Child]) -> bool:
    """Whether the child can be one more of the family: another name, and another team than the others'."""
    return all(other not in roster and other.first != child.first for other in family.children)


def _tell_apart(dice: random.Random, families: list[Family]) -> None:
    """No two children of one name."""
    seen: set[tuple[str, str]] = set()
    for family in families:
        while any((child.first, child.last) in seen for child in family.children):
            last = dice.choice(LAST)
            for child in family.children:
                child.last = last
        seen.update((child.first, child.last) for child in family.children)


def _parents(dice: random.Random, family: Family) -> None:
    last = family.children[0].last
    count = dice.choices((0, 1, 2), (8, 35, 57))[0]
    for first, relation in zip(dice.sample(GROWN_UPS, count), dice.sample(("mother", "father"), count), strict=True):
        family.parents.append((first, last if dice.random() < 0.8 else dice.choice(LAST), relation))


def _games(dice: random.Random, team: int, season: Years, now: datetime) -> list[PlannedGame]:
    """A season that is over, this season's games so far, and those that come next."""
    before = Years(season.begins - 1)
    first = _saturday(date(before.begins, 9, 6))
    days = [(False, first + timedelta(weeks=2 * week)) for week in range(_LAST_GAMES)]
    first = _saturday(date(season.begins, 9, 3))
    today = now.astimezone(ZoneInfo(ZONE)).date()
    so_far = max((today - first).days // 7 + 1, 0) if today > first else 0
    past = [(True, first + timedelta(weeks=week)) for week in range(so_far) if first + timedelta(weeks=week) < today]
    days += past[-_MOST_GAMES:]
    coming = _saturday(max(today + timedelta(days=1), first))
    days += [(True, coming + timedelta(weeks=week)) for week in range(COMING)]
    return [_game(dice, team, at, current, day, today) for at, (current, day) in enumerate(days)]


def _game(dice: random.Random, team: int, at: int, current: bool, day: date, today: date) -> PlannedGame:
    clock = time(9 + (team * 75) // 60, (team * 75) % 60)
    played = day < today
    cancelled = at % 9 == 4
    score = None if cancelled or not played else (dice.choice((0, 1, 1, 2, 2, 3, 4)), dice.choice((0, 0, 1, 1, 2, 3)))
    return PlannedGame(
        team=team,
        current=current,
        opponent=f"{OPPONENTS[(at + 2 * team) % len(OPPONENTS)]} {GROUPS[team][0]}",
        at_home=at % 2 == 0,
        starts_at=datetime.combine(day, clock, ZoneInfo(ZONE)).astimezone(UTC),
        venue=(0, 1)[team % 2] if at % 2 == 0 else (2 if at % 3 == 0 else None),
        score=score,
        cancelled=cancelled,
    )


def _saturday(day: date) -> date:
    return day + timedelta(days=(5 - day.weekday()) % 7)


def mail_of(first: str, last: str, taken: set[str]) -> str:
    """An address that nobody in `taken` has."""
    plain = f"{first}.{last}".lower()
    ends = ("", *map(str, range(2, 100)))
    return next(mail for end in ends if (mail := f"{plain}{end}@{DOMAIN}") not in taken)
