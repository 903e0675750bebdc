"""Teams and people of a snapshot against the database: the changes that an admin may tick. Nothing is deleted, ever.

What a source leaves blank says nothing, so that it takes nothing away. What was taken over before and is gone here now
(an erased child, say) is proposed again, but never ticked.
"""

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from viewer.accounts.models import Role
from viewer.clubs.models import Player, Team
from viewer.imports.change import Change, Effect, Group
from viewer.imports.diff_games import game_changes
from viewer.imports.known import Known, load_known
from viewer.imports.snapshot import CoachSeen, ParentSeen, PlayerSeen, Snapshot, TeamSeen, VenueSeen

REMOVED = "It was taken over before and has been removed here since."
_SAME_ADDRESS = "There is an account with this address. Tick only if you know that it is this person's."


def differences(session: Session, organization_id: int, snapshot: Snapshot, now: datetime) -> list[Change]:
    """All changes, always in the same order for the same snapshot and database."""
    return compared(load_known(session, organization_id, snapshot, now), snapshot)


def compared(known: Known, snapshot: Snapshot) -> list[Change]:
    """`differences` from what is known already."""
    return [
        *_venues(known, snapshot),
        *_teams(known, snapshot),
        *_players(known, snapshot),
        *_parents(known, snapshot),
        *_coaches(known, snapshot),
        *game_changes(known, snapshot),
        *(Change(Group.NOTE, Effect.TELL, note, note) for note in dict.fromkeys(snapshot.notes)),
    ]


def venues_by_name(snapshot: Snapshot) -> dict[str, list[VenueSeen]]:
    """The venues that games are played at; TeamSnap keeps a list of its own for each team, so names come often."""
    used = {game.venue for game in snapshot.games}
    named: dict[str, list[VenueSeen]] = defaultdict(list)
    for venue in sorted(snapshot.venues, key=lambda v: v.id):
        if venue.id in used and venue.name:
            named[venue.name.casefold()].append(venue)
    return named


def _venues(known: Known, snapshot: Snapshot) -> Iterator[Change]:
    here = {venue.name.casefold(): venue for venue in known.venues.values()}
    for name, venues in sorted(venues_by_name(snapshot).items()):
        seen = venues[0]
        local = known.venues.get(known.local("venue", seen.id) or 0) or here.get(name)
        said = {"address": seen.address, "latitude": seen.latitude, "longitude": seen.longitude}
        new = {key: value for key, value in said.items() if value not in ("", None)}
        if local is None:
            yield Change(Group.VENUE, Effect.ADD, seen.id, seen.name, new={"name": seen.name, **new})
            continue
        old = {key: getattr(local, key) for key in new if getattr(local, key) != new[key]}
        if old:
            new = {key: new[key] for key in old}
            yield Change(Group.VENUE, Effect.CHANGE, seen.id, local.name, old=old, new=new)
        if any(known.local("venue", venue.id) != local.id for venue in venues):
            words = f"{seen.name} is the venue {local.name} here"
            yield Change(Group.VENUE, Effect.LINK, seen.id, words, new={"venue": local.id})


def _teams(known: Known, snapshot: Snapshot) -> Iterator[Change]:
    likely = known.likely_teams(snapshot)
    # No two teams of a season have one name here: the second keeps the name that it got.
    taken = {(team.name, team.season_id) for team in known.teams.values()}
    for seen in sorted(snapshot.teams, key=lambda t: t.id):
        local = known.team(seen.id)
        if local is None:
            yield from _new_team(known, seen, likely.get(seen.id))
        elif seen.name and (seen.name, local.season_id) not in taken:
            yield Change(
                Group.TEAM, Effect.CHANGE, seen.id, local.name, local.name, {"name": local.name}, {"name": seen.name}
            )
    if snapshot.whole:
        seen_ids = {team.id for team in snapshot.teams}
        for external, local_id in sorted(known.origins["team"].items()):
            if external not in seen_ids and local_id in known.teams:
                words = f"{known.teams[local_id].name} is not shown to us any more. Nothing of it was changed."
                yield Change(Group.NOTE, Effect.TELL, f"team {external}", words)


def _new_team(known: Known, seen: TeamSeen, same: Team | None) -> Iterator[Change]:
    season = known.season_for(seen.season)
    new = {"name": seen.name, "season": season.name if season else ""}
    gone = known.local("team", seen.id) is not None
    if same is not None:
        words = f"{seen.name} is the team {same.name} here"
        yield Change(Group.TEAM, Effect.LINK, seen.id, words, seen.name, new={"team": same.id})
    note = "As another team of the same name." if same else REMOVED if gone else ""
    yield Change(Group.TEAM, Effect.ADD, seen.id, seen.name, seen.name, {}, new, same is None and not gone, note)


