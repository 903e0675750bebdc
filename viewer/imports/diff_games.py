"""Games of a snapshot against the database, and which recordings belong to them.

A recording may be here before its game stands in the calendar: intake then makes a game of its own for it. When the
calendar brings a game that fits by time, team and place, the two are proposed to be one.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from viewer.clubs.models import Team
from viewer.games.calendar import place_of
from viewer.games.matching import Place, Planned, game_shown
from viewer.games.models import Game, ScoreSource
from viewer.imports.change import Change, Effect, Group
from viewer.imports.known import Known
from viewer.imports.snapshot import GameSeen, Snapshot, VenueSeen

_SAME_GAME = timedelta(hours=3)
"""A game that was planned by hand is taken for the calendar's when it begins within this time of it."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
REMOVED = "It was taken over before and has been removed here since."


def game_changes(known: Known, snapshot: Snapshot) -> Iterator[Change]:
    """Games to add, change, cancel and join, then the players' answers to them."""
    teams = {team.id: team.name for team in snapshot.teams}
    likely = known.likely_teams(snapshot)
    venues = {venue.id: venue for venue in snapshot.venues}
    games = sorted(snapshot.games, key=lambda g: (g.starts_at, g.team, g.id))
    recorded = _recorded(known, games, venues, likely)
    by_hand = _by_hand(known, games, recorded, likely)
    for seen in games:
        local, team = known.game(seen.id), teams.get(seen.team, "")
        if local is not None:
            yield from _known_game(known, seen, local, team, venues)
            if seen.id in recorded and not local.recordings:
                yield _join(seen, local, recorded[seen.id], team)
        elif not seen.cancelled:
            yield from _new_game(known, seen, team, venues, recorded.get(seen.id) or by_hand.get(seen.id))
    yield from _missing_games(known, snapshot)
    yield from _answers(known, snapshot, teams, games)


def _new_game(
    known: Known, seen: GameSeen, team: str, venues: Mapping[str, VenueSeen], same: Game | None
) -> Iterator[Change]:
    gone = known.local("game", seen.id) is not None
    new = {**_said(seen, venues), **_score_of(seen)}
    words = _words(seen, known)
    if same is not None:
        what = "a recording is here already" if same.recordings else "the game is here already"
        said = f"{words}: {what} ({same.title or same.opponent}, {_local(same.starts_at, same.time_zone)})"
        yield Change(Group.GAME, Effect.LINK, seen.id, said, team, _had(same), {"game": same.id, **new})
    note = "As another game at the same time." if same else REMOVED if gone else ""
    yield Change(Group.GAME, Effect.ADD, seen.id, words, team, {}, new, same is None and not gone, note)


def _known_game(
    known: Known, seen: GameSeen, local: Game, team: str, venues: Mapping[str, VenueSeen]
) -> Iterator[Change]:
    said, had = _said(seen, venues), _had(local)
    venue_id = known.local("venue", seen.venue) if seen.venue else local.venue_id
    if venue_id is not None and venue_id == local.venue_id:
        said.pop("venue", None)
    differs = {key: value for key, value in said.items() if had.get(key) != value}
    was_off = local.cancelled_at is not None
    score = _score_of(seen)
    if local.score_source != ScoreSource.HAND and any(had[key] != value for key, value in score.items()):
        differs_score = score
    else:
        differs_score = {}
    if local.recordings:
        if differs or seen.cancelled != was_off:
            words = f"{_words(seen, known)}: changed after it was recorded. The recorded game stays as it is."
            yield Change(Group.GAME, Effect.TELL, seen.id, words, team, had, {**differs, "cancelled": seen.cancelled})
        differs = {}
    elif seen.cancelled and not was_off:
        yield Change(Group.GAME, Effect.CANCEL, seen.id, _words(seen, known), team)
        return
    elif was_off and not seen.cancelled:
        differs |= {"cancelled": False}
        had |= {"cancelled": True}
    differs |= differs_score
    if differs:
        # A time is shown as it is at the place.
        old = {key: had.get(key) for key in (*differs, "time_zone")}
        yield Change(Group.GAME, Effect.CHANGE, seen.id, _words(seen, known), team, old, differs)


def _join(seen: GameSeen, local: Game, shown: Game, team: str) -> Change:
    recording = _local(shown.starts_at, shown.time_zone)
    words = f"The recording of {recording} ({shown.title or shown.opponent}) shows the game against {local.opponent}"
    return Change(Group.GAME, Effect.JOIN, seen.id, words, team, {}, {"game": local.id, "from": shown.id})


