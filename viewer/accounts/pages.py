"""What the pages of accounts share: who asks and from where, forms, cookies, and where to go next."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from litestar import Request, Response
from litestar.enums import RequestEncodingType
from litestar.params import Body
from litestar.response import Redirect, Template

from viewer.accounts.service import LONGEST_STAY
from viewer.errors import Throttled, ViewerError
from viewer.web.access import cookie_name
from viewer.web.address import client_address
from viewer.web.portal import Portal

FORM = Body(media_type=RequestEncodingType.URL_ENCODED)
"""What a plain form sends."""
Asked = Request[Any, Any, Any]


@dataclass(frozen=True)
class Visit:
    """Where a request comes from; `cookie` is what the browser holds as its sign-in."""

    address: str
    browser: str
    cookie: str

    @classmethod
    def of(cls, request: Asked, portal: Portal) -> "Visit":
        """The visit that a request belongs to."""
        return cls(
            client_address(request), request.headers.get("user-agent", ""), request.cookies.get(cookie_name(portal), "")
        )


def show(request: Asked, template: str, *, status: int = 200, **context: Any) -> Template:
    """A page of the account, for whoever is signed in."""
    told = {"person": request.scope.get("user"), "here": "/account", "fault": "", **context}
    return Template(f"accounts/{template}.html", context=told, status_code=status)


def refuse(request: Asked, template: str, fault: ViewerError, status: int = 403, **context: Any) -> Template:
    """The page again, with what went wrong."""
    page = show(request, template, status=429 if isinstance(fault, Throttled) else status, fault=str(fault), **context)
    if isinstance(fault, Throttled):
        page.headers["Retry-After"] = str(fault.wait_s)
    return page


def go(page: str) -> Redirect:
    """On to a page of the portal, so that nothing is sent twice when it is loaded again."""
    return Redirect(inside(page), status_code=303)


def keep_sign_in(answer: Response[Any], portal: Portal, key: str) -> None:
    """Give the browser the cookie of its sign-in."""
    answer.set_cookie(
        cookie_name(portal),
        key,
        max_age=int(LONGEST_STAY.total_seconds()),
        path="/",
        httponly=True,
        samesite="lax",
        secure=portal.settings.https,
    )


def carry(portal: Portal, secret: str, page: str, seconds: int) -> Redirect:
    """To the page that a mailed link is for, with its secret in a cookie: it stays out of addresses from then on."""
    answer = go(page)
    answer.set_cookie(
        _carrier(page), secret, max_age=seconds, path=page, httponly=True, samesite="lax", secure=portal.settings.https
    )
    return answer


def carried(request: Asked, page: str) -> str:
    """The secret of the mailed link that led to `page`."""
    return str(request.cookies.get(_carrier(page), ""))


def drop(answer: Response[Any], page: str) -> None:
    """Forget the secret of a link that is spent."""
    answer.delete_cookie(_carrier(page), path=page)


def inside(page: str) -> str:
    """`page` when it is a path of this portal, else the home page: no redirect ever leaves the portal."""
    parts = urlsplit(page)
    plain = page.startswith("/") and not page.startswith(("//", "/\\")) and not any(c in page for c in "\\\r\n\t")
    return page if plain and not parts.netloc and not parts.scheme else "/"


def _carrier(page: str) -> str:
    return f"touchline{page.replace('/', '-')}"