def _players(known: Known, snapshot: Snapshot) -> Iterator[Change]:
    teams, likely = {team.id: team.name for team in snapshot.teams}, known.likely_teams(snapshot)
    first: dict[int, str] = {}
    for external, local_id in sorted(known.origins["player"].items(), reverse=True):
        first[local_id] = external
    namesakes: dict[tuple[str, str], list[Player]] = defaultdict(list)
    for player in sorted(known.players.values(), key=lambda p: p.id):
        namesakes[player.first_name.casefold(), player.last_name.casefold()].append(player)
    for seen in sorted(snapshot.players, key=lambda p: (p.team, p.last_name, p.first_name, p.id)):
        local = known.player(seen.id)
        team = teams.get(seen.team, "")
        if local is None:
            alike = namesakes[seen.first_name.casefold(), seen.last_name.casefold()]
            yield from _new_player(known, seen, team, likely.get(seen.team), alike)
        else:
            yield from _known_player(known, seen, local, team, first[local.id] == seen.id)
    yield from _missing_players(known, snapshot)


def _new_player(
    known: Known, seen: PlayerSeen, team: str, likely_team: Team | None, alike: list[Player]
) -> Iterator[Change]:
    name, gone = f"{seen.first_name} {seen.last_name}".strip(), known.local("player", seen.id) is not None
    new = {"name": name, **_said(seen)}
    likely = _the_same(known, seen, likely_team, alike)
    for same in alike:
        if same.birth_year and seen.birth_year and same.birth_year != seen.birth_year:
            continue
        words = f"{name} is {same.first_name} {same.last_name}{_where(known, same)}, who is here already"
        note = "" if same is likely else "Only the name is the same: tick if you know that it is the same child."
        yield Change(
            Group.PLAYER,
            Effect.LINK,
            seen.id,
            words,
            team,
            {},
            {"player": same.id, **_said(seen)},
            same is likely,
            note,
        )
    notes = {
        "As another player of the same name.": likely is not None,
        REMOVED: gone,
        "Named in a table of parents only: check the spelling.": seen.mentioned,
    }
    note = next((words for words, holds in notes.items() if holds), "")
    yield Change(Group.PLAYER, Effect.ADD, seen.id, name, team, {}, new, not any(notes.values()), note)


def _the_same(known: Known, seen: PlayerSeen, team: Team | None, alike: list[Player]) -> Player | None:
    """The one player here whom the seen one surely is: of the same name, and born in the same year or on the team."""
    seats = known.seats.values()
    on_team = {s.player_id for s in seats if s.left_on is None and team is not None and s.team_id == team.id}
    brought = known.origin_of("player")
    sure = [
        p
        for p in alike
        if (seen.birth_year and p.birth_year == seen.birth_year)
        or (p.id in on_team and p.id not in brought and not (seen.birth_year and p.birth_year))
    ]
    return sure[0] if len(sure) == 1 else None


def _where(known: Known, player: Player) -> str:
    names = sorted(
        {known.teams[s.team_id].name for s in known.seats.values() if s.player_id == player.id and s.left_on is None}
    )
    return f" of {', '.join(names)}" if names else ""


def _known_player(known: Known, seen: PlayerSeen, local: Player, team: str, names_count: bool) -> Iterator[Change]:
    name = f"{local.first_name} {local.last_name}".strip()
    seat = known.seats.get(known.local("team_player", seen.id) or 0)
    on_list = known.team(seen.team) is not None
    if on_list and (seat is None or seat.left_on is not None):
        left = seat.left_on.isoformat() if seat is not None and seat.left_on else ""
        note = "It was set here that they left."
        old, new = {"left_on": left}, {"jersey_number": seen.jersey_number}
        yield Change(Group.PLAYER, Effect.RETURN, seen.id, name, team, old, new, False, note)
        seat = None
    said = _said(seen)
    # A child on two teams has an entry in each: one of the two spells the name.
    if names_count:
        said |= {"first_name": seen.first_name, "last_name": seen.last_name}
    now: dict[str, Any] = {
        "first_name": local.first_name,
        "last_name": local.last_name,
        "birth_year": local.birth_year,
        "position": local.default_position,
        "jersey_number": seat.jersey_number if seat else said.get("jersey_number"),
    }
    differs = {key: value for key, value in said.items() if value and now[key] != value}
    if differs and not seen.mentioned:
        yield Change(Group.PLAYER, Effect.CHANGE, seen.id, name, team, {key: now[key] for key in differs}, differs)