def _recorded(
    known: Known, games: list[GameSeen], venues: Mapping[str, VenueSeen], teams: Mapping[str, Team]
) -> dict[str, Game]:
    """Games of the calendar without a recording, and the unplanned games whose recording shows them."""
    brought = known.origin_of("game") | known.foreign
    open_games = [g for g in games if not g.cancelled and not ((local := known.game(g.id)) and local.recordings)]
    planned = [
        Planned(at, game.starts_at, _team_ids(teams, game), game.opponent, _place(known, game, venues))
        for at, game in enumerate(open_games)
    ]
    found: dict[str, Game] = {}
    unplanned = (g for g in known.games.values() if g.recordings and g.id not in brought)
    for game in sorted(unplanned, key=lambda g: (g.starts_at, g.id)):
        recording = game.recordings[0]
        begins = _EPOCH + timedelta(microseconds=recording.start_ns // 1000)
        at = game_shown(planned, begins, game.team_id, (recording.home, recording.away), place_of(game.venue))
        if at is not None and _fits(open_games[at], planned[at], game):
            found.setdefault(open_games[at].id, game)
            planned = [p for p in planned if p.game_id != at]
    return found


def _fits(seen: GameSeen, planned: Planned, game: Game) -> bool:
    # A rig that shows another team's game names that game's opponent; else time alone would join strangers.
    names = {game.opponent.strip().casefold(), *(n.casefold() for r in game.recordings for n in (r.home, r.away))}
    mine = {team.id for team in game.teams} | {game.team_id}
    return bool(planned.teams & mine) or seen.opponent.strip().casefold() in names


def _by_hand(
    known: Known, games: list[GameSeen], recorded: Mapping[str, Game], teams: Mapping[str, Team]
) -> dict[str, Game]:
    """Games that somebody planned here before the calendar came."""
    brought = known.origin_of("game") | known.foreign
    taken = {game.id for game in recorded.values()}
    free = defaultdict(list)
    for game in known.games.values():
        if game.id not in brought | taken and not game.recordings and game.cancelled_at is None:
            free[game.team_id].append(game)
    found: dict[str, Game] = {}
    for seen in games:
        team = teams.get(seen.team)
        if team is None or seen.id in recorded or known.game(seen.id) is not None or seen.cancelled:
            continue
        near = [g for g in free[team.id] if abs(g.starts_at - seen.starts_at) <= _SAME_GAME]
        if near:
            best = min(near, key=lambda g: (abs(g.starts_at - seen.starts_at), g.id))
            free[team.id].remove(best)
            found[seen.id] = best
    return found


def _missing_games(known: Known, snapshot: Snapshot) -> Iterator[Change]:
    whole = {known.local("team", team.id) for team in snapshot.teams if team.games}
    here = {game.id for game in snapshot.games}
    for external, game_id in sorted(known.origins["game"].items()):
        game = known.games.get(game_id)
        if game is None or external in here or game.team_id not in whole:
            continue
        if game.cancelled_at is None and not game.recordings and game.starts_at > known.now:
            words = f"{game.opponent}, {_local(game.starts_at, game.time_zone)}"
            note = "Not in the calendar any more."
            team = known.teams[game.team_id].name
            yield Change(Group.GAME, Effect.CANCEL, external, words, team, {}, {"missing": True}, False, note)


def _answers(known: Known, snapshot: Snapshot, teams: Mapping[str, str], games: list[GameSeen]) -> Iterator[Change]:
    players = {player.id for player in snapshot.players}
    given: dict[str, dict[str, str]] = defaultdict(dict)
    for seen_answer in snapshot.answers:
        if seen_answer.player in players:
            given[seen_answer.game][seen_answer.player] = seen_answer.answer
    for seen in games:
        local = known.game(seen.id)
        old: dict[str, str] = {}
        new: dict[str, str] = {}
        for external, answer in sorted(given[seen.id].items()):
            player = known.player(external)
            had = known.answers.get((local.id, player.id)) if local and player else None
            if had != answer:
                new[external] = answer
                old |= {external: had} if had else {}
        if new and (local is not None or not seen.cancelled):
            counts = Counter(new.values())
            told = ", ".join(f"{counts[word]} {word}" for word in ("yes", "maybe", "no") if counts[word])
            yield Change(
                Group.ANSWERS,
                Effect.ANSWER,
                seen.id,
                f"{_words(seen, known)}: {told}",
                teams.get(seen.team, ""),
                old,
                new,
            )


def _said(seen: GameSeen, venues: Mapping[str, VenueSeen]) -> dict[str, Any]:
    said: dict[str, Any] = {"opponent": seen.opponent, "starts_at": _iso(seen.starts_at), "at_home": seen.at_home}
    said |= {"time_zone": seen.time_zone} if seen.time_zone else {}
    venue = venues.get(seen.venue)
    return {**said, "venue": venue.name} if venue is not None and venue.name else said


def _score_of(seen: GameSeen) -> dict[str, int]:
    if seen.our_score is None or seen.their_score is None:
        return {}
    return {"our_score": seen.our_score, "their_score": seen.their_score}


def _had(game: Game) -> dict[str, Any]:
    return {
        "opponent": game.opponent,
        "starts_at": _iso(game.starts_at),
        "at_home": game.at_home,
        "time_zone": game.time_zone,
        "venue": game.venue.name if game.venue else None,
        "our_score": game.our_score,
        "their_score": game.their_score,
    }


def _team_ids(teams: Mapping[str, Team], game: GameSeen) -> frozenset[int]:
    team = teams.get(game.team)
    return frozenset({team.id}) if team else frozenset()


def _place(known: Known, game: GameSeen, venues: Mapping[str, VenueSeen]) -> Place | None:
    local = known.venues.get(known.local("venue", game.venue) or 0)
    seen = venues.get(game.venue)
    if local is None and seen is not None:
        local = next((v for v in known.venues.values() if v.name.casefold() == seen.name.casefold()), None)
    if local is not None:
        return place_of(local)
    # Number 0 is no venue's: a place that is not here yet is compared by its degrees, or not at all.
    known_degrees = seen is not None and seen.latitude is not None and seen.longitude is not None
    return Place(0, seen.latitude, seen.longitude) if seen is not None and known_degrees else None


def _words(seen: GameSeen, known: Known) -> str:
    zone = seen.time_zone or known.organization.time_zone
    return f"{seen.opponent} ({'home' if seen.at_home else 'away'}), {_local(seen.starts_at, zone)}"


def _local(at: datetime, zone: str) -> str:
    return at.astimezone(ZoneInfo(zone)).strftime("%a %d %b %Y %H:%M")


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds")
