"""The node's API: its table of routes, who is let through to them, and how a fault is answered."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from edge.api.access import Access, SignInRefused, TooManyTries
from edge.api.appliance import appliance_routes
from edge.api.configuring import configuring_routes
from edge.api.keeping import keeping_routes
from edge.api.marking import marking_routes
from edge.api.openapi import described
from edge.api.page import page_routes
from edge.api.pictures import picture_routes
from edge.api.readiness import readiness_routes
from edge.api.recording import recording_routes
from edge.api.route import Route
from edge.api.signing_in import sign_in_routes
from edge.api.streams import ENDING, TooManyOnlookers
from edge.api.viewing import viewing_routes
from edge.api.watching import watching_routes
from edge.condition import Conditions
from edge.config import Config, NodeConfig
from edge.errors import (
    AlreadyRecording,
    BadMark,
    CameraFault,
    EdgeError,
    GateClosed,
    NoSuchSession,
    NotRecording,
    SelfTesting,
)
from edge.holdings import Holdings
from edge.marks import Marks
from edge.node import Node, software
from edge.offload import Bandwidth
from firmware.errors import FirmwareError, NotSetUp
from firmware.log import Log
from firmware.power import Power
from firmware.updates import Updater
from wire.errors import NotProven, WireError
from wire.message import encode

_BODY_LIMIT = 64 << 10
_STATUS_OF: dict[type[Exception], HTTPStatus] = {
    AlreadyRecording: HTTPStatus.CONFLICT,
    NotRecording: HTTPStatus.CONFLICT,
    GateClosed: HTTPStatus.CONFLICT,
    SelfTesting: HTTPStatus.CONFLICT,
    CameraFault: HTTPStatus.SERVICE_UNAVAILABLE,
    TooManyOnlookers: HTTPStatus.SERVICE_UNAVAILABLE,
    TooManyTries: HTTPStatus.TOO_MANY_REQUESTS,
    SignInRefused: HTTPStatus.FORBIDDEN,
    NoSuchSession: HTTPStatus.NOT_FOUND,
    NotProven: HTTPStatus.FORBIDDEN,
    BadMark: HTTPStatus.BAD_REQUEST,
    NotSetUp: HTTPStatus.NOT_IMPLEMENTED,
    WireError: HTTPStatus.BAD_REQUEST,
}


@dataclass(frozen=True, kw_only=True)
class Served:
    """What the API speaks for, and who has access."""

    node: Node
    holdings: Holdings
    marks: Marks
    conditions: Conditions
    config: Config
    running: NodeConfig
    bandwidth: Bandwidth
    power: Power
    updater: Updater
    access: Access
    log: Log


def node_routes(served: Served) -> list[Route]:
    """Everything a node may be asked, in the order in which it is described."""
    routes = [
        *recording_routes(served.node),
        *readiness_routes(served.node),
        *marking_routes(served.node, served.marks),
        *keeping_routes(served.holdings),
        *picture_routes(served.node, served.log),
        *viewing_routes(served.node),
        *watching_routes(served.node, served.conditions, served.log),
        *configuring_routes(served.node, served.config, served.running, served.bandwidth),
        *appliance_routes(served.node, served.log, served.power, served.updater),
        *sign_in_routes(served.access),
        *page_routes(),
    ]
    return described(routes, software())


def application(served: Served) -> web.Application:
    """The aiohttp application of a node's routes."""
    routes = node_routes(served)
    app = web.Application(middlewares=[_guard(routes, served.access), _faults(served.log)], client_max_size=_BODY_LIMIT)
    for route in routes:
        for method in _methods(route):
            app.router.add_route(method, route.path, route.respond)
    app[ENDING] = asyncio.Event()
    app.on_shutdown.append(_end_streams)
    return app


async def _end_streams(app: web.Application) -> None:
    app[ENDING].set()


def _methods(route: Route) -> tuple[str, ...]:
    return ("GET", "HEAD") if route.method == "GET" and not route.endless else (route.method,)


def _guard(routes: Sequence[Route], access: Access) -> Middleware:
    """Lets everybody to the open routes; all else is only for those with access, whether it exists or not."""
    open_to_all = frozenset((method, route.path) for route in routes if route.open for method in _methods(route))

    @web.middleware
    async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
        if (request.method, request.path) not in open_to_all and not access.allows(request):
            return web.Response(
                status=HTTPStatus.UNAUTHORIZED,
                text="this needs the rig's token, or an operator who has signed in",
                headers={"WWW-Authenticate": "Bearer"},
            )
        return await handler(request)

    return guard


def _faults(log: Log) -> Middleware:
    @web.middleware
    async def faults(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except (EdgeError, FirmwareError, WireError) as fault:
            found = (status for kind, status in _STATUS_OF.items() if isinstance(fault, kind))
            status = next(found, HTTPStatus.INTERNAL_SERVER_ERROR)
            log.event("request-refused", path=request.path, status=int(status), fault=fault)
            if isinstance(fault, GateClosed):
                return web.Response(status=status, body=encode(fault.report), content_type="application/json")
            return web.Response(status=status, text=str(fault))
        except web.HTTPException:
            raise
        except Exception as fault:
            log.event("request-failed", path=request.path, fault=f"{type(fault).__name__}: {fault}")
            return web.Response(status=HTTPStatus.INTERNAL_SERVER_ERROR, text="the node failed to answer this")

    return faults