def _said(seen: PlayerSeen) -> dict[str, Any]:
    said = {"jersey_number": seen.jersey_number, "birth_year": seen.birth_year, "position": seen.position}
    return {key: value for key, value in said.items() if value}


def _missing_players(known: Known, snapshot: Snapshot) -> Iterator[Change]:
    whole = {known.local("team", team.id) for team in snapshot.teams if team.people}
    here = {player.id for player in snapshot.players}
    for external, seat_id in sorted(known.origins["team_player"].items()):
        seat = known.seats.get(seat_id)
        if seat is None or seat.left_on is not None or seat.team_id not in whole or external in here:
            continue
        player, team = known.players[seat.player_id], known.teams[seat.team_id].name
        words = f"{player.first_name} {player.last_name}"
        note = "Not on the list any more. Nothing is deleted: the player leaves the roster as of today."
        new = {"seat": seat.id}
        yield Change(Group.PLAYER, Effect.LEAVE, external, words, team, {}, new, False, note)


def _parents(known: Known, snapshot: Snapshot) -> Iterator[Change]:
    teams = {team.id: team.name for team in snapshot.teams}
    players = {player.id: player for player in snapshot.players}
    done: set[tuple[str, str]] = set()
    for seen in sorted(snapshot.parents, key=lambda p: (p.player, p.id)):
        child = players.get(seen.player)
        for mail in seen.mails if child else ():
            if child and (mail, seen.player) not in done:
                done.add((mail, seen.player))
                yield from _parent(known, seen, child, teams.get(child.team, ""), mail)
    for child in sorted(snapshot.players, key=lambda p: p.id):
        for mail in child.mails:
            if (mail, child.id) not in done:
                yield from _own_address(known, child, teams.get(child.team, ""), mail)


def _parent(known: Known, seen: ParentSeen, child: PlayerSeen, team: str, mail: str) -> Iterator[Change]:
    user, player = known.users.get(mail), known.player(child.id)
    of = f"{seen.relationship} of {child.first_name} {child.last_name}".strip()
    new: dict[str, Any] = {"player": child.id, "mail": mail, "relationship": seen.relationship}
    if user is not None:
        if user.disabled_at is None and (player is None or (user.id, player.id) not in known.parents):
            words = f"{user.name} ({mail}), {of}"
            new |= {"user": user.id}
            yield Change(Group.PARENT, Effect.LINK, f"{seen.id} {mail}", words, team, {}, new, False, _SAME_ADDRESS)
    elif (mail, Role.PARENT, None, player.id if player else -1) not in known.invited:
        words = f"{seen.name or mail} ({mail}), {of}" if seen.name else f"{mail}, {of}"
        yield Change(Group.PARENT, Effect.INVITE, f"{seen.id} {mail}", words, team, {}, new, False)


def _own_address(known: Known, child: PlayerSeen, team: str, mail: str) -> Iterator[Change]:
    # TeamSnap often has a parent's address with the child: it makes an invitation at most, and only by a tick.
    player = known.player(child.id)
    if mail in known.users or (player and player.user_id):
        return
    if (mail, Role.PLAYER, None, player.id if player else -1) in known.invited:
        return
    name = f"{child.first_name} {child.last_name}".strip()
    note = "The address stands with the child, but may be a parent's: whoever gets it signs in as the player."
    new = {"player": child.id, "mail": mail}
    yield Change(Group.PLAYER, Effect.INVITE, f"{child.id} {mail}", f"{name} ({mail})", team, {}, new, False, note)


def _coaches(known: Known, snapshot: Snapshot) -> Iterator[Change]:
    teams = {team.id: team.name for team in snapshot.teams}
    for seen in sorted(snapshot.coaches, key=lambda c: c.id):
        for mail in dict.fromkeys(seen.mails):
            yield from _coach(known, seen, teams.get(seen.team, ""), mail)


def _coach(known: Known, seen: CoachSeen, team_name: str, mail: str) -> Iterator[Change]:
    user, team = known.users.get(mail), known.team(seen.team)
    new: dict[str, Any] = {"team": seen.team, "mail": mail, "duty": seen.duty}
    if user is not None:
        if user.disabled_at is None and (team is None or (user.id, team.id) not in known.coaches):
            words = f"{user.name} ({mail}), {seen.duty} of {team_name}"
            new |= {"user": user.id}
            yield Change(Group.COACH, Effect.LINK, f"{seen.id} {mail}", words, team_name, {}, new, False, _SAME_ADDRESS)
    elif (mail, seen.duty, team.id if team else -1, None) not in known.invited:
        words = f"{seen.name} ({mail}), {seen.duty} of {team_name}"
        yield Change(Group.COACH, Effect.INVITE, f"{seen.id} {mail}", words, team_name, {}, new, False)
