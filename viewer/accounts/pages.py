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
from viewer.web.portal import Portal, portal_of

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
    name, secure = _carrier(portal, page), portal.settings.https
    answer.set_cookie(name, secret, max_age=seconds, path=page, httponly=True, samesite="lax", secure=secure)
    return answer


def carried(request: Asked, page: str) -> str:
    """The secret of the mailed link that led to `page`."""
    return str(request.cookies.get(_carrier(portal_of(request.app.state), page), ""))


def drop(answer: Response[Any], portal: Portal, page: str) -> None:
    """Forget the secret of a link that is spent."""
    _forget(answer, portal, _carrier(portal, page), page)


def forget_sign_in(answer: Response[Any], portal: Portal) -> None:
    """Take the cookie of the sign-in, which has ended, from the browser."""
    _forget(answer, portal, cookie_name(portal), "/")


def inside(page: str) -> str:
    """`page` when it is a path of this portal, else the home page: no redirect ever leaves the portal."""
    parts = urlsplit(page)
    plain = page.startswith("/") and not page.startswith(("//", "/\\")) and not any(c in page for c in "\\\r\n\t")
    return page if plain and not parts.netloc and not parts.scheme else "/"


def _forget(answer: Response[Any], portal: Portal, name: str, path: str) -> None:
    # Browsers take nothing for a name with a prefix that is not Secure, its end neither.
    answer.set_cookie(name, "", max_age=0, path=path, httponly=True, samesite="lax", secure=portal.settings.https)


def _carrier(portal: Portal, page: str) -> str:
    # Its path keeps it from the prefix __Host- (OWASP ASVS 5.0 3.3.1).
    return f"{'__Secure-' if portal.settings.https else ''}touchline{page.replace('/', '-')}"
