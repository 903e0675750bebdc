"""Opting out: who is yet to be blurred in which recording, what hubs are told of it, and who waits for it meanwhile."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    BindParameter,
    ColumnElement,
    CompoundSelect,
    Date,
    Select,
    String,
    bindparam,
    cast,
    exists,
    null,
    select,
    union_all,
)
from sqlalchemy.orm import Session, aliased

from viewer.audit.acts import Act
from viewer.clock import local_day
from viewer.clubs.actor import Actor
from viewer.clubs.models import Player, Team, TeamPlayer
from viewer.clubs.rights import Rights, Standing, Subject
from viewer.db.base import UtcTime
from viewer.devices.models import Device
from viewer.games.models import Game, GameTeam, PlayerGameStats, Recording, RecordingFile
from viewer.privacy.models import ConsentRecord, NotShown, Scope
from wire.ids import SessionId
from wire.privacy import BlurOrders, HiddenNumbers, HiddenTracks


def refused() -> Select[int]:
    """The ids of all players who opted out: their newest answer refuses to show them to the team."""
    later = aliased(ConsentRecord)
    newer = exists().where(
        later.player_id == ConsentRecord.player_id, later.scope == Scope.TEAM, later.id > ConsentRecord.id
    )
    said_no = select(ConsentRecord.player_id).where(ConsentRecord.scope == Scope.TEAM, ConsentRecord.given.is_(False))
    return said_no.where(~newer)


def missing(session: Session, recording_ids: Collection[int]) -> dict[int, dict[int, frozenset[int]]]:
    """For each recording that shows somebody who opted out and is not blurred: the player, and their known tracks.

    Everybody on a roster of the game's teams on its day is taken to be in the picture until somebody has said which
    tracks are theirs and the hub has blurred those, or that they are not in it.
    """
    if not recording_ids:
        return {}
    known, expected = _shown(session, recording_ids)
    if not expected:
        return {}
    looked = select(NotShown.recording_id, NotShown.player_id).where(NotShown.recording_id.in_(recording_ids))
    absent = {(recording, player) for recording, player in session.execute(looked)}
    rows = session.execute(select(Recording.id, Recording.blurred).where(Recording.id.in_(recording_ids)))
    blurred = {recording: frozenset(burned or ()) for recording, burned in rows}
    found: dict[int, dict[int, frozenset[int]]] = {}
    for recording, player in sorted(expected):
        tracks = known.get((recording, player), frozenset())
        done = tracks <= blurred[recording] if tracks else (recording, player) in absent
        if not done:
            found.setdefault(recording, {})[player] = tracks
    return found


def withheld(session: Session, recording_ids: Collection[int]) -> frozenset[int]:
    """Those of the recordings that only the staff may see for now."""
    return frozenset(missing(session, recording_ids))


def concerned() -> ColumnElement[bool]:
    """Whether anybody who opted out is, or may be, in the `Recording` of the statement that asks this along the way.

    It is rarely so, and only then `withheld` need be asked.
    """
    out = refused().scalar_subquery()
    on_roster = exists().where(
        GameTeam.game_id == Recording.game_id, TeamPlayer.team_id == GameTeam.team_id, TeamPlayer.player_id.in_(out)
    )
    tracked = exists().where(PlayerGameStats.recording_id == Recording.id, PlayerGameStats.player_id.in_(out))
    return on_roster.correlate(Recording) | tracked.correlate(Recording)


def open_to(session: Session, rights: Rights, recordings: Sequence[Recording]) -> list[Recording]:
    """Those of the recordings that are not held back from somebody with these rights."""
    held = withheld(session, [recording.id for recording in recordings])
    return [r for r in recordings if r.id not in held or rights.standing(subject_of(r.game)) >= Standing.STAFF]


def orders_of(session: Session, device: Device) -> BlurOrders:
    """All that the device has to blur: numbers of its club's teams, and tracks of the recordings that it brought."""
    numbers: dict[str, set[str]] = {}
    worn = (
        select(Team.name, TeamPlayer.jersey_number)
        .join(TeamPlayer, TeamPlayer.team_id == Team.id)
        .where(
            Team.organization_id == device.organization_id,
            TeamPlayer.left_on.is_(None),
            TeamPlayer.jersey_number.is_not(None),
            TeamPlayer.player_id.in_(refused()),
        )
    )
    for team, number in session.execute(worn):
        if number:
            numbers.setdefault(team, set()).add(number)
    tracks: dict[tuple[str, str], list[int]] = {}
    shown = (
        select(Recording.session, RecordingFile.sha256, PlayerGameStats.track)
        .join(PlayerGameStats, PlayerGameStats.recording_id == Recording.id)
        .join(
            RecordingFile,
            (RecordingFile.recording_id == Recording.id) & (RecordingFile.path == Recording.tracks),
        )
        # From the club's players on: what the device has ever brought is more.
        .join(Player, Player.id == PlayerGameStats.player_id)
        .where(Player.organization_id == device.organization_id, Player.id.in_(refused()))
        .where(Recording.device_id == device.id)
    )
    for name, sha256, track in session.execute(shown):
        tracks.setdefault((name, sha256), []).append(track)
    return BlurOrders(
        teams=tuple(HiddenNumbers(team, tuple(sorted(worn))) for team, worn in sorted(numbers.items())),
        sessions=tuple(
            HiddenTracks(SessionId(name), sha256, tuple(sorted(found)))
            for (name, sha256), found in sorted(tracks.items())
        ),
    )


