"""The one route that needs no token: the hub proves with it that it is its rig's."""

from aiohttp import web

from wire.errors import MalformedMessage
from wire.hand_over import PROOF
from wire.message import encode
from wire.proof import HubProof, hub_proof


def proof_routes(token: str) -> list[web.RouteDef]:
    """The route to mount: `/api/v1/proof/{nonce}` answers a node's nonce as `wire.proof.hub_proof` says."""

    async def prove(request: web.Request) -> web.Response:
        nonce = request.match_info["nonce"]
        # Where this line really ends: the Host field is whatever the asker, or someone in between, has written there.
        host, port = request.get_extra_info("sockname")[:2]
        try:
            answer = HubProof(nonce=nonce, proof=hub_proof(token, nonce, host, port))
        except MalformedMessage as fault:
            return web.Response(status=400, text=str(fault))
        return web.Response(body=encode(answer), content_type="application/json")

    return [web.get(PROOF + "/{nonce}", prove)]
