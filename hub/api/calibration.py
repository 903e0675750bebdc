"""Routes below `/api/v1/sessions/{session}/calibration`: what a session's calibration is, and a better one."""

import asyncio
from collections.abc import Callable

from aiohttp import web

from hub.errors import HubError
from hub.messages import CalibrationRequest
from hub.sessions import Sessions
from hub.token import authorise
from wire.ids import SessionId, session_id
from wire.message import decode, encode


class NotCalibrated(HubError):
    """A session whose cameras have not been calibrated, or not yet."""


class CalibrationApi:
    """Shows how a session's cameras were calibrated and has that done again; `begun` is told of each session that
    starts over."""

    def __init__(self, sessions: Sessions, token: str, begun: Callable[[SessionId], None]) -> None:
        self._sessions = sessions
        self._token = token
        self._begun = begun
        self._asking = asyncio.Lock()

    def routes(self) -> list[web.RouteDef]:
        """The routes to mount."""
        return [
            web.get("/api/v1/sessions/{session}/calibration", self._rig),
            web.post("/api/v1/sessions/{session}/calibration", self._again),
            web.get("/api/v1/sessions/{session}/calibration/{picture}", self._picture),
        ]

    def _session(self, request: web.Request) -> SessionId:
        """The session asked for, by who may; raises `NoSuchSession`."""
        authorise(request, self._token)
        session = session_id(request.match_info["session"])
        self._sessions.plan(session)
        return session

    async def _rig(self, request: web.Request) -> web.Response:
        session = self._session(request)
        try:
            raw = await asyncio.to_thread(self._sessions.folder(session).rig.read_bytes)
        except FileNotFoundError:
            raise NotCalibrated(f"the cameras of session {session} are not calibrated") from None
        return web.Response(body=raw, content_type="application/json")

    async def _again(self, request: web.Request) -> web.Response:
        session = self._session(request)
        asked = decode(await request.read(), CalibrationRequest)
        # Whoever asks second finds the session at work.
        async with self._asking:
            await asyncio.to_thread(self._sessions.start_over, session, asked)
            self._begun(session)
        return web.Response(status=202, body=encode(self._sessions.plan(session)), content_type="application/json")

    async def _picture(self, request: web.Request) -> web.Response:
        """A camera's still picture, or that with the found lines."""
        session = self._session(request)
        folder, name = self._sessions.folder(session).calibration, request.match_info["picture"]
        there = {path.name: path for path in folder.glob("*.jpg")}
        if name not in there:
            raise web.HTTPNotFound(text=f"there is no picture {name} of session {session}")
        raw = await asyncio.to_thread(there[name].read_bytes)
        return web.Response(body=raw, content_type="image/jpeg", headers={"Cache-Control": "no-store"})
