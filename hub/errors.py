"""Faults of the hub."""


class HubError(Exception):
    """Root of every fault in this room."""


class TooFewClicks(HubError, ValueError):
    """A camera without enough clicked points of the pitch to find where it stands."""


class ClicksFitNoCamera(HubError, ValueError):
    """Clicked points that no camera beside this pitch could see where they were clicked."""


class ViewsDoNotFit(HubError, ValueError):
    """Pictures that cannot be a rig's: too few, too many, or differing in size."""
