"""Takes segments from the nodes: offers, resumable uploads, verification, and the shelf of what is confirmed."""

from hub.ingest.ingest import Ingest
from hub.ingest.ledger import Ledger
from hub.ingest.routes import ingest_routes
from hub.ingest.shelf import SegmentShelf

__all__ = ["Ingest", "Ledger", "SegmentShelf", "ingest_routes"]
