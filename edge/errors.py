"""Faults of a camera node."""

from wire.readiness import GateReport


class EdgeError(Exception):
    """Root of every fault in this room; its text is one sentence for the person who runs the node."""


class CameraFault(EdgeError):
    """A camera that cannot be opened, or whose pictures stop making sense."""


class ProfileRefused(CameraFault):
    """A camera was asked for more than its sensor or its board can hold."""


class CameraStuck(CameraFault):
    """A camera whose driver does not come back: only a new process can open it again."""


class AlreadyRecording(EdgeError):
    """A recording was asked for while another one runs, or under an id that was used before."""


class GateClosed(EdgeError):
    """A start was refused by the node's gates; `report` says which, and what to do."""

    def __init__(self, report: GateReport) -> None:
        super().__init__(report.sentence)
        self.report = report


class SelfTesting(EdgeError):
    """The camera is taken by a self-test, or a self-test was asked for while the camera is taken."""


class NotRecording(EdgeError):
    """A stop was asked for while nothing is recorded."""


class RecorderFault(EdgeError):
    """The recorder cannot write what the camera gives: the node cannot do its duty."""


class DiskFull(RecorderFault):
    """The disk has no room left, and nothing on it may be deleted."""


class CoderFault(EdgeError):
    """A coder that does not open, or that fails in the middle; a new one may do better."""


class SoundFault(EdgeError):
    """A microphone that is not there, or that falls silent; a recording goes on without it."""


class LedgerFault(EdgeError):
    """A step that a segment's state does not allow, or a ledger that cannot be read."""


class HubUnreachable(EdgeError):
    """The hub does not answer, or answers that it cannot work now: try again later."""


class SegmentRefused(EdgeError):
    """The hub, or this node's own disk, refuses one segment; others may pass."""


class SegmentDamaged(EdgeError):
    """A segment whose bytes on this node's disk are not what they were when it was closed, or not there."""


class StickFault(EdgeError):
    """A stick that is not there, does not take or keep what is written, or brings what this rig's hub did not write."""


class NoRoom(EdgeError):
    """A stick with less room than what waits to be carried."""


class PortTaken(EdgeError):
    """Another process listens where the node's API should."""


class WrongWeights(EdgeError):
    """Weights of a detector that are missing, damaged or not the ones expected."""


class BadInput(EdgeError):
    """A file that was given to a command and that it cannot work on, or a place where it cannot write."""


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
