"""Faults of the hub."""


class HubError(Exception):
    """Root of every fault in this room."""


class PitchNotFound(HubError, ValueError):
    """A picture in which the pitch's lines were not recognised, and too few clicked points to do without."""


class ClicksFitNoCamera(HubError, ValueError):
    """Clicked points that no camera beside this pitch could see where they were clicked."""


class ViewsDoNotFit(HubError, ValueError):
    """Pictures that cannot be a rig's: too few, too many, or differing in size."""


class OfferContradicts(HubError, ValueError):
    """A segment offered again with other bytes than before."""


class NotOffered(HubError, KeyError):
    """A segment that no node has offered."""

    def __str__(self) -> str:
        return str(self.args[0])


class LedgerUnusable(HubError):
    """The hub's ledger cannot be opened or written."""


class LensNotMeasured(HubError, ValueError):
    """Pictures of a board that do not tell how a lens draws, or a board that cannot be."""


class LensUnknown(HubError, ValueError):
    """A lens profile that cannot be read, or that says nothing about these pictures."""


class FramesDoNotFit(HubError, ValueError):
    """Frames of another number or size than the rig was calibrated with."""


class Interrupted(HubError):
    """The hub is stopping; what is done stays, the rest is resumed at the next start."""


class NotPaired(HubError):
    """The portal did not pair this hub, or what is kept of a pairing cannot be read."""
