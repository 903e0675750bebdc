"""The club's people and calendar, made by the portal's own services at the times at which a club would make them."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from simulator.club.names import GROWN_UPS, LAST, VENUES
from simulator.club.plan import (
    DOMAIN,
    GROUPS,
    KEPT_OPEN,
    NAME,
    OPTED_OUT,
    ZONE,
    Child,
    ClubPlan,
    Consent,
    Family,
    PlannedGame,
    Stay,
    birth_years,
    mail_of,
    team_name,
)
from viewer.accounts.models import Frequency, Role, User
from viewer.accounts.people import make_user
from viewer.clubs.actor import COMMAND_LINE, Actor
from viewer.clubs.clubs import ClubEntry, VenueEntry, add_club, save_season, save_venue
from viewer.clubs.invitations import link_player
from viewer.clubs.models import Duty, Organization, Player, Team, TeamPlayer, Venue
from viewer.clubs.rosters import make_admin, make_coach, make_parent
from viewer.clubs.squads import PlayerEntry, add_player, leave, put_on_roster
from viewer.clubs.teams import TeamEntry, save_team
from viewer.games.calendar import GameEntry, cancel_game, save_game, set_score
from viewer.games.models import Answer, Availability, Game
from viewer.privacy.consent import answer
from viewer.privacy.models import Scope

ADDRESS = "198.51.100.7"
"""Where everybody's acts come from: an address for documentation (RFC 5737)."""
_KEPT_DAYS = 730


@dataclass
class Made:
    """What has been made: rows by what the plan calls them. `signs_in` are those whose password is printed."""

    club: Organization
    teams: dict[tuple[int, bool], Team] = field(default_factory=dict)
    venues: list[Venue] = field(default_factory=list)
    users: dict[str, User] = field(default_factory=dict)
    players: dict[int, Player] = field(default_factory=dict)
    parents: dict[int, list[User]] = field(default_factory=dict)
    games: list[tuple[PlannedGame, Game]] = field(default_factory=list)
    signs_in: dict[str, User] = field(default_factory=dict)

    def actor(self, who: str) -> Actor:
        """One of `users` as the audit log keeps them."""
        return actor_of(self.users[who])


def actor_of(user: User) -> Actor:
    """A user as the audit log keeps them."""
    return Actor(user.id, user.mail, ADDRESS)


def make_people(session: Session, plan: ClubPlan, now: datetime, seed: int) -> Made:
    """The club with all its people and games, in the caller's transaction."""
    dice = random.Random(seed + 1)
    founded = noon(plan.before.first - timedelta(days=20))
    club = add_club(session, ClubEntry(NAME, time_zone=ZONE, retention_days=_KEPT_DAYS), founded, COMMAND_LINE)
    club.demo = True
    made = Made(club)
    _staff(session, made, founded)
    make_admin(session, made.users["admin"], club, founded)
    admin = made.actor("admin")
    for current, years in ((False, plan.before), (True, plan.season)):
        when = noon(years.first - timedelta(days=12))
        season = save_season(session, club.id, None, years.name, years.first, years.last, when, admin)
        for team in range(len(GROUPS)):
            entry = TeamEntry(team_name(team), season.id, *birth_years(team, years))
            made.teams[team, current] = save_team(session, club.id, None, entry, when, admin)
    for venue in VENUES:
        made.venues.append(save_venue(session, club.id, None, VenueEntry(*venue), founded, admin))
    _duties(session, made, founded)
    _rosters(session, made, plan)
    for family in plan.families:
        _parents(session, made, family, dice, noon(plan.season.first))
    _accounts_of_players(session, made, plan, now)
    _calendar(session, made, plan, now)
    _availability(session, made, dice, now)
    _consents(session, made, plan, now)
    return made


def noon(day: date) -> datetime:
    """The middle of a day."""
    return datetime.combine(day, time(12), UTC)


