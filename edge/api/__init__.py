"""The node's HTTP API."""

from edge.api.app import application

__all__ = ["application"]
