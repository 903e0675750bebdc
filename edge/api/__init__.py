"""The node's HTTP API."""

from edge.api.app import Served, application, node_routes

__all__ = ["Served", "application", "node_routes"]
