"""What HailoRT says, as sentences that somebody beside the pitch can act on."""

import contextlib
import re
from collections.abc import Iterator

from edge.errors import ChipBusy, ChipFault, ChipMismatch, ChipMissing, ChipStalled, EdgeError, WrongWeights

UPDATE = "bring them to one version with `sudo apt full-upgrade` and restart the node"
SENTENCES: dict[int, tuple[type[EdgeError], str]] = {
    4: (ChipStalled, "the Hailo chip gave no answer in time: if it happens again, switch the node off and on"),
    16: (ChipMismatch, f"the Hailo chip's firmware and the HailoRT library are of different versions: {UPDATE}"),
    26: (WrongWeights, "{what} is no usable model: reinstall the package hailo-models"),
    36: (
        ChipFault,
        "the Hailo driver refuses its work: `dmesg | grep hailo` says why; a restart of the node often helps",
    ),
    64: (
        ChipMissing,
        "the Hailo driver is not running: after an update of the system `sudo apt install --reinstall hailo-all` makes"
        " it anew; then restart the node",
    ),
    73: (ChipBusy, "another program uses the Hailo chip: stop it, only one can have the chip"),
    74: (
        ChipBusy,
        "the Hailo chip is taken, another program or a second node on this board has it: stop that one, or start both"
        " with --hailo-service",
    ),
    76: (ChipMismatch, f"the Hailo driver and the HailoRT library are of different versions: {UPDATE}"),
    77: (
        ChipFault,
        "HailoRT's service does not answer: start it with `sudo systemctl enable --now hailort`, or leave out"
        " --hailo-service where one program has the chip",
    ),
    78: (ChipMismatch, f"HailoRT's service and the HailoRT library are of different versions: {UPDATE}"),
    81: (ChipFault, "the Hailo driver finds no memory for its pictures: restart this machine"),
    87: (ChipStalled, "the Hailo chip hangs and only a cold start wakes it: take the node's power away for a moment"),
    91: (WrongWeights, "{what} is damaged: reinstall the package hailo-models"),
    92: (WrongWeights, "{what} is made for another generation of HailoRT: install the hailo-models of this system"),
    93: (WrongWeights, "{what} is made for another chip than the one on this board: name a folder with models for it"),
}
"""By HailoRT's status (`hailo_status` of hailort.h, 4.23): the fault and its sentence."""
NO_PACKAGE = (
    "the hailo detector needs the package python3-hailort, which this Python does not have: install hailo-all, make the"
    " environment with --system-site-packages, or choose another detector"
)
TWO_VERSIONS = "python3-hailort does not fit the HailoRT library ({fault}): " + UPDATE
NO_CHIP = (
    "no Hailo chip answers: see that the AI board sits firmly and its flat cable is locked at both ends, then restart"
    " the node"
)
OPENING_HANGS = (
    "the Hailo chip hangs while it is opened: if it stays so, take the node's power away for a moment, a restart is not"
    " enough"
)
STILL_HANGS = "the Hailo chip has not come back from what it was doing: if it stays so, restart the node"
TYPED = {"HailoRTTimeout": 4, "HailoRTDriverOperationFailedException": 36}
"""What a job may end with: handed to its callback without the number, unlike what calls raise."""


def status_of(fault: BaseException) -> int | None:
    """The number behind an exception of HailoRT, None where it has none.

    Device calls raise it bare, as the text of the binding's own exception; others wrap that one, or put it in a text.
    """
    for one in (fault, fault.__cause__):
        number = re.search(r"^\d+$|(?<=error: )\d+", str(one))
        if number:
            return int(number[0])
    return TYPED.get(type(fault).__name__)


def fault_of(fault: Exception, what: str) -> EdgeError:
    """The fault of this room that an exception of HailoRT means; `what` was loaded or asked."""
    status = status_of(fault)
    if status in SENTENCES:
        kind, sentence = SENTENCES[status]
        return kind(sentence.format(what=what))
    return ChipFault(f"the Hailo chip cannot be used ({what}): {type(fault).__name__}: {fault}")


@contextlib.contextmanager
def in_words(what: str) -> Iterator[None]:
    """Turns whatever HailoRT raises inside into a fault of this room."""
    try:
        yield
    except EdgeError:
        raise
    except Exception as fault:  # HailoRT's own exceptions share no base: the binding's are not those of its package
        raise fault_of(fault, what) from fault
