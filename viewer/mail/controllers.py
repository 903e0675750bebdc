"""Routes of mail: ending the portal's news, and the demo's mailbox."""

from typing import Any

from litestar import Request, get, post
from litestar.datastructures import State
from litestar.exceptions import NotFoundException
from litestar.params import FromPath
from litestar.response import Template
from litestar.types import ControllerRouterHandler
from sqlalchemy import select

from viewer.accounts.models import Frequency
from viewer.jobs.lease import State as WorkState
from viewer.mail.models import Mail
from viewer.mail.unsubscribing import subscriber, unsubscribe
from viewer.web.access import PUBLIC
from viewer.web.address import client_address
from viewer.web.portal import portal_of
from viewer.web.security import ANY_SITE

_PATH = "/unsubscribe/{reader:int}/{kind:str}/{signature:str}"


@get(_PATH, opt=PUBLIC, sync_to_thread=True)
def unsubscribe_page(state: State, reader: FromPath[int], kind: FromPath[str], signature: FromPath[str]) -> Template:
    """Ask whether the mails shall end. Mail programs look at links before people do: looking changes nothing."""
    portal = portal_of(state)
    with portal.database.reading() as session:
        user = subscriber(session, portal.seal, reader, kind, signature)
        if user is None:
            raise NotFoundException
        return Template("mail/unsubscribe.html", context={"ended": user.notify == Frequency.NEVER})


@post(_PATH, opt={**PUBLIC, ANY_SITE: True}, status_code=200, sync_to_thread=True)
def take_unsubscribe(
    request: Request[Any, Any, Any],
    state: State,
    reader: FromPath[int],
    kind: FromPath[str],
    signature: FromPath[str],
) -> Template:
    """End the mails: by the page's button, or by a mail program's own (RFC 8058), which has no cookie and no origin."""
    portal = portal_of(state)
    with portal.database.writing() as session:
        user = subscriber(session, portal.seal, reader, kind, signature)
        if user is None:
            raise NotFoundException
        unsubscribe(session, user, portal.clock(), client_address(request))
    return Template("mail/unsubscribe.html", context={"ended": True})


@get("/mailbox", opt=PUBLIC, sync_to_thread=True)
def mailbox_page(state: State) -> Template:
    """Every mail the portal has sent; this route exists only in a demo on the loopback address."""
    with portal_of(state).database.reading() as session:
        mails = session.scalars(select(Mail).where(Mail.state == WorkState.DONE).order_by(Mail.id.desc())).all()
    return Template("mailbox.html", context={"mails": mails})


ROUTES: list[ControllerRouterHandler] = [unsubscribe_page, take_unsubscribe]
