"""The node's disk: how long it still lasts, and what may be deleted from it."""

from edge.storage.ballast import trim_ballast
from edge.storage.storage import Level, Storage, StorageState

__all__ = ["Level", "Storage", "StorageState", "trim_ballast"]
