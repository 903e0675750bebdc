"""One more of everything for both clubs of the test world: what routes name beyond clubs, teams, players and games."""

from contextlib import contextmanager
from datetime import date, timedelta

import pytest
from sqlalchemy.orm import Session

from tests.viewer.packages import made_up_tracks
from tests.viewer.world import NOW, START, World
from viewer.accounts.models import Passkey, Role, User
from viewer.accounts.people import make_user
from viewer.clubs.models import Invitation, JoinRequest, Player, Season, Team, TeamPlayer, Venue
from viewer.clubs.rosters import make_admin
from viewer.db import Database
from viewer.db.engine import _WRITES
from viewer.devices.keys import make_device
from viewer.games.models import Clip, Game, Recording
from viewer.imports.models import OAuthConnection
from viewer.imports.runs import make_run
from viewer.imports.snapshot import ParentSeen, PlayerSeen, Snapshot, TeamSeen
from viewer.jobs.lease import State
from viewer.jobs.models import Job
from viewer.mail.models import Mail
from viewer.privacy.export import export_path
from viewer.privacy.models import RemovalRequest
from viewer.shares.models import Share
from wire.pitch_tracks import encode_pitch_tracks

LATER = NOW + timedelta(days=5)
NEWCOMER = Snapshot(
    "csv",
    teams=(TeamSeen("t", "U12"),),
    players=(PlayerSeen("p", "t", "Robin", "Newcomer"),),
    parents=(ParentSeen("m", "p", "Alex Newcomer", "mother", ("newcomer@example.org",)),),
)
"""What waits to be imported at both clubs: a child's name among it."""


def add_things(world: World) -> None:
    """Add them; `world.ids` names each, the other club's with `their_` before it, and the U14's with `u14_`."""
    ids = world.ids
    with world.database.writing() as session:
        both = make_user(session, "both@example.org", "Both Admin", None, NOW, Role.CLUB_ADMIN)
        world.users["both_admin"] = both.id
        for club, team, whose in ((ids["ours"], "u12", ""), (ids["theirs"], "their_u12", "their_")):
            _club(session, world, club, ids[team], whose)
            make_admin(session, both, session.get_one(Team, ids[team]).organization, NOW)
        _of_team(session, world, ids["u14"], "u14_")
        ids["u14_entry"] = session.query(TeamPlayer).filter_by(player_id=ids["alex"]).one().id
        ids["u14_game"] = _planned(session, ids["ours"], ids["u14"])
        device = make_device(session, "u14-hub", session.get_one(Team, ids["u14"]), NOW)
        ids["u14_device"] = device.id


def _club(session, world: World, club: int, team: int, whose: str) -> None:
    ids, users = world.ids, world.users
    season = Season(organization_id=club, name="2027/28", starts_on=date(2027, 8, 1), ends_on=date(2028, 7, 31))
    venue = Venue(organization_id=club, name=f"Secret Ground {whose}")
    run, _ = make_run(session, club, NEWCOMER, NOW, by=None, asked=True)
    child = session.get_one(Player, ids["sam" if whose else "robin"])
    family = _invitation(club, f"family{whose}@example.org", Role.PARENT, child.id)
    invitation = _invitation(club, f"invited{whose}@example.org")
    token = world.portal.seal.seal("token")
    connection = OAuthConnection(organization_id=club, provider="teamsnap", sealed_access_token=token, made_at=NOW)
    clip = ids[f"{whose}clip"]
    recording = session.get_one(Recording, session.get_one(Clip, clip).recording_id)
    tracks = encode_pitch_tracks(made_up_tracks(2.0))
    (world.portal.settings.media / recording.folder / recording.tracks).write_bytes(tracks)
    words = f"{child.first_name} cries"
    removal = RemovalRequest(recording_id=recording.id, contact="x@example.org", words=words, made_at=NOW)
    parent = users[f"{whose}parent"]
    share = Share(secret_hash=f"{whose:_<64}", clip_id=clip, made_by=parent, made_at=NOW, expires_at=LATER)
    passkey = Passkey(
        user_id=parent, credential_id=f"key{whose}".encode(), public_key=b"-", sign_count=0, name="phone", made_at=NOW
    )
    export = Job(
        key=f"export:user:{parent}", kind="export", subject=f"user:{parent}", state=State.DONE, due_at=NOW, made_at=NOW,
        payload={"kind": "user", "subject": parent, "user": parent},
    )  # fmt: skip
    made = {"season": season, "venue": venue, "run": run, "invitation": invitation, "removal": removal}
    made |= {"share": share, "passkey": passkey, "export": export}
    session.add_all([*made.values(), connection, family])
    _of_team(session, world, team, whose)
    session.flush()
    ids |= {f"{whose}{name}": row.id for name, row in made.items()}
    ids[f"{whose}entry"] = session.query(TeamPlayer).filter_by(player_id=child.id).one().id
    copy = export_path(world.portal.settings, export)
    copy.parent.mkdir(exist_ok=True)
    copy.write_bytes(b"zip")
    if not whose:
        job = Job(
            key="dead", kind="intake", subject="s", payload={}, state=State.FAILED, due_at=NOW, made_at=NOW, fault="x"
        )
        mail = Mail(
            key="dead", recipient="dead@example.org", subject="Hello", text="-", message_id="<1@x>",
            state=State.FAILED, due_at=NOW, made_at=NOW, user_id=session.get_one(User, parent).id,
        )  # fmt: skip
        session.add_all([job, mail])
        session.flush()
        ids |= {"job": job.id, "mail": mail.id}


def _of_team(session, world: World, team: int, whose: str) -> None:
    request = JoinRequest(
        team_id=team, user_id=world.users["nobody_in_particular"], words="I am Robin's aunt", made_at=NOW
    )
    session.add(request)
    session.flush()
    world.ids[f"{whose}request"] = request.id


def _planned(session, club: int, team: int) -> int:
    game = Game(organization_id=club, team_id=team, opponent="Strange Rivals", starts_at=START, made_at=NOW)
    game.teams = [session.get_one(Team, team)]
    session.add(game)
    session.flush()
    return game.id


def _invitation(club: int, mail: str, role: Role = Role.CLUB_ADMIN, player: int | None = None) -> Invitation:
    return Invitation(
        secret_hash=f"{mail:_<64}",
        mail=mail,
        role=role,
        organization_id=club,
        player_id=player,
        made_at=NOW,
        expires_at=LATER,
    )


def keep_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Undo every transaction at its end, so that a walk over forms meets the same world at each step."""

    @contextmanager
    def undone(self):
        with Session(self.engine, expire_on_commit=False) as session:
            session.connection(execution_options={_WRITES: True})
            yield session
            session.flush()
            # Rows stay as they are for whoever holds them, as after a commit.
            session.expunge_all()
            session.rollback()

    monkeypatch.setattr(Database, "writing", undone)
