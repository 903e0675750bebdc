"""Taking a demo club away without a trace, and nothing of any other club."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import ColumnElement, String, and_, cast, delete, exists, or_, select
from sqlalchemy.orm import Session

from simulator.club.people import ADDRESS
from simulator.club.plan import DOMAIN
from viewer.accounts.models import SignInTry, Ticket, User
from viewer.audit.models import AuditEntry
from viewer.clubs.models import Invitation, Organization, OrganizationAdmin, ParentPlayer, Player, Team, TeamCoach
from viewer.db import Database
from viewer.devices.models import Device
from viewer.games.intake import KIND as INTAKE
from viewer.games.intake import package_path
from viewer.games.models import Game, Recording
from viewer.imports.duties import SYNC
from viewer.imports.models import OAuthConnection
from viewer.jobs.models import Job
from viewer.mail.models import Mail
from viewer.media.store import MediaStore
from viewer.privacy.export import KIND as EXPORT
from viewer.privacy.export import export_path
from viewer.privacy.horizon import forget_all, horizon_of
from viewer.privacy.models import ConsentRecord, ConsentText, Erasure
from viewer.settings import Settings


@dataclass(frozen=True)
class _Theirs:
    """The numbers of what is the demo's."""

    clubs: frozenset[int]
    users: frozenset[int]
    players: frozenset[int]
    devices: frozenset[int]
    connections: frozenset[int]
    recordings: frozenset[int]
    sessions: frozenset[str]


def demo_clubs(session: Session) -> Sequence[Organization]:
    """The clubs that a demo made."""
    return session.scalars(select(Organization).where(Organization.demo).order_by(Organization.id)).all()


def remove_clubs(database: Database, settings: Settings, media: MediaStore) -> int:
    """Take every demo club away; returns how many there were. Cut off, it can be called again."""
    with database.reading() as session:
        theirs = _theirs(session)
        files = [path for job in session.scalars(select(Job).where(_job(theirs))) for path in _files(settings, job)]
    if not theirs.clubs and not theirs.users:
        return 0
    # Files first: once the rows are gone nobody knows of them.
    for name in theirs.sessions:
        media.delete(name)
    for path in files:
        path.unlink(missing_ok=True)
    with database.writing() as session:
        _remove_rows(session, theirs)
        gone = _erasures(session, theirs)
        forget_all(session, horizon_of(settings), gone)
    return len(theirs.clubs)


def _files(settings: Settings, job: Job) -> list[Path]:
    """What the job has put, or left, on the portal's disk."""
    if job.kind == EXPORT:
        return [export_path(settings, job)]
    return [package_path(settings, job.payload["upload"])] if "upload" in job.payload else []


def _theirs(session: Session) -> _Theirs:
    def numbers(column: ColumnElement[int], *where: ColumnElement[bool]) -> frozenset[int]:
        return frozenset(session.scalars(select(column).where(*where)))

    clubs = frozenset(club.id for club in demo_clubs(session))
    recorded = session.execute(
        select(Recording.id, Recording.session).join(Game).where(Game.organization_id.in_(clubs))
    ).all()
    deleted = session.scalars(
        select(AuditEntry.detail).where(
            AuditEntry.organization_id.in_(clubs), AuditEntry.act == "delete", AuditEntry.kind == "recording"
        )
    )
    return _Theirs(
        clubs,
        frozenset(session.scalars(select(User.id).where(*_of_nobody_else(clubs)))),
        numbers(Player.id, Player.organization_id.in_(clubs)),
        numbers(Device.id, Device.organization_id.in_(clubs)),
        numbers(OAuthConnection.id, OAuthConnection.organization_id.in_(clubs)),
        frozenset(row.id for row in recorded),
        frozenset(row.session for row in recorded) | {detail["name"] for detail in deleted if "name" in detail},
    )


