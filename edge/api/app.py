"""Routes of the node's API under `/api/v1`; every one but the status asks for the rig's token."""

import hmac
from http import HTTPStatus

import msgspec
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from edge.errors import AlreadyRecording, CameraFault, EdgeError, GateClosed, NotRecording, SelfTesting
from edge.node import Node
from firmware.log import Log
from wire.errors import WireError
from wire.message import Message, decode, encode
from wire.session import StartRecording

OPEN_TO_ALL = frozenset({("GET", "/api/v1/status"), ("HEAD", "/api/v1/status")})
"""What may be asked without a token; all else is refused, whether it exists or not."""

_BODY_LIMIT = 64 << 10
_STATUS_OF: dict[type[Exception], HTTPStatus] = {
    AlreadyRecording: HTTPStatus.CONFLICT,
    NotRecording: HTTPStatus.CONFLICT,
    GateClosed: HTTPStatus.CONFLICT,
    SelfTesting: HTTPStatus.CONFLICT,
    CameraFault: HTTPStatus.SERVICE_UNAVAILABLE,
    WireError: HTTPStatus.BAD_REQUEST,
}


def application(node: Node, token: str, log: Log) -> web.Application:
    """The aiohttp application that speaks for `node` to whoever knows `token`."""
    app = web.Application(middlewares=[_guard(token), _faults(log)], client_max_size=_BODY_LIMIT)
    routes = _Routes(node)
    app.add_routes(
        [
            web.get("/api/v1/status", routes.status),
            web.post("/api/v1/record/start", routes.start),
            web.post("/api/v1/record/stop", routes.stop),
            web.get("/api/v1/preview.jpg", routes.preview),
            web.get("/api/v1/sessions", routes.sessions),
            web.get("/api/v1/cost", routes.cost),
        ]
    )
    return app


class _Routes:
    def __init__(self, node: Node) -> None:
        self._node = node

    async def status(self, _request: web.Request) -> web.Response:
        return _message(await self._node.status())

    async def start(self, request: web.Request) -> web.Response:
        return _message(await self._node.start(decode(await request.read(), StartRecording)))

    async def stop(self, _request: web.Request) -> web.Response:
        return _message(await self._node.stop())

    async def preview(self, _request: web.Request) -> web.Response:
        picture = await self._node.preview()
        return web.Response(body=picture, content_type="image/jpeg", headers={"Cache-Control": "no-store"})

    async def sessions(self, _request: web.Request) -> web.Response:
        rows = await self._node.sessions()
        return web.Response(body=msgspec.json.encode(rows), content_type="application/json")

    async def cost(self, _request: web.Request) -> web.Response:
        return _message(self._node.cost())


def _message(message: Message) -> web.Response:
    return web.Response(body=encode(message), content_type="application/json")


def _guard(token: str) -> Middleware:
    expected = f"Bearer {token}".encode()

    @web.middleware
    async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
        given = request.headers.get("Authorization", "").encode("utf-8", "surrogateescape")
        if (request.method, request.path) not in OPEN_TO_ALL and not hmac.compare_digest(given, expected):
            return web.Response(
                status=HTTPStatus.UNAUTHORIZED,
                text="this needs the rig's token",
                headers={"WWW-Authenticate": "Bearer"},
            )
        return await handler(request)

    return guard


def _faults(log: Log) -> Middleware:
    @web.middleware
    async def faults(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except (EdgeError, WireError) as fault:
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
