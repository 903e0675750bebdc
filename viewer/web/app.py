"""Putting the application together."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from litestar import Litestar
from litestar.datastructures import State
from litestar.plugins.jinja import JinjaTemplateEngine
from litestar.template.config import TemplateConfig
from litestar.types import ControllerRouterHandler

from viewer.accounts.controllers import sign_in_page, take_sign_in, take_sign_out
from viewer.games.controllers import home_page, match_file, match_page, match_tracks, player_movement
from viewer.mail.controllers import mailbox_page
from viewer.uploads.controllers import package_state, receiver, take_upload, take_uploads
from viewer.uploads.sweeping import sweep_hourly
from viewer.web.access import check_routes, guard
from viewer.web.controllers import health, static_file
from viewer.web.faults import answer_fault
from viewer.web.portal import Portal
from viewer.web.security import SameSite, add_headers

_ROUTES: list[ControllerRouterHandler] = [
    home_page,
    match_page,
    match_file,
    match_tracks,
    player_movement,
    sign_in_page,
    take_sign_in,
    take_sign_out,
    take_uploads,
    take_upload,
    package_state,
    static_file,
    health,
]


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

    templates = JinjaTemplateEngine(directory=Path(__file__).parent / "templates")
    templates.engine.trim_blocks = templates.engine.lstrip_blocks = True
    templates.engine.globals["asset"] = portal.assets.url
    app = Litestar(
        route_handlers=[*_ROUTES, *([mailbox_page] if portal.settings.demo_mailbox else [])],
        guards=[guard],
        middleware=[SameSite()],
        before_send=[add_headers],
        exception_handlers={Exception: answer_fault},
        template_config=TemplateConfig(instance=templates),
        state=State({"portal": portal, "receiver": receiver(portal)}),
        lifespan=[running],
        openapi_config=None,
        logging_config=None,
    )
    check_routes(app.routes)
    return app
