"""Recording: frames become segments on disk, each with its tracks and its row in the ledger."""

from edge.record.recording import Recording
from edge.record.salvage import salvage
from edge.record.shelf import Shelf

__all__ = ["Recording", "Shelf", "salvage"]
