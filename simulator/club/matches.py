"""The club's recordings: real packages through the portal's own intake, and what people do with them."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select

from simulator.club.footage import Footage, shirts, write_package
from simulator.club.people import Made
from simulator.club.plan import GROUPS, KEPT_OPEN, OPTED_OUT, ClubPlan, Consent, PlannedGame
from simulator.club.work import Hands
from simulator.errors import ProcessFailed
from viewer.audit.log import note
from viewer.clubs.hubs import DeviceEntry, end_device, save_device
from viewer.devices.keys import make_key
from viewer.devices.models import Device
from viewer.devices.presence import heard
from viewer.games.calendar import set_score
from viewer.games.intake import KIND, package_path, queue_intake
from viewer.games.models import Game, Recording
from viewer.jobs.lease import State
from viewer.privacy.blur import say_where
from viewer.privacy.horizon import horizon_of
from viewer.privacy.removals import Outcome, ask_removal, decide_removal
from viewer.shares.links import make_share
from wire.ids import new_session_id
from wire.pitch_tracks import TeamSide

_RECORDED = {KEPT_OPEN: 2, 4: 2, 2: 1, OPTED_OUT: 1, 1: 1, 0: 1}
"""How many of each team's last games were recorded: eight."""
_AFTER = timedelta(hours=3)
"""A package comes in so long after the kick-off."""
_LATE = timedelta(seconds=75)
VERSION = "0.1.0"


@dataclass
class Devices:
    """The mast that stands at the club's own ground, and the rig that goes with the teams."""

    mast: Device
    travelling: Device


def make_devices(hands: Hands, made: Made, plan: ClubPlan, now: datetime) -> Devices:
    """Two hubs that bring matches, and one that is revoked."""
    database, admin = hands.tools.database, made.actor("admin")
    since = now - timedelta(days=300)
    team = made.teams[KEPT_OPEN, True].id
    entries = (
        DeviceEntry("Mast at Kestrel Park", team, made.venues[0].id),
        DeviceEntry("Travelling rig", team, None, VERSION),
        DeviceEntry("Old tripod", made.teams[0, True].id),
    )
    with database.writing() as session:
        rows = [save_device(session, made.club.id, None, entry, since, admin) for entry in entries]
        for row in rows:
            make_key(session, row, since)
        end_device(session, rows[2], since + timedelta(days=90), admin)
    for row, hours in zip(rows[:2], (2, 70), strict=True):
        heard(database, row, VERSION, now - timedelta(hours=hours))
    return Devices(rows[0], rows[1])


def recorded_games(made: Made, now: datetime) -> list[tuple[PlannedGame, Game]]:
    """The games that somebody recorded: of each team the last ones that were played."""
    found: list[tuple[PlannedGame, Game]] = []
    for team, count in _RECORDED.items():
        played = [pair for pair in made.games if pair[0].team == team and pair[0].score is not None]
        played = [pair for pair in played if pair[1].starts_at < now - timedelta(hours=4)]
        found += sorted(played, key=lambda pair: pair[1].starts_at)[-count:]
    return sorted(found, key=lambda pair: pair[1].starts_at)


def bring_in(
    hands: Hands, made: Made, devices: Devices, footage: list[Footage], seed: int, now: datetime,
    tell: Callable[[int, int], None],
) -> list[str]:  # fmt: skip
    """Pack a match for each recorded game and have the portal take it in; the sessions, oldest first.

    Raises `ProcessFailed` when the portal does not want one.
    """
    dice = random.Random(seed + 2)
    database, settings = hands.tools.database, hands.tools.settings
    games = recorded_games(made, now)
    sessions = []
    for at, (planned, game) in enumerate(games):
        device = devices.mast if planned.venue == 0 else devices.travelling
        begins = game.starts_at + _LATE
        start_ns = int(begins.timestamp()) * 10**9
        name, upload = new_session_id(start_ns, dice.randbytes), dice.randbytes(16).hex()
        ours = made.teams[planned.team, planned.current].name
        home, away = (ours, game.opponent) if game.at_home else (game.opponent, ours)
        match = _footage_of(footage, planned.team)
        _count_the_goal(hands, made, planned, game)
        write_package(match, name, start_ns, "County league", home, away, package_path(settings, upload))
        when = game.starts_at + _AFTER
        with database.writing() as session:
            queue_intake(session, upload, name, device.id, when)
        if hands.job(f"{KIND}:{upload}", when) is not State.DONE:
            raise ProcessFailed(f"the portal did not take in the match of {ours} against {game.opponent}")
        sessions.append(str(name))
        tell(at + 1, len(games))
    return sessions


