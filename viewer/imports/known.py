"""What the database knows of a club, as far as a snapshot touches it."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import or_, select
from sqlalchemy.orm import Session, joinedload, selectinload

from viewer.accounts.models import User
from viewer.clubs.models import (
    Invitation,
    Organization,
    ParentPlayer,
    Player,
    Season,
    Team,
    TeamCoach,
    TeamPlayer,
    Venue,
)
from viewer.games.models import Availability, Game
from viewer.imports.models import Origin
from viewer.imports.snapshot import Snapshot

_DAY = timedelta(days=1)


@dataclass
class Known:
    """Rows by their ids; `origins` leads from the source's ids to ours, kind by kind, whether the row is still there.

    `seats` are roster rows, `foreign` the games that another source has brought.
    """

    organization: Organization
    source: str
    now: datetime
    origins: dict[str, dict[str, int]] = field(default_factory=lambda: defaultdict(dict))
    teams: dict[int, Team] = field(default_factory=dict)
    seasons: list[Season] = field(default_factory=list)
    players: dict[int, Player] = field(default_factory=dict)
    seats: dict[int, TeamPlayer] = field(default_factory=dict)
    venues: dict[int, Venue] = field(default_factory=dict)
    games: dict[int, Game] = field(default_factory=dict)
    foreign: set[int] = field(default_factory=set)
    users: dict[str, User] = field(default_factory=dict)
    parents: set[tuple[int, int]] = field(default_factory=set)
    coaches: set[tuple[int, int]] = field(default_factory=set)
    invited: set[tuple[str, str, int | None, int | None]] = field(default_factory=set)
    answers: dict[tuple[int, int], str] = field(default_factory=dict)

    @property
    def today(self) -> date:
        """The date where the club is."""
        return self.now.astimezone(ZoneInfo(self.organization.time_zone)).date()

    def local(self, kind: str, external_id: str) -> int | None:
        """Our id of something of the source's; None where it has never been taken over."""
        return self.origins[kind].get(external_id)

    def team(self, external_id: str) -> Team | None:
        """Our team."""
        return self.teams.get(self.origins["team"].get(external_id, 0))

    def likely_teams(self, snapshot: Snapshot) -> dict[str, Team]:
        """The snapshot's teams as ours, or else the newest of that name that the source has not brought, once each."""
        found: dict[str, Team] = {}
        free = self.teams.keys() - self.origin_of("team")
        for seen in sorted(snapshot.teams, key=lambda team: team.id):
            here = [self.teams[n] for n in free if self.teams[n].name.casefold() == seen.name.casefold()]
            team = max(here, key=lambda team: team.id, default=None)
            if seen.id in self.origins["team"]:
                team = self.team(seen.id)
            if team is not None:
                found[seen.id] = team
                free -= {team.id}
        return found

    def player(self, external_id: str) -> Player | None:
        """Our player."""
        return self.players.get(self.origins["player"].get(external_id, 0))

    def game(self, external_id: str) -> Game | None:
        """Our game."""
        return self.games.get(self.origins["game"].get(external_id, 0))

    def origin_of(self, kind: str) -> set[int]:
        """Our rows that the source has brought."""
        return set(self.origins[kind].values())

    def season_for(self, name: str) -> Season | None:
        """The club's season of that name, else the one we are in."""
        named = [s for s in self.seasons if s.name.casefold() == name.casefold()]
        running = [s for s in self.seasons if s.starts_on <= self.today <= s.ends_on]
        return next(iter(named or running), None)


def load_known(session: Session, organization_id: int, snapshot: Snapshot, now: datetime) -> Known:
    """Look up all that the snapshot may be compared with."""
    club = session.get_one(Organization, organization_id)
    known = Known(club, snapshot.source, now)
    for origin in session.scalars(select(Origin).where(Origin.organization_id == club.id).order_by(Origin.id)):
        if origin.source == snapshot.source:
            known.origins[origin.kind][origin.external_id] = origin.local_id
        elif origin.kind == "game":
            known.foreign.add(origin.local_id)
    known.teams = {t.id: t for t in session.scalars(select(Team).where(Team.organization_id == club.id))}
    known.seasons = list(
        session.scalars(select(Season).where(Season.organization_id == club.id).order_by(Season.starts_on.desc()))
    )
    known.players = {p.id: p for p in session.scalars(select(Player).where(Player.organization_id == club.id))}
    known.seats = {
        s.id: s
        for s in session.scalars(
            select(TeamPlayer).join(Team, Team.id == TeamPlayer.team_id).where(Team.organization_id == club.id)
        )
    }
    known.venues = {v.id: v for v in session.scalars(select(Venue).where(Venue.organization_id == club.id))}
    _load_people(session, known, snapshot)
    _load_games(session, known, snapshot)
    return known


def _load_people(session: Session, known: Known, snapshot: Snapshot) -> None:
    lists = (
        [p.mails for p in snapshot.players],
        [c.mails for c in snapshot.coaches],
        [p.mails for p in snapshot.parents],
    )
    mails = {mail for people in lists for person in people for mail in person}
    for some in _portions(sorted(mails)):
        known.users |= {user.mail: user for user in session.scalars(select(User).where(User.mail.in_(some)))}
        open_ones = select(Invitation).where(
            Invitation.mail.in_(some),
            Invitation.organization_id == known.organization.id,
            Invitation.accepted_at.is_(None),
            Invitation.withdrawn_at.is_(None),
            Invitation.expires_at > known.now,
        )
        known.invited |= {(i.mail, i.role, i.team_id, i.player_id) for i in session.scalars(open_ones)}
    in_club = select(Player.id).where(Player.organization_id == known.organization.id)
    links = select(ParentPlayer.user_id, ParentPlayer.player_id).where(ParentPlayer.player_id.in_(in_club))
    known.parents = {(user, player) for user, player in session.execute(links)}
    coaching = select(TeamCoach.user_id, TeamCoach.team_id).where(TeamCoach.team_id.in_(list(known.teams)))
    known.coaches = {(user, team) for user, team in session.execute(coaching)}


def _load_games(session: Session, known: Known, snapshot: Snapshot) -> None:
    if not (snapshot.games or known.origins["game"]):
        return
    whole = select(Game).options(selectinload(Game.recordings), selectinload(Game.teams), joinedload(Game.venue))
    brought = select(Origin.local_id).where(
        Origin.organization_id == known.organization.id, Origin.source == snapshot.source, Origin.kind == "game"
    )
    wanted = [Game.id.in_(brought)]
    if snapshot.games:
        starts = [game.starts_at for game in snapshot.games]
        wanted.append(Game.starts_at.between(min(starts) - _DAY, max(starts) + _DAY))
    found = session.scalars(whole.where(Game.organization_id == known.organization.id, or_(*wanted)))
    known.games = {game.id: game for game in found}
    rows = select(Availability).join(Game, Game.id == Availability.game_id).where(Game.id.in_(brought))
    known.answers = {(a.game_id, a.player_id): a.answer for a in session.scalars(rows)}


def _portions(values: list[str], size: int = 500) -> Iterable[list[str]]:
    return (values[at : at + size] for at in range(0, len(values), size))
