"""Handing segments over to the hub: over the network, or on a stick."""

from edge.offload.addresses import HubAddresses, on_this_network
from edge.offload.bandwidth import Bandwidth
from edge.offload.hub import Hub
from edge.offload.offloader import Offloader
from edge.offload.stick import bring_receipts, export, take_receipts

__all__ = [
    "Bandwidth",
    "Hub",
    "HubAddresses",
    "Offloader",
    "bring_receipts",
    "export",
    "on_this_network",
    "take_receipts",
]
