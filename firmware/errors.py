"""Faults of the board."""


class FirmwareError(Exception):
    """Root of every fault in this room; its text is one sentence for the person who runs the appliance."""


class PanelFault(FirmwareError):
    """A panel that was asked for but cannot be reached, or a setting that names none."""
