"""Routes for whoever stands beside the node: pointing the camera, locking its view, the live picture."""

from http import HTTPStatus

from aiohttp import web

from edge.api.route import Route
from edge.errors import LiveOff
from edge.node import Node
from edge.viewing import FramingState, LiveState, ViewState

_PLAYLIST = "application/vnd.apple.mpegurl"
_PARTS = "live"
"""Where the parts of the live picture are, from its playlist."""
_UNSTORED = {"Cache-Control": "no-store"}
_TAKEN = {409: "the node records or tests itself"}


def viewing_routes(node: Node) -> list[Route]:
    """Framing, the locked view and the live picture of a node."""

    async def framing(_request: web.Request) -> FramingState:
        return node.guide.state()

    async def begin_framing(_request: web.Request) -> FramingState:
        node.point()
        return node.guide.state()

    async def end_framing(_request: web.Request) -> None:
        node.guide.end()

    async def drawn(_request: web.Request) -> bytes:
        picture = await node.guide.drawn()
        if picture is None:
            raise web.HTTPNotFound(text="the framing assistant has seen no picture yet")
        return picture

    async def view(_request: web.Request) -> ViewState:
        return node.lookout.state()

    async def lock(_request: web.Request) -> ViewState:
        await node.lookout.lock()
        return node.lookout.state()

    async def unlock(_request: web.Request) -> None:
        await node.lookout.unlock()

    async def live(_request: web.Request) -> LiveState:
        return node.live.state()

    async def playlist(_request: web.Request) -> web.Response:
        try:
            text = await node.live.playlist(_PARTS)
        except LiveOff as fault:
            return web.Response(status=HTTPStatus.SERVICE_UNAVAILABLE, text=str(fault), headers=_UNSTORED)
        return web.Response(text=text, content_type=_PLAYLIST, headers=_UNSTORED)

    async def part(request: web.Request) -> bytes:
        data = node.live.part(request.match_info["part"])
        if data is None:
            raise web.HTTPNotFound(text="this part of the live picture is over")
        return data

    root = "/api/v1"
    return [
        Route("GET", f"{root}/framing", "what the framing assistant says of the picture", framing, gives=FramingState),
        Route(
            "POST",
            f"{root}/framing/start",
            "help to point the camera for five minutes, with beeps",
            begin_framing,
            gives=FramingState,
            refusals=_TAKEN,
        ),
        Route("POST", f"{root}/framing/stop", "end the framing assistant", end_framing),
        Route(
            "GET",
            f"{root}/framing.jpg",
            "the assistant's last picture, with the pitch it found",
            drawn,
            gives="image/jpeg",
            refusals={404: "the assistant has seen no picture yet"},
        ),
        Route(
            "GET", f"{root}/view", "whether a view is locked, and how the camera stands to it", view, gives=ViewState
        ),
        Route(
            "POST",
            f"{root}/view/lock",
            "make what the camera sees now the view that it shall keep",
            lock,
            gives=ViewState,
            refusals={503: "the camera shows no picture"},
        ),
        Route("POST", f"{root}/view/unlock", "let the camera look wherever it does", unlock),
        Route("GET", f"{root}/live", "whether the live picture runs, or why it is off", live, gives=LiveState),
        Route(
            "GET",
            f"{root}/live.m3u8",
            "the live picture as an HLS playlist; whoever asks for it every few seconds keeps it running",
            playlist,
            gives=_PLAYLIST,
            refusals={503: "the live picture is off, for the reason given"},
        ),
        Route(
            "GET",
            f"{root}/{_PARTS}/{{part}}",
            "a part of the live picture, named by its playlist",
            part,
            gives="video/iso.segment",
            refusals={404: "this part is over"},
        ),
    ]
