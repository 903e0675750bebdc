"""Putting the application together."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from litestar import Litestar, Router
from litestar.datastructures import State
from litestar.plugins.jinja import JinjaTemplateEngine
from litestar.template.config import TemplateConfig

from viewer.accounts import controllers as accounts
from viewer.admin import controllers as admin
from viewer.audit import controllers as audit
from viewer.clubs import controllers as clubs
from viewer.devices import controllers as devices
from viewer.games import controllers as games
from viewer.games.watching import Watching
from viewer.imports import controllers as imports
from viewer.mail import controllers as mail
from viewer.media import controllers as media
from viewer.privacy import controllers as privacy
from viewer.shares import controllers as shares
from viewer.uploads import controllers as uploads
from viewer.uploads.controllers import receiver
from viewer.uploads.sweeping import sweep_hourly
from viewer.web import controllers as web
from viewer.web.access import check_routes, guard
from viewer.web.faults import answer_fault
from viewer.web.pages import local_time
from viewer.web.portal import Portal
from viewer.web.security import SameSite, add_headers

_FIELDS = (games, accounts, uploads, mail, devices, media, clubs, imports, admin, privacy, shares, audit, web)


def build_app(portal: Portal) -> Litestar:
    """The application for one portal; raises `UnguardedRoute` when a route does not say who may call it."""

    @asynccontextmanager
    async def running(app: Litestar) -> AsyncIterator[None]:
        await app.state.receiver.sweep()
        sweeping = asyncio.create_task(sweep_hourly(app.state.receiver))
        try:
            yield
        finally:
            sweeping.cancel()
            await asyncio.wait({sweeping})

    routes = [handler for field in _FIELDS for handler in field.ROUTES]
    routes += [mail.mailbox_page] if portal.settings.demo_mailbox else []
    templates = JinjaTemplateEngine(directory=Path(__file__).parent / "templates")
    # Templates come with the release and do not change: looking at their dates costs a page 4 % of its time.
    templates.engine.auto_reload = False
    templates.engine.trim_blocks = templates.engine.lstrip_blocks = True
    templates.engine.globals |= {"asset": portal.assets.url, "local": local_time}
    app = Litestar(
        # In one router: Litestar 2.25 wraps a threaded handler twice when another of its path is registered after it.
        route_handlers=[Router("/", route_handlers=routes)],
        guards=[guard],
        middleware=[SameSite()],
        before_send=[add_headers],
        exception_handlers={Exception: answer_fault},
        template_config=TemplateConfig(instance=templates),
        state=State({"portal": portal, "receiver": receiver(portal), "watching": Watching(portal.database)}),
        lifespan=[running],
        openapi_config=None,
        logging_config=None,
    )
    check_routes(app.routes)
    return app