def current_players(plan: ClubPlan, team: int) -> list[Child]:
    """Who plays in this season's team now."""
    return [child for child in plan.children() if any(_now_in(stay, team) for stay in child.stays)]


def _now_in(stay: Stay, team: int) -> bool:
    return stay.current and stay.team == team and stay.left_on is None


def _user(session: Session, made: Made, first: str, last: str, role: Role, now: datetime, mail: str = "") -> User:
    taken = {user.mail for user in made.users.values()}
    user = make_user(session, mail or mail_of(first, last, taken), f"{first} {last}", None, now, role)
    user.time_zone = ZONE
    made.users[user.mail] = user
    return user


def _staff(session: Session, made: Made, now: datetime) -> None:
    """The admin, whoever coaches and manages, and two who ask to join later."""
    named = (
        ("admin", "Helga", "Thorne", Role.CLUB_ADMIN),
        ("coach", "Mateo", "Brandt", Role.COACH),
        ("manager", "Niamh", "Okonjo", Role.MANAGER),
    )
    for who, first, last, role in named:
        user = _user(session, made, first, last, role, now, f"{who}@{DOMAIN}")
        made.users[who] = made.signs_in[who] = user
    for team in range(len(GROUPS)):
        first, last = GROWN_UPS[5 * team + 2], LAST[11 * team + 5]
        made.users[f"coach {team}"] = _user(session, made, first, last, Role.COACH, now)
    for at, (first, last) in enumerate((("Walter", "Fenwick"), ("Imani", "Rosales"))):
        made.users[f"asks {at}"] = _user(session, made, first, last, Role.PARENT, now)


def _duties(session: Session, made: Made, now: datetime) -> None:
    for (team, current), row in made.teams.items():
        make_coach(session, made.users[f"coach {team}"], row, Duty.COACH, now)
        if team == KEPT_OPEN or (team == OPTED_OUT and current):
            make_coach(session, made.users["coach"], row, Duty.COACH, now)
        if team in (1, OPTED_OUT) and current:
            make_coach(session, made.users["manager"], row, Duty.MANAGER, now)


def _rosters(session: Session, made: Made, plan: ClubPlan) -> None:
    """Last season's rosters, which end with it, then this season's."""
    for current in (False, True):
        stays = [(stay, child) for child in plan.children() for stay in child.stays if stay.current == current]
        stays.sort(key=lambda pair: (pair[0].joined_on, pair[0].team))
        left: list[tuple[date, TeamPlayer]] = []
        for stay, child in stays:
            # Whoever left before makes room, and a shirt free.
            for day, entry in [pair for pair in left if pair[0] <= stay.joined_on]:
                leave(session, entry, day, noon(day), made.actor("admin"))
                left.remove((day, entry))
            entry = _joined(session, made, stay, child)
            if stay.left_on is not None:
                left.append((stay.left_on, entry))
        for day, entry in left:
            leave(session, entry, day, noon(day), made.actor("admin"))


def _joined(session: Session, made: Made, stay: Stay, child: Child) -> TeamPlayer:
    team, by, when = made.teams[stay.team, stay.current], made.actor("admin"), noon(stay.joined_on)
    known = made.players.get(id(child))
    if known is not None:
        return put_on_roster(session, team, known, stay.number, stay.joined_on, when, by)
    about = PlayerEntry(child.first, child.last, child.born, child.position)
    entry = add_player(session, team, about, stay.number, stay.joined_on, when, by)
    made.players[id(child)] = session.get_one(Player, entry.player_id)
    return entry


def _parents(session: Session, made: Made, family: Family, dice: random.Random, now: datetime) -> None:
    users = []
    for at, (first, last, relation) in enumerate(family.parents):
        # The first family's first parent is the one who can sign in.
        printed = not made.parents and at == 0
        user = _user(session, made, first, last, Role.PARENT, now, f"parent@{DOMAIN}" if printed else "")
        user.notify = Frequency.AT_ONCE if printed else dice.choice(tuple(Frequency))
        if printed:
            made.users["parent"] = made.signs_in["parent"] = user
        for child in family.children:
            make_parent(session, user, made.players[id(child)], relation, now)
        users.append(user)
    for child in family.children:
        made.parents[id(child)] = users


