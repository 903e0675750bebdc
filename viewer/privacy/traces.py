"""What people leave beside their own rows: addresses in what others keep, mails in the outbox, and words to a club."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import CursorResult, Text, cast, delete, func, or_, select, update
from sqlalchemy.orm import Session

from viewer.accounts.mails import invitation_key
from viewer.accounts.models import Role, User
from viewer.audit.acts import Act
from viewer.audit.models import AuditEntry
from viewer.clubs.models import Invitation, JoinRequest, ParentPlayer, Player, TeamPlayer
from viewer.clubs.rights import rights_of
from viewer.games.models import GameTeam, Recording
from viewer.mail.models import Mail
from viewer.privacy.models import ConsentRecord, RemovalRequest
from viewer.privacy.removals import decision_key
from viewer.sealing import Seal

ERASED = "erased"
"""Stands where a name, an address or words were, and nothing else does."""
_ATEXT = r"\w.!#$%&'*+/=?^`{|}~-"
"""What an address may go on with to the left (RFC 5322): one that only ends like another is somebody else's."""


@dataclass(frozen=True)
class Addresses:
    """The addresses of one account. `free` are those it has or had and no other account has now: they go wherever they
    stand. The others of `all` go from what the account itself did.
    """

    all: frozenset[str]
    free: frozenset[str]


def pseudonym(seal: Seal, mail: str) -> str:
    """What stands for an address that was erased: the same for the same address."""
    return mail if mail.startswith(f"{ERASED}-") else f"{ERASED}-{seal.sign('erased', mail)[:16]}"


def addresses_of(session: Session, user: User) -> Addresses:
    """Every address that the account has, had, or asked for: its changes of address are in the audit log."""
    own = AuditEntry.actor_id == user.id
    had: set[Any] = {user.mail, *session.scalars(select(AuditEntry.actor_mail).where(own).distinct())}
    had.update(session.scalars(select(ConsentRecord.given_by_mail).where(ConsentRecord.given_by == user.id).distinct()))
    had.update(session.scalars(select(RemovalRequest.contact).where(RemovalRequest.user_id == user.id).distinct()))
    changes = select(AuditEntry.detail).where(own, AuditEntry.act.in_((Act.CHANGE_MAIL, Act.ASK_MAIL_CHANGE)))
    details = session.scalars(changes).all()
    had.update(detail.get("old") for detail in details)
    had = {mail for mail in had if isinstance(mail, str) and "@" in mail}
    # Whoever asks for an address need not be whose it is.
    asked = {mail for detail in details if isinstance(mail := detail.get("to"), str) and "@" in mail}
    others = session.scalars(select(User.mail).where(User.mail.in_(had), User.id != user.id))
    return Addresses(frozenset(had | asked), frozenset(had - set(others)))


def forget_addresses(session: Session, user: User, addresses: Addresses, seal: Seal) -> dict[str, int]:
    """Put pseudonyms where the account's addresses stand in what must be kept; how many acts, consents and requests."""
    counts = {"acts": 0, "consent_record": 0, "removal_request": _forget_requests(session, user, addresses, seal)}
    for mail in sorted(addresses.all):
        everywhere, instead = mail in addresses.free, pseudonym(seal, mail)
        acts = update(AuditEntry).where(AuditEntry.actor_mail == mail)
        consents = update(ConsentRecord).where(ConsentRecord.given_by_mail == mail)
        if not everywhere:
            acts = acts.where(AuditEntry.actor_id == user.id)
            consents = consents.where(ConsentRecord.given_by == user.id)
        counts["acts"] += counted(session, acts.values(actor_mail=instead, address=""))
        counts["consent_record"] += counted(session, consents.values(given_by_mail=instead))
    session.execute(update(AuditEntry).where(AuditEntry.actor_id == user.id).values(address=""))
    _forget_in_details(session, user, addresses, seal)
    return counts


