"""Faults of a camera node."""


class EdgeError(Exception):
    """Root of every fault in this room; its text is one sentence for the person who runs the node."""


class CameraFault(EdgeError):
    """A camera that cannot be opened, or whose pictures stop making sense."""


class AlreadyRecording(EdgeError):
    """A recording was asked for while another one runs, or under an id that was used before."""


class NotRecording(EdgeError):
    """A stop was asked for while nothing is recorded."""


class RecorderFault(EdgeError):
    """The recorder cannot write what the camera gives: the node cannot do its duty."""


class LedgerFault(EdgeError):
    """A step that a segment's state does not allow, or a ledger that cannot be read."""


class HubUnreachable(EdgeError):
    """The hub does not answer, or answers that it cannot work now: try again later."""


class SegmentRefused(EdgeError):
    """The hub, or this node's own disk, refuses one segment; others may pass."""


class PortTaken(EdgeError):
    """Another process listens where the node's API should."""


class WrongWeights(EdgeError):
    """Weights of a detector that are missing, damaged or not the ones expected."""


class UnknownDetector(EdgeError):
    """A detector was asked for that this node does not have."""


class ChipFault(EdgeError):
    """The AI accelerator cannot be used; recording does not need it."""


class ChipMissing(ChipFault):
    """No accelerator answers, or the software for it is not installed."""


class ChipBusy(ChipFault):
    """Another program holds the accelerator."""


class ChipMismatch(ChipFault):
    """Parts of the accelerator's software do not fit each other, or not this chip."""


class ChipStalled(ChipFault):
    """The accelerator did not answer in time; it has to be opened anew."""
