"""The hub's own API: sessions started, watched and stopped by the rig's operator."""

from hub.api.routes import SessionsApi, plain_errors

__all__ = ["SessionsApi", "plain_errors"]
