"""Faults of the simulator and the demo."""


class SimulatorError(Exception):
    """Root of every fault in this room."""


class BadFootage(SimulatorError, ValueError):
    """Recorded files that cannot be played as a match day."""


class BadOptions(SimulatorError, ValueError):
    """A wish that the demo cannot fulfil."""


class PortTaken(SimulatorError):
    """Another program already listens where ours should."""


class ProcessFailed(SimulatorError):
    """A process of the rig ended or did not come up."""


class BadMatch(SimulatorError, ValueError):
    """A match that nobody could play."""
