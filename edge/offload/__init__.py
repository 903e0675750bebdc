"""Handing segments over to the hub."""

from edge.offload.hub import Hub
from edge.offload.offloader import Offloader

__all__ = ["Hub", "Offloader"]
