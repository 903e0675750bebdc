"""One call of the node's API: what it takes, what it gives, who may make it. The routes and the API's description are
both made from this, so that neither can say what the other does not do."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import msgspec
from aiohttp import web

from wire.message import Message, decode, encode

Answer = Callable[[web.Request], Awaitable[Any]]
"""Gives a `Message`, another msgspec type, bytes of the route's content type, or a response of its own."""


@dataclass(frozen=True)
class Parameter:
    """What a route may be asked in its query: a msgspec `kind`, that kind in words, and what it means."""

    name: str
    kind: Any
    words: str
    meaning: str

    def of(self, request: web.Request) -> Any:
        """What was asked, None for nothing; raises `HTTPBadRequest` for what is not of this kind."""
        asked = request.query.get(self.name)
        if asked is None:
            return None
        try:
            return msgspec.convert(asked, self.kind, strict=False)
        except msgspec.ValidationError:
            raise web.HTTPBadRequest(text=f"{self.name} is {self.words}") from None


@dataclass(frozen=True)
class Route:
    """A method and a path with what is said of it: `takes` a message as its body, `gives` a type, or bytes of the
    content type that `gives` names. `open` routes are for everybody, the others for the rig and a signed-in operator.
    """

    method: str
    path: str
    summary: str
    answer: Answer
    takes: type[Message] | None = None
    gives: Any = None
    open: bool = False
    query: tuple[Parameter, ...] = ()
    accepted: HTTPStatus = HTTPStatus.OK
    """The status code of an answer that gives something."""
    refusals: Mapping[int, str] = field(default_factory=dict)
    """Status codes of refusals beside 401, and when they come; each says in a sentence why."""
    reports: Mapping[int, type[Message]] = field(default_factory=dict)
    """Those of them that may come as a message instead."""
    endless: bool = False
    """The answer goes on until the caller, or the node, has enough."""

    @property
    def status(self) -> HTTPStatus:
        """The status code of whoever is answered."""
        return HTTPStatus.NO_CONTENT if self.gives is None else self.accepted

    async def respond(self, request: web.Request) -> web.StreamResponse:
        """Answer a request that was let through."""
        given = await self.answer(request)
        if isinstance(given, web.StreamResponse):
            return given
        if given is None:
            return web.Response(status=self.status)
        if isinstance(self.gives, str):
            raw, kind = given, self.gives
        else:
            raw = encode(given) if isinstance(given, Message) else msgspec.json.encode(given)
            kind = "application/json"
        return web.Response(status=self.status, body=raw, headers={"Content-Type": kind, "Cache-Control": "no-store"})


async def body_of(request: web.Request, kind: type[Any]) -> Any:
    """The message of a request's body; raises `MalformedMessage` or `NewerVersion`."""
    return decode(await request.read(), kind)