def _of_nobody_else(clubs: frozenset[int]) -> tuple[ColumnElement[bool], ...]:
    """An address of the demo's, and no tie to a club that is none."""
    return (
        User.mail.endswith(f"@{DOMAIN}", autoescape=True),
        ~exists().where(OrganizationAdmin.user_id == User.id, OrganizationAdmin.organization_id.not_in(clubs)),
        ~exists().where(TeamCoach.user_id == User.id, TeamCoach.team_id == Team.id, Team.organization_id.not_in(clubs)),
        ~exists().where(
            ParentPlayer.user_id == User.id, ParentPlayer.player_id == Player.id, Player.organization_id.not_in(clubs)
        ),
        ~exists().where(Player.user_id == User.id, Player.organization_id.not_in(clubs)),
    )


def _job(theirs: _Theirs) -> ColumnElement[bool]:
    users = [f"user:{number}" for number in theirs.users]
    return or_(
        Job.subject.in_([*theirs.sessions, *users]),
        *(Job.subject.startswith(f"{name}/", autoescape=True) for name in theirs.sessions),
        and_(Job.kind == SYNC, Job.subject.in_([str(number) for number in theirs.connections])),
        and_(Job.kind == SYNC, Job.payload["by"].as_integer().in_(theirs.users)),
        # A package that failed names no recording, only the device that brought it.
        and_(Job.kind == INTAKE, Job.payload["device"].as_integer().in_(theirs.devices)),
        and_(
            Job.kind == EXPORT,
            Job.payload["kind"].as_string() == "player",
            Job.payload["subject"].as_integer().in_(theirs.players),
        ),
        and_(Job.kind == "reset-mail", cast(Job.payload["mail"].as_string(), String).endswith(f"@{DOMAIN}")),
    )


def _remove_rows(session: Session, theirs: _Theirs) -> None:
    clubs, users = theirs.clubs, theirs.users
    session.execute(delete(Job).where(_job(theirs)))
    address = Mail.recipient.endswith(f"@{DOMAIN}", autoescape=True)
    session.execute(delete(Mail).where(or_(Mail.user_id.in_(users), address)))
    invited = select(Invitation.id).where(
        or_(
            Invitation.organization_id.in_(clubs),
            Invitation.team_id.in_(select(Team.id).where(Team.organization_id.in_(clubs))),
            Invitation.player_id.in_(theirs.players),
        )
    )
    about = [
        and_(AuditEntry.kind.in_(("account", "user")), AuditEntry.subject_id.in_(users)),
        and_(AuditEntry.kind == "player", AuditEntry.subject_id.in_(theirs.players)),
        and_(AuditEntry.kind == "recording", AuditEntry.subject_id.in_(theirs.recordings)),
        and_(AuditEntry.kind == "device", AuditEntry.subject_id.in_(theirs.devices)),
        and_(AuditEntry.kind == "invitation", AuditEntry.subject_id.in_(invited)),
        AuditEntry.actor_mail.endswith(f"@{DOMAIN}", autoescape=True),
    ]
    session.execute(
        delete(AuditEntry).where(or_(AuditEntry.organization_id.in_(clubs), AuditEntry.actor_id.in_(users), *about))
        .execution_options(synchronize_session=False)
    )  # fmt: skip
    tries = [f"join:{number}" for number in users] + [f"code:{number}" for number in users]
    named = SignInTry.subject.endswith(f"@{DOMAIN}", autoescape=True)
    session.execute(delete(SignInTry).where(or_(SignInTry.subject.in_([*tries, f"address:{ADDRESS}"]), named)))
    session.execute(delete(Ticket).where(Ticket.user_id.in_(users)))
    # Everything else goes along with its club or its account.
    session.execute(delete(Organization).where(Organization.id.in_(clubs)))
    session.execute(delete(User).where(User.id.in_(users)))
    answered = exists().where(ConsentRecord.text_version == ConsentText.version)
    session.execute(delete(ConsentText).where(~answered).execution_options(synchronize_session=False))


def _erasures(session: Session, theirs: _Theirs) -> Sequence[Erasure]:
    return session.scalars(
        select(Erasure).where(
            or_(
                Erasure.name.in_(theirs.sessions),
                and_(Erasure.kind == "player", Erasure.subject_id.in_(theirs.players)),
                and_(Erasure.kind == "user", Erasure.subject_id.in_(theirs.users)),
            )
        )
    ).all()
