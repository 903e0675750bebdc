"""Applying changes that were ticked, in one transaction. Each leaves a trace by which the next look finds it done."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from viewer.accounts.models import Role, User
from viewer.audit.log import note
from viewer.clubs.models import Duty, Player, Team, TeamCoach, TeamPlayer, Venue
from viewer.clubs.rosters import make_coach, make_parent, new_code
from viewer.games.calendar import our_side, recount
from viewer.games.models import Availability, Game, GameTeam, Recording, ScoreSource
from viewer.imports.change import Change, Effect, Group
from viewer.imports.diff import venues_by_name
from viewer.imports.known import Known
from viewer.imports.models import Origin
from viewer.imports.snapshot import Snapshot


class Invite(Protocol):
    """Writes an invitation and queues its mail (`viewer.clubs.invitations.invite`)."""

    def __call__(
        self,
        session: Session,
        mail: str,
        role: Role,
        *,
        now: datetime,
        url: str,
        by: User | None = None,
        organization_id: int | None = None,
        team_id: int | None = None,
        player_id: int | None = None,
    ) -> object:
        """Invite `mail` to become `role`."""


@dataclass
class Outcome:
    """What became of the ticks: ids of changes that were made, and in words what had to be left out."""

    done: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)


class _LeftOut(Exception):
    """A change rests on another one that was not ticked."""


@dataclass
class Applying:
    """One run being applied by `by` (None: from the command line); `known` is kept in step with what is written."""

    session: Session
    known: Known
    snapshot: Snapshot
    invite: Invite
    url: str
    by: User | None

    def apply(self, changes: Iterable[Change], ticked: set[str]) -> Outcome:
        """Make the ticked changes, group by group, so that what rests on another finds it there."""
        outcome = Outcome()
        # Where both are ticked, what is here already wins over making it anew.
        linked = {(c.group, c.key) for c in changes if c.act is Effect.LINK and c.id in ticked}
        order = {group: at for at, group in enumerate(Group)}
        steps: dict[tuple[Group, Effect], Callable[[Change], None]] = {
            (Group.VENUE, Effect.ADD): self._add_venue,
            (Group.VENUE, Effect.LINK): self._link_venue,
            (Group.VENUE, Effect.CHANGE): self._change_venue,
            (Group.TEAM, Effect.ADD): self._add_team,
            (Group.TEAM, Effect.LINK): self._link_team,
            (Group.TEAM, Effect.CHANGE): self._change_team,
            (Group.PLAYER, Effect.ADD): self._add_player,
            (Group.PLAYER, Effect.LINK): self._link_player,
            (Group.PLAYER, Effect.CHANGE): self._change_player,
            (Group.PLAYER, Effect.RETURN): self._return_player,
            (Group.PLAYER, Effect.LEAVE): self._leave,
            (Group.PLAYER, Effect.INVITE): self._invite_player,
            (Group.PARENT, Effect.LINK): self._link_parent,
            (Group.PARENT, Effect.INVITE): self._invite_parent,
            (Group.COACH, Effect.LINK): self._link_coach,
            (Group.COACH, Effect.INVITE): self._invite_coach,
            (Group.GAME, Effect.ADD): self._add_game,
            (Group.GAME, Effect.LINK): self._link_game,
            (Group.GAME, Effect.CHANGE): self._change_game,
            (Group.GAME, Effect.CANCEL): self._cancel_game,
            (Group.GAME, Effect.JOIN): self._join_games,
            (Group.ANSWERS, Effect.ANSWER): self._answer,
        }
        seen_links: set[tuple[Group, str]] = set()
        for change in sorted(changes, key=lambda c: order[c.group]):
            if change.id not in ticked or not change.tickable:
                continue
            subject = (change.group, change.key)
            twice = change.act is Effect.LINK and subject in seen_links and change.group is Group.PLAYER
            if twice or (change.act is Effect.ADD and subject in linked):
                outcome.left_out.append(f"{change.words}: another tick says that it is here already.")
                continue
            try:
                steps[change.group, change.act](change)
            except _LeftOut as why:
                outcome.left_out.append(f"{change.words}: {why}")
            else:
                outcome.done.append(change.id)
                seen_links |= {subject} if change.act is Effect.LINK else set()
        self._mark_seen()
        return outcome

    # ------------------------------------------------------------------------------------------ venues and teams

    def _add_venue(self, change: Change) -> None:
        venue = Venue(organization_id=self.known.organization.id, **change.new)
        self.session.add(venue)
        self.session.flush()
        self.known.venues[venue.id] = venue
        self._remember_venue(change.key, venue)

    def _link_venue(self, change: Change) -> None:
        self._remember_venue(change.key, self.known.venues[change.new["venue"]])

    def _change_venue(self, change: Change) -> None:
        seen = next(v for v in self.snapshot.venues if v.id == change.key)
        here = {venue.name.casefold(): venue for venue in self.known.venues.values()}
        venue = self.known.venues.get(self.known.local("venue", change.key) or 0) or here[seen.name.casefold()]
        for key, value in change.new.items():
            setattr(venue, key, value)

    def _remember_venue(self, key: str, venue: Venue) -> None:
        for venues in venues_by_name(self.snapshot).values():
            if key in {v.id for v in venues}:
                for seen in venues:
                    self._remember("venue", seen.id, venue.id)

    def _add_team(self, change: Change) -> None:
        known = self.known
        season = next((s for s in known.seasons if s.name == change.new["season"]), None)
        season_id = season.id if season else None
        taken = {team.name for team in known.teams.values() if team.season_id == season_id}
        ends = ("", *(f" ({n})" for n in range(2, len(taken) + 3)))
        name = next(change.new["name"] + end for end in ends if change.new["name"] + end not in taken)
        team = Team(
            organization_id=known.organization.id, season_id=season_id, name=name, code=new_code(), made_at=known.now
        )
        self.session.add(team)
        self.session.flush()
        known.teams[team.id] = team
        self._remember("team", change.key, team.id)

    def _link_team(self, change: Change) -> None:
        self._remember("team", change.key, change.new["team"])

    def _change_team(self, change: Change) -> None:
        team = self._team(change.key)
        name = change.new["name"]
        if any(t.name == name and t.season_id == team.season_id for t in self.known.teams.values()):
            raise _LeftOut("there is a team of this name in this season.")
        team.name = name

    # ------------------------------------------------------------------------------------------ players

    def _add_player(self, change: Change) -> None:
        seen = next(p for p in self.snapshot.players if p.id == change.key)
        team = self._team(seen.team)
        player = Player(
            organization_id=self.known.organization.id,
            first_name=seen.first_name,
            last_name=seen.last_name,
            birth_year=seen.birth_year,
            default_position=seen.position,
            made_at=self.known.now,
        )
        self.session.add(player)
        self.session.flush()
        self.known.players[player.id] = player
        self._remember("player", seen.id, player.id)
        self._seat(seen.id, team, player, seen.jersey_number)

    def _link_player(self, change: Change) -> None:
        seen = next(p for p in self.snapshot.players if p.id == change.key)
        team, player = self._team(seen.team), self.known.players[change.new["player"]]
        self._remember("player", seen.id, player.id)
        player.birth_year = player.birth_year or seen.birth_year
        player.default_position = player.default_position or seen.position
        self._seat(seen.id, team, player, seen.jersey_number)

    def _change_player(self, change: Change) -> None:
        player = self._player(change.key)
        for key in ("first_name", "last_name", "birth_year"):
            if key in change.new:
                setattr(player, key, change.new[key])
        player.default_position = change.new.get("position", player.default_position)
        seat = self.known.seats.get(self.known.local("team_player", change.key) or 0)
        if seat is not None and "jersey_number" in change.new:
            seat.jersey_number = change.new["jersey_number"]

    def _return_player(self, change: Change) -> None:
        seen = next(p for p in self.snapshot.players if p.id == change.key)
        self._seat(seen.id, self._team(seen.team), self._player(seen.id), seen.jersey_number)

    def _seat(self, external: str, team: Team, player: Player, number: str) -> None:
        """Let the player be on the roster as of today, if they are not."""
        known, today = self.known, self.known.today
        mine = [s for s in known.seats.values() if (s.team_id, s.player_id) == (team.id, player.id)]
        seat = next((s for s in mine if s.left_on is None or s.joined_on == today), None)
        if seat is None:
            seat = TeamPlayer(team_id=team.id, player_id=player.id, joined_on=today)
            self.session.add(seat)
        seat.left_on, player.inactive_at = None, None
        seat.jersey_number = number or seat.jersey_number
        self.session.flush()
        known.seats[seat.id] = seat
        self._remember("team_player", external, seat.id)

    def _leave(self, change: Change) -> None:
        seat = self.known.seats[change.new["seat"]]
        seat.left_on = self.known.today
        if not any(s.left_on is None for s in self.known.seats.values() if s.player_id == seat.player_id):
            self.known.players[seat.player_id].inactive_at = self.known.now

    # ------------------------------------------------------------------------------------------ grown-ups

    def _link_parent(self, change: Change) -> None:
        user, player = self._user(change), self._player(change.new["player"])
        make_parent(self.session, user, player, change.new["relationship"] or "parent", self.known.now)
        self._note("link-parent", "player", player.id, user=user.id, mail=user.mail)

    def _link_coach(self, change: Change) -> None:
        user, team = self._user(change), self._team(change.new["team"])
        if self.session.get(TeamCoach, (team.id, user.id)) is None:
            make_coach(self.session, user, team, Duty(change.new["duty"]), self.known.now)
        self._note("link-coach", "team", team.id, user=user.id, mail=user.mail)

    def _invite_parent(self, change: Change) -> None:
        self._invite(change, Role.PARENT, player_id=self._player(change.new["player"]).id)

    def _invite_player(self, change: Change) -> None:
        self._invite(change, Role.PLAYER, player_id=self._player(change.new["player"]).id)

    def _invite_coach(self, change: Change) -> None:
        self._invite(change, Role(change.new["duty"]), team_id=self._team(change.new["team"]).id)

    def _invite(self, change: Change, role: Role, **to: int) -> None:
        self.invite(self.session, change.new["mail"], role, now=self.known.now, url=self.url, by=self.by, **to)

    # ------------------------------------------------------------------------------------------ games

    def _add_game(self, change: Change) -> None:
        seen = next(g for g in self.snapshot.games if g.id == change.key)
        known, team = self.known, self._team(seen.team)
        game = Game(
            organization_id=known.organization.id,
            team_id=team.id,
            opponent=seen.opponent,
            starts_at=seen.starts_at,
            time_zone=known.organization.time_zone,
            made_at=known.now,
        )
        self.session.add(game)
        game.teams = [team]
        self._set_game(game, change.new)
        self.session.flush()
        known.games[game.id] = game
        self._remember("game", seen.id, game.id)

    def _link_game(self, change: Change) -> None:
        seen = next(g for g in self.snapshot.games if g.id == change.key)
        game, team = self.known.games[change.new["game"]], self._team(seen.team)
        self._remember("game", seen.id, game.id)
        # The rig's own team recorded it and goes on seeing it, whoever's game it turns out to be.
        game.teams = list({t.id: t for t in (team, *game.teams)}.values())
        game.team_id, game.team = team.id, team
        self._set_game(game, change.new)
        self._retell_sides(game)

    def _change_game(self, change: Change) -> None:
        self._set_game(self._game(change.key), change.new)

    def _cancel_game(self, change: Change) -> None:
        self._game(change.key).cancelled_at = self.known.now

    def _join_games(self, change: Change) -> None:
        """Move the recordings to the planned game. The row that intake made for them alone is empty then, and goes."""
        game, shown = self.known.games[change.new["game"]], self.known.games[change.new["from"]]
        game.teams = list({t.id: t for t in (*game.teams, *shown.teams)}.values())
        game.processed_at = game.processed_at or shown.processed_at
        if shown.score_source == ScoreSource.HAND and game.score_source != ScoreSource.HAND:
            game.our_score, game.their_score = shown.our_score, shown.their_score
            game.score_source = shown.score_source
        self.session.flush()
        moved = update(Recording).where(Recording.game_id == shown.id).values(game_id=game.id)
        self.session.execute(moved.execution_options(synchronize_session=False))
        self.session.execute(delete(GameTeam).where(GameTeam.game_id == shown.id))
        self.session.execute(delete(Game).where(Game.id == shown.id))
        self.session.expire_all()
        self._retell_sides(game)
        self._note("join-games", "game", game.id, joined=change.new["from"])
        del self.known.games[change.new["from"]]

    def _retell_sides(self, game: Game) -> None:
        self.session.flush()
        for recording in game.recordings:
            recording.our_side = our_side(game, recording.home, recording.away)
        self.session.flush()
        recount(self.session, game)

    def _set_game(self, game: Game, new: dict[str, Any]) -> None:
        game.opponent = new.get("opponent", game.opponent)
        game.at_home = new.get("at_home", game.at_home)
        game.time_zone = new.get("time_zone", game.time_zone)
        if "starts_at" in new:
            game.starts_at = datetime.fromisoformat(new["starts_at"])
        if new.get("cancelled") is False:
            game.cancelled_at = None
        if "venue" in new:
            here = {venue.name.casefold(): venue for venue in self.known.venues.values()}
            game.venue = here.get(new["venue"].casefold(), game.venue)
        if "our_score" in new and game.score_source != ScoreSource.HAND:
            game.our_score, game.their_score = new["our_score"], new["their_score"]
            game.score_source = ScoreSource.IMPORT

    def _answer(self, change: Change) -> None:
        game = self._game(change.key)
        for external, answer in change.new.items():
            player = self.known.player(external)
            if player is None:
                continue
            row = self.session.get(Availability, (game.id, player.id))
            if row is None:
                self.session.add(Availability(game_id=game.id, player_id=player.id, answer=answer))
            else:
                row.answer = answer
        self.session.flush()

    # ------------------------------------------------------------------------------------------ what it rests on

    def _team(self, external: str) -> Team:
        if (team := self.known.team(external)) is None:
            raise _LeftOut("its team was not ticked.")
        return team

    def _player(self, external: str) -> Player:
        if (player := self.known.player(external)) is None:
            raise _LeftOut("the player was not ticked.")
        return player

    def _game(self, external: str) -> Game:
        if (game := self.known.game(external)) is None:
            raise _LeftOut("the game was not ticked.")
        return game

    def _user(self, change: Change) -> User:
        return self.session.get_one(User, change.new["user"])

    def _remember(self, kind: str, external: str, local_id: int) -> None:
        known, club = self.known, self.known.organization.id
        where = (
            Origin.organization_id == club,
            Origin.source == known.source,
            Origin.kind == kind,
            Origin.external_id == external,
        )
        origin = self.session.scalar(select(Origin).where(*where))
        if origin is None:
            origin = Origin(organization_id=club, source=known.source, kind=kind, external_id=external)
            self.session.add(origin)
        origin.local_id, origin.seen_at = local_id, known.now
        self.session.flush()
        known.origins[kind][external] = local_id

    def _mark_seen(self) -> None:
        mine = (Origin.organization_id == self.known.organization.id, Origin.source == self.known.source)
        parts = (("team", self.snapshot.teams), ("player", self.snapshot.players), ("game", self.snapshot.games))
        for kind, things in parts:
            ids = [thing.id for thing in things]
            for at in range(0, len(ids), 500):
                some = Origin.external_id.in_(ids[at : at + 500])
                self.session.execute(
                    update(Origin).where(*mine, Origin.kind == kind, some).values(seen_at=self.known.now)
                )

    def _note(self, act: str, kind: str, subject: int, **detail: Any) -> None:
        note(
            self.session,
            act,
            kind,
            subject,
            self.known.now,
            actor_id=self.by.id if self.by else None,
            actor_mail=self.by.mail if self.by else "",
            organization_id=self.known.organization.id,
            **detail,
        )