def _accounts_of_players(session: Session, made: Made, plan: ClubPlan, now: datetime) -> None:
    for at, team in enumerate((KEPT_OPEN, 4)):
        child = current_players(plan, team)[1]
        mail = "" if at else f"player@{DOMAIN}"
        user = _user(session, made, child.first, child.last, Role.PLAYER, noon(plan.season.first), mail)
        link_player(session, made.players[id(child)], user)
        if not at:
            made.users["player"] = made.signs_in["player"] = user


def _calendar(session: Session, made: Made, plan: ClubPlan, now: datetime) -> None:
    admin = made.actor("admin")
    for game in plan.games:
        team, years = made.teams[game.team, game.current], plan.season if game.current else plan.before
        venue = None if game.venue is None else made.venues[game.venue].id
        entry = GameEntry(game.opponent, game.starts_at, game.at_home, "County league", venue)
        row = save_game(session, team, None, entry, noon(years.first - timedelta(days=2)), admin)
        coach = made.actor(f"coach {game.team}")
        if game.cancelled:
            cancel_game(session, row, min(game.starts_at - timedelta(days=1), now), coach)
        elif game.score is not None:
            set_score(session, row, *game.score, min(game.starts_at + timedelta(hours=2), now), coach)
        made.games.append((game, row))


def _availability(session: Session, made: Made, dice: random.Random, now: datetime) -> None:
    """Answers to the games to come and the last ones; only imports bring any, so there is no service to ask."""
    near = [row for _, row in made.games if row.starts_at > now - timedelta(days=9) and row.cancelled_at is None]
    for game in near:
        on = select(TeamPlayer.player_id).where(TeamPlayer.team_id == game.team_id, TeamPlayer.left_on.is_(None))
        for player in session.scalars(on.order_by(TeamPlayer.id)):
            said = dice.choices((Answer.YES, Answer.NO, Answer.MAYBE, None), (6, 1, 1, 2))[0]
            if said is not None:
                session.add(Availability(game_id=game.id, player_id=player, answer=said))


def _consents(session: Session, made: Made, plan: ClubPlan, now: datetime) -> None:
    asked = noon(plan.season.first + timedelta(days=16))
    for child in plan.children():
        player, parents = made.players[id(child)], made.parents[id(child)]
        by = actor_of(parents[0]) if parents else made.actor("admin")
        for answers, weeks in _answers(child.consent):
            when = min(asked + timedelta(weeks=weeks), now)
            if child.consent is Consent.ON_PAPER or not parents:
                signed = parents[0].name if parents else f"the parents of {child.first} {child.last}"
                answer(session, player, answers, made.actor("admin"), when, source="paper", signed_by=signed)
            else:
                answer(session, player, answers, by, when)


def _answers(state: Consent) -> Iterator[tuple[dict[Scope, bool], int]]:
    """What was answered, and how many weeks after everybody was asked."""
    everything = dict.fromkeys(Scope, True)
    if state in (Consent.ALL, Consent.ON_PAPER):
        yield everything, 0
    elif state is Consent.NOT_PUBLIC:
        yield {**everything, Scope.PUBLIC: False}, 0
    elif state is Consent.TEAM_ALONE:
        yield {**dict.fromkeys(Scope, False), Scope.TEAM: True}, 1
    elif state is Consent.WITHDRAWN:
        yield everything, 0
        yield {Scope.PUBLIC: False, Scope.HIGHLIGHTS: False}, 7
    elif state is Consent.OPTED_OUT:
        yield dict.fromkeys(Scope, False), 2
