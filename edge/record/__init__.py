"""Recording: frames become segments on disk, each with its tracks and its row in the ledger."""

from edge.record.recording import PATIENCE, Patience, Recording
from edge.record.salvage import Salvaged, salvage
from edge.record.shelf import Shelf

__all__ = ["PATIENCE", "Patience", "Recording", "Salvaged", "Shelf", "salvage"]
