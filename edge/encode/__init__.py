"""Coding a camera's pictures: `Coder` is what the recorder asks, `Packet` what it gets."""

from edge.encode.coder import Coder, Packet

__all__ = ["Coder", "Packet"]