def _count_the_goal(hands: Hands, made: Made, planned: PlannedGame, game: Game) -> None:
    """In every drawn match home scores: the result must have that goal."""
    ours, theirs = planned.score or (0, 0)
    ours, theirs = (max(ours, 1), theirs) if game.at_home else (ours, max(theirs, 1))
    if (ours, theirs) != planned.score:
        coach = made.actor(f"coach {planned.team}")
        with hands.tools.database.writing() as session:
            row = session.get_one(Game, game.id)
            set_score(session, row, ours, theirs, row.starts_at + timedelta(hours=2), coach)


def spoil_one(hands: Hands, devices: Devices, seed: int, now: datetime) -> None:
    """A package that was damaged on its way: a job that fails."""
    dice = random.Random(seed + 3)
    name, upload = new_session_id(int((now - _AFTER).timestamp()) * 10**9, dice.randbytes), dice.randbytes(16).hex()
    package_path(hands.tools.settings, upload).write_bytes(b"half a package" * 64)
    with hands.tools.database.writing() as session:
        queue_intake(session, upload, str(name), devices.travelling.id, now - timedelta(hours=1))
    hands.job(f"{KIND}:{upload}", now - timedelta(hours=1))


def people_look(
    hands: Hands, made: Made, plan: ClubPlan, footage: list[Footage], sessions: list[str], now: datetime
) -> None:
    """Tracks that a coach has given names, a link, removal requests, and who has watched."""
    database, settings = hands.tools.database, hands.tools.settings
    with database.writing() as session:
        recordings = session.scalars(
            select(Recording).where(Recording.session.in_(sessions)).order_by(Recording.start_ns)
        ).all()
        teams = {row.id: number for (number, _), row in made.teams.items()}
        for recording in recordings:
            team = teams[recording.game.team_id]
            if team == OPTED_OUT:
                # Here somebody is yet to say which track is the child who opted out.
                continue
            day = recording.game.starts_at.date()
            who = [
                child
                for child in plan.children()
                if child.consent in ((Consent.ALL, Consent.ON_PAPER) if team == KEPT_OPEN else tuple(Consent))
                and any(
                    s.team == team and made.teams[team, s.current].id == recording.game.team_id
                    and s.joined_on <= day and (s.left_on is None or day <= s.left_on)
                    for s in child.stays
                )
            ]  # fmt: skip
            tracks = shirts(_footage_of(footage, team), TeamSide(recording.our_side))
            coach = made.actor(f"coach {team}")
            known = who[: 8 if team == KEPT_OPEN else 4]
            for child, (track, _) in zip(known, tracks, strict=False):
                when = recording.received_at + timedelta(days=1)
                say_where(session, recording, made.players[id(child)].id, [track], coach, min(when, now))
        open_ones = [r for r in recordings if teams[r.game.team_id] == KEPT_OPEN]
        for clip in open_ones[-1].clips[:1]:
            make_share(session, clip, made.actor("coach"), now - timedelta(days=1), may_download=True)
        parent = made.actor("parent")
        asked = ask_removal(
            session, open_ones[0], None, "Our neighbours' garden is in the picture.", parent,
            now - timedelta(days=9), settings.url,
        )  # fmt: skip
        words = "We have looked: the garden is too far away to see anybody in it."
        admin = made.actor("admin")
        decide_removal(
            session, asked, Outcome.REFUSE, words, admin, now - timedelta(days=8), horizon_of(settings), settings.url
        )
        clip = open_ones[-1].clips[-1]
        ask_removal(
            session, open_ones[-1], clip.id, "My daughter is crying in this one. Please take it away.", parent,
            now - timedelta(days=1), settings.url,
        )  # fmt: skip
        for at, recording in enumerate(open_ones):
            for who_watched in ("parent", "player", "coach"):
                when = min(recording.received_at + timedelta(hours=5 + at), now)
                by = made.actor(who_watched)
                note(
                    session, "view", "recording", recording.id, when, actor_id=by.id, actor_mail=by.mail,
                    organization_id=made.club.id, address=by.address,
                )  # fmt: skip


def _footage_of(footage: list[Footage], team: int) -> Footage:
    """The match that is nearest to the team's form of the game."""
    age = int(GROUPS[team][0][1:])
    players = 7 if age <= 9 else 9 if age <= 13 else 11
    return min(footage, key=lambda one: abs(one.wanted.players - players))
