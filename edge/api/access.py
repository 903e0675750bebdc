"""Who may do what at a node: the rig by its token, an operator who has signed in with the node's PIN."""

import hashlib
import hmac
import json
import secrets
from collections.abc import Callable
from pathlib import Path

from aiohttp import web

from edge.errors import EdgeError
from wire.durable import write_durably

COOKIE = "operator"
PIN_FILE = "operator.json"
"""In the folder of a node's data."""
SESSION_S = 12 * 3600
"""A match day; signing in again is quick."""
MOST_SESSIONS = 32
MOST_TRIES = 5
PAUSE_S = 60.0
"""After so many wrong PINs in a row nobody can sign in for this long: 10 000 PINs take 33 hours."""
SHORTEST_PIN = 6
_SCRYPT = {"n": 1 << 14, "r": 8, "p": 1}


class BadPin(EdgeError):
    """A PIN that is too short to be one."""


class SignInRefused(EdgeError):
    """A wrong PIN, or no PIN at all; or another site's page that tries one."""


class TooManyTries(SignInRefused):
    """So many wrong PINs that even the right one has to wait."""


class OperatorPin:
    """The PIN of a node's operator: a file with its salted scrypt hash. Without the file nobody can sign in."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def set(self, pin: str) -> None:
        """Replace the PIN; raises `BadPin`."""
        if len(pin) < SHORTEST_PIN:
            raise BadPin(f"a PIN has at least {SHORTEST_PIN} characters")
        salt = secrets.token_bytes(16)
        kept = {"salt": salt.hex(), "hash": _hashed(pin, salt).hex()}
        # Six digits are quickly guessed by whoever can read what they are compared with.
        write_durably(self._file, json.dumps(kept).encode(), mode=0o600)

    @property
    def version(self) -> str:
        """Changes with the PIN; empty where there is none."""
        try:
            return hashlib.sha256(self._file.read_bytes()).hexdigest()
        except OSError:
            return ""

    def fits(self, pin: str) -> bool:
        """Whether this is the PIN; takes as long where there is none."""
        try:
            kept = json.loads(self._file.read_text())
            salt, expected = bytes.fromhex(kept["salt"]), bytes.fromhex(kept["hash"])
        except (OSError, ValueError, KeyError, TypeError):
            salt, expected = b"", b""
        return hmac.compare_digest(_hashed(pin, salt), expected)


def _hashed(pin: str, salt: bytes) -> bytes:
    return hashlib.scrypt(pin.encode(), salt=salt, **_SCRYPT)


class Access:
    """Decides about requests. `now_s` is a clock that never steps.

    A request that changes something and comes with an operator's cookie must come from the node's own pages: browsers
    say where a request comes from (`Sec-Fetch-Site`, else `Origin`).
    """

    def __init__(self, token: str, pin: OperatorPin, now_s: Callable[[], float]) -> None:
        self._token = f"Bearer {token}".encode()
        self._pin = pin
        self._now_s = now_s
        self._sessions: dict[str, tuple[float, str]] = {}
        """When each ends, and the version of the PIN that it was begun with."""
        self._wrong = 0
        self._until_s = 0.0

    def sign_in(self, pin: str) -> str:
        """A new session's secret; raises `SignInRefused`."""
        now = self._now_s()
        if now < self._until_s:
            raise TooManyTries(f"too many wrong PINs: try again in {self._until_s - now:.0f} s")
        if not self._pin.fits(pin):
            self._wrong += 1
            if self._wrong >= MOST_TRIES:
                self._wrong, self._until_s = 0, now + PAUSE_S
            raise SignInRefused("this is not the node's PIN")
        self._wrong = 0
        self._sessions = {secret: session for secret, session in self._sessions.items() if session[0] > now}
        while len(self._sessions) >= MOST_SESSIONS:
            self._sessions.pop(min(self._sessions, key=self._sessions.__getitem__))
        secret = secrets.token_urlsafe(32)
        self._sessions[secret] = (now + SESSION_S, self._pin.version)
        return secret

    def sign_out(self, request: web.Request) -> None:
        """End the session that the request belongs to."""
        self._sessions.pop(request.cookies.get(COOKIE, ""), None)

    def is_rig(self, request: web.Request) -> bool:
        """Whether the request shows the rig's token."""
        given = request.headers.get("Authorization", "").encode("utf-8", "surrogateescape")
        return hmac.compare_digest(given, self._token)

    def is_operator(self, request: web.Request) -> bool:
        """Whether the request belongs to a signed-in operator, and was not made for him by another site."""
        session = self._sessions.get(request.cookies.get(COOKIE, ""))
        if session is None or session[0] <= self._now_s() or session[1] != self._pin.version:
            return False
        return request.method in ("GET", "HEAD") or is_own_page(request)

    def allows(self, request: web.Request) -> bool:
        """Whether the request may pass a guarded route."""
        return self.is_rig(request) or self.is_operator(request)


def is_own_page(request: web.Request) -> bool:
    """Whether a browser says that the request was made by a page of this node."""
    told = request.headers.get("Sec-Fetch-Site")
    if told is not None:
        return told == "same-origin"
    origin = request.headers.get("Origin")
    return origin is not None and origin.partition("://")[2] == request.host