def forget_words(session: Session, player: Player) -> dict[str, int]:
    """Forget what was written about a player while it is still known who wrote it; how many mails and words went.

    Mails that invite to the player or tell a decision on a request go, sent or not. The requests themselves stay: that
    somebody was let in, or asks for a removal that is to be decided, is not about the player alone.
    """
    parents = session.scalars(select(ParentPlayer.user_id).where(ParentPlayer.player_id == player.id)).all()
    family = [*parents, *([] if player.user_id is None else [player.user_id])]
    teams = select(TeamPlayer.team_id).where(TeamPlayer.player_id == player.id)
    shown = select(Recording.id).join(GameTeam, GameTeam.game_id == Recording.game_id)
    about = RemovalRequest.recording_id.in_(shown.where(GameTeam.team_id.in_(teams)))
    requests = session.scalars(select(RemovalRequest).where(RemovalRequest.user_id.in_(family), about)).all()
    for request in requests:
        _blank(request)
    invitations = session.scalars(select(Invitation.secret_hash).where(Invitation.player_id == player.id))
    keys = [*map(invitation_key, invitations), *(decision_key(request.id) for request in requests)]
    return {
        "mails": counted(session, delete(Mail).where(Mail.key.in_(keys))),
        "words": len(requests) + _forget_admissions(session, player),
    }


def account_of(session: Session, player: Player) -> User | None:
    """The player's own account, where it is nothing else to anybody."""
    user = None if player.user_id is None else session.get(User, player.user_id)
    if user is None:
        return None
    rights = rights_of(session, user)
    return user if rights.roles() == {Role.PLAYER} and rights.own == {player.id} else None


def counted(session: Session, statement: Any) -> int:
    """Carry out an update or a deletion; how many rows it met."""
    done = session.execute(statement.execution_options(synchronize_session="fetch"))
    return done.rowcount if isinstance(done, CursorResult) else 0


def _forget_requests(session: Session, user: User, addresses: Addresses, seal: Seal) -> int:
    mine = or_(RemovalRequest.user_id == user.id, RemovalRequest.contact.in_(addresses.free))
    requests = session.scalars(select(RemovalRequest).where(mine)).all()
    for request in requests:
        if request.contact:
            request.contact = pseudonym(seal, request.contact)
        if request.user_id in (None, user.id):
            _blank(request)
    return len(requests)


def _blank(request: RemovalRequest) -> None:
    # What the club wrote with its decision stands behind the decision.
    request.words, request.outcome = ERASED, request.outcome.split(":", 1)[0]


def _forget_admissions(session: Session, player: Player) -> int:
    # A request names no player: for which one it was decided is in the audit log.
    admitted = select(AuditEntry.subject_id, AuditEntry.detail).where(
        AuditEntry.act == Act.ADMIT, AuditEntry.organization_id == player.organization_id
    )
    forgotten = 0
    for user_id, detail in session.execute(admitted).all():
        if detail.get("player_id") == player.id:
            decided = (JoinRequest.user_id == user_id, JoinRequest.team_id == detail.get("team"))
            request = update(JoinRequest).where(*decided, JoinRequest.admitted.is_(True))
            forgotten += counted(session, request.values(words=ERASED))
    return forgotten


def _forget_in_details(session: Session, user: User, addresses: Addresses, seal: Seal) -> None:
    """Refused sign-ins, invitations, changes of address and the like tell of addresses, however deep."""
    text = func.lower(cast(AuditEntry.detail, Text))
    telling = or_(*(text.contains(_plain_part(mail), autoescape=True) for mail in addresses.all))
    everywhere, own = _written(addresses.free), _written(addresses.all)
    for entry in session.scalars(select(AuditEntry).where(telling)):
        mine = entry.actor_id == user.id or (entry.kind, entry.subject_id) == ("account", user.id)
        detail = _without(entry.detail, own if mine else everywhere, seal)
        if detail != entry.detail:
            entry.detail = detail


def _plain_part(mail: str) -> str:
    # Letters that JSON writes as numbers, and those whose case SQLite does not know, are left to Python.
    return max(re.split(r"[^a-z0-9@._+-]+", mail.lower()), key=len)


def _written(mails: Iterable[str]) -> re.Pattern[str]:
    either = "|".join(re.escape(mail) for mail in sorted(mails, key=len, reverse=True))
    return re.compile(rf"(?<![{_ATEXT}])(?:{either})(?![\w-]|\.\w)", re.IGNORECASE)


def _without(said: Any, written: re.Pattern[str], seal: Seal) -> Any:
    if isinstance(said, dict):
        return {key: _without(value, written, seal) for key, value in said.items()}
    if isinstance(said, list):
        return [_without(value, written, seal) for value in said]
    return written.sub(lambda found: pseudonym(seal, found[0].lower()), said) if isinstance(said, str) else said
