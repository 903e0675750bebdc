"""Coding a camera's pictures: a `Coder` takes frames and gives packets."""

from edge.encode.coder import Coder, Packet

__all__ = ["Coder", "Packet"]
