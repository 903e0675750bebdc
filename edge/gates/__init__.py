"""The gates before a start: a node that cannot record well says so before the match, not after it."""

from edge.gates.gate import Gate, ask
from edge.gates.gates import Gates

__all__ = ["Gate", "Gates", "ask"]
