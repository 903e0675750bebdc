"""What the pages with forms and lists share: who acts, where a taken form leads, and how lists go on."""

from datetime import datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from litestar import Request
from litestar.params import QueryParameter
from litestar.response import Redirect, Template

from viewer.clubs.actor import Actor
from viewer.web.address import client_address
from viewer.web.person import Person

Asked = Request[Person, Any, Any]
"""A request of somebody who is signed in."""
MOST_NUMBER = (1 << 63) - 1
"""The largest number that a database's column takes."""
After = Annotated[int | None, QueryParameter(name="after", ge=0, le=MOST_NUMBER)]
Before = Annotated[int | None, QueryParameter(name="before", ge=0, le=MOST_NUMBER)]
"""Where a list goes on: behind, or before, the row with this number."""
Words = Annotated[str, QueryParameter(name="q", max_length=100)]
"""What somebody searches for."""

_DONE = {
    "added": "Added.",
    "saved": "Saved.",
    "removed": "Removed.",
    "invited": "Invited. A mail with a link is on its way.",
    "withdrawn": "The invitation is withdrawn.",
    "left": "They are no longer on the roster.",
    "joined": "They are on the roster.",
    "code": "There is a new code. The one before does not work any more.",
    "code-off": "Nobody can ask to join by a code any more.",
    "score": "The score is saved.",
    "cancelled": "The game is cancelled.",
    "revived": "The game is on again.",
    "revoked": "The device is revoked. Its key opens nothing any more.",
    "disabled": "The account is disabled, and signed out everywhere.",
    "enabled": "The account is enabled.",
    "signed-out": "They are signed out everywhere.",
    "reset": "The second factor is gone. They set up a new one when they sign in.",
    "admin-ended": "They do not run the platform any more.",
    "retried": "It is tried again.",
    "dropped": "It is dropped.",
}


def show(request: Asked, template: str, here: str, *, status: int = 200, **context: Any) -> Template:
    """A page below the place `here`, with what was just done, if the address says so."""
    notice = _DONE.get(request.query_params.get("done", ""), "")
    return Template(
        template, context={"person": request.user, "here": here, "notice": notice, **context}, status_code=status
    )


def done(address: str, what: str) -> Redirect:
    """On to a page that says what was done."""
    return Redirect(f"{address}?done={what}", status_code=303)


def actor_of(request: Asked) -> Actor:
    """Whoever asks, as the audit log keeps them."""
    return Actor(request.user.id, request.user.mail, client_address(request))


def searched(words: str) -> str:
    """What somebody searches for, without what no name holds."""
    return " ".join("".join(c if c.isprintable() else " " for c in words).split())


def next_key(rows: list[Any], page: int, number: Any) -> int | None:
    """The number behind which a list goes on; None when `rows` are its end."""
    return number(rows[-1]) if len(rows) == page else None


def local_time(at: datetime, time_zone: str) -> str:
    """A time as the clocks of `time_zone` show it, as templates write it."""
    return at.astimezone(ZoneInfo(time_zone)).strftime("%Y-%m-%d %H:%M")
