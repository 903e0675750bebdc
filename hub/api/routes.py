"""Routes below `/api/v1/sessions`; every one needs the rig's token."""

import asyncio
from collections.abc import Callable

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from firmware.log import Log
from hub.errors import HubError
from hub.marks import MarkBook
from hub.messages import SessionPlan, SessionRequest
from hub.nodes import Node, NodeRefused, NodeUnreachable, RigNodes
from hub.sessions import NoSuchSession, Sessions
from hub.token import authorise
from wire.errors import MalformedMessage, WireError
from wire.ids import SessionId, new_session_id, session_id
from wire.marks import NodeMarks
from wire.message import Message, decode, encode
from wire.rigtime import SECOND
from wire.session import StartRecording, Sync

LEAD_NS = SECOND // 2
"""From the order to the session's zero: time for every node to have its camera running."""


class NotOfSession(HubError):
    """A node that the session was not started on."""


def plain_errors(log: Log) -> Middleware:
    """Answers faults with their sentence and the status that fits, once for all routes; the unforeseen are logged."""

    @web.middleware
    async def answer(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except web.HTTPException:
            raise
        except NoSuchSession as fault:
            return web.Response(status=404, text=str(fault))
        except (NodeUnreachable, NodeRefused) as fault:
            return web.Response(status=502, text=str(fault))
        except HubError as fault:
            return web.Response(status=409, text=str(fault))
        except WireError as fault:
            return web.Response(status=400, text=str(fault))
        except Exception as fault:
            log.event("request-failed", method=request.method, path=request.path, fault=repr(fault))
            return web.Response(status=500, text="the hub could not do that; its log tells more")

    return answer


class SessionsApi:
    """Starts sessions on the rig's nodes, takes what was marked of them, and tells how far they are.

    `now_ns` is the hub's clock, `random_bytes` makes ids, `begun` is told of each new session.
    """

    def __init__(
        self,
        sessions: Sessions,
        marks: MarkBook,
        nodes: RigNodes,
        token: str,
        now_ns: Callable[[], int],
        random_bytes: Callable[[int], bytes],
        begun: Callable[[SessionId], None],
    ) -> None:
        self._sessions = sessions
        self._marks = marks
        self._nodes = nodes
        self._token = token
        self._now_ns = now_ns
        self._random_bytes = random_bytes
        self._begun = begun
        self._starting = asyncio.Lock()

    def routes(self) -> list[web.RouteDef]:
        """The routes to mount."""
        return [
            web.post("/api/v1/sessions", self._start),
            web.get("/api/v1/sessions", self._list),
            web.get("/api/v1/sessions/{session}", self._progress),
            web.post("/api/v1/sessions/{session}/stop", self._stop),
            web.post("/api/v1/sessions/{session}/marks", self._mark),
            web.get("/api/v1/nodes", self._rig),
        ]

    def _authorise(self, request: web.Request) -> None:
        authorise(request, self._token)

    async def _start(self, request: web.Request) -> web.Response:
        self._authorise(request)
        asked = decode(await request.read(), SessionRequest)
        # Two hands on two phones: the second finds the nodes recording and is told so.
        async with self._starting:
            return await self._begin(asked)

    async def _begin(self, asked: SessionRequest) -> web.Response:
        # At once: the first that cannot refuses the start, whatever another one takes to answer.
        parts = await asyncio.gather(*(self._part(node) for node in self._nodes.nodes))
        start_ns = self._now_ns() + LEAD_NS
        session = new_session_id(start_ns, self._random_bytes)
        plan = SessionPlan(
            session=session, start_ns=start_ns, nodes=tuple(node.id for node in self._nodes.nodes), request=asked
        )
        servers = {node for node, part in zip(plan.nodes, parts, strict=True) if part is Sync.SERVER}
        self._sessions.begin(plan)
        try:
            await self._nodes.start(
                StartRecording(
                    session=session,
                    start_ns=start_ns,
                    planned_minutes=asked.planned_minutes,
                    override=asked.override,
                ),
                servers,
            )
        except HubError:
            self._sessions.abandon(session, "the nodes could not start")
            raise
        self._begun(session)
        return _answer(plan, 201)

    async def _part(self, node: Node) -> Sync:
        """A node's part in the rig's synchronisation; raises `NodeRefused` where it records already, or
        `NodeUnreachable`."""
        status = await self._nodes.status(node)
        if status.recording is not None:
            raise NodeRefused(f"node {node.id} already records session {status.recording}: stop it first")
        return status.sync

    async def _list(self, request: web.Request) -> web.Response:
        self._authorise(request)
        return web.json_response(self._sessions.known())

    async def _progress(self, request: web.Request) -> web.Response:
        self._authorise(request)
        return _answer(self._sessions.progress(session_id(request.match_info["session"])))

    async def _stop(self, request: web.Request) -> web.Response:
        self._authorise(request)
        session = session_id(request.match_info["session"])
        self._sessions.plan(session)
        silent = await self._nodes.stop(session)
        if silent:
            raise NodeUnreachable(f"not stopped, because it does not answer: {', '.join(silent)}")
        return _answer(self._sessions.progress(session))

    async def _mark(self, request: web.Request) -> web.Response:
        """Takes the marks of a node that cannot be asked for them; only of a session that it was started for."""
        self._authorise(request)
        session = session_id(request.match_info["session"])
        told = decode(await request.read(), NodeMarks)
        if told.session != session:
            raise MalformedMessage(f"these marks are of session {told.session}, not of {session}")
        if told.node not in self._sessions.plan(session).nodes:
            raise NotOfSession(f"node {told.node} is none of session {session}")
        await asyncio.to_thread(self._marks.take, session, told.marks)
        return web.Response(status=204)

    async def _rig(self, request: web.Request) -> web.Response:
        """How every node is, in the order from the left; a silent one is told as null."""
        self._authorise(request)
        told = await asyncio.gather(*(self._told(node) for node in self._nodes.nodes))
        return web.Response(text=f"[{','.join(told)}]", content_type="application/json")

    async def _told(self, node: Node) -> str:
        try:
            return encode(await self._nodes.status(node)).decode()
        except HubError:
            return "null"


def _answer(message: Message, status: int = 200) -> web.Response:
    return web.Response(status=status, body=encode(message), content_type="application/json")
