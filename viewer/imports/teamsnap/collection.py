"""Collection+JSON as TeamSnap speaks it: from the root by relations, page after page, and never by built addresses."""

import email.utils
import logging
from collections.abc import Callable, Iterator, MutableMapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urljoin, urlsplit

import httpx
import msgspec

from viewer.clock import Clock
from viewer.errors import NotConnected, NotShown, TeamSnapBusy, TeamSnapFault
from viewer.imports.snapshot import clean

log = logging.getLogger("viewer.imports")
ACCEPT = "application/vnd.collection+json"
MOST_BYTES = 8 << 20
_MOST_PAGES = 200
_MOST_TRIES = 4
_LONGEST_WAIT_S = 30.0
_LONGEST_ASKED_S = 86_400.0
"""No service means to be left alone for longer than a day; the daily look would stand still until then."""
"""What TeamSnap asks to wait for longer than this, somebody else than a waiting worker waits for."""
_TIMEOUT = httpx.Timeout(20.0, connect=5.0)


class Link(msgspec.Struct, frozen=True):
    """A relation to another address."""

    rel: str
    href: str


class Datum(msgspec.Struct, frozen=True):
    """A named value."""

    name: str
    value: Any = None


class Item(msgspec.Struct, frozen=True):
    """A thing: values that may be null, and relations."""

    href: str = ""
    data: tuple[Datum, ...] = ()
    links: tuple[Link, ...] = ()

    def value(self, name: str) -> Any:
        """The value as it came; None where there is none."""
        return next((datum.value for datum in self.data if datum.name == name), None)

    def text(self, name: str, limit: int = 200) -> str:
        """A text on one line; empty where it is null."""
        value = self.value(name)
        return clean(value, limit) if isinstance(value, str | int | float) and not isinstance(value, bool) else ""

    def flag(self, name: str) -> bool:
        """A truth; null is none."""
        return self.value(name) is True

    def number(self, name: str) -> float | None:
        """A number, also where it is written as a text."""
        value = self.value(name)
        try:
            return None if value is None or isinstance(value, bool) else float(value)
        except (TypeError, ValueError):
            return None


class Collection(msgspec.Struct, frozen=True):
    """One answer: things, relations, and what went wrong."""

    href: str = ""
    items: tuple[Item, ...] = ()
    links: tuple[Link, ...] = ()
    error: dict[str, Any] | None = None


class _Document(msgspec.Struct, frozen=True):
    collection: Collection


class Reader:
    """Reads for one token. `token` gives it, and another one for a `refused` one; `hrefs` are relations of the root.

    What comes back is bounded in size and number, and nothing is sent to another host than the root's: the token is on
    every request.
    """

    def __init__(
        self,
        root: str,
        token: Callable[[str], str],
        sleep: Callable[[float], None],
        clock: Clock,
        hrefs: MutableMapping[str, str] | None = None,
    ) -> None:
        self._root = root
        self._token = token
        self._sleep = sleep
        self._clock = clock
        self._hrefs: MutableMapping[str, str] = {} if hrefs is None else hrefs
        self._http = httpx.Client(timeout=_TIMEOUT, follow_redirects=False, headers={"Accept": ACCEPT})

    def close(self) -> None:
        """Close the connection."""
        self._http.close()

    def from_root(self, rel: str) -> list[Item]:
        """The things behind a relation of the root. A kept address that fails is forgotten and looked up once more."""
        # Threads share what is kept: each looks at it once.
        kept = self._hrefs.get(rel)
        if kept is not None:
            try:
                return list(self._pages(kept))
            except (NotConnected, TeamSnapBusy):
                raise
            except TeamSnapFault:
                self._hrefs.clear()
        offered = {link.rel: self._inside(link.href, self._root) for link in self._get(self._root).links}
        self._hrefs.update(offered)
        if rel not in offered:
            raise NotShown(f"TeamSnap offers no {rel!r}.")
        return list(self._pages(offered[rel]))

    def follow(self, links: Sequence[Link], rel: str) -> list[Item]:
        """The things behind a relation, all pages of them. Raises `NotShown` where there is no such relation for us."""
        href = next((link.href for link in links if link.rel == rel), None)
        if href is None:
            raise NotShown(f"TeamSnap shows no {rel}.")
        return list(self._pages(self._inside(href, self._root)))

    def _pages(self, address: str) -> Iterator[Item]:
        read: set[str] = set()
        while address not in read:
            if len(read) >= _MOST_PAGES:
                raise TeamSnapFault("TeamSnap's answer has no end.")
            read.add(address)
            page = self._get(address)
            yield from page.items
            following = next((link.href for link in page.links if link.rel == "next"), None)
            if following is None:
                return
            address = self._inside(following, address)
        raise TeamSnapFault("TeamSnap's pages go round in a circle.")

    def _get(self, address: str) -> Collection:
        refused = ""
        for tries in range(1, _MOST_TRIES + 1):
            token = self._token(refused)
            status, headers, body = self._once(address, token)
            if status == 200:
                return _read(body)
            if status == 401:
                if refused:
                    raise NotConnected("TeamSnap does not let us in any more. Please connect the club again.")
                refused = token
            elif status in (403, 404, 410):
                raise NotShown("TeamSnap keeps this from the account that connected the club.")
            elif status == 429:
                wait_s = _asked_wait(headers, self._clock())
                wait_s = 2.0**tries if wait_s is None else wait_s
                if wait_s > _LONGEST_WAIT_S or tries == _MOST_TRIES:
                    raise TeamSnapBusy(wait_s)
                self._sleep(wait_s)
            elif status == 0 or status >= 500:
                if tries < _MOST_TRIES:
                    self._sleep(2.0 ** (tries - 1))
            else:
                raise TeamSnapFault(f"TeamSnap answered {status}.")
        raise TeamSnapFault("TeamSnap could not be reached.")

    def _once(self, address: str, token: str) -> tuple[int, httpx.Headers, bytes]:
        try:
            with self._http.stream("GET", address, headers={"Authorization": f"Bearer {token}"}) as answer:
                body = bytearray()
                for piece in answer.iter_bytes():
                    body += piece
                    if len(body) > MOST_BYTES:
                        raise TeamSnapFault("TeamSnap's answer is larger than any team's.")
                return answer.status_code, answer.headers, bytes(body)
        except httpx.HTTPError as fault:
            log.info("teamsnap silent reason=%s", type(fault).__name__)
            return 0, httpx.Headers(), b""

    def _inside(self, href: str, base: str) -> str:
        address = urljoin(base, href)
        there, root = urlsplit(address), urlsplit(self._root)
        if (there.scheme, there.netloc) != (root.scheme, root.netloc):
            raise TeamSnapFault("TeamSnap refers to another host; our token is not for it.")
        return address


def _read(body: bytes) -> Collection:
    try:
        found = msgspec.json.decode(body, type=_Document).collection
    except (msgspec.DecodeError, ValueError, RecursionError) as fault:
        raise TeamSnapFault("TeamSnap answered in a form that this portal does not understand.") from fault
    if found.error is not None:
        raise TeamSnapFault(f"TeamSnap says: {clean(found.error.get('message'), 200) or 'an error'}")
    return found


def _asked_wait(headers: httpx.Headers, now: datetime) -> float | None:
    text = headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        return min(float(text), _LONGEST_ASKED_S)
    try:
        asked = (email.utils.parsedate_to_datetime(text) - now).total_seconds()
    except (TypeError, ValueError):
        return None
    return min(max(asked, 0.0), _LONGEST_ASKED_S)
