"""The demo's mailbox page."""

from litestar import get
from litestar.datastructures import State
from litestar.response import Template
from sqlalchemy import select

from viewer.jobs.lease import State as WorkState
from viewer.mail.models import Mail
from viewer.web.access import PUBLIC
from viewer.web.portal import portal_of


@get("/mailbox", opt=PUBLIC, sync_to_thread=True)
def mailbox_page(state: State) -> Template:
    """Every mail the portal has sent; this route exists only in a demo on the loopback address."""
    with portal_of(state).database.reading() as session:
        mails = session.scalars(select(Mail).where(Mail.state == WorkState.DONE).order_by(Mail.id.desc())).all()
    return Template("mailbox.html", context={"mails": mails})
