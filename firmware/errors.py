"""Faults of the board."""


class FirmwareError(Exception):
    """Root of every fault in this room; its text is one sentence for the person who runs the appliance."""


class NotSetUp(FirmwareError):
    """Something is asked of a machine that was not set up for it."""


class PowerFault(FirmwareError):
    """A board that does not go down when it is told to."""


class PanelFault(FirmwareError):
    """A panel that was asked for but cannot be reached, or a setting that names none."""
