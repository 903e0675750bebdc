"""The hub's own API: sessions started, watched and stopped by the rig's operator, and the proof of whose hub it is."""

from hub.api.proof import proof_routes
from hub.api.routes import SessionsApi, plain_errors

__all__ = ["SessionsApi", "plain_errors", "proof_routes"]
