"""A club's way into TeamSnap: signing in there, refreshing tokens one at a time, and giving them back."""

import asyncio
import base64
import hashlib
import secrets
from collections.abc import Awaitable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

import httpx
from httpx_oauth.oauth2 import GetAccessTokenError, OAuth2, OAuth2RequestError, RefreshTokenError, RevokeTokenError
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from viewer.accounts.service import key_hash
from viewer.clock import Clock
from viewer.db import Database
from viewer.errors import BadState, NotConnected, TeamSnapBusy, TeamSnapFault
from viewer.imports.models import OAuthConnection, OAuthState
from viewer.sealing import Seal
from viewer.settings import TeamSnapApp

PROVIDER = "teamsnap"
STATE_VALID = timedelta(minutes=10)
_SCOPES = ["read"]
_PATIENCE_S = 5.0
"""A token's row is locked while TeamSnap is asked for the next one; on SQLite the whole portal waits with it."""
_EARLY = timedelta(seconds=60)
_BUSY_S = 60.0
_T = TypeVar("_T")


@dataclass(frozen=True)
class Tokens:
    """What TeamSnap gave; it need not say when the token ends, nor give another to refresh it with."""

    access: str
    refresh: str | None
    expires_at: datetime | None


class _Client(OAuth2):
    def get_httpx_client(self) -> AbstractAsyncContextManager[httpx.AsyncClient]:
        return httpx.AsyncClient(timeout=_PATIENCE_S, follow_redirects=False)


def begin(
    session: Session, seal: Seal, app: TeamSnapApp, organization_id: int, sign_in: str, redirect: str, now: datetime
) -> str:
    """The address at TeamSnap to send the browser to; it has to come back within ten minutes, signed in as it is."""
    state, verifier = secrets.token_urlsafe(32), secrets.token_urlsafe(48)
    session.execute(delete(OAuthState).where(OAuthState.expires_at <= now))
    session.add(
        OAuthState(
            state_hash=key_hash(state),
            sign_in_hash=sign_in,
            organization_id=organization_id,
            sealed_verifier=seal.seal(verifier),
            expires_at=now + STATE_VALID,
        )
    )
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
    return asyncio.run(_client(app).get_authorization_url(redirect, state, _SCOPES, challenge, "S256"))


def take_state(session: Session, seal: Seal, state: str, sign_in: str, now: datetime) -> tuple[int, str]:
    """The club and the verifier of a sign-in that came back; its state is spent by that. Raises `BadState`.

    Commit before the code is redeemed: a state that was shown once is never good again.
    """
    mine = (OAuthState.state_hash == key_hash(state), OAuthState.sign_in_hash == sign_in, OAuthState.expires_at > now)
    spent = delete(OAuthState).where(*mine).returning(OAuthState.organization_id, OAuthState.sealed_verifier)
    row = session.execute(spent).first()
    if row is None:
        raise BadState("This answer from TeamSnap was not asked for here, or it took too long. Please connect again.")
    return int(row[0]), seal.unseal(row[1])


def redeem(app: TeamSnapApp, code: str, verifier: str, redirect: str, now: datetime) -> Tokens:
    """Change the code for tokens. Raises `NotConnected` or another `TeamSnapFault`."""
    given = _ask(_client(app).get_access_token(code, redirect, verifier))
    return _tokens(given, None, now)


def connect(
    session: Session, seal: Seal, organization_id: int, tokens: Tokens, by: int | None, now: datetime
) -> OAuthConnection:
    """Keep the tokens, sealed; they replace those of an earlier connection of the club."""
    row = connection_of(session, organization_id)
    if row is None:
        row = OAuthConnection(organization_id=organization_id, provider=PROVIDER)
        session.add(row)
    row.made_by, row.made_at, row.fault = by, now, None
    _keep(row, seal, tokens)
    session.flush()
    return row


def connection_of(session: Session, organization_id: int) -> OAuthConnection | None:
    """A club's connection."""
    mine = select(OAuthConnection).where(OAuthConnection.organization_id == organization_id)
    return session.scalar(mine.where(OAuthConnection.provider == PROVIDER))


