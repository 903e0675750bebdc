"""Passkeys (WebAuthn): registering them, and signing in by one alone, which counts as password and second factor."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import delete, select
from sqlalchemy.orm import Session
from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import base64url_to_bytes, options_to_json_dict, parse_client_data_json
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from viewer.accounts.models import Passkey, Purpose, User
from viewer.accounts.second_factor import after_removal
from viewer.accounts.service import note_own, one_line
from viewer.accounts.tickets import issue, redeem
from viewer.errors import BadPasskey, LinkSpent
from viewer.settings import LOOPBACK, Settings

MOST = 20
"""Passkeys of one user."""
_BROKEN = (WebAuthnException, ValueError, TypeError, KeyError, AttributeError, RecursionError)
"""What the library and we raise over something that no browser sends."""
_NOT_GOOD = "This passkey does not open this portal. Try another, or your password."


@dataclass(frozen=True)
class Site:
    """The site that passkeys are bound to: its host, and its address as browsers name it."""

    host: str
    origin: str

    @classmethod
    def of(cls, settings: Settings) -> "Site | None":
        """The portal's site; None where browsers make no passkeys: without HTTPS, or for a bare number."""
        parts = urlsplit(settings.url)
        host = parts.hostname or ""
        if _is_number(host) or not (parts.scheme == "https" or host in LOOPBACK):
            return None
        return cls(host, f"{parts.scheme}://{parts.netloc}")


def passkeys_of(session: Session, user_id: int) -> Sequence[Passkey]:
    """A user's passkeys, oldest first."""
    return session.scalars(select(Passkey).where(Passkey.user_id == user_id).order_by(Passkey.id)).all()


def registration(session: Session, site: Site, user: User, now: datetime) -> dict[str, Any]:
    """What a browser needs to make a passkey; it must be able to name its owner and to check who holds it."""
    options = generate_registration_options(
        rp_id=site.host,
        rp_name="Touchline",
        user_name=user.mail,
        user_display_name=user.name,
        user_id=_handle(user.id),
        challenge=_challenge(session, user.id, now, "register"),
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED, user_verification=UserVerificationRequirement.REQUIRED
        ),
        exclude_credentials=[
            PublicKeyCredentialDescriptor(id=key.credential_id) for key in passkeys_of(session, user.id)
        ],
    )
    return options_to_json_dict(options)


def register(session: Session, site: Site, user: User, sent: dict[str, Any], name: str, now: datetime) -> Passkey:
    """Keep the passkey that the browser made. Raises `BadPasskey`."""
    challenge, owner = _answered(session, sent, now, "register")
    if owner != user.id:
        raise BadPasskey("Begin again: this was begun by somebody else.")
    try:
        made = verify_registration_response(
            credential=sent,
            expected_challenge=challenge,
            expected_rp_id=site.host,
            expected_origin=site.origin,
            require_user_verification=True,
        )
    except _BROKEN as fault:
        raise BadPasskey("The passkey could not be made. Try again.") from fault
    if session.scalar(select(Passkey.id).where(Passkey.credential_id == made.credential_id)) is not None:
        raise BadPasskey("This passkey is known already.")
    if len(passkeys_of(session, user.id)) >= MOST:
        raise BadPasskey(f"You have {MOST} passkeys. Remove one first.")
    passkey = Passkey(
        user_id=user.id,
        credential_id=made.credential_id,
        public_key=made.credential_public_key,
        sign_count=made.sign_count,
        name=named(name),
        made_at=now,
    )
    session.add(passkey)
    session.flush()
    note_own(session, "set-up-second-factor", user, now, by="passkey", passkey=passkey.id)
    return passkey


def request(session: Session, site: Site, now: datetime) -> dict[str, Any]:
    """What a browser needs to sign in by a passkey; whose, only the answer says."""
    options = generate_authentication_options(
        rp_id=site.host,
        challenge=_challenge(session, None, now, "sign-in"),
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    return options_to_json_dict(options)


def owner_of(session: Session, site: Site, sent: dict[str, Any], now: datetime) -> User:
    """Whose passkey has signed the challenge. Raises `BadPasskey`, with the same words whatever was wrong."""
    challenge, _ = _answered(session, sent, now, "sign-in")
    try:
        raw_id = base64url_to_bytes(str(sent["rawId"]))
        said_owner = base64url_to_bytes(str(sent["response"]["userHandle"]))
        passkey = session.scalar(select(Passkey).where(Passkey.credential_id == raw_id).with_for_update())
        if passkey is None or said_owner != _handle(passkey.user_id):
            raise BadPasskey(_NOT_GOOD)
        shown = verify_authentication_response(
            credential=sent,
            expected_challenge=challenge,
            expected_rp_id=site.host,
            expected_origin=site.origin,
            credential_public_key=passkey.public_key,
            credential_current_sign_count=passkey.sign_count,
            require_user_verification=True,
        )
    except _BROKEN as fault:
        raise BadPasskey(_NOT_GOOD) from fault
    user = session.get_one(User, passkey.user_id)
    if user.disabled_at:
        raise BadPasskey(_NOT_GOOD)
    passkey.sign_count, passkey.used_at = shown.new_sign_count, now
    return user


def rename(session: Session, user_id: int, passkey_id: int, name: str) -> bool:
    """Give one of a user's passkeys another name; False when it is not theirs."""
    passkey = _own(session, user_id, passkey_id)
    if passkey is None:
        return False
    passkey.name = named(name)
    return True


def remove(session: Session, user: User, passkey_id: int, now: datetime) -> bool:
    """End one of a user's passkeys; False when it is not theirs."""
    passkey = _own(session, user.id, passkey_id)
    if passkey is None:
        return False
    session.execute(delete(Passkey).where(Passkey.id == passkey.id))
    note_own(session, "remove-second-factor", user, now, by="passkey", passkey=passkey_id)
    after_removal(session, user.id)
    return True


def named(name: str) -> str:
    """A passkey's name as it is kept."""
    return one_line(name, 100) or "Passkey"


def _own(session: Session, user_id: int, passkey_id: int) -> Passkey | None:
    return session.scalar(select(Passkey).where(Passkey.id == passkey_id, Passkey.user_id == user_id))


def _handle(user_id: int) -> bytes:
    return f"touchline-{user_id}".encode()


def _challenge(session: Session, user_id: int | None, now: datetime, wanted: str) -> bytes:
    return issue(session, Purpose.PASSKEY, user_id, now, wanted).encode()


def _answered(session: Session, sent: dict[str, Any], now: datetime, wanted: str) -> tuple[bytes, int | None]:
    """The challenge that was signed, which is spent by this, and for whom it was made."""
    try:
        said = parse_client_data_json(base64url_to_bytes(str(sent["response"]["clientDataJSON"])))
        ticket = redeem(session, said.challenge.decode(), Purpose.PASSKEY, now)
    except (*_BROKEN, LinkSpent) as fault:
        raise BadPasskey("This took too long. Try again.") from fault
    if ticket.detail != wanted:
        raise BadPasskey(_NOT_GOOD)
    return said.challenge, ticket.user_id


def _is_number(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