def opted_out_in(session: Session, recording_id: int) -> frozenset[int]:
    """The players who opted out and are, or may be, in the recording, whether they are blurred in it or not."""
    return frozenset(player for _, player in _shown(session, [recording_id])[1])


def say_where(
    session: Session,
    recording: Recording,
    player_id: int,
    tracks: Iterable[int] | None,
    by: Actor,
    now: datetime,
) -> None:
    """Take a human's word for which tracks of the recording, and so which of its events, are the player.

    No track says that the player is not in it, None that nobody knows. What was said of the player before ends.
    """
    wanted = set(tracks or ())
    for event in recording.events:
        if event.track in wanted:
            event.player_id = player_id
        elif event.player_id == player_id:
            event.player_id = None
    for numbers in recording.stats:
        if numbers.track in wanted:
            numbers.player_id, numbers.confirmed_by, numbers.confirmed_at = player_id, by.id, now
        elif numbers.player_id == player_id:
            numbers.player_id = numbers.confirmed_by = numbers.confirmed_at = None
    said = session.get(NotShown, (recording.id, player_id))
    absent = tracks is not None and not wanted
    if said is not None and not absent:
        session.delete(said)
    elif said is None and absent:
        session.add(NotShown(recording_id=recording.id, player_id=player_id, said_by=by.id, at=now))
    by.did(
        session,
        Act.IDENTIFY,
        "recording",
        recording.id,
        now,
        organization_id=recording.game.organization_id,
        player=player_id,
        tracks=sorted(wanted),
    )
    session.flush()


def _shown_statement() -> CompoundSelect[Any]:
    ids: BindParameter[Any] = bindparam("ids", expanding=True)
    out = refused().scalar_subquery()
    never, track = cast(null(), Date), cast(null(), BigInteger)
    expected = (
        select(
            Recording.id,
            TeamPlayer.player_id,
            track,
            Game.starts_at,
            Game.time_zone,
            TeamPlayer.joined_on,
            TeamPlayer.left_on,
        )
        .join(Game, Game.id == Recording.game_id)
        .join(GameTeam, GameTeam.game_id == Game.id)
        .join(TeamPlayer, TeamPlayer.team_id == GameTeam.team_id)
        .where(Recording.id.in_(ids), TeamPlayer.player_id.in_(out))
    )
    at, zone = cast(null(), UtcTime), cast(null(), String)
    known = select(
        PlayerGameStats.recording_id, PlayerGameStats.player_id, PlayerGameStats.track, at, zone, never, never
    ).where(PlayerGameStats.recording_id.in_(ids), PlayerGameStats.player_id.in_(out))
    return union_all(expected, known)


_SHOWN = _shown_statement()
"""Who opted out and is, or may be, in the recordings `ids`; written once, for every list of matches asks it."""


def _shown(
    session: Session, recording_ids: Collection[int]
) -> tuple[dict[tuple[int, int], frozenset[int]], set[tuple[int, int]]]:
    """The known tracks by recording and player, and all pairs of recording and player that count."""
    known: dict[tuple[int, int], set[int]] = {}
    expected: set[tuple[int, int]] = set()
    rows: Any = session.execute(_SHOWN, {"ids": list(recording_ids)})
    for recording, player, track, at, zone, since, until in rows:
        if track is not None:
            known.setdefault((recording, player), set()).add(track)
        elif since <= (day := local_day(at, zone)) and (until is None or day <= until):
            expected.add((recording, player))
    return {key: frozenset(tracks) for key, tracks in known.items()}, expected | known.keys()


def subject_of(game: Game) -> Subject:
    """A game as rights know it."""
    return Subject(game.organization_id, frozenset(team.id for team in game.teams), day=game.day)