class Access:
    """A connection's token; refreshed under a lock on its row, so that nobody refreshes it twice."""

    def __init__(self, database: Database, seal: Seal, app: TeamSnapApp, connection_id: int, clock: Clock) -> None:
        self._database, self._seal, self._app, self._clock = database, seal, app, clock
        self._id = connection_id

    def token(self, refused: str = "") -> str:
        """The token to show; another one than that which was `refused`. Raises `NotConnected`."""
        with self._database.reading() as session:
            row = session.get(OAuthConnection, self._id)
            if row is not None and not self._must_refresh(row, refused):
                return self._seal.unseal(row.sealed_access_token)
        with self._database.writing() as session:
            row = session.get(OAuthConnection, self._id, with_for_update=True)
            if row is None:
                raise NotConnected("The club was disconnected from TeamSnap.")
            # Whoever held the lock before may have refreshed it.
            if self._must_refresh(row, refused):
                if row.sealed_refresh_token is None:
                    raise NotConnected("TeamSnap does not let us in any more. Please connect the club again.")
                held = self._seal.unseal(row.sealed_refresh_token)
                _keep(row, self._seal, _tokens(_ask(_client(self._app).refresh_token(held)), held, self._clock()))
            return self._seal.unseal(row.sealed_access_token)

    def _must_refresh(self, row: OAuthConnection, refused: str) -> bool:
        if refused and self._seal.unseal(row.sealed_access_token) == refused:
            return True
        over = row.expires_at is not None and self._clock() >= row.expires_at - _EARLY
        return over and row.sealed_refresh_token is not None


def disconnect(session: Session, seal: Seal, organization_id: int) -> list[str]:
    """Delete a club's tokens here, and return them to be given back to TeamSnap (`give_back`) after the commit."""
    held = tokens_of(session, seal, organization_id)
    session.execute(
        delete(OAuthConnection).where(
            OAuthConnection.organization_id == organization_id, OAuthConnection.provider == PROVIDER
        )
    )
    return held


def tokens_of(session: Session, seal: Seal, organization_id: int) -> list[str]:
    """What a club's connection holds: the refreshing token and the one to show."""
    row = connection_of(session, organization_id)
    sealed = () if row is None else (row.sealed_refresh_token, row.sealed_access_token)
    return [seal.unseal(text) for text in sealed if text]


def give_back(app: TeamSnapApp, tokens: list[str]) -> bool:
    """Tell TeamSnap that the tokens are not wanted any more; whether it heard. Here they are gone either way."""
    try:
        for token in tokens:
            _ask(_client(app).revoke_token(token))
    except TeamSnapFault:
        return False
    return True


def _client(app: TeamSnapApp) -> _Client:
    base = app.auth_url.rstrip("/")
    return _Client(
        app.client_id,
        app.secret,
        f"{base}/oauth/authorize",
        f"{base}/oauth/token",
        f"{base}/oauth/token",
        f"{base}/oauth/revoke",
        name=PROVIDER,
        revocation_endpoint_auth_method="client_secret_post",
    )


def _ask(question: Awaitable[_T]) -> _T:
    async def asked() -> _T:
        # The client's own time-out starts anew with every byte.
        async with asyncio.timeout(_PATIENCE_S):
            return await question

    try:
        return asyncio.run(asked())
    except TimeoutError as fault:
        raise TeamSnapFault("TeamSnap did not answer in time.") from fault
    except (GetAccessTokenError, RefreshTokenError, RevokeTokenError) as fault:
        raise _fault_of(fault) from fault


def _fault_of(fault: OAuth2RequestError) -> TeamSnapFault:
    status = fault.response.status_code if fault.response is not None else 0
    if status == 429:
        return TeamSnapBusy(_BUSY_S)
    if 400 <= status < 500:
        return NotConnected("TeamSnap does not let us in (any more). Please connect the club again.")
    return TeamSnapFault("TeamSnap could not be reached.")


def _tokens(given: Any, refresh: str | None, now: datetime) -> Tokens:
    access, renewed, seconds = given.get("access_token"), given.get("refresh_token"), given.get("expires_in")
    if not isinstance(access, str) or not access:
        raise TeamSnapFault("TeamSnap answered without a token.")
    lasting = isinstance(seconds, int) and not isinstance(seconds, bool) and 0 < seconds < 10**10
    ends = now + timedelta(seconds=min(seconds, 10**8)) if lasting else None
    return Tokens(access, renewed if isinstance(renewed, str) and renewed else refresh, ends)


def _keep(row: OAuthConnection, seal: Seal, tokens: Tokens) -> None:
    row.sealed_access_token = seal.seal(tokens.access)
    row.sealed_refresh_token = seal.seal(tokens.refresh) if tokens.refresh else None
    row.expires_at = tokens.expires_at
