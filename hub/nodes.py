"""The rig's nodes as the hub sees them: asking them to start, to stop, and how they are."""

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import aiohttp
import msgspec

from hub.errors import HubError
from wire.errors import WireError
from wire.ids import NodeId, SessionId
from wire.marks import Mark
from wire.message import decode, encode
from wire.readiness import GateReport
from wire.session import NodeStatus, StartRecording

_ASK = aiohttp.ClientTimeout(total=15)
_ORDER = aiohttp.ClientTimeout(total=70)
"""Longer than a node takes to say which of its gates hangs, or to look at what it has taken; a node that is gone was
found out by asking for its status."""
_HEAD_START_S = 2.0
"""Of the cameras that follow another one: half of what they wait for it (`edge/capture/picamera/sync.py`), whichever of
them is slower to open."""


class NodeUnreachable(HubError):
    """A node does not answer."""


class NodeRefused(HubError):
    """A node answered that it cannot."""


@dataclass(frozen=True)
class Node:
    """A node of this rig and the address of its API."""

    id: NodeId
    url: str


class RigNodes:
    """Speaks to every node of the rig, from the left, with the rig's token."""

    def __init__(
        self, http: aiohttp.ClientSession, nodes: Sequence[Node], token: str, *, head_start_s: float = _HEAD_START_S
    ) -> None:
        self.nodes = tuple(nodes)
        self._http = http
        self._head_start_s = head_start_s
        self._headers = {"Authorization": f"Bearer {token}"}

    async def start(self, order: StartRecording, servers: Collection[NodeId] = ()) -> None:
        """All nodes record, or none: those that started are stopped when one refuses.

        Nodes whose cameras are `servers` of the rig's synchronisation are asked last, whatever the others answer: once
        they all did, or after a head start, since a camera that follows answers only when it is in step.
        Raises `NodeUnreachable` or `NodeRefused`.
        """
        raw = encode(order)
        followers = asyncio.ensure_future(self._begin([node for node in self.nodes if node.id not in servers], raw))

        async def lead() -> list[BaseException]:
            await asyncio.wait([followers], timeout=self._head_start_s)
            return await self._begin([node for node in self.nodes if node.id in servers], raw)

        faults = [fault for told in await asyncio.gather(followers, lead()) for fault in told]
        if faults:
            await self.stop(order.session)
            raise faults[0]

    async def _begin(self, nodes: Sequence[Node], order: bytes) -> list[BaseException]:
        """Asks them all at once; why some could not."""
        answers = await asyncio.gather(
            *(self._call("POST", node, "/api/v1/record/start", order) for node in nodes), return_exceptions=True
        )
        return [answer for answer in answers if isinstance(answer, BaseException)]

    async def stop(self, session: SessionId) -> list[NodeId]:
        """Every node that records `session` closes its last segment; returns the nodes that did not answer."""
        results = await asyncio.gather(*(self._stop(node, session) for node in self.nodes), return_exceptions=True)
        return [n.id for n, result in zip(self.nodes, results, strict=True) if isinstance(result, NodeUnreachable)]

    async def _stop(self, node: Node, session: SessionId) -> None:
        if (await self.status(node)).recording == session:
            await self._call("POST", node, "/api/v1/record/stop", b"")

    async def status(self, node: Node) -> NodeStatus:
        """What a node says of itself; raises `NodeUnreachable` or `NodeRefused`."""
        raw = await self._call("GET", node, "/api/v1/status", None)
        try:
            return decode(raw, NodeStatus)
        except WireError as fault:
            raise NodeRefused(f"node {node.id} answers, but not as a Touchline node: {fault}") from fault

    async def marks(self, node: Node, session: SessionId) -> list[Mark]:
        """The moments of a session that were marked at a node; raises `NodeUnreachable` or `NodeRefused`."""
        raw = await self._call("GET", node, f"/api/v1/sessions/{session}/marks", None)
        try:
            return msgspec.json.decode(raw, type=list[Mark])
        except (msgspec.MsgspecError, WireError) as fault:
            raise NodeRefused(f"node {node.id} tells its marks in words that this hub does not know") from fault

    async def _call(self, method: str, node: Node, path: str, body: bytes | None) -> bytes:
        try:
            async with self._http.request(
                method, node.url + path, data=body, headers=self._headers, timeout=_ASK if body is None else _ORDER
            ) as answer:
                raw = await answer.read()
                if answer.status >= 400:
                    raise NodeRefused(f"node {node.id} refused ({answer.status}): {_reason(raw)}")
                return raw
        except (aiohttp.ClientError, TimeoutError, OSError) as fault:
            raise NodeUnreachable(f"node {node.id} at {node.url} does not answer") from fault


def _reason(raw: bytes) -> str:
    """The sentence in a refusal; a closed gate comes as its whole report."""
    try:
        return decode(raw, GateReport).sentence
    except WireError:
        return raw.decode(errors="replace").strip()[:300]
